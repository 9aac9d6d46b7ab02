"""What every gRPC call goes through: caller identified, correlation id taken or made, errors given their codes."""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from types import MappingProxyType
from typing import Any

import grpc
from google.protobuf.message import Message

from domain.access import Authenticate
from domain.caller import Caller, enter
from domain.errors import (
    AnalyticsError,
    Conflict,
    Defect,
    Fenced,
    Forbidden,
    Invalid,
    LimitExceeded,
    NotFound,
    NotYet,
    Unauthenticated,
    Unavailable,
)
from domain.identity import new_event_id
from domain.rates import Rates

CORRELATION_ID = "x-correlation-id"
ERROR_CODE = "x-error-code"
SUGGESTED_ACTIONS = "x-suggested-actions"
RETRY_AFTER = "retry-after"

CODES: Mapping[type[AnalyticsError], grpc.StatusCode] = MappingProxyType(
    {
        Invalid: grpc.StatusCode.INVALID_ARGUMENT,
        Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
        Forbidden: grpc.StatusCode.PERMISSION_DENIED,
        NotFound: grpc.StatusCode.NOT_FOUND,
        Conflict: grpc.StatusCode.ABORTED,
        LimitExceeded: grpc.StatusCode.RESOURCE_EXHAUSTED,
        Unavailable: grpc.StatusCode.UNAVAILABLE,
        NotYet: grpc.StatusCode.FAILED_PRECONDITION,
        Fenced: grpc.StatusCode.ABORTED,
        Defect: grpc.StatusCode.INTERNAL,
    }
)

Context = grpc.aio.ServicerContext[Any, Any]
# An RPC that answers once is an async function, one that streams its answers an async generator; the first argument
# is the request, or the iterator of requests where the caller streams.
Answers = Callable[[Any, Context], Awaitable[Message]]
Streams = Callable[[Any, Context], AsyncGenerator[Message]]

_CORRELATION_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_logger = logging.getLogger(__name__)


def status_code(error: AnalyticsError) -> grpc.StatusCode:
    """The gRPC code of a domain error: that of its nearest class in the table."""
    return next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)


def answering(rpc: str, handler: Answers, authenticate: Authenticate, rates: Rates) -> Answers:
    """The handler of an RPC that answers once, behind the door."""

    async def answer(request: Any, context: Context) -> Message:
        async with _door(rpc, context, authenticate, rates):
            return await handler(request, context)
        raise AssertionError("a call that was refused has ended by now")

    return answer


def streaming(rpc: str, handler: Streams, authenticate: Authenticate, rates: Rates) -> Streams:
    """The handler of an RPC that streams its answers, behind the door."""

    async def stream(request: Any, context: Context) -> AsyncGenerator[Message]:
        async with _door(rpc, context, authenticate, rates), aclosing(handler(request, context)) as messages:
            async for message in messages:
                yield message

    return stream


@asynccontextmanager
async def _door(rpc: str, context: Context, authenticate: Authenticate, rates: Rates) -> AsyncIterator[None]:
    metadata = _metadata(context)
    correlation_id = _correlation_id(metadata)
    context.set_trailing_metadata(((CORRELATION_ID, correlation_id),))
    try:
        principal = authenticate(_token(metadata))
        enter(Caller(principal, correlation_id))
        with rates.question(principal, time.monotonic()):
            yield
    except AnalyticsError as error:
        if isinstance(error, Defect):
            _logger.error("%s failed: %s (correlation id %s)", rpc, error, correlation_id)
        await _refuse(context, error, correlation_id)
    except (grpc.aio.BaseError, grpc.RpcError):
        raise  # the handler has ended the call itself
    except Exception:
        _logger.exception("%s failed (correlation id %s)", rpc, correlation_id)
        # what went wrong inside is for the log: the text of a foreign exception may hold another tenant's data
        await _refuse(context, Defect(f"{rpc} failed; its correlation id finds the reason in the log"), correlation_id)


async def _refuse(context: Context, error: AnalyticsError, correlation_id: str) -> None:
    trailing = [(CORRELATION_ID, correlation_id), (ERROR_CODE, error.code)]
    if error.suggested_actions:
        trailing.append((SUGGESTED_ACTIONS, _ascii("; ".join(error.suggested_actions))))
    if error.retry_after is not None:
        trailing.append((RETRY_AFTER, str(math.ceil(error.retry_after))))
    await context.abort(status_code(error), str(error), tuple(trailing))


def _metadata(context: Context) -> dict[str, str]:
    """The caller's metadata; of a key that comes twice the first one counts."""
    found: dict[str, str] = {}
    for key, value in context.invocation_metadata() or ():
        if isinstance(value, str):
            found.setdefault(key, value)
    return found


def _token(metadata: Mapping[str, str]) -> str:
    scheme, _, token = metadata.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated(
            "the call has no bearer token",
            suggested_actions=("Send `authorization: Bearer <token>` in the metadata.",),
        )
    return token.strip()


def _correlation_id(metadata: Mapping[str, str]) -> str:
    """The caller's, where it is fit for log lines and metadata; a new one otherwise."""
    given = metadata.get(CORRELATION_ID, "")
    return given if _CORRELATION_ID.fullmatch(given) else new_event_id()


def _ascii(text: str) -> str:
    """Metadata carries printable ASCII only."""
    return "".join(c for c in text.encode("ascii", "replace").decode() if c.isprintable())
