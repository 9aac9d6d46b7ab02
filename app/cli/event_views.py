"""Events of the log for the command line, as the local operator may see them: all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing

from domain.access.rights import EVERY_COMPANY, OPERATOR
from domain.ports import EventLog, Placed
from domain.position import Position
from eventlog.search.criteria import Criteria
from eventlog.search.event_detail import read_place
from eventlog.search.event_json import EventJson, visible_json
from eventlog.search.search import EventSearch, Search


async def head(log: EventLog, topics: Sequence[str]) -> Position:
    """Where these topics end now. Raises NotFound, Unavailable."""
    heads = await asyncio.gather(*(log.heads(topic) for topic in topics))
    return Position({(t, p): offset for t, found in zip(topics, heads, strict=True) for p, offset in found.items()})


async def last_events(log: EventLog, ends: Position, number: int) -> list[EventJson]:
    """The newest events before a position, oldest first by the publisher's time. Raises as `read_events` does."""
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
    """Events of a range.

    Raises Invalid for a position that is none or lies before what the log has, NotFound, Unavailable.
    """
    search, taken = EventSearch(log), 0
    walk = await search.walk(OPERATOR, Search(Criteria(company), tuple(topics), begin, end, follow))
    async with aclosing(search.matches(walk)) as events:
        async for event in events:
            if event is not None:
                yield visible_json(event, OPERATOR)
                taken += 1
                if taken == limit:
                    return


def follow(log: EventLog, topics: Sequence[str], begin: Position) -> AsyncIterator[EventJson]:
    """New events from a position on, for ever."""
    return read_events(log, topics, begin=str(begin), follow=True)


async def place_of(search: EventSearch, event: str) -> Placed:
    """Where an event lies, given its id or its place `topic:partition=offset`. Raises NotFound."""
    if (place := read_place(event)) is not None:
        return (await search.at(OPERATOR, place)).place
    found, _ = await search.by_id(OPERATOR, event)
    return found.place
