"""Daily observations as the methods take them: one value for every day, from the first that is known to the last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum

import msgspec


class Fill(StrEnum):
    """What a day without an observation counts as."""

    ZERO = "zero"  # of what adds up: nothing happened
    PREVIOUS = "previous"  # of a level: it is what it was


class Daily(msgspec.Struct, frozen=True):
    """A series of days without a gap; empty where nothing was observed."""

    first: date
    values: tuple[float, ...]

    def day(self, index: int) -> date:
        """The day of an observation, or of a step after the last."""
        return self.first + timedelta(days=index)


def daily(observed: Mapping[date, float], end: date, fill: Fill) -> Daily:
    """From the first day observed to the one before `end`; a day that is not named is filled by the rule."""
    first = min(observed, default=end)
    values: list[float] = []
    for number in range((end - first).days):
        missing = 0.0 if fill is Fill.ZERO else values[-1] if values else 0.0
        values.append(observed.get(first + timedelta(days=number), missing))
    return Daily(first, tuple(values))
