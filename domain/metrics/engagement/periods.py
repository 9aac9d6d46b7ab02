"""Calendar periods of times: days, weeks and months, in UTC or any zone, each a number that rises by one.

Day 0 is 1 January 1970, week 0 the one in which it lies, month 0 January 1970. In a zone a period begins at local
midnight, so that a day of a clock change has 23 or 25 hours.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np

from domain.metrics.engagement.events import IntArray

Interval = Literal["day", "week", "month"]
MS_PER_DAY = 86_400_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ROLLING = {"day": MS_PER_DAY, "week": 7 * MS_PER_DAY, "month": 30 * MS_PER_DAY}  # widths without a calendar


def period_of(at: IntArray, interval: Interval, zone: str = "UTC", week_start: int = 0) -> IntArray:
    """The period in which each time (ms, UTC) lies; weeks begin on this day, 0 for Monday."""
    days = local(at, zone) // MS_PER_DAY
    if interval == "day":
        return days
    if interval == "week":
        return (days + 3 - week_start) // 7
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def begin_of(periods: IntArray, interval: Interval, zone: str = "UTC", week_start: int = 0) -> IntArray:
    """When periods begin, ms UTC."""
    if interval == "month":
        days = periods.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    else:
        days = periods if interval == "day" else periods * 7 - 3 + week_start
    midnights = days * MS_PER_DAY
    if zone == "UTC":
        return midnights
    where = ZoneInfo(zone)
    naive = (datetime(1970, 1, 1) + timedelta(milliseconds=int(at)) for at in midnights)
    moments = [(moment.replace(tzinfo=where) - EPOCH) // timedelta(milliseconds=1) for moment in naive]
    return np.array(moments, np.int64)


def local(at: IntArray, zone: str) -> IntArray:
    """Times as the zone's clock shows them, in ms since its own 1970."""
    if zone == "UTC" or not len(at):
        return at
    moments, offsets = _offsets(int(at.min()), int(at.max()), ZoneInfo(zone))
    return at + offsets[np.searchsorted(moments, at, side="right") - 1]


def _offsets(low: int, high: int, zone: ZoneInfo) -> tuple[IntArray, IntArray]:
    """Since when which offset to UTC holds, from before the lowest time to after the highest; ms."""
    moments, offsets = [low], [_offset(low, zone)]
    for before in range(low, high + 1, MS_PER_DAY):
        after = min(before + MS_PER_DAY, high)
        while offsets[-1] != _offset(after, zone):
            moments.append(_change(max(before, moments[-1]), after, zone))
            offsets.append(_offset(moments[-1], zone))
    return np.array(moments, np.int64), np.array(offsets, np.int64)


def _change(low: int, high: int, zone: ZoneInfo) -> int:
    """The first moment after `low` at which the offset is not that of `low`; there is one up to `high`."""
    offset = _offset(low, zone)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(middle, zone) == offset else (low, middle)
    return high


def _offset(at: int, zone: ZoneInfo) -> int:
    offset = (EPOCH + timedelta(milliseconds=at)).astimezone(zone).utcoffset() or timedelta()
    return offset // timedelta(milliseconds=1)
