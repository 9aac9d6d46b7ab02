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
        live = await self._through(len(ordered), groups, [each.group for each in recent], took)
        while len(self._recent) > 2 * self._limits.pending_events:  # those under way are fewer, and the newest
            self._recent.popitem(last=False)
        return [Receipt(True, live, each.group.placed.result()[each.number]) for each in recent]

    async def append(self, records: Sequence[Record]) -> WriteResult:
        """Publish records that were checked before (the doors do): no memory of event ids, one answer for all.

        Raises Unavailable when it is not known within the deadline that the log has them, and what it refused one with.
        """
        self._check_open()
        took = self._live.offer(records)
        groups = [Group(part) for part in self._parts(records)]
        live = await self._through(len(records), groups, groups, took)
        return WriteResult([place for group in groups for place in group.placed.result()], live)

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

    async def _through(
        self, count: int, fresh: Sequence[Group], every: Sequence[Group], took: asyncio.Future[bool]
    ) -> bool:
        """Hand fresh groups to the durable lane, in order, and wait until the log has every one of the call.

        `count`: events of the call. Groups that find no room in time are as if never given; a wait that is cancelled
        cancels none. Whether the bus is known to have taken them is asked once the log has them, which costs no
        deadline. Raises as `publish_many`.
        """
        loop, left = asyncio.get_running_loop(), list(reversed(fresh))
        until = loop.time() + self._limits.deadline
        try:
            async with asyncio.timeout_at(until):
                while left:
                    await self._durable.put(left[-1])
                    left.pop()
                if every:
                    await asyncio.wait({group.placed for group in every})
        except TimeoutError:
            raise self._too_late(count, took) from None
        finally:
            for group in reversed(left):
                group.fail(Unavailable("too many events wait for the log", code="log_unavailable"))
        for group in every:
            group.placed.result()  # raises what the log refused it with
        await asyncio.wait({took}, timeout=max(0.0, min(until - loop.time(), self._limits.live_deadline)))
        return took.done() and took.result()

    def _forget_failed(self, placed: asyncio.Future[list[Placed]]) -> None:
        """What the log will never take may be published again, as something new."""
        if placed.exception() is not None:
            self._recent = OrderedDict((k, v) for k, v in self._recent.items() if v.group.placed is not placed)

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
