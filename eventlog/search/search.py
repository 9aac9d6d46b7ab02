"""Searching the log: the one implementation behind the command line, HTTP and gRPC.

Order of work: may they → which blocks may hold it (the index) → bytes that it must contain → the envelope itself. The
index only ever spares reading: without it, or with a part of it, the same events are found.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import NamedTuple

from common.envelope_pb2 import AnalyticsProcessingEnvelope

from domain.access.rights import EVERY_COMPANY, Principal
from domain.errors import Invalid, NotFound
from domain.ports import EventLog, Placed
from domain.position import Position
from eventlog.read import Reading
from eventlog.search import walk as log_walk
from eventlog.search.criteria import Criteria, EventIndex
from eventlog.search.rights import own, readable_topics
from eventlog.search.walk import LogWalk


class EventMatch(NamedTuple):
    """An event that matched: where it lies, its bytes as they are in the log, and its envelope."""

    place: Placed
    value: bytes
    envelope: AnalyticsProcessingEnvelope


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for, and where; no `topics` are all that may be read, no `end` is the head of the log."""

    criteria: Criteria = field(default_factory=Criteria)
    topics: Sequence[str] = ()
    begin: str = ""
    end: str = ""
    follow: bool = False


class EventSearch:
    """Searches the log with the help of the index."""

    def __init__(self, log: EventLog, index: EventIndex | None = None) -> None:
        self._log = log
        self._index = index

    async def walk(self, principal: Principal, search: Search) -> LogWalk:
        """A walk through the part of the log that is asked for, at its beginning.

        Raises Invalid for what cannot be meant, Forbidden for what the principal may not see, Unavailable.
        """
        criteria = own(principal, search.criteria)
        if criteria.to_time <= criteria.from_time:
            raise Invalid("the end of the time range must be after its beginning", code="bad_time")
        if search.follow and search.end:
            raise Invalid("a stream that follows has no to_position", code="bad_range")
        topics = readable_topics(principal, criteria.company_id, search.topics)
        end = Position.parse(search.end) if search.end else None
        walk = await log_walk.begin(self._log, topics, Position.parse(search.begin), end, search.follow)
        walk.index, walk.criteria = self._index, criteria
        return walk

    async def part(
        self, principal: Principal, place: Placed, criteria: Criteria, begin: int, end: int | None = None
    ) -> LogWalk:
        """A walk through [begin, end) of the partition of `place` alone, as far as the log still has it.

        Raises Invalid for an unknown topic, Forbidden for what the principal may not see, Unavailable.
        """
        topic, partition, _ = place
        readable_topics(principal, criteria.company_id, [topic])
        criteria = own(principal, criteria)
        starts, heads = await self._log.starts(topic), await self._log.heads(topic)
        until = heads[partition] if end is None else end
        reached = min(max(begin, starts[partition]), until)
        return LogWalk({(topic, partition): reached}, {(topic, partition): until}, False, self._index, criteria)

    async def matches(self, walk: LogWalk) -> AsyncGenerator[EventMatch | None]:
        """Wanted events as the walk reaches them; None whenever a round of reading has ended.

        Raises Unavailable when the log falls silent.
        """
        criteria, needles = walk.criteria, walk.criteria.needles()
        topics = list(dict.fromkeys(topic for topic, _ in walk.reached))
        async with aclosing(walk.chunks(self._log, topics)) as chunks:
            async for topic, chunk in chunks:
                if chunk is None:
                    yield None
                    continue
                place = (topic, chunk.partition)
                for offset, value in zip(chunk.offsets, chunk.values, strict=True):
                    envelope = criteria.envelope(value) if all(needle in value for needle in needles) else None
                    if envelope is not None:
                        walk.reached[place] = offset + 1
                        yield EventMatch(Placed(topic, chunk.partition, offset), value, envelope)
                walk.reached[place] = chunk.next_offset

    async def first(self, walk: LogWalk, limit: int) -> list[EventMatch]:
        """The first events that the walk gives, so many at most; the walk then stands after the last of them.

        Raises as `matches` does.
        """
        events: list[EventMatch] = []
        async with aclosing(self.matches(walk)) as matches:
            async for event in matches:
                if event is not None:
                    events.append(event)
                    if len(events) == limit:
                        break
        return events

    async def at(self, principal: Principal, place: Placed, company: str = EVERY_COMPANY) -> EventMatch:
        """The event that lies there.

        Raises NotFound where there is none of that company, Forbidden, Invalid, Unavailable.
        """
        readable_topics(principal, company, [place.topic])
        heads, starts = await self._log.heads(place.topic), await self._log.starts(place.topic)
        value = None
        if starts.get(place.partition, 0) <= place.offset < heads.get(place.partition, 0):
            value = await self._value(place)
        envelope = own(principal, Criteria(company)).envelope(value) if value is not None else None
        if value is None or envelope is None:
            raise NotFound(f"there is no event of {company} at {place.topic}:{place.partition}={place.offset}")
        return EventMatch(place, value, envelope)

    async def _value(self, place: Placed) -> bytes | None:
        """The record that lies there; None where offsets are sparse and there is none."""
        async with Reading(self._log, place.topic, {place.partition: [(place.offset, place.offset + 1)]}) as reading:
            while reading.left:
                for chunk in await reading.read(1):
                    return chunk.values[0] if len(chunk.values) else None
        return None

    async def by_id(
        self, principal: Principal, event_id: str, company: str = EVERY_COMPANY, topics: Sequence[str] = ()
    ) -> tuple[EventMatch, LogWalk]:
        """The event of that identity, with the walk that found it.

        Raises NotFound where the company has none, Invalid for an empty id, Forbidden, Unavailable.
        """
        if not event_id:
            raise Invalid("event_id is empty", code="missing_field")
        walk = await self.walk(principal, Search(Criteria(company, event_id=event_id), topics))
        events = await self.first(walk, 1)
        if not events:
            raise NotFound(f"there is no event {event_id} of {company}")
        return events[0], walk
