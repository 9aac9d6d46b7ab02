"""What every gRPC call goes through: caller identified, ids taken or made, errors given their codes, deed noted."""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import grpc
from common.provenance_pb2 import Provenance
from google.protobuf.message import Message

from app.serving.gate import Gate
from app.serving.grpc_status import DETAILS, rich_status
from domain import errors
from domain.access.rights import Principal
from domain.audit import (
    NOBODY,
    ON_RECORD_FIRST,
    ONLY_REFUSALS,
    SYSTEM,
    Action,
    Actor,
    Door,
    Note,
    Trail,
    outcome_of,
    tenant_of,
)
from domain.clean_text import clean_message
from domain.errors import AnalyticsError, Defect, LimitExceeded, Unauthenticated
from domain.request import correlation, tracing
from domain.request.caller import Caller, bearer_token
from read_api.grpc.scope import company_of

CORRELATION_ID = "x-correlation-id"
ERROR_CODE = "x-error-code"
SUGGESTED_ACTIONS = "x-suggested-actions"
MAX_MESSAGE = 4 * 1024 * 1024  # bytes, either way
MIN_POSITION = "x-min-position"
MAX_STALENESS = "x-max-staleness"
FORCE_REFRESH = "x-force-refresh"
POSITION = "x-position"
TRACE = "traceresponse"
RETRY_AFTER = "retry-after"

# Every other RPC reads something of a tenant.
ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "HealthCheck": Action.STATUS,
        "GetProjectionStatus": Action.STATUS,
        "Publish": Action.PUBLISH,
        "StreamEvents": Action.EVENTS,
        "GetEvent": Action.EVENTS,
        "VerifyLog": Action.VERIFY,
        "RunAnalyticsQuery": Action.QUERY,
        "ExplainMetric": Action.EXPLAIN,
        "ExportAnalytics": Action.EXPORT,
        "GenerateReport": Action.REPORT,
        "GetReport": Action.REPORT,
        "DownloadReport": Action.REPORT,
    }
)

CODES: Mapping[type[AnalyticsError], grpc.StatusCode] = MappingProxyType(
    {
        errors.Invalid: grpc.StatusCode.INVALID_ARGUMENT,
        errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
        errors.Forbidden: grpc.StatusCode.PERMISSION_DENIED,
        errors.NotFound: grpc.StatusCode.NOT_FOUND,
        errors.Conflict: grpc.StatusCode.ABORTED,
        errors.LimitExceeded: grpc.StatusCode.RESOURCE_EXHAUSTED,
        errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
        errors.NotYet: grpc.StatusCode.FAILED_PRECONDITION,
        errors.Fenced: grpc.StatusCode.ABORTED,
        errors.Defect: grpc.StatusCode.INTERNAL,
    }
)

NOT_SERVED = "not_served"  # of an RPC that the contract has and no side offers

Context = grpc.aio.ServicerContext[Any, Any]
# An RPC that answers once is an async function, one that streams its answers an async generator; the first argument
# is the request, or the iterator of requests where the caller streams, the second who is asking.
Answers = Callable[[Any, Caller], Awaitable[Message]]
Streams = Callable[[Any, Caller], AsyncGenerator[Message]]
Answering = Callable[[Any, Context], Awaitable[Message]]  # as the server calls them
Streaming = Callable[[Any, Context], Awaitable[None]]

_logger = logging.getLogger(__name__)


def status_code(error: AnalyticsError) -> grpc.StatusCode:
    """The gRPC code of a domain error: that of its nearest class in the table."""
    if error.code == NOT_SERVED:
        return grpc.StatusCode.UNIMPLEMENTED
    return next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)


def answering(rpc: str, handler: Answers, gate: Gate) -> Answering:
    """The handler of an RPC that answers once, behind the door.

    The call ends with the status of what the handler raises.
    """

    async def answer(request: Any, context: Context) -> Message:
        async with _door(rpc, request, context, gate) as call:
            found = await handler(request, call.who)
            if found.ByteSize() > MAX_MESSAGE:
                raise LimitExceeded(
                    f"the answer has more than {MAX_MESSAGE:,} bytes",
                    code="too_many_rows",
                    suggested_actions=("Ask for a shorter period, or a page at a time.",),
                )
            call.position = _position(found)
            await call.before_the_answer()
            context.set_trailing_metadata((*call.trailing_metadata, *_stands_for(found)))
            return found
        raise AssertionError("a call that was refused has ended by now")

    return answer


def streaming(rpc: str, handler: Streams, gate: Gate) -> Streaming:
    """The handler of an RPC that streams its answers, behind the door. It is noted once, when it ends.

    The token is judged before every message: one that has ended or was withdrawn gets no more. Messages are written,
    not yielded: a generator of which the caller wants no more is closed when it is collected, in another context.
    """

    async def stream(request: Any, context: Context) -> None:
        async with _door(rpc, request, context, gate) as call, aclosing(handler(request, call.who)) as messages:
            await call.before_the_answer()
            async for message in messages:
                gate.authenticate(bearer_token(_authorizations(context)))
                call.position = _position(message)
                try:
                    await context.write(message)
                except grpc.aio.InternalError:  # the reader has left: what was read until then was read
                    return

    return stream


