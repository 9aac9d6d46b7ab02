"""The port of the event store, and the form in which events lie there.

`state` of a stored event is a JSON object: company_id, actor, role, at (ms since 1970 UTC), command_id, correlation_id,
traceparent (absent where there is none) and `body`, the event's own content. The store's table has no column for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

import msgspec

from domain.configuration.kinds import Event, Issued
from domain.configuration.registry import read_event, write_body
from domain.position import Position

TOPIC = "config-store"  # of positions in the store; the log has its own, `config-events`
REMEMBERED_HOURS = 24  # that an idempotency key is bound to what was sent with it


class Stored(NamedTuple):
    """An event as the store has it. Versions of an aggregate are 1, 2, …; `number` orders all events by commit."""

    aggregate_id: UUID
    version: int
    topic: str
    state: bytes
    number: int

    @property
    def position(self) -> Position:
        """The position just after this event."""
        return Position({(TOPIC, 0): self.number + 1})


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `Stored.state` holds. Members that are not known are passed over: they are about the event, not in it."""

    company_id: str
    actor: str
    role: str
    at: int
    command_id: str
    body: msgspec.Raw
    correlation_id: str = ""
    traceparent: str = ""


class Key(NamedTuple):
    """An idempotency key of a tenant, and the fingerprint of the request that it is bound to."""

    company_id: str
    text: str
    fingerprint: bytes


class Remembered(NamedTuple):
    """What a request with an idempotency key did: it took the aggregate from one version to another."""

    fingerprint: bytes
    aggregate_id: UUID
    before: int
    version: int


class Append(NamedTuple):
    """Events to be stored after `version` of their aggregate, and a key to be remembered with them; all or nothing."""

    aggregate_id: UUID
    version: int
    command_id: str
    events: Sequence[tuple[str, bytes]]
    key: Key | None = None


class EventStore(Protocol):
    """Keeps events of aggregates for ever, in the order of their commits."""

    async def events(self, aggregate_id: UUID, after: int = 0) -> list[Stored]:
        """Events of an aggregate after a version, oldest first. Raises Unavailable."""
        ...

    async def recall(self, company_id: str, key: str) -> Remembered | None:
        """What was done with this key, None where it is free or has expired. Raises Unavailable."""
        ...

    async def append(self, addition: Append) -> list[Stored]:
        """Store the events, durable when this returns.

        Raises Conflict where somebody else was first (at this version or with this key) and nothing was stored.
        Raises Unavailable where the store does not answer: then they may have been stored.
        """
        ...


def write_state(issued: Issued, event: Event) -> bytes:
    """The state of an event that this command decided."""
    return msgspec.json.encode(
        State(
            company_id=issued.company_id,
            actor=issued.actor,
            role=issued.role,
            at=issued.at,
            command_id=issued.command_id,
            correlation_id=issued.correlation_id,
            traceparent=issued.traceparent,
            body=msgspec.Raw(write_body(event)),
        )
    )


def read_state(stored: Stored) -> State:
    """Who decided what, when, of a stored event."""
    return msgspec.json.decode(stored.state, type=State)


def event_of(stored: Stored) -> Event:
    """The event itself. Raises Unavailable where a newer release must have written it."""
    return read_event(stored.topic, bytes(read_state(stored).body))
