"""The command API over HTTP: `POST /api/v1/events` takes events, `GET /api/v1/health` tells how the process is."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from command_api.bodies import document, form
from command_api.problems import MEDIA_TYPE, problem, status_of
from domain import correlation
from domain.access import Authenticate, Right, Use, may, require
from domain.caller import Caller, caller, enter
from domain.errors import AnalyticsError, Defect, Forbidden, Invalid, LimitExceeded, NotFound, Unauthenticated
from domain.problem import Code
from domain.publishing.framing import Item
from domain.publishing.ingest import Ingest, Outcome
from domain.rates import Rates

Connection = ASGIConnection[Any, Any, Any, State]
HttpRequest = Request[Any, Any, State]
Health = Callable[[], Awaitable[dict[str, object]]]

MAX_BODY = 16 * 1024 * 1024
WHOLE_DOCUMENTS = 2  # JSON documents are read as a whole: at most so many at once
UNUSABLE = frozenset({Code.BAD_JSON, Code.BAD_TEXT, Code.TOO_DEEP, Code.TOO_LARGE, Code.WRONG_TYPE, Code.NOT_FINITE})

_logger = logging.getLogger(__name__)


def create_app(*, ingest: Ingest, authenticate: Authenticate, health: Health, rates: Rates | None = None) -> Litestar:
    """The application; what it stands on is given. Without `rates` there is no limit."""
    limits = rates or Rates(0)
    whole_documents = asyncio.Semaphore(WHOLE_DOCUMENTS)

    @post(
        "/api/v1/events",
        status_code=200,
        guards=[_bearer_guard(authenticate, limits, Use.EVENTS)],
        request_max_body_size=MAX_BODY,
        summary="Publish events",
    )
    async def publish_events(request: HttpRequest) -> Response[bytes]:
        """Take a JSON event or array, NDJSON, or length-delimited protobuf; answer when the good ones are durable."""
        outcome = await _taken(ingest, request, whole_documents)
        # counted when they are there: a body that went beyond the rate makes the next one wait
        events = outcome.accepted + outcome.duplicates + outcome.quarantined
        limits.charge(caller().principal, Use.EVENTS, events, time.monotonic())
        return _answer(request, outcome)

    @get("/api/v1/health", summary="Health of this process")
    async def show_health(request: HttpRequest) -> Response[bytes]:
        """Whether this process lives and can take events (503 while it cannot)."""
        found = await health()
        return _json(request, found, 200 if found["ready"] else 503)

    return Litestar(
        [publish_events, show_health],
        exception_handlers={AnalyticsError: _problem, HTTPException: _http_problem, Exception: _defect},
        openapi_config=None,
        logging_config=None,
    )


async def _taken(ingest: Ingest, request: HttpRequest, whole_documents: asyncio.Semaphore) -> Outcome:
    """What became of the events of a body. Raises Invalid for one of a single event that is not usable at all."""
    cut, parse = form(request.headers.get("content-type", ""))
    allows = partial(may, caller().principal, Right.PUBLISH)
    items = cut(request.stream())
    if cut is not document:
        return await ingest.take(items, parse, door="http", allows=allows)
    async with whole_documents:
        some: list[Item] = [item async for group in items for item in group]
        outcome = await ingest.take(_once(some), parse, door="http", allows=allows)
    if len(some) == 1 and outcome.quarantined and outcome.reasons[0].code in UNUSABLE:
        raise Invalid(
            f"the body is not usable: {outcome.reasons[0].reason}",
            code=outcome.reasons[0].code,
            suggested_actions=("Correct the body and send it again; as it came it is kept in quarantine.",),
        )
    return outcome


async def _once(items: list[Item]) -> Any:
    yield items


def _bearer_guard(authenticate: Authenticate, rates: Rates, use: Use) -> Guard:
    async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
        """Let in who may publish for at least one company; each event's company is checked where it is read."""
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated(
                "the request has no bearer token", suggested_actions=("Send `Authorization: Bearer <token>`.",)
            )
        principal = authenticate(token.strip())
        require(principal, Right.PUBLISH, principal.company_id)
        rates.admit(principal, use, time.monotonic(), amount=0 if use is Use.EVENTS else 1)
        enter(Caller(principal, _correlation_id(connection)))

    return guard


def _correlation_id(connection: Connection) -> str:
    if "correlation_id" not in connection.state:
        connection.state["correlation_id"] = correlation.accepted(connection.headers.get("x-correlation-id"))
    return str(connection.state["correlation_id"])


def _answer(request: HttpRequest, outcome: Outcome) -> Response[bytes]:
    answer = outcome.as_json() | {"correlation_id": _correlation_id(request)}
    response = _json(request, answer, 200)
    response.set_header("X-Position", str(outcome.position))
    return response


def _json(request: HttpRequest, content: object, status: int, media_type: str = "application/json") -> Response[bytes]:
    headers = {"X-Correlation-Id": _correlation_id(request)}
    return Response(msgspec.json.encode(content), status_code=status, media_type=media_type, headers=headers)


def _problem(request: HttpRequest, error: AnalyticsError, status: int | None = None) -> Response[bytes]:
    document = problem(error, _correlation_id(request), request.url.path)
    status = status or (415 if error.code == "unsupported_media_type" else status_of(error))
    response = _json(request, document | {"status": status}, status, MEDIA_TYPE)
    if status == 401:
        response.set_header("WWW-Authenticate", "Bearer")
    if error.retry_after is not None:
        response.set_header("Retry-After", str(math.ceil(error.retry_after)))
    return response


def _http_problem(request: HttpRequest, error: HTTPException) -> Response[bytes]:
    """Refusals of the framework: unknown path, wrong method, body too large."""
    if error.status_code == 413:
        hint = "Send fewer events at once; NDJSON of any length can be sent in pieces."
        return _problem(
            request,
            LimitExceeded(f"the body has more than {MAX_BODY} bytes", code="body_too_large", suggested_actions=(hint,)),
        )
    kinds: dict[int, type[AnalyticsError]] = {401: Unauthenticated, 403: Forbidden, 404: NotFound}
    return _problem(request, kinds.get(error.status_code, Invalid)(error.detail), error.status_code)


def _defect(request: HttpRequest, error: Exception) -> Response[bytes]:
    _logger.error("%s failed (correlation id %s)", request.url.path, _correlation_id(request), exc_info=error)
    return _problem(request, Defect("the request failed inside; the correlation id finds the reason in the log"))
