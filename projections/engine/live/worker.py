"""The live lane at work: from the bus into windows, and what is said of them back onto the bus.

Tenants that somebody follows come first: their messages are folded as they arrive, all that wait together. Those of
others are put by for `LAZY` seconds, or until somebody follows them, because a fold of a thousand costs little more
than a fold of one, and folded in a thread, because what is followed would wait for it.

Both wait within bounds. What finds no room, because folding is behind, is lost as it is where the bus drops it: the
minutes that it may have been of are partial until the projections have them.

Whoever wants to follow says so on `FOLLOW_SUBJECT`, and again before `LEASE` has passed; messages come on `subject_of`.
Nothing of this is durable: a new process knows nothing, followers ask it again, and of what went by it has what the
projections have.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import msgspec

from domain.errors import AnalyticsError, Unavailable
from domain.ports import LiveBus, PositionedStore, Subscription
from eventlog import tasks
from projections.engine.live.arrivals import folded, good_messages, parts, warm_up
from projections.engine.live.durable import projection_progress, rows_of
from projections.engine.live.folding import topics
from projections.engine.live.question import (
    FOLLOW_SUBJECT,
    LEASE,
    STATUS_SUBJECT,
    FollowRequest,
    ViewQuestion,
    check,
    subject_of,
)
from projections.engine.live.view import minute_of
from projections.engine.live.waiting import MOST_BYTES, MOST_MESSAGES, Waiting
from projections.engine.live.windows import LiveWindows

LAZY = 0.5  # seconds that messages of tenants whom nobody follows may wait
MOST = 500  # messages in one fold of what is followed, so that others wait for a few milliseconds at most
MOST_LAZY = 2_000  # in one fold of the rest: the more, the less each costs
AT_ONCE = 50  # rows of it that are merged while what is followed waits: half a millisecond
TICK = 0.25  # seconds between two looks at watermarks and projections
RETRY = 1.0  # seconds until a bus that was away is asked again

logger = logging.getLogger(__name__)
Clock = Callable[[], int]  # now, in ms since 1970 UTC


class LiveWorker:
    """One process's live lane. `run` returns after `stop`."""

    def __init__(
        self,
        bus: LiveBus,
        store: PositionedStore,
        clock: Clock,
        *,
        most_messages: int = MOST_MESSAGES,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """`most_messages` and `most_bytes` may wait of tenants that are followed, and so many of all others."""
        self._bus, self._store, self._clock = bus, store, clock
        self.windows = LiveWindows(clock())
        self.epoch = os.urandom(6).hex()
        self._followed: frozenset[tuple[str, str]] = frozenset()  # topics and tenants
        self._urgent = Waiting(topics(), most_messages, most_bytes)
        self._lazy = Waiting(topics(), most_messages, most_bytes)
        self._arrived = asyncio.Event()
        self._begun = asyncio.Event()  # somebody follows what nobody followed before
        self._stopping = asyncio.Event()
        self._noted = self._losses()
        self._whole = clock()  # until when nothing was lost

    def stop(self) -> None:
        """Let `run` return."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until stopped; servers that go away are waited for."""
        warm_up()
        subscriptions: list[Subscription] = []
        try:
            await self._subscribe(subscriptions)
            await tasks.first(
                self._stopping.wait(),
                tasks.keep(self._fold, "the live lane", longest=RETRY),
                tasks.keep(self._fold_rest, "the live lane's lazy half", longest=RETRY),
                tasks.keep(self._tick, "the live lane's watermarks", longest=RETRY),
                tasks.keep(self._settle, "the live lane's durable values", longest=RETRY),
            )
        finally:
            for subscription in subscriptions:
                await subscription.stop()

    async def _subscribe(self, subscriptions: list[Subscription]) -> None:
        subjects = [(f"analytics.{topic}.*", self._take) for topic in topics()] + [(FOLLOW_SUBJECT, self._follow)]
        while subjects and not self._stopping.is_set():
            try:
                subscriptions.append(await self._bus.subscribe(*subjects[-1]))
                subjects.pop()
            except Unavailable as error:
                logger.warning("the live lane waits: %s", error)
                await asyncio.sleep(RETRY)

    async def _take(self, subject: str, data: bytes) -> None:
        _, topic, company = subject.split(".")
        if (topic, company) in self._followed:
            self._urgent.put(topic, data)
            self._arrived.set()
        else:
            self._lazy.put(topic, data)

    async def _follow(self, subject: str, data: bytes) -> None:
        try:
            ask = msgspec.json.decode(data, type=FollowRequest)
            question, since = check(ask.question), minute_of(ask.since) if ask.since else None
        except (msgspec.DecodeError, AnalyticsError, ValueError) as error:
            logger.warning("a question to be followed cannot be read: %s", error)
            return
        now = self._clock()
        view = self.windows.follow(question, now, now + round(1000 * LEASE), since)
        before, self._followed = self._followed, self.windows.followed()
        if self._followed - before:
            self._begun.set()
        if ask.snapshot:
            for message in view.newest():
                await self._publish(question, message)
        await self._send()

    async def _fold(self) -> None:
        """Fold what arrives for followed tenants at once."""
        while True:
            await self._arrived.wait()
            await self._fold_urgent()
            await asyncio.sleep(0)  # the bus brings more meanwhile

    async def _fold_rest(self) -> None:
        """Fold what arrives for others now and then, in a thread, so that it holds up nobody who is followed."""
        while True:
            if len(self._lazy) < MOST_LAZY:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._begun.wait(), LAZY)
            self._begun.clear()
            for topic in topics():
                if messages := self._lazy.take(topic, MOST_LAZY):
                    with self._gap_unless_done():
                        await self._fold_beside(topic, messages, self._clock())
            await self._send()

    async def _fold_beside(self, topic: str, messages: Sequence[bytes], now: int) -> None:
        good = await asyncio.to_thread(good_messages, topic, messages, now)
        admitted = self.windows.admit(good, len(messages), now)
        for part in parts(await asyncio.to_thread(folded, topic, admitted), AT_ONCE):
            self.windows.add(topic, part, now)
            await asyncio.sleep(0)

    async def _fold_urgent(self) -> None:
        self._arrived.clear()
        for topic in topics():
            if self._urgent.count(topic):
                self._fold_some(topic)
                await self._send()
        if self._urgent:
            self._arrived.set()

    def _fold_some(self, topic: str) -> None:
        with self._gap_unless_done():
            self.windows.take(topic, self._urgent.take(topic, MOST), self._clock())

    @contextmanager
    def _gap_unless_done(self) -> Iterator[None]:
        """Messages that were taken out and came to nothing are lost, whatever the reason."""
        try:
            yield
        except BaseException:
            self.windows.note_gap(self._whole, self._clock())
            raise

    async def _send(self) -> None:
        for view, message in self.windows.messages(self._clock()):
            await self._publish(view.question, message)

    async def _publish(self, question: ViewQuestion, message: dict[str, Any]) -> None:
        try:
            await self._bus.publish(subject_of(question), msgspec.json.encode({**message, "epoch": self.epoch}))
        except AnalyticsError as error:  # the bus is disposable: who follows asks again
            logger.info("not said: %s", error)

    async def _tick(self) -> None:
        """Watermarks, leases, losses, and the figures of health."""
        loop, said = asyncio.get_running_loop(), 0.0
        while True:
            now = self._clock()
            if self._losses() != self._noted:
                self._noted = self._losses()
                self.windows.note_gap(self._whole, now)
            if self._bus.connected:
                self._whole = now
            self.windows.advance(now)
            self.windows.expire(now)
            self._followed = self.windows.followed()
            await self._send()
            if loop.time() - said >= 1.0:
                said = loop.time()
                await self._publish_figures()
            await asyncio.sleep(TICK)

    def _losses(self) -> int:
        """How often messages may have been lost, on the bus or here."""
        return self._bus.losses + self._urgent.refused + self._lazy.refused

    async def _publish_figures(self) -> None:
        try:
            await self._bus.publish(STATUS_SUBJECT, msgspec.json.encode(self.windows.figures()))
        except AnalyticsError as error:
            logger.info("not said: %s", error)

    async def _settle(self) -> None:
        """Take closed minutes from the projections that have them."""
        while True:
            await asyncio.sleep(TICK)
            try:
                for pending in self.windows.pending(await projection_progress(self._store), self._clock()):
                    rows = await rows_of(self._store, pending)
                    if rows is not None:
                        self.windows.settle(pending, rows, self._clock())
                await self._send()
            except AnalyticsError as error:
                logger.warning("closed minutes wait for the read store: %s", error)
                await asyncio.sleep(RETRY)
