"""Ports of the relay: the event store in commit order, how far it is in the log, and where it lies there.

Positions in the store go by the place `STORE`: the token `config-store:0=18` stands for all events before number 18.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from domain.configuration.event_store import TOPIC, Stored
from domain.ports import Placed
from domain.position import Position, TopicPartition

STORE: TopicPartition = (TOPIC, 0)
RELAY_SUBJECT = "analytics.relayed"  # subject of the live bus: told after each batch that the log has


class Turn(Protocol):
    """The right to relay: one worker has it at a time. Every method raises Unavailable once it may be lost."""

    async def last(self) -> int:
        """Number of the last event that was relayed, 0 at the beginning."""
        ...

    async def placed(self) -> Position:
        """Where the log must at least end, if it is the one that was relayed into."""
        ...

    async def after(self, number: int, limit: int) -> Sequence[Stored]:
        """The next events in commit order; every event before one of these is committed, too. Numbers have gaps."""
        ...

    async def advance(self, last: int, events: Sequence[Stored], places: Sequence[Placed]) -> None:
        """The log has these events, which follow number `last`. Raises Fenced where somebody else has gone on."""
        ...

    async def begin_anew(self) -> None:
        """Forget what was relayed: another log is to get all of it."""
        ...

    async def woken(self, seconds: float) -> None:
        """Return when something was committed, after so many seconds at the latest."""
        ...


class RelaySource(Protocol):
    """The event store for its relay."""

    def turn(self) -> AbstractAsyncContextManager[Turn | None]:
        """The right to relay for as long as the context lasts; None while another worker has it. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class RelayPosition:
    """How far the relay is: the next number of the store, the next one to be relayed, and where in the log all
    events before the number asked for lie.
    """

    head: int
    next_number: int
    position: Position


class RelayProgress(Protocol):
    """What the read side asks about the relay."""

    async def before(self, number: int) -> RelayPosition:
        """How far the relay is, and where the events before this number lie as far as they are relayed.

        Raises Unavailable.
        """
        ...
