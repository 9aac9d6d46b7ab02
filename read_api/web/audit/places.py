"""Which of the auditor's pages somebody may see, and how events are written in all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from domain.access.rights import Right, may
from read_api.web.room import Page, Room

HOME = "/audit"
ROOMS = (
    ("Events", HOME, Right.EVENTS),
    ("Then and now", f"{HOME}/replay", Right.EXPLAIN),
    ("Verify", f"{HOME}/verification", Right.VERIFY),
    ("Access trail", f"{HOME}/trail", Right.TRAIL),
)


def rooms(page: Page) -> Sequence[Room]:
    """The auditor's pages for whoever is signed in."""
    shown = [each for each in ROOMS if may(page.principal, each[2], page.company)]
    path = page.address.path
    return [Room(title, page.to(href), path == href or _within(path, href)) for title, href, _ in shown]


def _within(path: str, href: str) -> bool:
    return href == HOME and path.startswith((f"{HOME}/events", f"{HOME}/correlation"))


@dataclass(frozen=True, slots=True)
class EventLine:
    """An event in a list: when it happened, what and whose it is, where it lies, and its own page."""

    event: Mapping[str, Any]
    at: str
    utc: str
    type: str
    user: str
    topic: str
    place: str
    href: str


def event_line(page: Page, event: Mapping[str, Any]) -> EventLine:
    """The line of an event, as `eventlog.search.event_json` has it."""
    place = place_text(event)
    moment = moment_of(event)
    at, utc = (page.formats.moment(moment), moment.isoformat(timespec="milliseconds")) if moment else ("–", "")
    return EventLine(
        event, at, utc, str(event.get("message_type", "")), str(event.get("user_id", "")), event["topic"], place,
        event_address(page.company, place),
    )  # fmt: skip


def place_text(event: Mapping[str, Any]) -> str:
    """Where an event lies, as its page is addressed."""
    return f"{event['topic']}:{event['partition']}={event['offset']}"


def event_address(company: str, event: str) -> str:
    """The address of an event's page, by its id or its place."""
    return _address("events", company, event)


def proof_address(company: str, event: str) -> str:
    """The address of the proof that an event is in the log, by its id or its place."""
    return _address("proofs", company, event)


def correlation_address(company: str, correlation: str) -> str:
    """The address of the page of all events of one correlation id."""
    return _address("correlation", company, correlation)


def _address(what: str, company: str, name: str) -> str:
    return f"{HOME}/{what}/{quote(name, safe='')}?{urlencode({'company': company})}"


def moment_of(event: Mapping[str, Any]) -> datetime | None:
    """When the event happened; None where it says so of no time that there is."""
    try:
        return datetime.fromtimestamp(int(event.get("timestamp", 0)) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
