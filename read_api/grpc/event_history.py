"""The event history for auditors: a filtered walk through the log, and one event in full."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from common.envelope_pb2 import AnalyticsProcessingEnvelope
from services import operations_pb2 as operations

from domain.access import Principal
from domain.caller import caller
from domain.errors import Invalid, NotFound
from domain.ports import EventLog
from domain.position import Position
from read_api.grpc import log_walk
from read_api.grpc.log_walk import LogWalk
from read_api.grpc.wanted_events import WantedEvents, logged_event, readable_topics, wanted_events

ANSWER_EVENTS = 500  # in one message
ANSWER_BYTES = 1_000_000  # of envelopes in one message: with one more event of the largest size it stays below 4 MB
PROGRESS_EVERY = 1.0  # seconds without a matching event, after which the position reached is told
PLACE_WAIT = 5.0  # seconds that the log may take to give one event that it is known to have


@dataclass(slots=True)
class _Page:
    """Events that matched and were not answered yet."""

    correlation_id: str
    events: list[operations.LoggedEvent] = field(default_factory=list)
    size: int = 0
    taken: int = 0  # in all messages
    since: float = field(default_factory=time.monotonic)

    def add(self, event: operations.LoggedEvent) -> None:
        self.events.append(event)
        self.size += event.ByteSize()
        self.taken += 1

    @property
    def full(self) -> bool:
        return len(self.events) >= ANSWER_EVENTS or self.size >= ANSWER_BYTES

    @property
    def due(self) -> bool:
        return bool(self.events) or time.monotonic() - self.since >= PROGRESS_EVERY

    def answer(self, walk: LogWalk) -> operations.StreamEventsResponse:
        """What has come together, with the position that it reaches to; the page is empty after it."""
        events, self.events, self.size, self.since = self.events, [], 0, time.monotonic()
        return operations.StreamEventsResponse(
            events=events, position=walk.position, caught_up=walk.caught_up, correlation_id=self.correlation_id
        )


class EventHistory:
    """Handlers of StreamEvents and GetEvent."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def stream_events(
        self, request: operations.StreamEventsRequest, context: object
    ) -> AsyncGenerator[operations.StreamEventsResponse]:
        """The events that match; the last message of a walk that does not follow has the position of its end."""
        asking = caller()
        if request.follow and request.to_position:
            raise Invalid("a stream that follows has no to_position", code="bad_range")
        topics = readable_topics(asking.principal, request.company_id, list(request.streams))
        wanted = wanted_events(request)
        ends = Position.parse(request.to_position) if request.to_position else None
        walk = await log_walk.begin(self._log, topics, Position.parse(request.from_position), ends, request.follow)
        page = _Page(asking.correlation_id)
        if request.follow and walk.caught_up:
            yield page.answer(walk)  # tells the caller that whatever comes from now on is new
        async with aclosing(self._found(walk, topics, wanted, asking.principal)) as found:
            async for event in found:
                if event is not None:
                    page.add(event)
                if page.taken == request.limit > 0:
                    break
                if page.full or (event is None and page.due):
                    yield page.answer(walk)
        yield page.answer(walk)

    async def get_event(self, request: operations.GetEventRequest, context: object) -> operations.GetEventResponse:
        """One event by its place or its identity; raises NotFound where the tenant has none."""
        asking = caller()
        match request.WhichOneof("key"):
            case "place":
                event = await self._at(request.place, request.company_id, asking.principal)
            case "event_id":
                event = await self._with_id(request, asking.principal)
            case _:
                raise Invalid("name the event by event_id or by place", code="missing_field")
        return operations.GetEventResponse(event=event, correlation_id=asking.correlation_id)

    async def _at(self, place: operations.EventPlace, company: str, principal: Principal) -> operations.LoggedEvent:
        readable_topics(principal, company, [place.topic])
        heads, starts = await self._log.heads(place.topic), await self._log.starts(place.topic)
        missing = NotFound(f"there is no event of {company} at {place.topic}:{place.partition}={place.offset}")
        if not starts.get(place.partition, 0) <= place.offset < heads.get(place.partition, 0):
            raise missing
        envelope = await self._envelope(place, WantedEvents(company))
        if envelope is None:
            raise missing
        return logged_event(place.topic, place.partition, place.offset, envelope, principal)

    async def _envelope(self, place: operations.EventPlace, wanted: WantedEvents) -> AnalyticsProcessingEnvelope | None:
        reader = self._log.reader(place.topic)
        try:
            chunks = await reader.read({place.partition: place.offset}, max_records=1, wait=PLACE_WAIT)
        finally:
            await reader.close()
        values = [v for c in chunks for o, v in zip(c.offsets, c.values, strict=True) if o == place.offset]
        return wanted.envelope(values[0]) if values else None

    async def _with_id(self, request: operations.GetEventRequest, principal: Principal) -> operations.LoggedEvent:
        if not request.event_id:
            raise Invalid("event_id is empty", code="missing_field")
        topics = readable_topics(principal, request.company_id, [request.stream] if request.stream else [])
        walk = await log_walk.begin(self._log, topics, Position(), None, follow=False)
        wanted = WantedEvents(request.company_id, event_id=request.event_id)
        async with aclosing(self._found(walk, topics, wanted, principal)) as found:
            async for event in found:
                if event is not None:
                    return event
        raise NotFound(f"there is no event {request.event_id} of {request.company_id}")

    async def _found(
        self, walk: LogWalk, topics: Sequence[str], wanted: WantedEvents, principal: Principal
    ) -> AsyncGenerator[operations.LoggedEvent | None]:
        """Wanted events as the walk reaches them; None whenever a round of reading has ended."""
        needles = wanted.needles()
        async with aclosing(walk.chunks(self._log, topics)) as chunks:
            async for topic, chunk in chunks:
                if chunk is None:
                    yield None
                    continue
                place = (topic, chunk.partition)
                for offset, value in zip(chunk.offsets, chunk.values, strict=True):
                    walk.reached[place] = offset + 1
                    envelope = wanted.envelope(value) if all(needle in value for needle in needles) else None
                    if envelope is not None:
                        yield logged_event(topic, chunk.partition, offset, envelope, principal)
                walk.reached[place] = chunk.next_offset
