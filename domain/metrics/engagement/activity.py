"""Active users: dau, wau (7 days), mau (28 days), stickiness (DAU / MAU) and its histogram.

A user is active on a day with any event. mau counts 28 days, four weeks, so that every window has the same weekdays.
"""

from __future__ import annotations

import numpy as np

from domain.metrics.engagement.events import IntArray, distinct, summed
from domain.metrics.value import Reason, Stat, ratio

DAU, WAU, MAU = 1, 7, 28


def active_users(users: IntArray, days: IntArray, first: int, last: int, window: int) -> IntArray:
    """For each day from first to last, how many different users were active in the `window` days that end with it.

    `users`, `days`: one row or more for each user and day. A user is counted from each active day until the window has
    passed it, or the user's next active day takes over; so one pass answers all days.
    """
    who, when = distinct(users, days)
    follows = np.concatenate((who[1:] == who[:-1], [False])) if len(who) else np.empty(0, np.bool_)
    after = np.where(follows, np.roll(when, -1), np.iinfo(np.int64).max)
    begin, end = np.maximum(when, first), np.minimum(np.minimum(when + window, after), last + 1)
    counted = begin < end
    length = last - first + 2
    change = summed(begin[counted] - first, length) - summed(end[counted] - first, length)
    return np.cumsum(change)[:-1].astype(np.int64)


def stickiness(daily: int, monthly: int) -> Stat:
    """Share of the month's users who were active on the day."""
    return ratio(daily, monthly, Reason.NO_DATA)


def stickiness_histogram(users: IntArray, days: IntArray, last: int) -> IntArray:
    """How many users were active on exactly 1, 2, … 28 of the days that end with `last`."""
    inside = (days > last - MAU) & (days <= last)
    who, _ = distinct(users[inside], days[inside])
    _, times = np.unique(who, return_counts=True)
    return np.bincount(times, minlength=MAU + 1)[1:].astype(np.int64)
