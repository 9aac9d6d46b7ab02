"""The command API over HTTP: commands on the configuration, `POST /api/v1/events` for events, and health."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

from litestar import Litestar, Request, Response, get, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler

from command_api import answers, commands
from command_api.command_handler import CommandHandler
from command_api.event_bodies import document, form
from command_api.uploads import SMALL, decoding, in_time, received
from domain.access.limits import Use
from domain.access.rate_limits import Rates
from domain.access.rights import Principal, Right, may, require
from domain.errors import AnalyticsError, Invalid
from domain.events.problems import Code
from domain.request import correlation
from domain.request.caller import OPEN, Caller
from eventlog.intake.intake import Ingest, Outcome

HttpRequest = Request[Caller, Any, State]
Health = Callable[[], Awaitable[dict[str, object]]]

MAX_BODY = 16 * 1024 * 1024
WHOLE_BODIES = 2  # larger JSON documents and compressed bodies are worked on as a whole: at most so many at once
UPLOAD_SECONDS = 60.0
UNUSABLE = frozenset({Code.BAD_JSON, Code.BAD_TEXT, Code.TOO_DEEP, Code.TOO_LARGE, Code.WRONG_TYPE, Code.NOT_FINITE})


def create_app(
    *,
    ingest: Ingest,
    command_handler: CommandHandler,
    health: Health,
    rates: Rates | None = None,
    upload_seconds: float = UPLOAD_SECONDS,
    descriptions: Sequence[HTTPRouteHandler] = (),
) -> Litestar:
    """The application, to stand behind the middleware (app/serving/audit_middleware.py); what it stands on is given. No
    `rates`: no limit.

    `upload_seconds`: within which a whole body has to come, and the next part of one that is taken in as it comes.
    `descriptions`: routes that say what this API takes.
    """

    @get("/api/v1/health", summary="Health of this process", opt={OPEN: True})
    async def show_health() -> Response[bytes]:
        """Whether this process lives and can take events (503 while it cannot)."""
        figures = await health()
        return answers.as_json(figures, 200 if figures["ready"] else 503)

    publishing = _publishing(ingest, rates or Rates(0), upload_seconds)
    return Litestar(
        [publishing, show_health, *commands.handlers(command_handler), *descriptions],
        exception_handlers={
            AnalyticsError: answers.problem,
            HTTPException: answers.http_problem,
            Exception: answers.defect,
        },
        openapi_config=None,
        logging_config=None,
    )


def _publishing(ingest: Ingest, rates: Rates, seconds: float) -> HTTPRouteHandler:
    slots = asyncio.Semaphore(WHOLE_BODIES)

    @post(
        "/api/v1/events",
        status_code=200,
        request_max_body_size=MAX_BODY,
        summary="Publish events",
    )
    async def publish_events(request: HttpRequest) -> Response[bytes]:
        """Take a JSON event or array, NDJSON, or length-delimited protobuf; answer when the good ones are durable."""
        principal = request.user.principal
        require(principal, Right.PUBLISH, principal.company_id)  # for one at least: each event's is checked on its own
        outcome = await _outcome(ingest, request, slots, seconds, rates)
        # counted when they are there: a body that went beyond the rate makes the next one wait
        events = outcome.accepted + outcome.duplicates + outcome.quarantined
        amounts = {**outcome.of_companies, "": events - outcome.of_companies.total()}
        rates.charge_each(principal, Use.EVENTS, amounts, time.monotonic())
        answer = outcome.as_json() | {"correlation_id": correlation.current.get()}
        return answers.as_json(answer, 200, {"X-Position": str(outcome.position)})

    return publish_events


async def _outcome(
    ingest: Ingest, request: HttpRequest, slots: asyncio.Semaphore, seconds: float, rates: Rates
) -> Outcome:
    """What became of the events of a body. Raises Invalid for one of a single event that is not usable at all."""
    cut, parse = form(request.headers.get("content-type", ""))
    decode = decoding(request.headers.get("content-encoding", ""))
    principal = request.user.principal
    take = partial(
        ingest.take,
        parse=parse,
        door="http",
        allows=partial(_publishes, principal, rates),
        tenant=principal.company_id,
    )
    if cut is not None and decode is None:
        return await take(cut(in_time(request.stream(), seconds)))
    async with received(request.stream(), seconds) as file:  # before a slot is taken: whoever is slow holds up nobody
        small = file.tell() <= SMALL and decode is None
        async with nullcontext() if small else slots:
            file.seek(0)
            body = file.read() if decode is None else decode(file.read(), MAX_BODY)
            some = document(body) if cut is None else [item async for group in cut(_once(body)) for item in group]
            del body
            outcome = await take(some)
    if len(some) == 1 and outcome.quarantined and outcome.reasons[0].code in UNUSABLE:
        raise Invalid(
            f"the body is not usable: {outcome.reasons[0].reason}",
            code=outcome.reasons[0].code,
            suggested_actions=("Correct the body and send it again; as it came it is kept in quarantine.",),
        )
    return outcome


def _publishes(principal: Principal, rates: Rates, company: str) -> bool:
    """Whether the principal may publish for a company; raises LimitExceeded where it has published too much.

    A body names its companies in its events, so that the door cannot know them.
    """
    allowed = may(principal, Right.PUBLISH, company)
    if allowed:
        rates.admit(principal, Use.EVENTS, time.monotonic(), amount=0, company=company)
    return allowed


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
