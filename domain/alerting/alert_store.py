"""The ports of alerters: where watches and notices are kept, and by what notices are sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Protocol

import msgspec

from domain.alerting.evaluation import Book, Transition
from domain.alerting.notices import Notice
from domain.alerting.watch import Watch
from domain.configuration.channels import Channel
from domain.configuration.event_store import Stored


class HeldWatch(msgspec.Struct, frozen=True, kw_only=True):
    """A watch that somebody evaluates. `tries`: how often one was claimed, by which who lost it is known."""

    watch: Watch
    book: Book
    tries: int


class HeldNotice(NamedTuple):
    """A notice that somebody sends."""

    notice: Notice
    tries: int


class ListedNotice(NamedTuple):
    """A notice and what became of it; `tried_at`: ms, 0 before it was."""

    notice: Notice
    state: str
    tried_at: int
    error: str


Take = Callable[[Sequence[tuple[str, Transition]]], Awaitable[None]]


class AlertStore(Protocol):
    """Keeps watches and notices. Methods raise Unavailable; those of a holder Fenced, where somebody took it over."""

    async def decided(self, number: int) -> Sequence[Stored]:
        """The events of alert rules after this number of the event store, in commit order."""
        ...

    async def add(self, watches: Sequence[tuple[Watch, int]]) -> None:
        """Keep those of these that are not there yet, evaluated up to a moment (ms)."""
        ...

    async def claim(self, holder: str, now: int) -> HeldWatch | None:
        """Take a watch that is due and nobody holds, or whose holder was not heard of; None where there is none."""
        ...

    async def extend(self, held: HeldWatch, holder: str) -> None:
        """Say that its holder is alive."""
        ...

    async def keep(
        self, held: HeldWatch, holder: str, transitions: Sequence[Transition], notices: Sequence[Notice]
    ) -> None:
        """Keep its book, with the changes and notices of the same period; all or nothing."""
        ...

    async def give_back(self, held: HeldWatch, holder: str, due: int) -> None:
        """Let it be claimed from a moment (ms) on."""
        ...

    async def hand_over(self, take: Take) -> int:
        """Hand changes to who writes them into the log, in their order; how many are written. They may come again."""
        ...

    async def claim_notice(self, holder: str) -> HeldNotice | None:
        """Take the oldest notice that waits; None where there is none."""
        ...

    async def extend_notice(self, held: HeldNotice, holder: str) -> None:
        """Say that its holder is alive."""
        ...

    async def end_notice(self, held: HeldNotice, holder: str, now: int, error: str) -> None:
        """It was sent; or it was not, and never will be, where there is an error."""
        ...

    async def note_alive(self, holder: str) -> None:
        """Say that an alerter is there."""
        ...


class DeliverNotice(Protocol):
    """Sends notices."""

    async def send_notice(self, channel: Channel, notice: Notice, link: str) -> None:
        """`link`: where the rule is, for who signs in.

        Raises Unavailable where trying again may help; other errors where it will not.
        """
        ...
