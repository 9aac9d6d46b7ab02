"""How many users were active: in a period and the one before, and in windows that end with a day.

Each row of a user is a mask of the spans that it lies in, and a user's mask is that of all of them: one walk through
the index, for whatever is asked together. A row's mask is found by the last boundary before it: five conditions a row
cost as much as the walk. The first event of a user is on a day of the user, so that who is new is counted without days.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from domain.company_calendar import begin_of
from domain.configuration.company import Calendar
from projections.engine.query.composed import Select
from projections.engine.query.plain import Statement

NOW, BEFORE, MONTH, WEEK, DAY = 1, 2, 4, 8, 16
CYCLE = {
    "active": f"mask & {NOW} <> 0",
    "returning": f"mask & {NOW | BEFORE} = {NOW | BEFORE}",
    "others": f"mask & {NOW | BEFORE} = {NOW}",  # new or resurrected
    "dormant": f"mask & {NOW | BEFORE} = {BEFORE}",
}
WINDOWS = {"mau": f"mask & {MONTH} <> 0", "wau": f"mask & {WEEK} <> 0", "dau": f"mask & {DAY} <> 0"}
COUNTED = """
SELECT {counts} FROM (SELECT bit_or({mask}) AS mask FROM {{user_quarter}}
    WHERE company_id = %s AND quarter >= %s AND quarter < %s GROUP BY user_id) AS users
"""
BEGUN = """
SELECT *, others - new AS resurrected FROM ({counted}) AS counted CROSS JOIN (
    SELECT COUNT(*) AS new FROM {{user_seen}} WHERE company_id = %s AND first_seen >= %s AND first_seen < %s
) AS begun
"""


class Cycle(NamedTuple):
    """A period [first, end) and where the one before it begins; who came since `first` is new."""

    before: datetime
    first: datetime
    end: datetime


class Windows(NamedTuple):
    """The last day of the windows, and the calendar of their days."""

    last: date
    by: Calendar


class Spanned(NamedTuple):
    """A time [first, end) that counts under a bit of the mask."""

    bit: int
    first: datetime
    end: datetime


def select_counts(company: str, cycle: Cycle | None, windows: Windows | None) -> Select:
    """One statement for users of a cycle (active, new, returning, resurrected, dormant), for those of the windows that
    end with a day (mau of 28 days, wau of 7, dau), or for both."""
    counted = _counted(company, cycle, windows)
    if cycle is None:
        return Select("user_activity", counted)
    sql = BEGUN.format(counted=counted.sql)
    return Select("user_activity", Statement(sql, (*counted.params, company, cycle.first, cycle.end)))


def _counted(company: str, cycle: Cycle | None, windows: Windows | None) -> Statement:
    spans = [*_of_cycle(cycle), *_of_windows(windows)]
    conditions = (CYCLE if cycle else {}) | (WINDOWS if windows else {})
    counts = ", ".join(f"COUNT(*) FILTER (WHERE {condition}) AS {name}" for name, condition in conditions.items())
    first, *later = sorted({bound for span in spans for bound in (span.first, span.end)})
    steps = list(zip((first, *later), later, strict=False)) or [(first, first)]  # of a period without a day: nobody
    masks = " ".join(f"WHEN quarter < %s THEN {_mask(spans, begin)}" for begin, _ in steps)
    sql = COUNTED.format(counts=counts, mask=f"CASE {masks} END")
    return Statement(sql, (*(end for _, end in steps), company, first, steps[-1][1]))


def _mask(spans: Sequence[Spanned], at: datetime) -> int:
    return sum(span.bit for span in spans if span.first <= at < span.end)


def _of_cycle(cycle: Cycle | None) -> Sequence[Spanned]:
    if cycle is None:
        return ()
    return Spanned(NOW, cycle.first, cycle.end), Spanned(BEFORE, cycle.before, cycle.first)


def _of_windows(windows: Windows | None) -> Sequence[Spanned]:
    if windows is None:
        return ()
    end = begin_of(windows.last + timedelta(days=1), windows.by)
    begins = ((bit, windows.last - timedelta(days=days - 1)) for bit, days in ((MONTH, 28), (WEEK, 7), (DAY, 1)))
    return [Spanned(bit, begin_of(first, windows.by), end) for bit, first in begins]
