"""The bench's order of work: figures by group, each group on servers of its own in a temporary folder."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from types import MappingProxyType

from adapters.servers.servers import Servers
from app.bench import (
    alerting,
    commands,
    configuring,
    doors,
    exporting,
    folding,
    grpc_reading,
    kpis,
    latency,
    live,
    logs,
    past,
    reading,
    rebuilding,
    trail,
    verifying,
    way_of_a_read,
)
from app.bench.environment import Ground, ground
from app.bench.figures import Figure
from app.bench.instance import Instance, running_instance
from app.bench.scale import Scale

Print = Callable[[str], None]


async def _json(ground: Ground) -> None:
    await asyncio.to_thread(doors.mapping, ground)


async def _instance(ground: Ground) -> None:
    """Start-up, then doors, latency and reads of a whole instance, and what its processes hold before and after."""
    folder = ground.folder / "instance"
    async with running_instance(folder):
        pass
    async with running_instance(folder) as (instance, seconds):
        before = instance.resident()
        await doors.measure(ground, instance)
        await latency.measure(ground, instance)
        await reading.measure(ground, instance)
        await grpc_reading.measure(ground, instance)
        await configuring.measure(ground, instance)
        await trail.measure(ground, instance)
        await way_of_a_read.measure(ground, instance)
        _memory(ground, instance, before)
    servers, began = Servers(folder), time.perf_counter()
    try:
        await servers.start()
        bare = time.perf_counter() - began
    finally:
        await servers.stop()
    note = "`analytics up` for the second time, until ready (floor: PostgreSQL and NATS alone)"
    ground.report(Figure("up_again", seconds, "s", bare, note))
    value = await _seconds("-m", "app.cli", "--version")
    note = "`analytics --version` (floor: the bare interpreter)"
    ground.report(Figure("command_start", value, "s", await _seconds("-c", "pass"), note))


def _memory(ground: Ground, instance: Instance, before: Mapping[str, float]) -> None:
    after = instance.resident()
    for role in sorted(after.keys() & before.keys()):
        note = f"resident memory of {role} after all of this (floor: at its start)"
        ground.report(Figure(f"memory_{role.replace('-', '_')}", after[role], "MB", before[role], note))


async def _live(ground: Ground) -> None:
    """The live lane alone, for a look in between."""
    async with running_instance(ground.folder / "live") as (instance, _):
        await live.measure(ground, instance)


async def _seconds(*arguments: str) -> float:
    """The least of three runs of the interpreter."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        await process.wait()
        times.append(time.perf_counter() - began)
    return min(times)


EMBEDDED: Mapping[str, Callable[[Ground], Awaitable[None]]] = MappingProxyType(
    {
        "json": _json,
        "log": logs.embedded,
        "one": folding.one,
        "foreign": folding.one_foreign,
        "all": folding.every,
        "batches": folding.batched,
        "rebuild": rebuilding.rebuilding,
        "verify": verifying.verifying,
        "past": past.past,
        "commands": commands.commands,
        "kpis": kpis.kpis,
        "export": exporting.exporting,
        "alerts": alerting.alerting,
        "instance": _instance,
        "live": _live,
    }
)
KAFKA: Mapping[str, Callable[[Ground], Awaitable[None]]] = MappingProxyType(
    {"kafka-log": logs.kafka, "kafka-one": folding.one_kafka}
)


async def main(scale: Scale, *, kafka: str, only: Collection[str], say: Print) -> list[Figure]:
    """Measure the groups named in `only` (all of them where it is empty); those of Kafka need a broker's address."""
    found: list[Figure] = []
    groups = {**EMBEDDED, **(KAFKA if kafka else {})}
    async with ground(scale, kafka, found.append) as place:
        for name, measure in groups.items():
            if not only or name in only:
                say(f"measuring: {name}")
                await measure(place)
    return found
