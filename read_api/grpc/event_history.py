"""The event history over gRPC: a filtered walk through the log, and one event in full."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from services import operations_pb2 as operations

from domain.access.rights import Principal
from domain.errors import Invalid
from domain.ports import Placed
from domain.request.caller import Caller
from eventlog.search.criteria import ALWAYS, NEVER, Criteria
from eventlog.search.rights import reduce_to_visible, with_batches
from eventlog.search.search import EventMatch, EventSearch, Search
from eventlog.search.walk import LogWalk

ANSWER_EVENTS = 500  # in one message
ANSWER_BYTES = 1_000_000  # of envelopes in one message: with one more event of the largest size it stays below 4 MB
PROGRESS_EVERY = 1.0  # seconds without a matching event, after which the position reached is told


@dataclass(slots=True)
class _Page:
    """Events that matched and were not answered yet."""

    correlation_id: str
    events: list[operations.LoggedEvent] = field(default_factory=list)
    size: int = 0
    count: int = 0  # in all messages
    since: float = field(default_factory=time.monotonic)

    def add(self, event: operations.LoggedEvent) -> None:
        self.events.append(event)
        self.size += event.ByteSize()
        self.count += 1

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

    def __init__(self, search: EventSearch) -> None:
        self._search = search

    async def stream_events(
        self, request: operations.StreamEventsRequest, caller: Caller
    ) -> AsyncGenerator[operations.StreamEventsResponse]:
        """The events that match; the last message of a walk that does not follow has the position of its end."""
        walk = await self._search.walk(caller.principal, _search(request))
        page = _Page(caller.correlation_id)
        if request.follow and walk.caught_up:
            yield page.answer(walk)  # tells the caller that whatever comes from now on is new
        async with aclosing(self._search.matches(walk)) as found:
            async for event in found:
                if event is not None:
                    page.add(_logged(event, caller.principal))
                if page.count == request.limit > 0:
                    break
                if page.full or (event is None and page.due):
                    yield page.answer(walk)
        yield page.answer(walk)

    async def get_event(self, request: operations.GetEventRequest, caller: Caller) -> operations.GetEventResponse:
        """One event by its place or its identity; raises NotFound where the tenant has none."""
        match request.WhichOneof("key"):
            case "place":
                place = Placed(request.place.topic, request.place.partition, request.place.offset)
                event = await self._search.at(caller.principal, place, request.company_id)
            case "event_id":
                topics = [request.stream] if request.stream else []
                event, _ = await self._search.by_id(caller.principal, request.event_id, request.company_id, topics)
            case _:
                raise Invalid("name the event by event_id or by place", code="missing_field")
        return operations.GetEventResponse(event=_logged(event, caller.principal), correlation_id=caller.correlation_id)


def _search(request: operations.StreamEventsRequest) -> Search:
    wanted = Criteria(
        company_id=request.company_id,
        user_id=request.user_id,
        correlation_id=request.correlation_id,
        message_types=with_batches(request.message_types),
        from_time=request.from_time or ALWAYS,
        to_time=request.to_time or NEVER,
    )
    return Search(wanted, list(request.streams), request.from_position, request.to_position, request.follow)


def _logged(event: EventMatch, principal: Principal) -> operations.LoggedEvent:
    """The event as the principal may see it."""
    withheld = reduce_to_visible(principal, event.envelope)
    topic, partition, offset = event.place
    place = operations.EventPlace(topic=topic, partition=partition, offset=offset)
    return operations.LoggedEvent(place=place, envelope=event.envelope, payload_withheld=withheld)
