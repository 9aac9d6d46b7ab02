"""Telling the past: for the command line in its own process, for the read API in a worker process beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

from app import wiring
from app.settings import Settings
from domain.errors import NotYet
from domain.event_store import STORE
from domain.position import Position
from projections.engine.worker_process import WorkerProcess
from read_api.past import Tell, Telling

SECONDS = 120.0  # that one question may take


async def tell(settings: Settings, asked: Telling) -> dict[str, Any]:
    """The answer to a question about the past, in the form of the API."""
    from adapters.postgres.scratch import PostgresScratch
    from projections.engine.explain import Page, explain, turn
    from projections.engine.history import History, Past
    from projections.engine.past import PastStore, answer_past

    position = await _in_log(settings, Position.parse(asked.position)) if asked.position is not None else None
    with closing(PostgresScratch(settings.database_url, settings.query_seconds)) as scratch:
        async with wiring.event_log(settings) as log, wiring.event_index(settings) as index:
            history = History(log, scratch, settings.past_records, index)
            store = PastStore(history, scratch, asked.company, Past(position, asked.time))
            if not asked.measure:
                return await answer_past(asked.name, asked.params, store)
            store, page = turn(store, Page(limit=asked.limit, newest=asked.newest), asked.cursor)
            return await explain(store, asked.name, asked.params, asked.measure, page)


async def _in_log(settings: Settings, token: Position) -> Position:
    """The token as a position of the log alone. Raises NotYet for what was commanded and is not relayed."""
    number = token[STORE]
    if not number:
        return token
    async with wiring.relay_progress(settings) as relay:
        found = await relay.before(number)
    if found.next_number < number:
        raise NotYet(f"the relay is at {STORE[0]}:0={found.next_number} and has not reached {number}")
    return Position({place: offset for place, offset in token.merged(found.position).offsets.items() if place != STORE})


@asynccontextmanager
async def teller(settings: Settings) -> AsyncIterator[Tell]:
    """Tells in a process of its own, one question after the other; it is started by the first one."""
    worker = WorkerProcess("questions about the past")

    async def tell_apart(asked: Telling) -> dict[str, Any]:
        return await worker.ask(_tell, settings, asked, seconds=SECONDS)

    try:
        yield tell_apart
    finally:
        worker.stop()


def _tell(settings: Settings, asked: Telling) -> dict[str, Any]:
    from app.cli_frame import run

    return run(tell(settings, asked))
