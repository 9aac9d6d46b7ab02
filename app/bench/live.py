"""From an event that a door takes to the frame at a WebSocket client, stage by stage, while a load runs.

HTTP door → bus → live lane → bus → read API → WebSocket. Probes are trades of a company of its own, one after another;
a load of all types comes from the publisher library meanwhile, in a process of its own, and a busy company of it is
followed, too, so that the live lane folds for somebody all the time. All stages are timed by the clock of this process.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from websockets.asyncio.client import ClientConnection, connect

from adapters.nats.bus import NatsBus
from app.bench.environment import Ground
from app.bench.figures import Figure, quantile
from app.bench.instance import Instance
from app.bench.live_load import live_load
from domain.access.rights import Role
from domain.errors import Defect

RATES = (2_000, 10_000)  # events/s of the load
COMPARED = ("live", "read-api", "command-api", "projector", "indexer", "sealer")  # roles whose processor is told
COMPANY, BUSY = "live-probes", "company-7"
PER_SECOND = 20  # probes
LOST = 2.0  # seconds after which a probe is given up
TOTAL = re.compile(rb'"total_trades":(\d+)')
WARM = 2.0  # seconds of which nothing is reported


@dataclass
class Stages:
    """Milliseconds of each probe by stage, and how many never came."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    floor: list[float] = field(default_factory=list)  # of bare round trips
    lost: int = 0
    begin: tuple[dict[str, float], float] = field(
        default_factory=lambda: ({}, 0.0)
    )  # seconds of processor by role; now


class Marks(NamedTuple):
    """Where a probe is timed: its event on the bus, what the lane says of it, the frame at the client."""

    on_bus: asyncio.Queue[tuple[float, int]]
    in_lane: asyncio.Queue[tuple[float, int]]
    frames: asyncio.Queue[tuple[float, int]]
    trip: _RoundTrip

    def clear(self) -> None:
        """Forget what came before."""
        for queue in (self.on_bus, self.in_lane, self.frames):
            while not queue.empty():
                queue.get_nowait()


async def measure(ground: Ground, instance: Instance) -> None:
    """Report the stages at each rate, and a bare round trip over the bus while the same load runs."""
    for rate in RATES:
        stages = Stages()
        reached = await _at_rate(instance, rate, ground.scale.seconds, stages)
        spent, passed = {role: instance.cpu_seconds(role) for role in COMPARED}, time.perf_counter()
        note = f"while {reached:,.0f} events/s come (floor: a bare round trip over NATS meanwhile)"
        for stage, times in stages.times.items():
            for name, share in (("p50", 0.5), ("p99", 0.99)):
                value, least = quantile(times, share), quantile(stages.floor, share)
                ground.report(Figure(f"live_{stage}_{name}_at_{rate}", value, "ms", least, f"{NOTES[stage]}, {note}"))
        before, began = stages.begin
        for role in COMPARED:
            cores = (spent[role] - before[role]) / (passed - began)
            name = f"live_cpu_{role.replace('-', '_')}_at_{rate}"
            ground.report(Figure(name, cores, "cores", 0, f"taken by {role} while {reached:,.0f} events/s come"))
        ground.report(Figure(f"live_lost_at_{rate}", stages.lost, "probes", 0, f"given up, {note}"))


NOTES = {
    "accepted": "event sent to the HTTP door → accepted",
    "published": "event sent → seen on the bus",
    "folded": "event on the bus → said by the live lane",
    "shown": "said → frame at the WebSocket client",
    "whole": "event sent → frame at the WebSocket client",
    "after": "event accepted → frame (0: before the door had answered)",
}


async def _at_rate(instance: Instance, rate: int, seconds: float, stages: Stages) -> float:
    async with _following(instance) as marks, live_load(instance.settings.data, rate, seconds) as loading:
        stages.begin = {role: instance.cpu_seconds(role) for role in COMPARED}, time.perf_counter()
        await _probe(instance, marks, stages, loading)
        return await loading


@asynccontextmanager
async def _following(instance: Instance) -> AsyncIterator[Marks]:
    """A WebSocket client of the probes' company and of a busy one, and the same messages as the bus has them."""
    bus, other = await NatsBus.connect(instance.settings.nats_url), await NatsBus.connect(instance.settings.nats_url)
    marks = Marks(asyncio.Queue(), asyncio.Queue(), asyncio.Queue(), _RoundTrip(bus, other))
    await marks.trip.start()

    async def on_bus(_subject: str, _data: bytes) -> None:
        marks.on_bus.put_nowait((time.perf_counter(), 0))

    async def in_lane(_subject: str, data: bytes) -> None:
        _put(marks.in_lane, data)

    await bus.subscribe(f"analytics.trading-events.{COMPANY}", on_bus)
    await bus.subscribe(f"analytics.live.{COMPANY}.*", in_lane)
    address = instance.addresses["read_api"].replace("http", "ws") + "/api/v1/live"
    async with connect(address, compression=None) as socket, asyncio.TaskGroup() as group:
        await socket.send(json.dumps({"type": "token", "token": instance.token(Role.VIEWER)}))
        for name, company in (("probes", COMPANY), ("busy", BUSY)):
            await socket.send(json.dumps({"type": "subscribe", "id": name, "live": "trading", "company": company}))
        listening = group.create_task(_listen(socket, marks))
        await asyncio.wait_for(marks.frames.get(), 30)
        yield marks
        listening.cancel()
    await bus.close()
    await other.close()


