"""What engineers look at and do, beyond what questions answer. Given by `app`, which has the machinery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from domain.audit import Actor
from eventlog.intake.quarantine import Entry, Filter
from eventlog.intake.repair import Change
from projections.engine.rebuild_plan import Pace, Plan

if TYPE_CHECKING:  # they know data frames, which a process that serves does not load
    from projections.engine.past.past_store import Snapshot
    from projections.engine.rebuild import Comparison


class Verb(StrEnum):
    """What is done to a projection, or to one of its versions."""

    REBUILD = "rebuild"
    CANCEL = "cancel"
    SWITCH = "switch"
    DROP = "drop"
    PAUSE = "pause"
    RESUME = "resume"
    SNAPSHOT = "snapshot"


DANGEROUS = frozenset({Verb.CANCEL, Verb.SWITCH, Verb.DROP})  # they ask for the name of the thing, and why


@dataclass(frozen=True, slots=True)
class Version:
    """A stored version. `done` of `total` records where it is being built; `working`: a process is at it now, at this
    pace since somebody first looked.
    """

    number: int
    definition: int
    state: str
    live: bool
    reason: str
    done: int = 0
    total: int = 0
    working: bool = False
    pace: Pace = field(default_factory=Pace)


class EngineRoom(Protocol):
    """The machinery. Methods raise Unavailable; NotFound for what there is not, Conflict for what cannot be now."""

    async def versions(self, name: str) -> Sequence[Version]:
        """Every version of a projection that has tables, the oldest first."""
        ...

    async def plan(self, name: str) -> Plan:
        """What a rebuild would do."""
        ...

    def failure(self, name: str) -> str:
        """Why the last rebuild that was begun here has ended before its time; empty where it has not."""
        ...

    async def compare(self, name: str, version: int) -> Comparison:
        """A version beside the live one, at the same position. Raises NotYet where they do not meet in time."""
        ...

    async def do(self, verb: Verb, name: str, version: int | None, reason: str) -> str:
        """Do it; what was done, in words. A rebuild goes on beside; asked for again it resumes."""
        ...

    async def snapshots(self, name: str) -> Sequence[Snapshot]:
        """Copies of rows from which the past is told."""
        ...

    async def entries(self, wanted: Filter) -> Sequence[Entry]:
        """Entries of the quarantine."""
        ...

    async def entry(self, number: int) -> tuple[Entry, bytes]:
        """One entry with its bytes."""
        ...

    async def problem(self, number: int, change: Change) -> str:
        """What would still be wrong with an entry that is changed so; empty where it would be good. Does nothing."""
        ...

    async def replay(self, actor: Actor, number: int, change: Change) -> str:
        """Publish it again, changed so; its position in the log. Raises Invalid where it is still bad."""
        ...

    async def drop(self, actor: Actor, number: int, reason: str) -> None:
        """Let it wait no more."""
        ...
