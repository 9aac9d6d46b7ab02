"""The ports of runs: where they are kept, and by what they are sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from domain.configuration.channels import FailureRecipient, Recipient
from domain.configuration.event_store import Stored
from domain.reports.report import StoredReport
from domain.reports.schedule_runs import Run


class Plan(NamedTuple):
    """Up to when (ms) everything that was due is planned, by the events up to this number of the store."""

    until: int
    number: int


class RunFilter(NamedTuple):
    """Which runs are listed: of a company; of one schedule, in one state, before a due time, where that is said."""

    company: str
    schedule_id: str = ""
    state: str = ""
    before: int = 2**62
    limit: int = 100


class RunStore(Protocol):
    """Keeps runs. Methods raise Unavailable."""

    async def decided(self, number: int) -> Sequence[Stored]:
        """The events of report schedules after this number of the event store, in commit order."""
        ...

    async def plan(self) -> Plan | None:
        """How far planning has got; None before it ever began."""
        ...

    async def add(self, runs: Sequence[Run], plan: Plan) -> None:
        """Keep the runs of these that are not there yet, and how far planning has got with them."""
        ...

    async def send_again(self, company: str, schedule_id: str, due: int, number: int) -> None:
        """Let a failed run begin anew, once for each number of a command."""
        ...

    async def claim(self, holder: str) -> Run | None:
        """Take the oldest run that nobody holds, or whose holder was not heard of; None where there is none."""
        ...

    async def extend(self, run: Run, holder: str) -> None:
        """Say that its holder is alive. Raises Fenced where somebody else has taken it over."""
        ...

    async def keep(self, run: Run, holder: str, pause: float = 0.0) -> None:
        """Keep what has come of it; one that is running no more is held no more. Raises Fenced as `extend` does.

        `pause`: seconds before one that is due again can be claimed.
        """
        ...

    async def give_back(self, run: Run, holder: str) -> None:
        """Let somebody else take it at once. Raises Fenced as `extend` does."""
        ...

    async def note_alive(self, holder: str) -> None:
        """Say that a scheduler is there."""
        ...

    async def listing(self, criteria: RunFilter) -> Sequence[Run]:
        """The newest first."""
        ...


class Message(NamedTuple):
    """What is sent of a run: its report, whose file is `content` where it may be attached, and lies at `link`."""

    run: Run
    report: StoredReport
    content: bytes | None
    link: str


class Deliver(Protocol):
    """Sends messages to recipients."""

    async def send(self, recipient: Recipient, message: Message) -> None:
        """Raises Unavailable where trying again may help; other errors where it will not."""
        ...

    async def send_failure(self, recipient: FailureRecipient, run: Run) -> None:
        """Say that a run failed or was skipped, and why. Raises as `send` does."""
        ...