@dataclass
class _Call:
    """One call: what is done, and by whom as soon as that is known."""

    rpc: str
    company: str
    correlation_id: str
    trail: Trail
    trailing_metadata: Sequence[tuple[str, str]] = ()
    caller: Caller | None = None
    position: str = ""
    on_record: bool = False

    @property
    def who(self) -> Caller:
        """Who is asking. Raises Unauthenticated before that is known: no handler is called by nobody."""
        if self.caller is None:
            raise Unauthenticated("nobody is known to be asking")
        return self.caller

    @property
    def action(self) -> Action:
        return ACTIONS.get(self.rpc, Action.READ)

    async def before_the_answer(self) -> None:
        """Put on record first what must be."""
        if self.action in ON_RECORD_FIRST:
            self.on_record = True
            await self.trail.record(self._note(None))

    def end(self, error: BaseException | None) -> None:
        """Note how it ended."""
        note = self._note(error)
        if not self.on_record and (self.action not in ONLY_REFUSALS or note.outcome == "refused"):
            self.trail.note(note)

    def _note(self, error: BaseException | None) -> Note:
        actor, company = NOBODY, SYSTEM
        if self.caller is not None:
            principal = self.caller.principal
            actor, company = Actor.of(principal), tenant_of(principal.companies, self.caller.asked or self.company)
        outcome, code = outcome_of(error)
        return Note(actor, self.action, self.rpc, Door.GRPC, company, outcome, code, self.position, self.correlation_id)


@asynccontextmanager
async def _door(rpc: str, request: Any, context: Context, gate: Gate) -> AsyncIterator[_Call]:
    metadata = _metadata(context)
    correlation.current.set(correlation_id := correlation.good_or_new(metadata.get(CORRELATION_ID)))
    with tracing.request(f"grpc {rpc}", metadata.get("traceparent", ""), metadata.get("tracestate", "")) as trace:
        trailing_metadata = ((CORRELATION_ID, correlation_id), (TRACE, trace.parent))
        context.set_trailing_metadata(trailing_metadata)
        call = _Call(rpc, company_of(request), correlation_id, gate.trail, trailing_metadata)
        try:
            if call.action not in ONLY_REFUSALS:
                await gate.trail.admit()
            principal = gate.authenticate(bearer_token(_authorizations(context)))
            call.caller = _caller(principal, correlation_id, metadata)
            with gate.within_rates(call.caller.principal, call.action, call.company):
                yield call
            call.end(None)
        except AnalyticsError as error:
            call.end(error)
            if isinstance(error, Defect):
                _logger.error("%s failed: %s (correlation id %s)", rpc, error, correlation_id)
            await _refuse(context, error, trailing_metadata)
        except (grpc.aio.BaseError, grpc.RpcError):
            raise  # the handler has ended the call itself
        except Exception as error:
            call.end(error)
            _logger.exception("%s failed (correlation id %s)", rpc, correlation_id)
            # what went wrong inside is for the log: the text of a foreign exception may hold another tenant's data
            await _refuse(
                context, Defect(f"{rpc} failed; its correlation id finds the reason in the log"), trailing_metadata
            )
        except BaseException:  # the caller has gone: what was read until then was read
            call.end(None)
            raise


def _caller(principal: Principal, correlation_id: str, metadata: Mapping[str, str]) -> Caller:
    return Caller(
        principal,
        correlation_id,
        min_position=metadata.get(MIN_POSITION, ""),
        max_staleness=metadata.get(MAX_STALENESS, "0"),
        force_refresh=metadata.get(FORCE_REFRESH, "false"),
    )


def _position(message: Any) -> str:
    """The position that an answer stands for, in a member of its own or in its provenance."""
    position = getattr(message, "position", "") or getattr(getattr(message, "provenance", None), "position", "")
    return position if isinstance(position, str) else ""


def _stands_for(message: Any) -> Iterator[tuple[str, str]]:
    """What HTTP says in headers: where the answer stands, how old that is, and the version of the definition."""
    if position := _position(message):
        yield POSITION, position
    stands_for = getattr(message, "provenance", None)
    if isinstance(stands_for, Provenance) and stands_for.query:
        yield "x-lag-ms", str(stands_for.lag_ms)
        yield "x-definition-version", str(stands_for.definition_version)


async def _refuse(context: Context, error: AnalyticsError, trailing_metadata: Sequence[tuple[str, str]]) -> None:
    trailing: list[tuple[str, str | bytes]] = [*trailing_metadata, (ERROR_CODE, error.code)]
    if error.suggested_actions:
        trailing.append((SUGGESTED_ACTIONS, _ascii(clean_message("; ".join(error.suggested_actions)))))
    if error.retry_after is not None:
        trailing.append((RETRY_AFTER, str(math.ceil(error.retry_after))))
    trailing.append((DETAILS, rich_status(status_code(error), error, trailing_metadata[0][1]).SerializeToString()))
    await context.abort(status_code(error), clean_message(str(error)), tuple(trailing))


def _metadata(context: Context) -> dict[str, str]:
    """The caller's metadata; of a key that comes twice the first one counts."""
    found: dict[str, str] = {}
    for key, value in context.invocation_metadata() or ():
        if isinstance(value, str):
            found.setdefault(key, value)
    return found


def _authorizations(context: Context) -> list[str]:
    return [
        value for key, value in context.invocation_metadata() or () if key == "authorization" and isinstance(value, str)
    ]


def _ascii(text: str) -> str:
    """Metadata carries printable ASCII only."""
    return "".join(c for c in text.encode("ascii", "replace").decode() if c.isprintable())
