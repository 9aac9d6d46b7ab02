"""Hearing that a projection has moved: the projector says so on the bus after each commit.

The bus is disposable, so whoever waits also looks by itself from time to time: a lost message costs a moment, not a
figure.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from domain.errors import Unavailable
from domain.ports import LiveBus, Subscription
from eventlog import tasks
from eventlog.relay.ports import RELAY_SUBJECT

PROJECTED = "analytics.projected"  # subject: this, a dot and the projection's name
ANY = "*"
RELAY = RELAY_SUBJECT.rpartition(".")[2]  # moves like a projection, for those who wait for what was commanded
PATIENCE = 5.0  # seconds that the bus has to take a subscription
RETRY = 1.0  # seconds until a bus that was away is asked again

logger = logging.getLogger(__name__)


class ProjectionChanges:
    """Wakes those who wait for a projection."""

    def __init__(self, bus: LiveBus) -> None:
        self._bus = bus
        self._moved: dict[str, asyncio.Event] = {}
        self._subjects = [f"{PROJECTED}.*", RELAY_SUBJECT]
        self._subscriptions: list[Subscription] = []
        self._subscribing: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen, as soon as the bus is there."""
        name = "hearing of projections that move"
        self._subscribing = tasks.start(tasks.keep(self._subscribe, name), name)

    async def stop(self) -> None:
        """Listen no more."""
        await tasks.end(self._subscribing)
        while self._subscriptions:
            await self._subscriptions.pop().stop()

    def next(self, projection: str = ANY) -> asyncio.Event:
        """An event that is set when the projection (or any of them, or the relay) moves next.

        Take it before you look, wait for it afterwards: so no movement falls between looking and waiting.
        """
        return self._moved.setdefault(projection, asyncio.Event())

    async def _subscribe(self) -> None:
        while self._subjects:
            try:
                async with asyncio.timeout(PATIENCE):
                    self._subscriptions.append(await self._bus.subscribe(self._subjects[-1], self._on_message))
                self._subjects.pop()
            except (Unavailable, TimeoutError) as error:
                logger.warning("live figures come by looking: %s", error or "the live bus does not answer")
                await asyncio.sleep(RETRY)

    async def _on_message(self, subject: str, data: bytes) -> None:
        for name in (subject.rpartition(".")[2], ANY):
            if (moved := self._moved.pop(name, None)) is not None:
                moved.set()


async def wait_for(event: asyncio.Event, seconds: float) -> bool:
    """Wait for the event, at most so long; True if it happened."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()
