"""The relay: event store → log, in commit order, once in effect.

Order of work: take the turn → read what is committed → append → record where it lies → say so. A relay that dies
between append and record leaves events that are appended again; projectors drop the repeats by their stamp.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from domain.errors import AnalyticsError, Fenced, Unavailable
from domain.ports import EventLog
from domain.position import Position
from eventlog import tasks
from eventlog.relay.ports import RelaySource, Turn
from eventlog.relay.record import KIND, relay_record

BATCH = 500  # events in one append
LOOK = 1.0  # seconds after which the store is looked at without having been woken
PAUSE = 1.0  # seconds before it begins anew after a server was away
STAND_BY = 0.5  # seconds between two tries to take the turn
LIMIT = 60.0  # seconds after which an answer of the log is taken for lost

logger = logging.getLogger(__name__)

Announce = Callable[[], Awaitable[None]]


class Relay:
    """One relay; others on the same store stand by until it is gone. `announce` is called after each batch.

    `limit`, `pause`: seconds until an answer of the log is taken for lost, and until it begins anew after a failure.
    """

    def __init__(
        self, store: RelaySource, log: EventLog, announce: Announce, *, limit: float = LIMIT, pause: float = PAUSE
    ) -> None:
        self._store, self._log, self._announce = store, log, announce
        self._limit, self._pause = limit, pause

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until `stop`; the batch in hand is finished. Whatever fails is told in the log and begun anew."""
        while not stop.is_set():
            try:
                async with self._store.turn() as turn:
                    if turn is not None:
                        await self._work(turn, stop)
                        return
                await _unless(stop, asyncio.sleep(STAND_BY))
            except Exception as error:
                expected = isinstance(error, (Unavailable, Fenced, TimeoutError))
                logger.warning("relay waits: %s", error or "no answer", exc_info=not expected)
                await _unless(stop, asyncio.sleep(self._pause))

    async def _work(self, turn: Turn, stop: asyncio.Event) -> None:
        last = await self._begin(turn)
        logger.info("relay goes on after event %d", last)
        while not stop.is_set():
            events = await turn.after(last, BATCH)
            if not events:
                await _unless(stop, turn.woken(LOOK))
                continue
            async with asyncio.timeout(self._limit):
                places = await self._log.append([relay_record(event) for event in events])
            await turn.advance(last, events, places)
            last = events[-1].number
            await self._say_so()

    async def _say_so(self) -> None:
        """Who waits also looks by itself: a bus that takes nothing holds up no event."""
        try:
            await self._announce()
        except AnalyticsError as error:
            logger.info("not announced: %s", error)

    async def _begin(self, turn: Turn) -> int:
        """The number to go on after. A log that lacks what was relayed is another one: it gets everything."""
        async with asyncio.timeout(self._limit):
            heads = await self._log.heads(KIND.stream)
        if Position({(KIND.stream, partition): head for partition, head in heads.items()}).reaches(await turn.placed()):
            return await turn.last()
        logger.warning("the log does not have what was relayed: it gets every event of the store")
        await turn.begin_anew()
        return 0


async def _unless(stop: asyncio.Event, waiting: Coroutine[Any, Any, None]) -> None:
    """Wait, but not once `stop` is set."""
    await tasks.first(waiting, stop.wait())
