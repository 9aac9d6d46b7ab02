"""The command handler: takes one command on somebody's behalf. The one way to a decision for HTTP and the command line.

Order of work: may they → is it the same request again → does what it names exist → what is so now → is that what they
saw → decide → store.
Whoever loses a race begins again, so that every decision is made on the newest state; the expected version, where one
is given, makes the loser a conflict instead. Within this process commands on one aggregate take turns, because a lost
race costs everybody a turn at the store's lock.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID
from weakref import WeakValueDictionary

import msgspec
from cachetools import LRUCache

from domain.access.rights import EVERY_COMPANY, RIGHTS, Principal, Right, Role, may, opens, require
from domain.audit import SYSTEM
from domain.configuration.event_store import Append, EventStore, Key, Stored, event_of, read_state, write_state
from domain.configuration.kinds import Command, Event, Issued, refuse
from domain.configuration.registry import CommandType, aggregate_of, company_aggregate_id, write_body
from domain.configuration.vocabulary import Vocabulary, unknown_names
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.events.catalogue import COMPANY_ID
from domain.events.identity import new_event_id
from domain.position import Position

ATTEMPTS = 8  # lost races until the caller is told
MOST_STATES = 512  # states of aggregates in memory: only the events after them are read again


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """A command with all that was said about it. `aggregate_id` is not needed to create, nor for a company.

    `expected`: the version that the caller saw, None for any. `key`: the Idempotency-Key, empty for none.
    """

    type: CommandType
    command: Command
    company_id: str
    aggregate_id: UUID | None = None
    expected: int | None = None
    key: str = ""
    dry_run: bool = False
    correlation_id: str = ""
    traceparent: str = ""


class ShownEvent(NamedTuple):
    """An event as answers show it."""

    topic: str
    version: int
    body: Event


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What became of a command: the aggregate's version now, the position that covers it, the events.

    The position is empty where nothing was ever stored of the aggregate, and after a dry run.
    """

    id: UUID
    version: int
    position: Position
    events: tuple[ShownEvent, ...]
    dry_run: bool = False

    def as_json(self) -> dict[str, Any]:
        """The answer's members."""
        return {
            "id": str(self.id),
            "version": self.version,
            "position": str(self.position),
            "dry_run": self.dry_run,
            "events": [event._asdict() | {"body": msgspec.to_builtins(event.body)} for event in self.events],
        }


class _CurrentState(NamedTuple):
    version: int
    state: Any
    position: Position


NOTHING = _CurrentState(0, None, Position())


class CommandHandler:
    """Takes commands. `now` gives ms since 1970 UTC, `new_id` ids of commands and aggregates."""

    def __init__(
        self,
        store: EventStore,
        vocabulary: Vocabulary,
        *,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        new_id: Callable[[], str] = new_event_id,
    ) -> None:
        self._store, self._now, self._new_id = store, now, new_id
        self._vocabulary = vocabulary
        self._turns: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
        self._states: LRUCache[tuple[str, str, UUID], _CurrentState] = LRUCache(MOST_STATES)

    async def take(self, principal: Principal, order: CommandRequest) -> CommandResult:
        """Decide, store and answer. What is answered is durable.

        Raises Invalid, Forbidden, NotFound, Conflict, Unavailable.
        """
        role = _allowed(principal, order)
        issued = Issued(
            order.company_id,
            principal.sub,
            role,
            self._now(),
            self._new_id(),
            order.correlation_id,
            order.traceparent,
        )
        key = Key(order.company_id, order.key, _fingerprint(principal, order)) if order.key else None
        aggregate_id = self._target(order)
        async with self._turns.setdefault(aggregate_id, asyncio.Lock()):
            if result := await self._again(key, order):
                return result
            await self._must_exist(order)
            for _ in range(ATTEMPTS):
                result = await self._attempt(order, aggregate_id, issued, key) or await self._again(key, order)
                if result is not None:
                    return result
        raise Conflict(
            f"others changed it {ATTEMPTS} times meanwhile",
            code="contended",
            suggested_actions=("Send the command again.",),
        )

    async def check(self) -> None:
        """Return if the event store answers. Raises Unavailable."""
        await self._store.recall(SYSTEM, "check")

    async def _must_exist(self, order: CommandRequest) -> None:
        """Raise Invalid or NotFound where the command names what is not there."""
        refuse(unknown_names(order.command, order.company_id, self._vocabulary))
        if order.type.kind.of_platform and not await self._vocabulary.exists(order.company_id):
            raise NotFound(
                f"nothing is known of a company {order.company_id!r}",
                code="unknown_company",
                suggested_actions=("Look at how it is written; a new company begins with its first event or command.",),
            )

    async def _again(self, key: Key | None, order: CommandRequest) -> CommandResult | None:
        """The answer that was given before, where this key was used; Conflict where it was for something else."""
        if key is None or order.dry_run:
            return None
        done = await self._store.recall(key.company_id, key.text)
        if done is None:
            return None
        if done.fingerprint != key.fingerprint:
            raise Conflict(
                "this Idempotency-Key was used for another request",
                code="idempotency_key_reused",
                suggested_actions=("Use a new key for every new request.",),
            )
        stored = await self._store.events(done.aggregate_id, max(done.before - 1, 0))
        last = [event for event in stored if event.version <= done.version]
        position = last[-1].position if last else Position()
        events = tuple(ShownEvent(e.topic, e.version, event_of(e)) for e in last if e.version > done.before)
        return CommandResult(done.aggregate_id, done.version, position, events)

    async def _attempt(
        self, order: CommandRequest, aggregate_id: UUID, issued: Issued, key: Key | None
    ) -> CommandResult | None:
        """One try on the newest state; None where somebody else was first."""
        current = await self._load(order, aggregate_id)
        if current.version == 0 and order.aggregate_id is not None:
            raise _missing(order)  # before its version: an id of another company answers alike, whatever is asked
        if order.expected is not None and order.expected != current.version:
            raise _stale(order.expected, current.version)
        events: Sequence[Event] = order.type.aggregate.decide(current.state, order.command, issued)
        shown = tuple(ShownEvent(event.topic, current.version + i, event) for i, event in enumerate(events, 1))
        version = current.version + len(events)
        if order.dry_run:
            return CommandResult(aggregate_id, version, Position(), shown, dry_run=True)
        if not events and key is None:
            return CommandResult(aggregate_id, version, current.position, ())
        additions = [(event.topic, write_state(issued, event)) for event in events]
        try:
            stored = await self._store.append(Append(aggregate_id, current.version, issued.command_id, additions, key))
        except Conflict:
            return None
        return CommandResult(aggregate_id, version, stored[-1].position if stored else current.position, shown)

    def _target(self, order: CommandRequest) -> UUID:
        if order.type.aggregate.one_a_company:
            return company_aggregate_id(order.company_id)
        if order.aggregate_id is not None:
            return order.aggregate_id
        if order.type.creates:
            return UUID(self._new_id())
        raise Invalid(f"{order.type.name} needs the id of what it is about", code="missing_id")

    async def _load(self, order: CommandRequest, aggregate_id: UUID) -> _CurrentState:
        """The newest state. What belongs to another company, or is of another kind, is not there for the caller."""
        if order.aggregate_id is None and order.type.creates:
            return NOTHING  # its id was made a moment ago
        place = (order.company_id, order.type.aggregate.name, aggregate_id)
        current = self._states.get(place, NOTHING)
        for event in await self._store.events(aggregate_id, current.version):
            _must_be_theirs(order, event)
            state = order.type.aggregate.evolve(current.state, event_of(event))
            current = _CurrentState(event.version, state, event.position)
        if current.version:
            self._states[place] = current
        return current


