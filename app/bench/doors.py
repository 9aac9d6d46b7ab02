"""The doors: `analytics ingest`, HTTP POST and gRPC Publish, beside a bare append of the same events to the log."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing

import grpc
import msgspec
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf.json_format import MessageToDict
from services.analytics_service_pb2_grpc import AnalyticsServiceStub
from services.operations_pb2 import PublishRequest

from app.bench.environment import Ground
from app.bench.events import BEGIN, SPAN, envelopes, pieces
from app.bench.figures import Figure
from app.bench.http import Connection
from app.bench.instance import Instance
from app.bench.logs import append
from app.publisher import ingest
from command_api.file_intake import ingest_file
from domain.access.rights import Role
from domain.errors import Defect
from domain.events.catalogue import BY_NAME
from eventlog.intake.json_mapping import from_json

BODY = 500  # events in one HTTP body
MESSAGE = 250  # events in one gRPC message


def line(envelope: AnalyticsProcessingEnvelope) -> bytes:
    """The event as a producer writes it in JSON: one line, payload as an object."""
    members = MessageToDict(envelope, preserving_proto_field_name=True)
    payload = BY_NAME[envelope.message_type].message.FromString(envelope.payload)
    members["payload"] = MessageToDict(payload, preserving_proto_field_name=True)
    return json.dumps(members, separators=(",", ":")).encode() + b"\n"


def _foreign(count: int, part: int) -> list[AnalyticsProcessingEnvelope]:
    """Unstamped events of all types; each door gets a part of its own, so that nothing is a duplicate."""
    some = list(envelopes(count, producer="", begin=BEGIN + part * SPAN))
    for envelope in some:
        envelope.event_id = f"door-{part}-{envelope.event_id}"
    return some


def mapping(ground: Ground) -> None:
    """JSON line to checked event, without any server."""
    lines = [line(e) for e in _foreign(min(3_000, ground.scale.lines), 0)]
    value, floor = _each(from_json, lines), _each(msgspec.json.decode, lines)
    note = "from one JSON line to a checked event, all types (floor: msgspec.json.decode of the line)"
    ground.report(Figure("json_mapping", value, "µs CPU", floor, note))


def _each(work: Callable[[bytes], object], lines: Sequence[bytes]) -> float:
    """Microseconds of processor time a line, the best of three rounds."""
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        for some in lines:
            work(some)
        best = min(best, time.process_time() - began)
    return best / len(lines) * 1e6


async def measure(ground: Ground, instance: Instance) -> None:
    """All three doors of a running instance, one after the other, with all of its processes at work."""
    bare = await _bare(ground)
    count = ground.scale.lines
    file = b"".join(line(e) for e in _foreign(count, 1))
    async with ingest(instance.settings) as door:
        began = time.perf_counter()
        outcome = await ingest_file(door, io.BytesIO(file), size=None, report=None)
        rate = _accepted(outcome.accepted, count) / (time.perf_counter() - began)
    ground.report(
        Figure("ingest", rate, "events/s", bare, "lines of NDJSON through `analytics ingest` (floor: bare append)")
    )
    rate = await asyncio.to_thread(_post, ground, instance)
    ground.report(
        Figure("http_post", rate, "events/s", bare, f"POST /api/v1/events, {BODY} lines a body (floor: bare append)")
    )
    plain = await _publish(_foreign(count, 3), instance)
    ground.report(
        Figure("grpc_publish", plain, "events/s", bare, f"Publish, {MESSAGE} events a message (floor: bare append)")
    )
    rate = await _publish(_with_token(_foreign(count, 4), instance.token(Role.SERVICE)), instance)
    note = "the same with a token on every event, which is checked (floor: without)"
    ground.report(Figure("grpc_publish_tokens", rate, "events/s", plain, note))


async def _bare(ground: Ground) -> float:
    async with ground.embedded_log() as (log, _):
        events, seconds = await append(log, pieces(iter(_foreign(ground.scale.lines, 0))))
    return events / seconds


def _accepted(accepted: int, wanted: int) -> int:
    if accepted != wanted:
        raise Defect(f"a door took {accepted} of {wanted} good events")
    return accepted


def _post(ground: Ground, instance: Instance) -> float:
    lines = [line(e) for e in _foreign(ground.scale.lines, 2)]
    bodies = [b"".join(lines[i : i + BODY]) for i in range(0, len(lines), BODY)]
    with closing(Connection(instance.address("command_api"), instance.token(Role.SERVICE))) as connection:
        began = time.perf_counter()
        answers = [connection.post("/api/v1/events", body, "application/x-ndjson") for body in bodies]
        seconds = time.perf_counter() - began
    return _accepted(sum(json.loads(answer)["accepted"] for answer in answers), len(lines)) / seconds


def _with_token(events: list[AnalyticsProcessingEnvelope], token: str) -> list[AnalyticsProcessingEnvelope]:
    for event in events:
        event.auth_token.token = token
    return events


async def _publish(events: Sequence[AnalyticsProcessingEnvelope], instance: Instance) -> float:
    messages = [PublishRequest(events=events[i : i + MESSAGE]) for i in range(0, len(events), MESSAGE)]

    async def requests() -> AsyncIterator[PublishRequest]:
        for message in messages:
            yield message

    metadata = (("authorization", f"Bearer {instance.token(Role.SERVICE)}"),)
    async with grpc.aio.insecure_channel(instance.addresses["grpc"]) as channel:
        stub = AnalyticsServiceStub(channel)
        await channel.channel_ready()
        began = time.perf_counter()
        answer = await stub.Publish(requests(), metadata=metadata)
        return _accepted(answer.accepted, len(events)) / (time.perf_counter() - began)
