"""A real gRPC server on a loopback port, and callers of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
from services.analytics_service_pb2_grpc import AnalyticsServiceStub

from app.serving.gate import Gate
from app.serving.grpc_server import Handlers, grpc_server
from domain.access.rights import OPERATOR, Principal, Role
from domain.errors import Unauthenticated
from eventlog.publish.audit_writer import NoTrail

if TYPE_CHECKING:
    from services.analytics_service_pb2_grpc import AnalyticsServiceAsyncStub  # exists for the type checker only

PEOPLE: Mapping[str, Principal] = {
    "auditor-of-acme": Principal("ann", frozenset({"acme"}), frozenset({Role.AUDITOR})),
    "auditor-of-all": Principal("abe", frozenset({"*"}), frozenset({Role.AUDITOR})),
    "engineer": Principal("eve", frozenset({"acme"}), frozenset({Role.ENGINEER})),
    "operator": OPERATOR,
    "viewer": Principal("vic", frozenset({"acme"}), frozenset({Role.VIEWER})),
}


def authenticate(token: str) -> Principal:
    """Tokens are names here: what a token holds is for the tests of adapters/auth."""
    if token not in PEOPLE:
        raise Unauthenticated(f"nobody has the token {token!r}", suggested_actions=("Sign in again – soon.",))
    return PEOPLE[token]


@asynccontextmanager
async def serving(*sides: Handlers) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a server of these handlers."""
    server = grpc_server(sides, Gate(authenticate, NoTrail()))
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            yield channel
    finally:
        await server.stop(grace=0.5)


def service(channel: grpc.aio.Channel) -> AnalyticsServiceAsyncStub:
    """The service's stub for asyncio."""
    return AnalyticsServiceStub(channel)


def signed_in(name: str, *more: tuple[str, str]) -> Sequence[tuple[str, str]]:
    """Metadata of a call by one of PEOPLE."""
    return (("authorization", f"Bearer {name}"), *more)


async def refused(call: Any) -> grpc.aio.AioRpcError:
    """The error that a call ends with; fails when it does not."""
    try:
        if hasattr(call, "__aiter__"):
            async for _ in call:
                pass
        else:
            await call
    except grpc.aio.AioRpcError as error:
        return error
    raise AssertionError("the call was answered")


def trailing(error: grpc.aio.AioRpcError) -> dict[str, str]:
    """The error's trailing metadata."""
    return {key: value for key, value in error.trailing_metadata() if isinstance(value, str)}
