"""`/audit`: events by time, tenant, user, type and ids, with what was looked at to find them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from datetime import timedelta

from litestar import Response, get

from domain.access.rights import Right, require
from domain.audit import Action
from domain.events.catalogue import CATALOGUE, STREAMS
from domain.request.caller import ACTION, PAGE
from eventlog.search.event_json import figures, visible_json
from eventlog.search.rights import scanned_for
from eventlog.search.search import EventMatch, EventSearch, Search
from eventlog.search.walk import LogWalk
from read_api.answers.event_criteria import criteria
from read_api.http.departure import for_caller
from read_api.http.request import HttpRequest, path_behind, whole_parameter
from read_api.web.address import with_zone
from read_api.web.audit.places import event_line, rooms
from read_api.web.room import Page, page_of

FIELDS = ("from", "to", "type", "user", "correlation_id", "causation_id", "event_id", "topic")
LIMIT, MOST = 50, 500  # events of one page
SECONDS = 4.0  # that one page looks for: it says where it has got, and goes on from there
LATELY = timedelta(hours=1)
TOGETHER = 500  # events of one correlation that are shown side by side


@get("/audit", include_in_schema=False, opt={PAGE: True})
async def events_page(request: HttpRequest) -> Response[bytes]:
    """Events that match all that is asked for; those of the last hour where nothing is."""
    page = await page_of(request, *FIELDS, "cursor", "limit")
    require(page.principal, Right.EVENTS, page.company)
    asked = {name: text for name, text in page.params.items() if name in FIELDS}
    if not asked:
        asked = {"from": (page.side.questions.now() - LATELY).isoformat(timespec="seconds")}
    limit = whole_parameter(page.params, "limit", 1, MOST, LIMIT)
    walk = await _walk(page, asked, page.params.get("cursor", ""))
    found = await for_caller(request, found_in_time(page.side.search, walk, limit))
    full = len(found) == limit
    return page.html(
        "audit/events.html",
        "Audit: events",
        rooms=rooms(page),
        asked=asked,
        types=sorted(kind.name for kind in CATALOGUE),
        topics=STREAMS,
        lines=[event_line(page, visible_json(event, page.principal)) for event in found],
        complete=walk.caught_up,
        full=full,
        next=page.to(page.address.path, **asked, cursor=walk.position, limit=page.params.get("limit", "")),
        scanned=figures(scanned_for(page.principal, walk.scanned)),
    )


@get("/audit/correlation/{correlation:path}", include_in_schema=False, opt={PAGE: True, ACTION: Action.EVENTS})
async def correlation_page(request: HttpRequest) -> Response[bytes]:
    """Everything that has one correlation id, in order of time, a column a stream."""
    page, correlation = await page_of(request), path_behind(request, 2)
    require(page.principal, Right.EVENTS, page.company)
    walk = await _walk(page, {"correlation_id": correlation}, "")
    found = await for_caller(request, found_in_time(page.side.search, walk, TOGETHER))
    lines = [event_line(page, visible_json(event, page.principal)) for event in found]
    lines.sort(key=lambda line: (line.utc, line.place))
    topics = [topic for topic in STREAMS if any(line.topic == topic for line in lines)]
    ids = {str(line.event.get("event_id", "")): line for line in lines}
    causes = {line.place: ids.get(str(line.event.get("causation_id", ""))) for line in lines}
    return page.html(
        "audit/correlation.html",
        "Audit: correlation",
        rooms=rooms(page),
        correlation=correlation,
        lines=lines,
        topics=topics,
        causes=causes,
        complete=walk.caught_up,
        scanned=figures(scanned_for(page.principal, walk.scanned)),
    )


async def _walk(page: Page, asked: Mapping[str, str], cursor: str) -> LogWalk:
    """A walk through what is asked for. Raises Invalid, Forbidden, Unavailable."""
    zone = page.formats.zone
    texts = {name: with_zone(text, zone) if name in ("from", "to") else text for name, text in asked.items()}
    wanted = criteria({**texts, "company": page.company}, [asked["type"]] if "type" in asked else ())
    topics = [asked["topic"]] if "topic" in asked else ()
    return await page.side.search.walk(page.principal, Search(wanted, topics, cursor))


async def found_in_time(search: EventSearch, walk: LogWalk, limit: int) -> Sequence[EventMatch]:
    """The first events that the walk gives, so many and for so long at most; the walk then stands after the last."""
    until, events = time.monotonic() + SECONDS, list[EventMatch]()
    async with aclosing(search.matches(walk)) as found:
        async for event in found:
            if event is not None:
                events.append(event)
            if len(events) == limit or time.monotonic() > until:
                break
    return events
