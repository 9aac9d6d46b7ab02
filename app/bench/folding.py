"""Projector: how fast events that lie in the log become rows, beside a bare read of the same log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import psycopg

from adapters.postgres.read_models.projection_store import PostgresProjectionStore
from app.bench.environment import Ground
from app.bench.events import FACTS, envelopes, pieces
from app.bench.figures import Figure
from app.bench.logs import append, read
from domain.ports import EventLog
from eventlog import tasks
from projections.engine.declare.projection import Projection
from projections.engine.declare.registry import all_projections, projection
from projections.engine.project.projector import Projector

ONE = "user_activity"  # five tables, each a purely additive fold of user_event
PATIENCE = 300.0  # seconds


async def one(ground: Ground) -> None:
    """One additive projection from the embedded log."""
    async with ground.embedded_log() as (log, url):
        await append(log, pieces(envelopes(ground.scale.one, ("user_event",))))
        await _report(ground, "projection_one", log, url, [projection(ONE)], f"{ONE} alone, single facts")


async def one_kafka(ground: Ground) -> None:
    """One additive projection from Kafka."""
    async with ground.kafka_log() as (log, _):
        await append(log, pieces(envelopes(ground.scale.one, ("user_event",))))
        url = await asyncio.to_thread(ground.database)
        await _report(ground, "projection_one_kafka", log, url, [projection(ONE)], f"{ONE} alone, from Kafka")


async def one_foreign(ground: Ground) -> None:
    """One additive projection over events that no publisher stamped: each identity is looked up and remembered."""
    async with ground.embedded_log() as (log, url):
        await append(log, pieces(envelopes(ground.scale.foreign, ("user_event",), producer="")))
        await _report(ground, "projection_one_foreign", log, url, [projection(ONE)], f"{ONE} alone, unstamped events")


async def every(ground: Ground) -> None:
    """All projections over all types of events."""
    async with ground.embedded_log() as (log, url):
        await append(log, pieces(envelopes(ground.scale.mixed)))
        projections = list(all_projections().values())
        await _report(ground, "projections_all", log, url, projections, "all projections, all types, single facts")


async def batched(ground: Ground) -> None:
    """Batch events of 50 facts: for one projection, and for all."""
    async with ground.embedded_log() as (log, url):
        await append(log, pieces(envelopes(ground.scale.batches, ("user_event",), facts=FACTS), 500))
        note = f"facts/s in batch events of {FACTS}: {ONE} alone"
        await _report(ground, "points_one", log, url, [projection(ONE)], note, FACTS)
    async with ground.embedded_log() as (log, url):
        await append(log, pieces(envelopes(ground.scale.batches, facts=FACTS), 500))
        note = f"facts/s in batch events of {FACTS}: all projections, all types"
        await _report(ground, "points_all", log, url, list(all_projections().values()), note, FACTS)


async def _report(
    ground: Ground, name: str, log: EventLog, url: str, projections: Sequence[Projection], note: str, facts: int = 1
) -> None:
    topics = sorted({topic for p in projections for topic in p.topics})
    events, reading = await read(log, topics)
    folding = await fold(log, url, projections)
    unit = "facts/s" if facts > 1 else "events/s"
    text = f"{note} (floor: bare read of the same log)"
    ground.report(Figure(name, facts * events / folding, unit, facts * events / reading, text))


async def fold(log: EventLog, url: str, projections: Sequence[Projection]) -> float:
    """Seconds that a projector takes from its first look at the log until all rows are committed."""
    projector = Projector(projections, log, lambda: PostgresProjectionStore(url))
    working = tasks.owned(projector.run(), "the projector")
    try:
        async with asyncio.timeout(PATIENCE):
            return await _watched(log, url, projections, working)
    finally:
        projector.stop()
        await working


async def _watched(log: EventLog, url: str, projections: Sequence[Projection], working: asyncio.Task[None]) -> float:
    """The clock starts when the projector has its partitions: joining a group is no part of a rate."""
    heads = {topic: sum((await log.heads(topic)).values()) for p in projections for topic in p.topics}
    wanted, began = sum(heads[topic] for p in projections for topic in p.topics), 0.0
    query = (
        "select count(*), coalesce(sum(next_offset), 0) from checkpoints"
        " where (projection, version) in (select * from unnest(%s::text[], %s::int[]))"
    )
    these = [p.name for p in projections], [p.version for p in projections]  # others may have got far before
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while True:
            cursor = await connection.execute(query, these)
            [(begun, reached)] = await cursor.fetchall()
            if begun and not began:
                began = time.perf_counter()
            if reached >= wanted:
                return time.perf_counter() - began
            if working.done():
                working.result()
            await asyncio.sleep(0.005 if reached == 0 else 0.02)
