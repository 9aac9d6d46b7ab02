"""A company that moves: its events come all the time, and a projector in a process of its own makes rows of them."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import psycopg

from adapters.postgres.log.log import EmbeddedLog
from adapters.postgres.read_models.projection_store import PostgresProjectionStore
from app.bench.events import envelopes, pieces
from domain.errors import Unavailable
from domain.events.catalogue import BY_NAME
from domain.ports import EventLog
from eventlog import tasks
from projections.engine.declare.registry import all_projections
from projections.engine.project.projector import Projector

TYPES = ("user_event", "trading_result", "performance_data", "payment", "subscription")
PIECE, MOVES = 5, 0.1  # events that come at once, and seconds between them
MOST = 20_000  # events: 400 seconds of them
PATIENCE = 60.0  # seconds until the projector has begun


@asynccontextmanager
async def moving(log: EventLog, url: str, company: str, begin: int) -> AsyncIterator[None]:
    """Ten times a second rows and checkpoints move, as long as this lasts; events lie in the hour after `begin` (ms).

    Raises Unavailable where the projector does not begin.
    """
    projecting = multiprocessing.get_context("spawn").Process(target=_project, args=(url,), daemon=True)
    projecting.start()
    publishing = tasks.start(_publish(log, company, begin), "the events that move")
    try:
        await _begun(url)
        yield
    finally:
        await tasks.end(publishing)
        projecting.terminate()
        await asyncio.to_thread(projecting.join)


def _project(url: str) -> None:
    projections = list(all_projections().values())
    asyncio.run(Projector(projections, EmbeddedLog(url), lambda: PostgresProjectionStore(url)).run())


async def _publish(log: EventLog, company: str, begin: int) -> None:
    made = list(envelopes(MOST, TYPES, producer="moving", begin=begin))
    for envelope in made:
        envelope.company_id = company
    began = time.perf_counter()
    for number, piece in enumerate(pieces(iter(made), PIECE)):
        await asyncio.sleep(began + number * MOVES - time.perf_counter())
        await log.append(piece)


async def _begun(url: str) -> None:
    """Return when each projection of what comes has stored something of it."""
    streams = {BY_NAME[name].stream for name in TYPES}
    wanted = {name for name, declared in all_projections().items() if declared.topics & streams}
    query, deadline = "SELECT projection FROM checkpoints WHERE next_offset > 0", time.perf_counter() + PATIENCE
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while not wanted <= _names(await (await connection.execute(query)).fetchall()):
            if time.perf_counter() > deadline:
                raise Unavailable("the projector that is to move rows has not begun")
            await asyncio.sleep(MOVES)


def _names(rows: Collection[tuple[str]]) -> set[str]:
    return {name for (name,) in rows}
