"""Widths of live windows, in minutes since 1970 UTC: tumbling ones of 1, 5 and 60, and a sliding one of 5."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from domain.errors import Invalid


@dataclass(frozen=True, slots=True)
class Width:
    """Windows of `length` minutes, one of which begins every `every` minutes."""

    name: str
    length: int
    every: int

    def starts(self, minute: int) -> range:
        """The first minutes of all windows that hold this minute."""
        newest = minute - minute % self.every
        oldest = newest - self.length + self.every
        return range(oldest, newest + 1, self.every)

    def current(self, minute: int) -> int:
        """Of the windows that hold this minute the one that is the furthest: the first to have begun."""
        return self.starts(minute)[0]

    def minutes(self, start: int) -> range:
        """The minutes of the window that begins with this one."""
        return range(start, start + self.length)


WIDTHS: Mapping[str, Width] = MappingProxyType(
    {w.name: w for w in (Width("1m", 1, 1), Width("5m", 5, 5), Width("1h", 60, 60), Width("5m/1m", 5, 1))}
)
LONGEST = max(w.length for w in WIDTHS.values())


def width_of(name: str) -> Width:
    """The width of that name; 1m where none is named. Raises Invalid."""
    if (name or "1m") not in WIDTHS:
        raise Invalid(f"there is no width {name[:40]!r}; there are {', '.join(WIDTHS)}", code="bad_parameter")
    return WIDTHS[name or "1m"]
