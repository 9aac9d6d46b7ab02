"""The relay: event store → log, in commit order, once in effect.

Order of work: take the turn → read what is committed → append → record where it lies → say so. A relay that dies
between append and record leaves events that are appended again; projectors drop the repeats by their stamp.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from domain.errors import Fenced, Unavailable
from domain.event_store import RelayedStore, Turn
from domain.ports import EventLog
from domain.position import Position
from domain.relaying import KIND, relayed

BATCH = 500  # events in one append
LOOK = 1.0  # seconds after which the store is looked at without having been woken
PAUSE = 1.0  # seconds before it begins anew after a server was away
STAND_BY = 0.5  # seconds between two tries to take the turn

logger = logging.getLogger(__name__)

Announce = Callable[[], Awaitable[None]]


class Relay:
    """One relay; others on the same store stand by until it is gone. `announce` is called after each batch."""

    def __init__(self, store: RelayedStore, log: EventLog, announce: Announce) -> None:
        self._store, self._log, self._announce = store, log, announce

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until `stop`; the batch in hand is finished. Servers that go away are waited for."""
        while not stop.is_set():
            try:
                async with self._store.turn() as turn:
                    if turn is not None:
                        await self._work(turn, stop)
                        return
                await _unless(stop, asyncio.sleep(STAND_BY))
            except (Unavailable, Fenced) as error:
                logger.warning("relay waits: %s", error)
                await _unless(stop, asyncio.sleep(PAUSE))

    async def _work(self, turn: Turn, stop: asyncio.Event) -> None:
        last = await self._begin(turn)
        logger.info("relay goes on after event %d", last)
        while not stop.is_set():
            events = await turn.after(last, BATCH)
            if not events:
                await _unless(stop, turn.woken(LOOK))
                continue
            places = await self._log.append([relayed(event) for event in events])
            await turn.relayed(last, events, places)
            last = events[-1].number
            await self._announce()

    async def _begin(self, turn: Turn) -> int:
        """The number to go on after. A log that lacks what was relayed is another one: it gets everything."""
        heads = await self._log.heads(KIND.stream)
        if Position({(KIND.stream, partition): head for partition, head in heads.items()}).reaches(await turn.placed()):
            return await turn.last()
        logger.warning("the log does not have what was relayed: it gets every event of the store")
        await turn.begin_anew()
        return 0


async def _unless(stop: asyncio.Event, waiting: Coroutine[Any, Any, None]) -> None:
    """Wait, but not once `stop` is set."""
    tasks = [asyncio.create_task(waiting), asyncio.create_task(stop.wait())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if tasks[0].done():
            tasks[0].result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