def company_of(principal: Principal, named: str | None) -> str:
    """The company that a command is for: the one named, else the token's only one. Raises Invalid."""
    company = named or (principal.company_id if len(principal.companies) == 1 else "")
    if not company or company == EVERY_COMPANY:
        raise Invalid("company: the token is for several companies, so one must be named", code="missing_parameter")
    if not re.fullmatch(COMPANY_ID, company):
        raise Invalid("company: is not 1 to 64 of the characters A-Z a-z 0-9 _ -", code="bad_company")
    return company


def _allowed(principal: Principal, order: CommandRequest) -> Role:
    """The role by which they may. Raises Forbidden."""
    kind = order.type.kind
    require(principal, Right.COMMAND, order.company_id)
    if kind.of_platform and not may(principal, Right.COMMAND):
        raise Forbidden(
            f"{order.type.name} is for administrators of all companies",
            code="forbidden_company",
            suggested_actions=("Ask the operator of the platform.",),
        )
    if kind.feature is not None and not opens(principal, kind.feature, order.company_id):
        tier = principal.tier_in(order.company_id)
        raise Forbidden(
            f"{order.type.name} needs a tier with {kind.feature.value!r}, not {tier.value}",
            code="forbidden_tier",
            suggested_actions=("`analytics access` shows which tier opens what.",),
        )
    return next(role for role in Role if role in principal.roles and Right.COMMAND in RIGHTS[role])


def _fingerprint(principal: Principal, order: CommandRequest) -> bytes:
    """16 bytes that stand for what was asked, by whom: equal requests have equal ones, however they were written."""
    about = (principal.sub, order.type.name, str(order.aggregate_id), str(order.expected))
    return blake2b(b"\0".join((*map(str.encode, about), write_body(order.command))), digest_size=16).digest()


def _must_be_theirs(order: CommandRequest, event: Stored) -> None:
    of_kind = aggregate_of(event.topic)
    foreign_kind = of_kind is not None and of_kind is not order.type.aggregate
    if foreign_kind or read_state(event).company_id != order.company_id:
        raise _missing(order)


def _missing(order: CommandRequest) -> NotFound:
    what = order.type.aggregate.name.replace("_", " ")
    return NotFound(f"there is no such {what}", code=f"no_{order.type.aggregate.name}")


def _stale(expected: int, version: int) -> Conflict:
    return Conflict(
        f"version {expected} was expected, but it is at version {version}",
        code="stale_version",
        suggested_actions=("Read it again, and send the command with the version that you saw.",),
    )
