"""The RPC `Publish`, through a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf.message import DecodeError
from services import operations_pb2
from services.analytics_service_pb2_grpc import AnalyticsServiceStub

from app.serving.gate import Gate
from app.serving.grpc_server import grpc_server
from command_api.grpc_publish import publishing
from domain.events.problems import Code
from eventlog.publish.audit_writer import NoTrail
from tests.command_api.test_http_events import authenticate
from tests.eventlog.publish.samples import Door, bad_envelopes, logged, trade

if TYPE_CHECKING:
    from services.analytics_service_pb2_grpc import AnalyticsServiceAsyncStub  # exists for the type checker only

Requests = AsyncIterator[operations_pb2.PublishRequest]
TOKEN = (("authorization", "Bearer service"), ("x-correlation-id", "mine-2"))


@pytest.fixture
async def channel(door: Door) -> AsyncIterator[grpc.aio.Channel]:
    """A way to a server that offers Publish."""
    server = grpc_server([{"Publish": publishing(door.ingest)}], Gate(authenticate, NoTrail()))
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as opened:
        yield opened
    await server.stop(0.1)


@pytest.fixture
async def stub(channel: grpc.aio.Channel) -> AnalyticsServiceAsyncStub:
    """A client of that server."""
    return AnalyticsServiceStub(channel)


async def sent(*groups: list[AnalyticsProcessingEnvelope]) -> Requests:
    """A stream of requests."""
    for group in groups:
        yield operations_pb2.PublishRequest(events=group)


async def test_a_stream_is_one_publication(stub: AnalyticsServiceAsyncStub, door: Door) -> None:
    """Counts, position and correlation id; the order of the stream is the order in the log."""
    events = [trade(f"t{n}").envelope for n in range(5)]
    answer = await stub.Publish(sent(events[:2], events[2:], events[:1]), metadata=TOKEN)
    assert (answer.accepted, answer.duplicates, answer.quarantined, answer.correlation_id) == (5, 1, 0, "mine-2")
    assert answer.position.startswith("trading-events:")
    assert [e.event_id for e in await logged(door.log)] == [e.event_id for e in events]


async def test_bad_events_are_rejected_by_index(stub: AnalyticsServiceAsyncStub) -> None:
    """Every kind that an envelope message can carry, with good neighbours accepted."""
    readable = []
    for data, code in bad_envelopes():
        try:
            readable.append((AnalyticsProcessingEnvelope.FromString(data), code))
        except DecodeError:
            continue  # the gRPC library itself refuses a message with such an envelope
    small = [(envelope, code) for envelope, code in readable if code != Code.TOO_LARGE]
    answer = await stub.Publish(sent([envelope for envelope, _ in small], [trade().envelope]), metadata=TOKEN)
    assert answer.accepted == 1
    assert [(r.index, r.code) for r in answer.rejects] == [(n, code) for n, (_, code) in enumerate(small)]
    assert all(r.reason for r in answer.rejects)


async def test_stamps_are_kept(stub: AnalyticsServiceAsyncStub, door: Door) -> None:
    """A publisher behind gRPC keeps its own sequence."""
    envelope = trade().envelope
    envelope.producer_id, envelope.producer_seq = "p1", 9
    await stub.Publish(sent([envelope]), metadata=TOKEN)
    assert [(e.producer_id, e.producer_seq) for e in await logged(door.log)] == [("p1", 9)]


@pytest.mark.parametrize(
    ("token", "code"),
    [("nobody", grpc.StatusCode.UNAUTHENTICATED), ("viewer", grpc.StatusCode.PERMISSION_DENIED)],
)
async def test_who_may_not_publish_is_refused(
    stub: AnalyticsServiceAsyncStub, token: str, code: grpc.StatusCode
) -> None:
    """The token decides before anything is read."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.Publish(sent([trade().envelope]), metadata=(("authorization", f"Bearer {token}"),))
    assert refused.value.code() == code


async def test_events_of_other_companies_are_rejected(stub: AnalyticsServiceAsyncStub) -> None:
    """In place, with their code."""
    answer = await stub.Publish(sent([trade(company_id="other").envelope, trade().envelope]), metadata=TOKEN)
    assert (answer.accepted, [(r.index, r.code) for r in answer.rejects]) == (1, [(0, Code.FORBIDDEN_COMPANY)])


async def test_events_of_a_stream_that_stays_open_are_written_soon(stub: AnalyticsServiceAsyncStub, door: Door) -> None:
    """They need not wait for others, nor for the end."""
    more = asyncio.Event()

    async def requests() -> Requests:
        yield operations_pb2.PublishRequest(events=[trade("t1").envelope])
        await more.wait()
        yield operations_pb2.PublishRequest(events=[trade("t2").envelope])

    call = asyncio.ensure_future(stub.Publish(requests(), metadata=TOKEN))
    async with asyncio.timeout(30):
        while not await logged(door.log):  # noqa: ASYNC110 (the log tells nobody)
            await asyncio.sleep(0.05)
        more.set()
        assert (await call).accepted == 2


async def test_garbage_is_an_invalid_argument(channel: grpc.aio.Channel) -> None:
    """Told in words of ours."""
    good = operations_pb2.PublishRequest(events=[trade().envelope]).SerializeToString()

    async def garbage() -> AsyncIterator[bytes]:
        yield good
        yield b"\xff\xff garbage"

    publish: Any = channel.stream_unary("/services.AnalyticsService/Publish")
    query: Any = channel.unary_unary("/services.AnalyticsService/RunAnalyticsQuery")
    for call in (publish(garbage(), metadata=TOKEN), query(b"\xff\xff garbage", metadata=TOKEN)):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert refused.value.details() == "the bytes are no message of this call"
