"""Events of the log as JSON for the command line: the envelope with its payload spelled out, and its place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from services import operations_pb2 as operations

from domain.access import EVERY_COMPANY, OPERATOR
from domain.caller import Caller, enter
from domain.events import event_type
from domain.identity import new_event_id
from domain.ports import EventLog
from domain.position import Position
from read_api.grpc.event_history import EventHistory

EventJson = dict[str, Any]


async def head(log: EventLog, topics: Sequence[str]) -> Position:
    """Where these topics end now."""
    heads = await asyncio.gather(*(log.heads(topic) for topic in topics))
    return Position({(t, p): offset for t, found in zip(topics, heads, strict=True) for p, offset in found.items()})


async def last_events(log: EventLog, ends: Position, number: int) -> list[EventJson]:
    """The newest events before a position, oldest first by the publisher's time."""
    begin = Position({place: max(0, offset - number) for place, offset in ends.offsets.items()})
    topics = tuple(dict.fromkeys(topic for topic, _ in ends.offsets))
    found = [event async for event in read_events(log, topics, begin=str(begin), end=str(ends))] if str(ends) else []
    return sorted(found, key=lambda event: int(event.get("timestamp", 0)))[-number:]


async def read_events(
    log: EventLog,
    topics: Iterable[str],
    *,
    begin: str = "",
    end: str = "",
    company: str = EVERY_COMPANY,
    limit: int = 0,
    follow: bool = False,
) -> AsyncIterator[EventJson]:
    """Events of a range, as the local operator may see them: all of them."""
    enter(Caller(OPERATOR, new_event_id()))
    request = operations.StreamEventsRequest(
        company_id=company, streams=topics, from_position=begin, to_position=end, limit=limit, follow=follow
    )
    async with aclosing(EventHistory(log).stream_events(request, None)) as answers:
        async for answer in answers:
            for event in answer.events:
                yield event_json(event)


def follow(log: EventLog, topics: Sequence[str], begin: Position) -> AsyncIterator[EventJson]:
    """New events from a position on, for ever."""
    return read_events(log, topics, begin=str(begin), follow=True)


async def find_event(log: EventLog, event: str, topic: str) -> EventJson:
    """One event by its id or by its place `topic:partition=offset`. Raises NotFound."""
    enter(Caller(OPERATOR, new_event_id()))
    request = operations.GetEventRequest(company_id=EVERY_COMPANY, stream=topic)
    if "=" in event:
        ((name, partition), offset) = next(iter(Position.parse(event).offsets.items()))
        request.place.CopyFrom(operations.EventPlace(topic=name, partition=partition, offset=offset))
    else:
        request.event_id = event
    answer = await EventHistory(log).get_event(request, None)
    return event_json(answer.event)


def event_json(event: operations.LoggedEvent) -> EventJson:
    """The event as `ingest` would take it, with its place."""
    envelope = event.envelope
    members = MessageToDict(envelope, preserving_proto_field_name=True)
    members["payload"] = _payload(envelope.message_type, envelope.payload) or members.get("payload")
    place = event.place
    return {"topic": place.topic, "partition": place.partition, "offset": place.offset, **members}


def _payload(message_type: str, payload: bytes) -> EventJson | None:
    """The payload's members; None where it is not what the message type says: then its base64 is shown."""
    kind = event_type(message_type)
    if kind is None:
        return None
    message = kind.batch if kind.batch is not None and message_type == kind.batch_name else kind.message
    try:
        return MessageToDict(message.FromString(payload), preserving_proto_field_name=True)
    except DecodeError:
        return None
