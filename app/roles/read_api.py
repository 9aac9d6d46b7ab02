"""The role `read-api`: HTTP queries, live figures and pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from app.read_side.services import read_services
from app.role import Ready, Role
from app.settings import Settings
from eventlog import tasks

if TYPE_CHECKING:
    from domain.ports import EventLog
    from read_api.answers.verification import LogVerification
    from read_api.answers.warming import Warming


async def serve(settings: Settings, stop: asyncio.Event, ready: Ready) -> None:
    """Serve until `stop`."""
    from app.read_side.pages import page_services
    from app.serving.api_page import description_routes
    from app.serving.audit_middleware import AuditMiddleware
    from app.serving.gate import Gate
    from app.serving.http_server import serve_http
    from app.serving.instant_answers import InstantAnswers
    from app.serving.routing import routes_of
    from app.serving.tls import certificate_files
    from read_api.http.app import TARGETS, create_app, short_way
    from read_api.http.problems import problem
    from read_api.web.refusals import refusal

    import_module("domain.metrics.formulas")  # with numpy: else whoever asks first waits for it
    files = certificate_files(settings)
    async with (
        read_services(settings) as (side, log),
        _verification(settings, log) as verification,
        page_services(settings, log, verification) as pages,
    ):
        gate = Gate(side.authenticate, side.trail, side.rates, side.sessions)
        application = create_app(side, verification, pages, description_routes("read_api"))
        match, observe = routes_of(application), side.metrics.request
        inner = short_way(application)
        middleware = AuditMiddleware(inner, match, gate, problem, observe, refusal)
        instant = InstantAnswers(inner.at_hand, match, gate, observe)
        warming = side.questions.warming(TARGETS, settings.warming_share)
        async with _warming(warming, settings.warming_share):
            await serve_http(middleware, settings.host, settings.read_port, stop, ready, files, instant)


@asynccontextmanager
async def _verification(settings: Settings, log: EventLog) -> AsyncIterator[LogVerification]:
    from app.evidence import evidence
    from read_api.answers.verification import LogVerification

    async with evidence(settings) as kept:
        yield LogVerification(log, kept)


@asynccontextmanager
async def _warming(warming: Warming, share: float) -> AsyncIterator[None]:
    """Answers are made beforehand for as long as this lasts, where there is time for it."""
    name = "making answers beforehand"
    working = tasks.start(tasks.keep(warming.run, name), name) if share else None
    try:
        yield
    finally:
        await tasks.end(working)


ROLE = Role("read-api", "queries over HTTP, live figures, pages", serve, "ANALYTICS_READ_PORT")
