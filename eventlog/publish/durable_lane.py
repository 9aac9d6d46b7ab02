"""The durable lane of a publisher: appends to the log, in order, and tries again until the log has it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from domain.errors import AnalyticsError, Defect, Unavailable
from domain.ports import EventLog, Placed, Record
from eventlog import tasks
from eventlog.backoff import pauses
from eventlog.publish.record import stamped

UNEXPECTED = 3  # failures in a row that no port names, after which they are taken for final

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a publisher: of one append, of what may wait, and of time (seconds)."""

    batch_events: int = 5_000
    batch_bytes: int = 4 * 1024 * 1024
    linger: float = 0.0  # wait so long for more before a small batch goes; what comes during an append batches anyway
    pending_events: int = 20_000
    pending_bytes: int = 32 * 1024 * 1024
    deadline: float = 30.0  # a caller waits so long for the log, then gets Unavailable
    live_deadline: float = 1.0
    attempt: float = 60.0  # an append without an answer for so long is taken for lost, and begun again
    first_pause: float = 0.02  # between two attempts, doubling
    longest_pause: float = 1.0


class Room:
    """What may wait, in events and bytes; who comes first is let in first."""

    def __init__(self, events: int, size: int) -> None:
        self._limit = events, size
        self._events = self._size = 0
        self._waiting: deque[tuple[asyncio.Future[None], int, int]] = deque()

    async def take(self, events: int, size: int) -> None:
        """Wait until there is room for so many events and `size` bytes.

        A piece beyond the limits is let in when nothing else is there.
        """
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, events, size))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._admit()
            else:  # let in and cancelled in the same moment
                self.give(events, size)
            raise

    def give(self, events: int, size: int) -> None:
        """Give room back, as many events and bytes as were taken."""
        self._events -= events
        self._size -= size
        self._admit()

    def _admit(self) -> None:
        while self._waiting:
            turn, events, size = self._waiting[0]
            if not turn.done():
                full = self._events + events > self._limit[0] or self._size + size > self._limit[1]
                if full and self._events:
                    return
                self._events += events
                self._size += size
                turn.set_result(None)
            self._waiting.popleft()


class Group:
    """Records of one call, which share one answer: `placed` is set when the log has all of them."""

    __slots__ = ("events", "placed", "records", "size")

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self.events = len(records)
        self.size = sum(len(record.value) for record in records)
        self.placed: asyncio.Future[list[Placed]] = asyncio.get_running_loop().create_future()

    def fail(self, error: Exception) -> None:
        """Give the error to whoever waits; a caller that has gone away is no reason for asyncio to complain."""
        if not self.placed.done():
            self.placed.set_exception(error)
            self.placed.exception()


class DurableLane:
    """Appends groups to the log in the order in which they were let in, one append at a time.

    A group that was let in is never given up while the process lives: after an unknown outcome the very same records
    are appended again before anything newer, so that order holds and readers can tell the repetition. Only what the log
    refuses for good, or fails at again and again in a way that no port names, is given back to its caller.
    """

    def __init__(self, log: EventLog, limits: Limits, producer_id: str | None) -> None:
        self._log = log
        self._limits = limits
        self._producer = producer_id.encode() if producer_id is not None else None
        self._sequence = 0
        self._room = Room(limits.pending_events, limits.pending_bytes)
        self._queue: deque[Group] = deque()
        self._arrived = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._closed = False

    async def put(self, group: Group) -> None:
        """Let a group in once there is room. After `close` it fails at once."""
        await self._room.take(group.events, group.size)
        if self._closed:
            self._room.give(group.events, group.size)
            group.fail(Unavailable("this publisher is closed", code="closed"))
            return
        if self._producer is not None:
            first, self._sequence = self._sequence + 1, self._sequence + group.events
            group.records = [stamped(r, self._producer, first + i) for i, r in enumerate(group.records)]
        self._queue.append(group)
        self._arrived.set()
        if self._worker is None or self._worker.done():
            self._worker = tasks.start(tasks.keep(self._run, "the durable lane"), "the durable lane")

    async def close(self, deadline: float) -> None:
        """Wait until the log has everything; raises Unavailable, with what is left, when it takes too long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(deadline):
                while self._queue:
                    await asyncio.wait([group.placed for group in self._queue])
        self._closed = True
        await tasks.end(self._worker)
        if self._queue:
            left = sum(group.events for group in self._queue)
            error = Unavailable(f"closed while {left} events were not known to be in the log")
            for group in self._queue:
                group.fail(error)
            raise error

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            if self._limits.linger and sum(group.events for group in self._queue) < self._limits.batch_events:
                await asyncio.sleep(self._limits.linger)
            batch = self._next_batch()
            try:
                await self._deliver(batch)
            finally:
                self._forget_done(batch)

    def _next_batch(self) -> list[Group]:
        """The groups at the head of the queue that fit into one append, at least one."""
        events = size = 0
        batch: list[Group] = []
        for group in self._queue:
            events, size = events + group.events, size + group.size
            if batch and (events > self._limits.batch_events or size > self._limits.batch_bytes):
                break
            batch.append(group)
        return batch

    def _forget_done(self, batch: Sequence[Group]) -> None:
        for group in batch:
            if group.placed.done():
                self._queue.popleft()
                group.records = ()  # the answer is kept for repetitions, the bytes are not
                self._room.give(group.events, group.size)
        if not self._queue:
            self._arrived.clear()

    async def _deliver(self, batch: Sequence[Group]) -> None:
        try:
            placed = await self._append([record for group in batch for record in group.records])
        except AnalyticsError as error:
            if len(batch) == 1:
                batch[0].fail(error)
                return
            for group in batch:  # one of them cannot be taken: find it, the others go in
                await self._deliver([group])
            return
        start = 0
        for group in batch:
            if not group.placed.done():
                group.placed.set_result(placed[start : start + group.events])
            start += group.events

    async def _append(self, records: Sequence[Record]) -> list[Placed]:
        """Append until it is known that all are durable; what the log refuses is final."""
        rests, unexpected = pauses(self._limits.first_pause, self._limits.longest_pause), 0
        while True:
            try:
                async with asyncio.timeout(self._limits.attempt):
                    return await self._log.append(records)
            except (Unavailable, TimeoutError):
                pass
            except AnalyticsError:
                raise
            except Exception as error:
                unexpected += 1
                logger.exception("an append of %d events failed in a way that no port names", len(records))
                if unexpected == UNEXPECTED:
                    raise Defect(f"the log fails at these events: {type(error).__name__}") from error
            await asyncio.sleep(next(rests))
