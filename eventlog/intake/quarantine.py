"""Quarantine: where bad events wait, with their bytes, place, reason and tenant. Nothing here is ever lost silently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from domain.ports import Placed
from domain.position import Position


@dataclass(frozen=True, slots=True)
class BadEvent:
    """An event that a door set aside. `line`: its place in what was sent, a line of NDJSON (from 1) or an index.

    `identity`: the same one is kept once, however often it is sent. `taken_at`: ms since 1970 UTC.
    """

    code: str
    reason: str
    raw: bytes
    door: str
    line: int
    identity: bytes
    stream: str = ""
    company_id: str = ""
    event_id: str = ""
    item: int | None = None
    taken_at: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: from the log it has topic, partition and offset, from a door a line. `size` in bytes.

    `taken_at`: when the log or the door took it, ms since 1970 UTC.

    `projection`: the one that refuses the event, which counts in the others; None where it counts nowhere.
    """

    id: int
    recorded_at: datetime
    code: str
    reason: str
    stream: str
    topic: str | None
    partition: int | None
    offset: int | None
    item: int | None
    door: str
    line: int | None
    company_id: str
    event_id: str
    status: str
    size: int
    settled_at: datetime | None = None
    settled_by: str | None = None
    note: str | None = None
    replayed_to: str | None = None
    projection: str | None = None
    taken_at: int = 0

    @property
    def position(self) -> str | None:
        """Its place in the log as a position token; None where it never reached the log."""
        if self.topic is None or self.partition is None or self.offset is None:
            return None
        return str(Position({(self.topic, self.partition): self.offset + 1}))

    def as_json(self) -> dict[str, object]:
        """The entry as listings show it."""
        return {
            "id": self.id,
            "reason": self.reason,
            "code": self.code,
            "stream": self.stream,
            "position": self.position,
            "line": self.line,
            "company_id": self.company_id,
            "recorded_at": self.recorded_at.isoformat().replace("+00:00", "Z"),
            "door": self.door,
            "item": self.item,
            "event_id": self.event_id,
            "status": self.status,
            "bytes": self.size,
            "settled_at": self.settled_at and self.settled_at.isoformat().replace("+00:00", "Z"),
            "settled_by": self.settled_by,
            "note": self.note,
            "replayed_to": self.replayed_to,
            "projection": self.projection,
        }


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries to list; what is None lets everything through.

    `before`: ids below it, for paging backwards; `after`: ids above it, and the oldest first.
    """

    company_id: str | None = None
    code: str | None = None
    stream: str | None = None
    door: str | None = None
    status: str | None = "waiting"
    before: int | None = None
    after: int | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Resolution:
    """What became of an entry: `status` replayed (then with the position after its place in the log) or dropped."""

    id: int
    status: str
    by: str
    note: str = ""
    replayed_to: str = ""


class Quarantine(Protocol):
    """The durable quarantine. Every method raises Unavailable when it does not answer."""

    async def add(self, events: Sequence[BadEvent]) -> None:
        """Keep these events, but none that is kept already; they are durable when this returns."""
        ...

    async def entries(self, only: Filter) -> list[Entry]:
        """Entries that match, newest first, or the oldest first after an id."""
        ...

    async def contents(self, ids: Sequence[int]) -> Mapping[int, bytes]:
        """The bytes of these entries."""
        ...

    async def settle(self, entries: Sequence[Resolution]) -> None:
        """Note what became of entries that wait; their bytes stay."""
        ...

    async def entry(self, entry_id: int) -> tuple[Entry, bytes]:
        """One entry with its bytes; raises NotFound."""
        ...


class Seen(NamedTuple):
    """An event that lies in the log: where, and its content (64 bits); None where that is not known any more."""

    place: Placed
    content: int | None


class SeenEvents(Protocol):
    """What projectors remember of events that carry no publisher's stamp."""

    async def places(self, identities: Sequence[bytes]) -> Mapping[bytes, Seen]:
        """Those of these identities that were admitted before, with their places in the log and their contents.

        Raises Unavailable when it does not answer within a short time: events wait for this.
        """
        ...
