"""The trail's writer: notes become audit events in the log, in batches off the path of requests.

A note waits `LINGER` seconds at most for others, or goes at once with those that wait when somebody awaits it. While
the log is away notes wait in memory, up to a bound; beyond it `admit` holds new requests back and then refuses them.
What the log has not taken when the process drains goes to a file, and from there into the log at the next start.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Protocol

from common.envelope_pb2 import AnalyticsProcessingEnvelope

from domain.audit import NOBODY, Note
from domain.errors import AnalyticsError, Unavailable
from domain.ports import EventLog, Placed, Record
from domain.request import tracing
from domain.request.tracing import Trace
from eventlog import tasks
from eventlog.publish.audit_events import AUDIT_EVENT, audit_record
from eventlog.publish.durable_lane import DurableLane, Group, Limits
from eventlog.publish.record import record_of

LINGER = 0.2  # seconds that a note waits for others
AT_ONCE = 500  # notes in one append
PATIENCE = 2.0  # seconds that a request waits for room, and that somebody who awaits a note waits for the log
STRANGERS = 10.0  # seconds
_LIMITS = Limits(batch_events=AT_ONCE, pending_events=2**31, pending_bytes=2**40)  # `admit` is the bound

logger = logging.getLogger(__name__)


class Spill(Protocol):
    """Where audit events wait that no log took before the process ended."""

    def save(self, values: Sequence[bytes]) -> None:
        """Write these durably. Raises Unavailable where the disk does not take them."""
        ...

    def batches(self) -> Iterable[tuple[str, Sequence[bytes]]]:
        """What was written, by name."""
        ...

    def drop(self, name: str) -> None:
        """The log has it now."""
        ...


class LogTrail:
    """`domain.audit.Trail` on the event log. `open` first, `close` to drain. `most`: notes that may wait.

    `window`: seconds within which refusals of nobody known are put together.
    """

    def __init__(
        self, log: EventLog, spill: Spill, *, most: int, patience: float = PATIENCE, window: float = STRANGERS
    ) -> None:
        self._lane = DurableLane(log, _LIMITS, None)
        self._spill = spill
        self._most = most
        self._patience = patience
        self._window = window
        self._notes: list[tuple[Note, int, Trace | None]] = []  # made into events off the path of requests
        self._waiting = 0
        self._room = asyncio.Event()
        self._room.set()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._strangers: dict[tuple[str, str, str], Note] = {}

    def open(self) -> None:
        """Hand over what an earlier process could not; the log knows events by their ids, so twice does no harm."""
        for name, values in self._spill.batches():
            envelopes = map(AnalyticsProcessingEnvelope.FromString, values)
            group = self._go([record_of(envelope, AUDIT_EVENT) for envelope in envelopes])
            group.placed.add_done_callback(partial(self._handed_over, name))

    def _handed_over(self, name: str, placed: asyncio.Future[list[Placed]]) -> None:
        if placed.exception() is None:
            self._spill.drop(name)

    @property
    def has_room(self) -> bool:
        """Whether `admit` would not wait."""
        return self._waiting < self._most

    async def admit(self) -> None:
        """Wait while too many notes wait for the log. Raises Unavailable when that lasts."""
        if self.has_room:
            return
        try:
            async with asyncio.timeout(self._patience):
                await self._room.wait()
        except TimeoutError:
            raise Unavailable(
                "the audit trail cannot be written now, and nothing is answered off the record",
                code="trail_unavailable",
                suggested_actions=("Try again when the log is back.",),
            ) from None

    def note(self, note: Note) -> None:
        """Take a note; it is in the log a moment later. Refusals of nobody known are counted, not repeated."""
        if note.actor is NOBODY and self._counted(note):
            return
        self._add(note)
        if len(self._notes) >= AT_ONCE:
            self._flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LINGER, self._flush)

    async def record(self, note: Note) -> None:
        """Take a note and return once the log has it. Raises Unavailable when that is not known in time."""
        self._add(note)
        placed = self._flush().placed
        done, _ = await asyncio.wait({placed}, timeout=self._patience)
        if not done:
            raise Unavailable("it is not known whether this is on record: the log does not answer")
        placed.result()

    async def close(self, deadline: float) -> None:
        """Write what waits, for so many seconds; what is left goes to the file."""
        for key in list(self._strangers):
            self._tell_strangers(key)
        if self._notes:
            self._flush()
        await asyncio.gather(*self._tasks)
        try:
            await self._lane.close(deadline)
        except Unavailable as error:
            logger.warning("audit events are kept in a file until the log is back: %s", error)
        await asyncio.sleep(0)  # `_landed` is called on the loop's next turn, and writes that file

    def _add(self, note: Note) -> None:
        self._notes.append((note, time.time_ns() // 1_000_000, tracing.current.get()))
        self._waiting += 1
        if self._waiting >= self._most:
            self._room.clear()

    def _flush(self) -> Group:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        records, self._notes = [audit_record(*waiting) for waiting in self._notes], []
        group = self._go(records)
        group.placed.add_done_callback(lambda placed: self._landed(records, placed))
        return group

    def _go(self, records: Sequence[Record]) -> Group:
        group = Group(records)
        task = tasks.start(self._lane.put(group), "a note's way into the log", group.fail)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return group

    def _landed(self, records: Sequence[Record], placed: asyncio.Future[list[Placed]]) -> None:
        """Room again; what the log will not take, or has not taken when the process ends, is kept in the file."""
        self._waiting -= len(records)
        if self._waiting < self._most:
            self._room.set()
        error = placed.exception()
        if error is not None:
            try:
                self._spill.save([record.value for record in records])
            except Unavailable as lost:
                logger.critical("%d audit events are lost: %s; and %s", len(records), error, lost)
            if isinstance(error, AnalyticsError) and not isinstance(error, Unavailable):
                logger.error("the log refused audit events, which are kept in a file: %s", error)

    def _counted(self, note: Note) -> bool:
        """Whether one like it was noted lately: then it is counted, and told with the others at the end of the window.

        The kinds of it are few, whatever is asked for, so that no stranger can fill the log or the memory.
        """
        key = (note.door, note.action, note.code)
        entry = self._strangers.get(key)
        if entry is None:
            self._strangers[key] = note._replace(times=0)
            asyncio.get_running_loop().call_later(self._window, self._tell_strangers, key)
            return False
        self._strangers[key] = entry._replace(times=entry.times + 1)
        return True

    def _tell_strangers(self, key: tuple[str, str, str]) -> None:
        entry = self._strangers.pop(key, None)
        if entry is not None and entry.times:
            self._add(entry._replace(target="", correlation_id=""))
            self._flush()


class NoTrail:
    """`domain.audit.Trail` that keeps nothing: for measuring what the trail costs, and for doors in tests."""

    @property
    def has_room(self) -> bool:
        """Always."""
        return True

    async def admit(self) -> None:
        """There is always room."""

    def note(self, note: Note) -> None:
        """Forgotten."""

    async def record(self, note: Note) -> None:
        """Forgotten."""
