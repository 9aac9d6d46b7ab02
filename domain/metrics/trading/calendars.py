"""Calendars of accounts: which days count, and how many make a year.

`weekdays` is the calendar of exchanges: Monday to Friday, 252 returns a year by custom (the holidays are flat days
here, since nobody tells us of them). `all` is the calendar of what trades always: 365.
A day is its number since 1970-01-01; an ordinal numbers the days of a calendar without gaps.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.int64]
MS_PER_DAY = 86_400_000
MONDAY_OFFSET = 3  # 1970-01-01 was a Thursday
WEEK, WORKING = 7, 5


class Calendar(StrEnum):
    """The days of an account."""

    WEEKDAYS = "weekdays"
    ALL = "all"

    @property
    def annual(self) -> int:
        """Returns a year."""
        return 252 if self is Calendar.WEEKDAYS else 365


def ordinals(days: Days, calendar: Calendar) -> Days:
    """The ordinal on which each day's money counts: a weekend counts on the next weekday."""
    if calendar is Calendar.ALL:
        return days
    week, weekday = np.divmod(days + MONDAY_OFFSET, WEEK)
    return np.asarray(week * WORKING + np.minimum(weekday, WORKING), dtype=np.int64)


def days_of(ordinal: Days, calendar: Calendar) -> Days:
    """The day of each ordinal."""
    if calendar is Calendar.ALL:
        return ordinal
    week, weekday = np.divmod(ordinal, WORKING)
    return np.asarray(week * WEEK + weekday - MONDAY_OFFSET, dtype=np.int64)
