"""What a rebuild will do, before it is begun."""

from __future__ import annotations

from dataclasses import dataclass


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
