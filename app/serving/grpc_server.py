"""The gRPC server: AnalyticsService put together from what the read side and the write side offer.

Neither side knows the other. Each offers handlers by name of the RPC; an RPC that nobody offers answers UNIMPLEMENTED
and names itself. The standard health service and reflection are open to everybody: they tell nothing of any tenant.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from services import analytics_service_pb2

from app.serving.gate import Gate
from app.serving.grpc_interceptor import (
    MAX_MESSAGE,
    NOT_SERVED,
    Answering,
    Answers,
    Streaming,
    Streams,
    answering,
    streaming,
)
from domain.errors import Defect, Invalid, NotFound, Unavailable
from domain.request.caller import Caller

Handlers = Mapping[str, Answers | Streams]

SERVICE = analytics_service_pb2.DESCRIPTOR.services_by_name["AnalyticsService"]
READ_AHEAD = 256 * 1024  # bytes of a stream
MAX_METADATA = 32 * 1024  # bytes of a call's head
MAX_CALLS = 1_000  # at once; more are answered RESOURCE_EXHAUSTED instead of eating memory
OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE),
    ("grpc.max_send_message_length", MAX_MESSAGE),
    # A stream that sends faster than it is read waits: by itself, gRPC reads ahead as much as comes, up to 25 MB.
    # So many bytes under way are 5 MB/s of a stream whose round trip takes 50 ms.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", READ_AHEAD),
    # What one connection may take: heads, calls at once, and time for its beginning and for its answers to pings.
    ("grpc.max_metadata_size", MAX_METADATA),
    ("grpc.absolute_max_metadata_size", MAX_METADATA),
    ("grpc.max_concurrent_streams", MAX_CALLS // 4),
    ("grpc.server_handshake_timeout_ms", 10_000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 2),
    ("grpc.so_reuseport", 0),  # a port that another instance has is an error, not a port to share
)
_MAKERS: Mapping[tuple[bool, bool], Callable[..., grpc.RpcMethodHandler[Message, Message]]] = MappingProxyType(
    {  # (the caller streams, the server streams)
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }
)


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM texts of the server's key and certificate chain; with `client_ca` callers must show a certificate, too."""

    key: bytes
    certificate: bytes
    client_ca: bytes | None = None


class GrpcServer:
    """A server that listens between `start` and `stop`."""

    def __init__(self, server: grpc.aio.Server, serving: health.aio.HealthServicer, port: int) -> None:
        self._server = server
        self._serving = serving
        self.port = port

    async def start(self) -> None:
        """Take calls."""
        await self._server.start()
        await self.ready(True)

    async def ready(self, ready: bool) -> None:
        """What the standard health service answers, for the server and for the service."""
        status = health_pb2.HealthCheckResponse.SERVING if ready else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in ("", SERVICE.full_name):
            await self._serving.set(name, status)

    async def stop(self, grace: float) -> None:
        """Answer NOT_SERVING, take no more calls, let the running ones finish for `grace` seconds, then end them."""
        await self._serving.enter_graceful_shutdown()
        await self._server.stop(grace)


def grpc_server(
    sides: Sequence[Handlers], gate: Gate, *, address: str = "127.0.0.1:0", tls: Tls | None = None
) -> GrpcServer:
    """A server of all RPCs on `address` (port 0 takes a free one), not started yet.

    Raises Defect for a handler of no RPC or two handlers of one, Unavailable when the address is taken.
    """
    server = grpc.aio.server(options=OPTIONS, maximum_concurrent_rpcs=MAX_CALLS)
    handlers = _joined(sides)
    behind_door = {m.name: _method(m, handlers.get(m.name), gate) for m in SERVICE.methods}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE.full_name, behind_door),))
    serving = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(serving, server)
    names = (SERVICE.full_name, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    return GrpcServer(server, serving, _bound(server, address, tls))


def _joined(sides: Sequence[Handlers]) -> Handlers:
    joined: dict[str, Answers | Streams] = {}
    for name, handler in (pair for side in sides for pair in side.items()):
        if name not in SERVICE.methods_by_name:
            raise Defect(f"{name} is no RPC of {SERVICE.full_name}")
        if name in joined:
            raise Defect(f"two handlers are offered for the RPC {name}")
        joined[name] = handler
    return joined


def _method(method: MethodDescriptor, handler: Any, gate: Gate) -> grpc.RpcMethodHandler[Message, Message]:
    """How one RPC is served, by the way that its contract says it streams."""
    behind: Answering | Streaming
    readable = _each_readable if method.client_streaming else _readable
    if method.server_streaming:
        offered_stream: Streams = handler or _unimplemented_stream(method.name)

        async def stream(request: Any, caller: Caller) -> AsyncGenerator[Message]:
            async with aclosing(offered_stream(readable(request), caller)) as messages:
                async for message in messages:
                    yield message

        behind = streaming(method.name, stream, gate)
    else:
        offered: Answers = handler or _unimplemented(method.name)
        behind = answering(method.name, lambda request, caller: offered(readable(request), caller), gate)
    make = _MAKERS[method.client_streaming, method.server_streaming]
    decode = partial(_decoded, GetMessageClass(method.input_type))
    return make(behind, request_deserializer=decode, response_serializer=_encode)


def _decoded(kind: type[Message], data: bytes) -> Message | bytes:
    """A request, or its bytes where they are none: an error here would end the call with a text of gRPC's own."""
    try:
        return kind.FromString(data)
    except DecodeError:
        return data


def _readable(request: Message | bytes) -> Message:
    if isinstance(request, bytes):
        raise Invalid("the bytes are no message of this call", code="undecodable")
    return request


async def _each_readable(requests: AsyncIterator[Message | bytes]) -> AsyncIterator[Message]:
    async for request in requests:
        yield _readable(request)


def _encode(message: Message) -> bytes:
    return message.SerializeToString()


def _unimplemented(name: str) -> Answers:
    async def answer(request: Any, caller: Caller) -> Message:
        raise NotFound(f"{SERVICE.full_name}.{name} is declared but not served yet", code=NOT_SERVED)

    return answer


def _unimplemented_stream(name: str) -> Streams:
    answer = _unimplemented(name)

    async def stream(request: Any, caller: Caller) -> AsyncGenerator[Message]:
        yield await answer(request, caller)

    return stream


def _bound(server: grpc.aio.Server, address: str, tls: Tls | None) -> int:
    try:
        if tls is None:
            return server.add_insecure_port(address)
        credentials = grpc.ssl_server_credentials(
            [(tls.key, tls.certificate)], tls.client_ca, require_client_auth=tls.client_ca is not None
        )
        return server.add_secure_port(address, credentials)
    except RuntimeError as error:
        raise Unavailable(f"the gRPC address {address} cannot be listened on: {error}", code="address_taken") from error
