"""What the event stream says about a customer at a moment: the features that churn is predicted from.

Only what was known at that moment is used; later events of the same history are for the label. Counts and ages are on
a logarithmic scale, because the step from one day to two says more than that from 50 to 51.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import msgspec

WINDOW = 28  # days


class History(msgspec.Struct, frozen=True):
    """Day numbers, each list sorted: the first day, days with activity (each once), days of failed payments."""

    first: int
    active: tuple[int, ...]
    payments_failed: tuple[int, ...] = ()


class Features(msgspec.Struct, frozen=True):
    """A customer at the end of a day; the names are those that drivers are told in."""

    recency: float  # log(1 + days since the last activity)
    frequency: float  # log(1 + active days in the window)
    activity: float  # log(1 + active days ever)
    tenure: float  # log(1 + days since the first day)
    activity_trend: float  # log of active days in the later half of the window over those in the earlier, each plus 1
    payments_failed: float  # log(1 + failed payments in the window)


def features_of(history: History, day: int, window: int = WINDOW) -> Features:
    """At the end of `day`, which is not before the customer's first."""
    half = window // 2
    later, whole = _within(history.active, day - half, day), _within(history.active, day - window, day)
    before = bisect_right(history.active, day)
    last = history.active[before - 1] if before else history.first
    return Features(
        recency=math.log1p(max(0, day - last)),
        frequency=math.log1p(whole),
        activity=math.log1p(before),
        tenure=math.log1p(max(0, day - history.first)),
        activity_trend=math.log((1 + later) / (1 + whole - later)),
        payments_failed=math.log1p(_within(history.payments_failed, day - window, day)),
    )


def went_quiet(history: History, day: int, horizon: int) -> bool:
    """Whether there was no activity in the `horizon` days after `day`: churn, where nobody cancels."""
    return _within(history.active, day, day + horizon) == 0


def _within(days: Sequence[int], after: int, until: int) -> int:
    """How many days lie in (after, until]."""
    return bisect_right(days, until) - bisect_left(days, after + 1)