async def _listen(socket: ClientConnection, marks: Marks) -> None:
    async for frame in socket:
        data = frame if isinstance(frame, bytes) else frame.encode()
        if b'"id":"probes"' in data:
            _put(marks.frames, data)


def _put(queue: asyncio.Queue[tuple[float, int]], data: bytes) -> None:
    """The trades of the newest window that a message speaks of, and when it came."""
    if totals := TOTAL.findall(data):
        queue.put_nowait((time.perf_counter(), int(totals[-1])))


async def _probe(instance: Instance, marks: Marks, stages: Stages, loading: asyncio.Task[float]) -> None:
    """Send probes one after the other until the load ends; the first ones warm everybody up."""
    reader, writer = await asyncio.open_connection(*instance.address("command_api"))
    head = _head(instance)
    minute, number, warm = 0, 0, time.perf_counter() + WARM
    while not loading.done():
        now = time.time_ns() // 1_000_000
        number = number + 1 if now // 60_000 == minute else 1
        minute = now // 60_000
        marks.clear()
        body = _trade(now)
        began = time.perf_counter()
        writer.write(head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        accepted = await _accepted(reader)
        try:
            async with asyncio.timeout(LOST):
                on_bus, _ = await marks.on_bus.get()
                said = await _of(marks.in_lane, number)
                shown = await _of(marks.frames, number)
        except TimeoutError:
            stages.lost += 1
            continue
        if began > warm:
            _note(stages, began, accepted, on_bus, said, shown)
            stages.floor.append(await marks.trip.ms())
        await asyncio.sleep(max(0.0, began + 1 / PER_SECOND - time.perf_counter()))
    writer.close()


def _note(stages: Stages, began: float, accepted: float, on_bus: float, said: float, shown: float) -> None:
    for stage, seconds in (
        ("accepted", accepted - began),
        ("published", on_bus - began),
        ("folded", said - on_bus),
        ("shown", shown - said),
        ("whole", shown - began),
        ("after", max(0.0, shown - accepted)),
    ):
        stages.times[stage].append(1000 * seconds)


async def _of(queue: asyncio.Queue[tuple[float, int]], number: int) -> float:
    """When the message came that has so many trades, or more."""
    while True:
        at, trades = await queue.get()
        if trades >= number:
            return at


class _RoundTrip:
    """A bare round trip over NATS: published by one connection, heard by another one."""

    def __init__(self, ours: NatsBus, other: NatsBus) -> None:
        self._ours, self._other = ours, other
        self._back = asyncio.Event()

    async def start(self) -> None:
        """Begin to listen."""

        async def hear(_subject: str, _data: bytes) -> None:
            self._back.set()

        await self._other.subscribe("bench.floor", hear)
        await self._other.flush()

    async def ms(self) -> float:
        """How long one takes now."""
        self._back.clear()
        began = time.perf_counter()
        await self._ours.publish("bench.floor", b"x" * 200)
        await self._back.wait()
        return 1000 * (time.perf_counter() - began)


def _head(instance: Instance) -> bytes:
    """The head of a request to the HTTP door, but for the length of its body."""
    address, token = instance.address("command_api"), instance.token(Role.SERVICE)
    return (
        f"POST /api/v1/events HTTP/1.1\r\nHost: {address[0]}\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\n"
    ).encode()


def _trade(now: int) -> bytes:
    """A trade that closed now, as a producer writes it."""
    payload = {
        "trade_id": f"probe-{now}",
        "account_id": "a1",
        "symbol": "AAPL",
        "side": "long",
        "quantity": 1,
        "entry_price": 1,
        "exit_price": 2,
        "pnl": 1,
        "closed_at": now,
    }
    event = {"message_type": "trading_result", "company_id": COMPANY, "user_id": "u1", "timestamp": now}
    return json.dumps({**event, "event_id": f"probe-{now}", "payload": payload}).encode()


async def _accepted(reader: asyncio.StreamReader) -> float:
    """When the door answered. Raises Defect for an answer that says something else."""
    head = await reader.readuntil(b"\r\n\r\n")
    at = time.perf_counter()
    length = int(re.findall(rb"content-length: (\d+)", head.lower())[0])
    body = await reader.readexactly(length)
    if not head.startswith(b"HTTP/1.1 200") or b'"accepted":1' not in body.replace(b" ", b""):
        raise Defect(f"the door did not take a probe: {body.decode(errors='replace')[:300]}")
    return at
