"""The publisher: what a service holds to publish its events. Log and live bus get them at the same time.

    publisher = Publisher(log, bus)
    receipt = await publisher.publish(event.user_event(company_id="acme", user_id="u1", name="page_view"))
    await publisher.close()

An answer means that the log has the event (`receipt.durable`); `receipt.live` tells whether the bus took it too.
While the log is away, events wait in order; a caller that has waited for the deadline gets Unavailable and may publish
the same event again (the same event_id): the publisher knows it and never writes it twice. That memory ends with the
process. Who repeats events from a store of its own after a restart uses `stamp=False`: then the projectors know an
event by its event_id, which costs them a look-up each.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from domain.errors import Unavailable
from domain.events.identity import new_event_id
from domain.ports import EventLog, LiveBus, Placed, Record
from eventlog.intake.identified import contradicting
from eventlog.publish.durable_lane import DurableLane, Group, Limits
from eventlog.publish.event import Event
from eventlog.publish.live_lane import LiveLane


@dataclass(frozen=True, slots=True)
class Receipt:
    """Which lanes took an event, and where it lies in the log. An event that no log took raises instead."""

    durable: bool
    live: bool
    placed: Placed


@dataclass(frozen=True, slots=True)
class WriteResult:
    """Places of records in the log, in the order given; whether the bus took all of them."""

    placed: Sequence[Placed]
    live: bool


class Published(NamedTuple):
    """An event that was published lately: its place in a group, and its content (64 bits)."""

    group: Group
    number: int
    content: int


class Publisher:
    """Publishes events in order, each once. Opens nothing until the first event; close it to drain."""

    def __init__(
        self, log: EventLog, bus: LiveBus | None = None, *, limits: Limits | None = None, stamp: bool = True
    ) -> None:
        """`stamp=False` leaves the events without producer_id and producer_seq (see above)."""
        self._limits = limits or Limits()
        self._durable = DurableLane(log, self._limits, new_event_id() if stamp else None)
        self._live = LiveLane(bus, self._limits)
        self._recent: OrderedDict[bytes, Published] = OrderedDict()
        self._closed = False

    async def publish(self, event: Event) -> Receipt:
        """Publish one event; returns when the log has it.

        Raises Unavailable when that is not known within the deadline, and what the log refused it with.
        """
        return (await self.publish_many([event]))[0]

    async def publish_many(self, events: Iterable[Event]) -> list[Receipt]:
        """Publish events in this order; returns when the log has all of them.

        Raises Unavailable when that is not known within the deadline, what the log refused one of them with, and
        RefusedEvent, with nothing published, for one whose event_id another one has that says otherwise.
        """
        self._check_open()
        ordered = list(events)
        fresh = self._fresh(ordered)
        took = self._live.offer([event.record for event in fresh])
        groups = self._remember(fresh)
        recent = [self._recent[event.identity] for event in ordered]
        until = asyncio.get_running_loop().time() + self._limits.deadline
        try:
            async with asyncio.timeout_at(until):
                await self._let_in(groups)
                await _result(each.group for each in recent)
        except TimeoutError:
            raise self._too_late(len(ordered), took) from None
        self._trim()
        places = [each.group.placed.result()[each.number] for each in recent]
        live = await self._live_in_time(took, until)
        return [Receipt(True, live, place) for place in places]

    async def append(self, records: Sequence[Record]) -> WriteResult:
        """Publish records that were checked before (the doors do): no memory of event ids, one answer for all.

        Raises Unavailable when it is not known within the deadline that the log has them, and what it refused one with.
        """
        self._check_open()
        took = self._live.offer(records)
        groups = [Group(part) for part in self._parts(records)]
        until = asyncio.get_running_loop().time() + self._limits.deadline
        try:
            async with asyncio.timeout_at(until):
                await self._let_in(groups)
                await _result(groups)
        except TimeoutError:
            raise self._too_late(len(records), took) from None
        placed = [place for group in groups for place in group.placed.result()]
        return WriteResult(placed, await self._live_in_time(took, until))

    async def close(self) -> None:
        """Refuse new events and wait for those under way; raises Unavailable if the log does not take them in time."""
        self._closed = True
        await self._live.close()
        await self._durable.close(self._limits.deadline)

    def _fresh(self, ordered: Sequence[Event]) -> list[Event]:
        """Those that were not published lately, each once."""
        fresh = dict[bytes, Event]()
        for event in ordered:
            before = self._recent.get(event.identity) or fresh.setdefault(event.identity, event)
            if before.content != event.content:
                raise contradicting(event.envelope)
        return list(fresh.values())

    def _remember(self, fresh: Sequence[Event]) -> list[Group]:
        """Groups for new events, known by their event ids before anything is awaited: a repetition joins them."""
        events = {id(event.record): event for event in fresh}
        groups = [Group(part) for part in self._parts([event.record for event in fresh])]
        for group in groups:
            group.placed.add_done_callback(self._forget_failed)
            for index, record in enumerate(group.records):
                event = events[id(record)]
                self._recent[event.identity] = Published(group, index, event.content)
        return groups

    async def _let_in(self, groups: Sequence[Group]) -> None:
        """Hand groups to the durable lane in order; those that find no room in time are as if never given."""
        for index, group in enumerate(groups):
            try:
                await self._durable.put(group)
            except asyncio.CancelledError:
                for left in groups[index:]:
                    left.fail(Unavailable("too many events wait for the log", code="log_unavailable"))
                raise

    def _forget_failed(self, placed: asyncio.Future[list[Placed]]) -> None:
        """What the log will never take may be published again, as something new."""
        if placed.exception() is not None:
            self._recent = OrderedDict((k, v) for k, v in self._recent.items() if v.group.placed is not placed)

    def _trim(self) -> None:
        while len(self._recent) > 2 * self._limits.pending_events:  # those under way are fewer, and the newest
            self._recent.popitem(last=False)

    def _parts(self, records: Sequence[Record]) -> Iterable[Sequence[Record]]:
        """Runs of records of which each fits into one append."""
        start = size = 0
        for index, record in enumerate(records):
            size += len(record.value)
            if index > start and (index - start >= self._limits.batch_events or size > self._limits.batch_bytes):
                yield records[start:index]
                start, size = index, len(record.value)
        if start < len(records):
            yield records[start:]

    async def _live_in_time(self, took: asyncio.Future[bool], until: float) -> bool:
        """Whether the bus is known to have taken them, asked once the log has them; that costs no deadline."""
        left = until - asyncio.get_running_loop().time()
        await asyncio.wait({took}, timeout=max(0.0, min(left, self._limits.live_deadline)))
        return took.done() and took.result()

    def _too_late(self, count: int, took: asyncio.Future[bool]) -> Unavailable:
        live = took.done() and took.result()
        return Unavailable(
            f"it is not known whether the log has {count} events after {self._limits.deadline:g} s"
            + (" (the live bus took them)" if live else ""),
            code="live_only" if live else "log_unavailable",
            suggested_actions=("publish again with the same event ids: they are written once",),
        )

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable("this publisher is closed", code="closed")


async def _result(groups: Iterable[Group]) -> None:
    """Wait for the groups without cancelling them when the waiting is cancelled."""
    waiting = {group.placed for group in groups}
    if waiting:
        await asyncio.wait(waiting)
