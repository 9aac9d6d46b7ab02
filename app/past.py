"""Telling the past: for the command line in its own process, for the read API in a worker process beside it."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager, closing
from typing import Any

from app import wiring
from app.settings import Settings
from domain.errors import LimitExceeded, NotYet, Unavailable
from domain.event_store import STORE
from domain.position import Position
from read_api.past import Tell, Telling

WAITING = 8  # questions that may wait for the worker


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
    worker = _Worker(settings)
    try:
        yield worker.tell
    finally:
        worker.close()


class _Worker:
    """One process that tells. Where it dies, the question fails and the next one starts another."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool: ProcessPoolExecutor | None = None
        self._waiting = 0

    async def tell(self, asked: Telling) -> dict[str, Any]:
        """The answer. Raises what telling raises, LimitExceeded when too many ask, Unavailable when the worker dies."""
        if self._waiting >= WAITING:
            raise LimitExceeded("too many questions about the past at once", code="too_many_questions")
        if self._pool is None:
            # spawned: a fork would take along connections and threads
            self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        pool = self._pool
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, _tell, self._settings, asked)
        except BrokenProcessPool:
            self.close()
            raise Unavailable("the process that tells the past has died") from None
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the process, whatever it does."""
        pool, self._pool = self._pool, None
        if pool is not None:
            for process in list((pool._processes or {}).values()):
                process.terminate()
            pool.shutdown(wait=False, cancel_futures=True)


def _tell(settings: Settings, asked: Telling) -> dict[str, Any]:
    from app.cli_frame import run

    return run(tell(settings, asked))
