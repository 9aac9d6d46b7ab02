"""The load of `live.py` as a process: events of all types, published by the library at a steady rate.

A process of its own, so that who times probes is not busy with making what they are timed under.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from app.bench.child import child, first_line
from app.bench.events import envelopes, record
from app.instance.instance import running_instance, with_addresses
from app.publisher import connect
from app.settings import Settings
from domain.errors import Unavailable
from eventlog.publish.event import Event
from eventlog.publish.publisher import Publisher

TICK = 0.01  # seconds between two pieces of the load
LEAD = 3.0  # seconds until the load begins: its events carry the time at which they will be sent


@asynccontextmanager
async def live_load(folder: Path, rate: int, seconds: float) -> AsyncIterator[asyncio.Task[float]]:
    """Publish so many events a second into the instance of this folder, for so long; the rate that was reached.

    Begins when the load does.
    """
    begin = time.time() + LEAD * max(1.0, rate * seconds / 50_000)
    async with child("app.bench.live_load", str(folder), str(rate), str(seconds), str(begin)) as output:
        await asyncio.sleep(max(0.0, begin - time.time()))
        async with asyncio.TaskGroup() as group:
            yield group.create_task(_reached(output))


async def _reached(output: asyncio.StreamReader) -> float:
    return float(await first_line(output, "the load of the bench ended before its time"))


async def _load(folder: Path, rate: int, seconds: float, begin: float) -> float:
    """Publish a piece each tick, however long earlier pieces take; the rate that was reached."""
    where = running_instance(folder)
    if where is None:
        raise Unavailable(f"no instance runs in {folder}")
    span = envelopes(int(rate * seconds), producer="", begin=int(1000 * begin), span=int(1000 * seconds))
    load = [Event.of(e, record(e)) for e in span]
    async with connect(with_addresses(Settings(data=folder), where)) as publisher:
        await asyncio.sleep(max(0.0, begin - time.time()))
        began = time.perf_counter()
        await _publish(publisher, load, max(1, int(rate * TICK)))
        return len(load) / (time.perf_counter() - began)


async def _publish(publisher: Publisher, load: Sequence[Event], size: int) -> None:
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, start in enumerate(range(0, len(load), size)):
            await asyncio.sleep(max(0.0, began + number * TICK - time.perf_counter()))
            group.create_task(publisher.publish_many(load[start : start + size]))


def _main() -> None:
    from app.cli.frame import run

    folder, rate, seconds, begin = sys.argv[1:]
    sys.stdout.write(f"{run(_load(Path(folder), int(rate), float(seconds), float(begin)))}\n")


if __name__ == "__main__":
    _main()
