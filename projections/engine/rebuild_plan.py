"""What a rebuild will do, before it is begun, and how it gets on."""

from __future__ import annotations

from dataclasses import dataclass

WORKERS = 2  # processes that fold, where nobody says how many
LONGEST = 7 * 86_400.0  # seconds that a rebuild beside others may take


@dataclass(frozen=True, slots=True)
class Plan:
    """What a rebuild will do: the version to be made, whether an unfinished one is gone on with, records in all and
    still to be read, bytes of the live tables (so much disk it will need), seconds (about).
    """

    name: str
    version: int
    resumed: bool
    events: int
    left: int
    disk: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Done:
    """How far a build is, in records."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Pace:
    """How a rebuild gets on: records a second, and seconds that are left; None while that cannot be said."""

    rate: float = 0.0
    left: float | None = None


def pace(first: Done, now: Done, seconds: float) -> Pace:
    """The pace of whoever was at `first` so many seconds ago."""
    rate = (now.done - first.done) / seconds if seconds > 0 else 0.0
    return Pace(rate, (now.total - now.done) / rate) if rate > 0 else Pace()
