"""The role `read-api`: HTTP queries, live figures and pages."""

from __future__ import annotations

import asyncio

from app.read_side.services import read_services
from app.role import Ready, Role
from app.settings import Settings


async def serve(settings: Settings, stop: asyncio.Event, ready: Ready) -> None:
    """Serve until `stop`."""
    from app.serving.audit_middleware import AuditMiddleware
    from app.serving.gate import Gate
    from app.serving.http_server import serve_http
    from app.serving.routing import routes_of
    from app.serving.tls import certificate_files
    from read_api.http.app import create_app, short_way
    from read_api.http.problems import problem

    files = certificate_files(settings)
    async with read_services(settings) as (side, _):
        gate = Gate(side.authenticate, side.trail, side.rates)
        application = create_app(side)
        match, observe = routes_of(application), side.metrics.request
        middleware = AuditMiddleware(short_way(application), match, gate, problem, observe)
        await serve_http(middleware, settings.host, settings.read_port, stop, ready, files)


ROLE = Role("read-api", "queries over HTTP, live figures, pages", serve, "ANALYTICS_READ_PORT")
