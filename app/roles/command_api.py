"""The role `command-api`: commands and events over HTTP."""

from __future__ import annotations

import asyncio

from app import wiring
from app.role import Ready, Role
from app.settings import Settings
from domain.access.rate_limits import Rates


async def serve(settings: Settings, stop: asyncio.Event, ready: Ready) -> None:
    """Serve until `stop`."""
    from app.publisher import ingest
    from app.serving.api_page import description_routes
    from app.serving.audit_middleware import AuditMiddleware
    from app.serving.gate import Gate
    from app.serving.http_server import serve_http
    from app.serving.routing import routes_of
    from app.serving.tls import certificate_files
    from command_api.answers import document_of
    from command_api.health import Health
    from command_api.http import create_app

    files = certificate_files(settings)
    async with (
        ingest(settings) as doors,
        wiring.command_handler(settings) as handler,
        wiring.event_log(settings) as log,
        wiring.live_bus(settings) as bus,
        wiring.trail(settings, log) as trail,
        wiring.authenticator(settings) as authenticate,
    ):
        health = Health({"log": lambda: log.heads("trading-events"), "bus": bus.flush, "event-store": handler.check})
        rates = Rates(settings.rate_limits)
        application = create_app(
            ingest=doors,
            command_handler=handler,
            health=health,
            rates=rates,
            upload_seconds=settings.upload_seconds,
            descriptions=description_routes("command_api"),
        )
        gate = Gate(authenticate, trail, rates)
        middleware = AuditMiddleware(application, routes_of(application), gate, document_of)
        await serve_http(middleware, settings.host, settings.command_port, stop, ready, files)


ROLE = Role("command-api", "takes commands and events over HTTP", serve, "ANALYTICS_COMMAND_PORT")
