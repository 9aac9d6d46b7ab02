"""The read API over HTTP and WebSocket, and the pages. It gets its collaborators given and opens nothing itself."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from litestar import Litestar, Response, get, websocket
from litestar.config.response_cache import ResponseCacheConfig
from litestar.connection import WebSocket
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from domain.access.rights import Right, may, require
from domain.errors import AnalyticsError, Defect, Unavailable
from domain.problem_documents import MEDIA_TYPE, status_of
from domain.request import correlation
from domain.request.caller import OPEN, bearer_token
from projections.engine.query.ask import listed_queries
from read_api.answers.verification import LogVerification
from read_api.health.projection_status import health_seen_by, standing, visible_to
from read_api.health.prometheus import Metric
from read_api.http import (
    ad_hoc,
    configuration,
    dashboards,
    exports,
    insights,
    openapi,
    query_paths,
    reports,
)
from read_api.http import metrics as catalogue
from read_api.http.events import find_events, show_event
from read_api.http.problems import of_framework, problem
from read_api.http.realtime import realtime
from read_api.http.request import HttpRequest, answer_query, explanation, parameters
from read_api.http.responses import JSON
from read_api.http.short_way import ShortWay
from read_api.http.verification import verify_log
from read_api.live.sessions import LiveSessions
from read_api.live.websocket import connect
from read_api.services import ReadServices
from read_api.web import pages
from read_api.web.services import PageServices

logger = logging.getLogger(__name__)


def create_app(
    side: ReadServices,
    verification: LogVerification,
    services: PageServices,
    descriptions: Sequence[HTTPRouteHandler] = (),
) -> Litestar:
    """The whole read API as an ASGI application, to stand behind the middleware (app/serving/audit_middleware.py).

    `services`: what pages stand on beside it. `descriptions`: routes that say what this API takes.
    """
    state = {"side": side, "live": LiveSessions(side), "verification": verification, "pages": services}
    return Litestar(
        [*HANDLERS, live, pages.routes(), *descriptions],
        state=State(state),
        exception_handlers={Exception: _answer_error},
        openapi_config=None,  # the description is a file of proto/http, made from HANDLERS
        logging_config=None,
        response_cache_config=ResponseCacheConfig(),
        request_max_body_size=65_536,
    )


def short_way(application: Litestar) -> ShortWay:
    """That application, whose handlers of queries are asked without what the framework does around them."""
    # written by the framework, or reading its path as it was sent, or sent while it is made
    framed = (metrics, show_event, ad_hoc.export, exports.file, reports.file)
    direct = [each for each in HANDLERS if each not in framed and each.http_methods == {"GET"}]  # others read bodies
    return ShortWay(application, direct, _answer_error)


@get("/api/v1/query/{name:str}", responses=openapi.ANSWER, summary="Answer a registered query")
async def query(name: FromPath[str], request: HttpRequest) -> Response[bytes]:
    """Rows of a registered query for one company, with the position that they stand for.

    `company` names the tenant. `as_of` (an event time, exclusive) and `as_known_at` (a position) ask for a past state.
    Every other parameter is the query's own.
    """
    return await answer_query(request, name, parameters(request))


@get("/api/v1/query/{name:str}/explain", responses=openapi.EXPLANATION, summary="Explain a measure of a query")
async def explain(name: FromPath[str], request: HttpRequest) -> Response[bytes]:
    """The events behind `measure`, with their shares, a page at a time (`limit`, `cursor`, `order`: oldest or newest).

    `company`, `as_of`, `as_known_at` and the query's own parameters say which rows are meant.
    """
    return await explanation(request, name, parameters(request))


@get("/api/v1/query", responses=openapi.QUERIES, summary="List the registered queries")
async def queries(request: HttpRequest) -> Response[bytes]:
    """Every registered query with its parameters."""
    require(request.user.principal, Right.CATALOGUE)
    return Response(msgspec.json.encode({"queries": listed_queries()}), media_type=JSON)


@get("/api/v1/projections", responses=openapi.PROJECTIONS, summary="Position and lag of every projection")
async def projections(request: HttpRequest) -> Response[bytes]:
    """State, position and lag of every projection version; as last known, saying so, while the store is silent."""
    principal = request.user.principal
    require(principal, Right.STATUS)
    side: ReadServices = request.app.state.side
    shown = {"projections": visible_to(principal, (await side.statuses.latest())[0])}
    return Response(msgspec.json.encode(shown), media_type=JSON)


@get("/api/v1/health", responses=openapi.HEALTH, summary="How the service is", opt={OPEN: True})
async def health(request: HttpRequest) -> Response[bytes]:
    """Without a token: live, ready and the version. With one: every figure that is known."""
    side: ReadServices = request.app.state.side
    found = await side.health()
    if tokens := request.headers.getall("authorization", []):
        principal = side.authenticate(bearer_token(tokens))
        found = health_seen_by(principal, found)
    if not tokens or not may(principal, Right.STATUS):
        found = {name: found[name] for name in ("live", "ready", "version")}
    return Response(msgspec.json.encode(found), media_type=JSON, status_code=200 if found["ready"] else 503)


@get(
    "/metrics",
    media_type="text/plain",
    responses=openapi.METRICS,
    summary="Metrics of this process in the Prometheus text format",
)
async def metrics(request: HttpRequest) -> Response[str]:
    """The closed set of metrics in read_api/health/prometheus.py."""
    require(request.user.principal, Right.STATUS)
    side: ReadServices = request.app.state.side
    for name, figure in side.live.figures.items():
        side.metrics.set(Metric.LANE, figure, name)
    side.metrics.set(Metric.STORE, 0)
    with suppress(Unavailable):
        statuses, silent = await side.statuses.latest()
        side.metrics.set(Metric.STORE, float(not silent))
        for status in (s for s in statuses if s["live"]):
            for metric, field in _PROJECTION_METRICS.items():
                side.metrics.set(metric, float(str(status[field])), str(status["name"]))
        for what, count in side.questions.cache.figures().items():
            side.metrics.set(Metric.ANSWERS, count, what)
        side.metrics.clear(Metric.STANDS)
        for name, category, position, since in standing(statuses):
            side.metrics.set(Metric.STANDS, since, name, category, position)
    return Response(side.metrics.text(), media_type="text/plain; version=0.0.4")


HANDLERS = (
    query,
    explain,
    queries,
    projections,
    *configuration.handlers(),
    *dashboards.HANDLERS,
    *catalogue.HANDLERS,
    *query_paths.handlers(),
    *ad_hoc.HANDLERS,
    *reports.HANDLERS,
    *exports.HANDLERS,
    verify_log,
    *insights.handlers(),
    realtime,
    find_events,
    show_event,
    health,
    metrics,
)

TARGETS = query_paths.targets()

_PROJECTION_METRICS: Mapping[Metric, str] = {
    Metric.LAG_EVENTS: "lag_events",
    Metric.LAG_SECONDS: "lag_seconds",
    Metric.RATE: "rate",
}


@websocket("/api/v1/live", opt={OPEN: True})  # its first message brings the token
async def live(socket: WebSocket[Any, Any, State]) -> None:
    """Answers that come by themselves; see read_api/live/websocket.py for the messages."""
    sessions: LiveSessions = socket.app.state.live
    await connect(socket, sessions)


def _answer_error(request: HttpRequest, error: Exception) -> Response[bytes]:
    """Our errors and the framework's as problem documents; what nobody expected is logged by the middleware."""
    found = of_framework(error, f"{request.method} {request.url.path}")
    if not isinstance(found, AnalyticsError):
        raise found
    if isinstance(found, Defect):
        logger.error("%s: %s", request.url.path, found)
    document = problem(found, correlation.current.get(), request.url.path)
    allowed = {name: value for name, value in (getattr(error, "headers", None) or {}).items() if name == "allow"}
    return Response(msgspec.json.encode(document), media_type=MEDIA_TYPE, status_code=status_of(found), headers=allowed)
