"""Killing PostgreSQL with kill -9 in mid-append loses nothing that was acknowledged, and reorders nothing."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from adapters.postgres.log.log import EmbeddedLog
from adapters.postgres.migrate import migrate
from adapters.servers.servers import Servers
from domain.errors import Unavailable
from domain.ports import Placed
from tests.support.event_logs import read_all, record

KILLS = range(4, 40)  # at least, and until an append was hit: a server's processes end one by one, often between two


@pytest.fixture
async def log_and_servers(own_servers: Servers) -> AsyncIterator[tuple[EmbeddedLog, Servers]]:
    """A log with a topic `t` on servers that are watched."""
    addresses = await own_servers.start()
    await asyncio.to_thread(migrate, addresses.database_url)
    watching = asyncio.create_task(own_servers.watch(lambda line: None))
    log = EmbeddedLog(addresses.database_url)
    await log.create_topics({"t": 3})
    yield log, own_servers
    await log.close()
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


@pytest.mark.slow
async def test_no_acknowledged_record_is_lost_or_moved_by_kill_9(
    log_and_servers: tuple[EmbeddedLog, Servers],
) -> None:
    """Every place that was answered holds its record, offsets have no holes, each writer's order is kept.

    A record whose append was answered with Unavailable may be in the log or not; its writer repeats it.
    """
    log, servers = log_and_servers
    acknowledged: dict[tuple[int, int], bytes] = {}
    stop = asyncio.Event()
    refused = 0

    async def write(writer: str) -> None:
        nonlocal refused
        number = 0
        while not stop.is_set():
            values = [f"{writer}:{n}" for n in range(number, number + 20)]
            placed = None
            while placed is None:
                try:
                    placed = await log.append([record("t", writer, value) for value in values])
                except Unavailable:
                    refused += 1
            _note(acknowledged, placed, values)
            number += 20

    writers = [asyncio.create_task(write(f"w{n}")) for n in range(12)]
    for kill in range(KILLS.stop):
        if kill >= KILLS.start and refused:
            break
        await asyncio.sleep(0.4)
        os.kill(servers.addresses().pids["postgres"], signal.SIGKILL)
        await asyncio.sleep(0.6)
        before = len(acknowledged)
        async with asyncio.timeout(30):
            await _grows(acknowledged, before)
    stop.set()
    await asyncio.gather(*writers)
    assert refused > 0, "no append was hit by a kill: the test proves nothing"
    _recount(acknowledged, await read_all(log, "t"))


@pytest.mark.slow
async def test_readers_and_members_go_on_after_kill_9(log_and_servers: tuple[EmbeddedLog, Servers]) -> None:
    """The same reader and the same membership work again once the server is back, a wake-up included."""
    log, servers = log_and_servers
    member = await log.join("g", ["t"])
    reader = log.reader("t")
    await log.append([record("t", "k", "before")])
    os.kill(servers.addresses().pids["postgres"], signal.SIGKILL)
    heads = None
    async with asyncio.timeout(30):
        while heads is None:
            with suppress(Unavailable):
                heads = await log.heads("t")
    waiting = asyncio.create_task(_read_patiently(reader.read, heads))
    await asyncio.sleep(0.2)
    await log.append([record("t", "k", "after")])
    assert await waiting == [b"after"]
    async with asyncio.timeout(10):
        while len(member.assigned()) < 3:
            await member.wait_changed(1)
    await reader.close()
    await member.leave()


def _note(acknowledged: dict[tuple[int, int], bytes], placed: list[Placed], values: list[str]) -> None:
    for place, value in zip(placed, values, strict=True):
        assert (place.partition, place.offset) not in acknowledged, "the same place was given twice"
        acknowledged[place.partition, place.offset] = value.encode()


def _recount(acknowledged: dict[tuple[int, int], bytes], found: dict[int, list[tuple[int, bytes]]]) -> None:
    """What was acknowledged is there, offsets have no holes, and each writer's numbers come in order."""
    for partition, rows in found.items():
        assert [offset for offset, _ in rows] == list(range(len(rows))), f"holes in partition {partition}"
    present = {(partition, offset): value for partition, rows in found.items() for offset, value in rows}
    assert {place: present.get(place) for place in acknowledged} == acknowledged
    numbers: dict[bytes, list[int]] = {}
    for rows in found.values():
        for _, value in rows:
            writer, _, number = value.partition(b":")
            numbers.setdefault(writer, []).append(int(number))
    for mine in numbers.values():
        firsts = list(dict.fromkeys(mine))  # repeats of a refused append come behind its first copy
        assert firsts == list(range(len(firsts)))


async def _grows(acknowledged: dict[tuple[int, int], bytes], before: int) -> None:
    while len(acknowledged) <= before:  # noqa: ASYNC110 (the writers tell nobody)
        await asyncio.sleep(0.02)


async def _read_patiently(read: object, start: dict[int, int]) -> list[bytes]:
    assert callable(read)
    while True:
        with suppress(Unavailable):
            return [value for chunk in await read(start, max_records=10, wait=20) for value in chunk.values]
