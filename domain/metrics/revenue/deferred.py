"""Deferred revenue: what customers have paid for and not yet received, straight-line over each service period.

A charge for [begin, end) has at a moment t inside it amount × (end − t) / (end − begin) left, to the millisecond,
rounded half even to trillionths once for each charge; before it begins all of it, after it ends nothing. Service
periods follow the calendar from the day when the subscription began: one that begins on the 31st renews on the last day
of shorter months.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import MAXYEAR, UTC, datetime, timedelta
from typing import NamedTuple

from domain.decimals import half_even

MONTHS = {"month": 1, "quarter": 3, "year": 12}
DAYS = {"day": 1, "week": 7}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Prepaid(NamedTuple):
    """A charge and the period that it pays for; trillionths and ms."""

    amount: int
    begin: int
    end: int


def deferred_revenue(charges: Iterable[Prepaid], at: int) -> int:
    """What is left of all charges at a moment, in trillionths."""
    return sum(
        half_even(amount * (end - max(at, begin)), end - begin)
        for amount, begin, end in charges
        if begin < end and at < end
    )


def service_period(anchor: int, interval: str, count: int, at: int) -> tuple[int, int]:
    """The period in which `at` lies, of those that follow each other from the anchor; all in ms, at ≥ anchor."""
    if interval in DAYS:
        width = DAYS[interval] * count * 86_400_000
        begin = anchor + (at - anchor) // width * width
        return begin, begin + width
    began, moment, months = _utc(anchor), _utc(at), MONTHS[interval] * count
    passed = ((moment.year - began.year) * 12 + moment.month - began.month) // months
    while _ms(_months_later(began, passed * months)) > at:
        passed -= 1
    return _ms(_months_later(began, passed * months)), _ms(_months_later(began, (passed + 1) * months))


def _months_later(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if year > MAXYEAR:  # of terms that were taken before they were bounded
        return datetime.max.replace(tzinfo=UTC)
    last = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


def _utc(ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ms)


def _ms(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)
