"""Rebuild: how fast a projection is made anew beside a bare read of the log, and what live events wait meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import psycopg

from adapters.postgres.read_models.projection_store import PostgresProjectionStore
from app.bench.environment import Ground
from app.bench.events import envelopes, pieces
from app.bench.figures import Figure
from app.bench.folding import ONE, fold
from app.bench.logs import append, long_log, read
from app.rebuild.processes import rebuild
from app.settings import Settings
from domain.ports import EventLog, Record
from eventlog import tasks
from projections.engine.declare.registry import projection
from projections.engine.project.projector import Projector

WORKERS = 2
LONG = 30  # times `one` events in the log that is rebuilt from: a rebuild is for long ones
RATE = 5_000  # live events/s while the lag is measured
PIECE = 250  # of them at once
LOOK = 0.01  # seconds between two looks at the live checkpoint
QUIET = 2.0  # seconds of live events before the rebuild begins


async def rebuilding(ground: Ground) -> None:
    """The rate alone, in a long log, then the lag of live events during another rebuild of the same projection."""
    async with ground.embedded_log() as (log, url):
        await long_log(log, url, LONG * ground.scale.one, ("user_event",))
        events, reading = await read(log, sorted(projection(ONE).topics))
        began = time.perf_counter()
        await rebuild(replace(Settings.read({}), database_url=url), ONE, WORKERS, lambda _: None)
        seconds = time.perf_counter() - began
        note = (
            f"{ONE} of {events:,} events rebuilt by {WORKERS} workers, from start to durable rows"
            " (floor: bare read by one reader, each record in hand)"
        )
        ground.report(Figure("rebuild_rate", events / seconds, "events/s", events / reading, note))
    await _beside_live_events(ground)


async def _beside_live_events(ground: Ground) -> None:
    async with ground.embedded_log() as (log, url):
        settings = replace(Settings.read({}), database_url=url)
        await append(log, pieces(envelopes(ground.scale.one, ("user_event",))))
        await fold(log, url, [projection(ONE)])
        async with _live(log, url) as lags:
            await asyncio.sleep(QUIET)
            quiet = max(lags)
            lags.clear()
            await rebuild(settings, ONE, WORKERS, lambda _: None)
            note = f"longest wait of {RATE:,} live events/s during a rebuild (floor: before it)"
            ground.report(Figure("rebuild_live_lag", 1_000 * max(lags), "ms", 1_000 * quiet, note))


@asynccontextmanager
async def _live(log: EventLog, url: str) -> AsyncIterator[list[float]]:
    """A projector at work and events that come all the time; gives the waits, in seconds, that were seen so far."""
    projector = Projector([projection(ONE)], log, lambda: PostgresProjectionStore(url))
    lags, waiting = list[float](), deque[tuple[int, float]]()
    publishing = tasks.start(_publish(log, url, waiting), "the events that come")
    looking = tasks.start(_look(url, waiting, lags), "the look at the lag")
    working = tasks.owned(projector.run(), "the projector")
    try:
        yield lags
    finally:
        await tasks.end(publishing, looking)
        projector.stop()
        await working


async def _publish(log: EventLog, url: str, waiting: deque[tuple[int, float]]) -> None:
    total = sum([sum((await log.heads(topic)).values()) for topic in projection(ONE).topics])
    began = time.perf_counter()
    for number, piece in enumerate(_endless()):
        await asyncio.sleep(began + number * PIECE / RATE - time.perf_counter())
        total += len(piece)
        waiting.append((total, time.perf_counter()))
        await log.append(piece)


def _endless() -> Iterator[Sequence[Record]]:
    """Pieces of events that come from producers of their own each time, so that none is a duplicate."""
    for number in range(10_000):
        yield from pieces(envelopes(10 * PIECE, ("user_event",), producer=f"live-{number}"), PIECE)


async def _look(url: str, waiting: deque[tuple[int, float]], lags: list[float]) -> None:
    query = (
        "SELECT coalesce(sum(next_offset), 0) FROM checkpoints JOIN projections ON name = projection"
        " AND projections.version = checkpoints.version AND live"
    )
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while True:
            [(reached,)] = await (await connection.execute(query)).fetchall()
            now = time.perf_counter()
            while waiting and waiting[0][0] <= reached:
                lags.append(now - waiting.popleft()[1])
            if waiting:
                lags.append(now - waiting[0][1])
            await asyncio.sleep(LOOK)
