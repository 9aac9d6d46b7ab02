"""Rebuilding with several processes: begun or resumed, watched, finished. What they do is in `engine/rebuild.py`.

Workers are spawned, not forked, and end with their parent. Whoever is killed, whatever was stored is not done again.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from collections.abc import Callable
from contextlib import closing
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

from app import wiring
from app.settings import Settings
from domain.errors import Conflict, Unavailable
from domain.ports import EventLog
from domain.position import Position
from projections.engine.declare.projection import Projection
from projections.engine.declare.registry import projection
from projections.engine.rebuild import cut, goal_of, work
from projections.engine.rebuild_plan import Done, Plan, pace

RATE = 100_000  # events/s that one worker folds, about: for the plan alone
CPUS = os.cpu_count() or 1
LOOK = 0.2  # seconds between two looks at the progress

Print = Callable[[str], None]


async def planned(settings: Settings, name: str, workers: int) -> Plan:
    """What a rebuild would do. Bytes, disk and seconds are estimates: of the live tables, and of earlier rebuilds.

    Raises NotFound for a projection that there is not, Conflict where another definition began one, Unavailable.
    """
    declared = projection(name)
    async with wiring.event_log(settings) as log:
        starts = await _starts(log, declared)
    return await asyncio.to_thread(_planned, settings, declared, starts, workers)


def _planned(settings: Settings, declared: Projection, starts: Position, workers: int) -> Plan:
    with closing(wiring.versions(settings)) as versions:
        stored = versions.building(declared)
        goal = goal_of(declared, versions.admitted())
        total = sum(stop - min(stop, starts[place]) for place, stop in goal.offsets.items())
        version = stored.version if stored else max((s.version for s in versions.stored(declared)), default=0) + 1
        done = Done(0, 0)
        if stored:
            with closing(wiring.build(settings, stored)) as build:
                done = build.done()
        left = done.total - done.done if done.total else total
        disk = versions.disk(declared)
    seconds = round(left / (RATE * min(workers, CPUS)), 1)
    return Plan(declared.name, version, bool(done.total), total, left, disk, seconds)


async def _starts(log: EventLog, declared: Projection) -> Position:
    """The oldest offsets that the log has of what the projection reads."""
    return Position({(t, p): o for t in declared.topics for p, o in (await log.starts(t)).items()})


async def rebuild(settings: Settings, name: str, workers: int, say: Print) -> Projection:
    """Build a new version, or go on with the unfinished one, and hand it over to the projectors.

    Raises Conflict while another process rebuilds it or when it is cancelled, Unavailable when a worker fails.
    """
    with closing(wiring.versions(settings)) as versions:
        if not versions.alone(projection(name)):
            raise Conflict(f"{name} is being rebuilt by another process", code="already_running")
        async with wiring.event_log(settings) as log:
            stored = await _begun(settings, name, log, workers, say)
        with closing(wiring.build(settings, stored)) as build:
            await _watch(settings, stored, workers, build.done, say)
            say("making the rows durable")
            if not await asyncio.to_thread(build.finish):
                say("the tables do not take what was built: projectors fold it again, and set aside what is refused")
            return stored


async def _begun(settings: Settings, name: str, log: EventLog, workers: int, say: Print) -> Projection:
    declared = projection(name)
    with closing(wiring.projection_store(settings)) as store:
        store.prepare([declared])
    with closing(wiring.versions(settings)) as versions:
        stored, admitted = versions.building(declared), versions.admitted()
        resumed = stored is not None
        stored = stored or versions.register(declared)
        with closing(wiring.build(settings, stored)) as build:
            before = build.done()
            if before.total:
                say(f"resuming version {stored.version} at {before.done:,} of {before.total:,} events")
            else:
                if resumed:
                    say(f"beginning version {stored.version} anew: the database lost what was built")
                build.begin(cut(await _starts(log, declared), goal_of(declared, admitted), workers))
        return stored


async def _watch(settings: Settings, stored: Projection, workers: int, done: Callable[[], Done], say: Print) -> None:
    context = multiprocessing.get_context("spawn")
    arguments = (settings, stored.name, stored.version, os.getpid())
    running: list[BaseProcess] = [context.Process(target=_worker, args=arguments, daemon=True) for _ in range(workers)]
    first, began, said = done(), time.monotonic(), ""
    for worker in running:
        worker.start()
    try:
        while any(worker.is_alive() for worker in running):
            ends = [worker.sentinel for worker in running if worker.is_alive()]
            await asyncio.to_thread(wait, ends, LOOK)
            if (line := progress(done(), first, time.monotonic() - began)) != said:
                say(line)
                said = line
            if any(worker.exitcode for worker in running):
                raise Unavailable(
                    f"a worker of the rebuild of {stored.name} has failed",
                    suggested_actions=("Look at its message above, then run the same command again: it resumes.",),
                )
    finally:
        for worker in running:
            worker.terminate()
            worker.join()


def progress(now: Done, first: Done, seconds: float) -> str:
    """One line: share done, rate, and how long it will take from here."""
    share, found = now.done / now.total if now.total else 1.0, pace(first, now, seconds)
    words = "starting" if found.left is None else f"{found.rate:,.0f}/s, {found.left:,.0f} s left"
    return f"{now.done:,} of {now.total:,} events ({share:.0%}), {words}"


def _worker(settings: Settings, name: str, version: int, parent: int) -> None:
    """Body of a worker process."""
    os.environ["POLARS_MAX_THREADS"] = "1"
    stored = projection(name).stored_as(version, live=False)
    asyncio.run(_work(settings, stored, lambda: os.getppid() == parent))


async def _work(settings: Settings, stored: Projection, going: Callable[[], bool]) -> None:
    async with wiring.event_log(settings) as log:
        with closing(wiring.build(settings, stored)) as build:
            await work(stored, log, build, going)
