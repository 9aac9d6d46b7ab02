"""How many users were active: in a period and the one before, and in windows that end with a day.

Each day of a user is a mask of the spans that it lies in, and a user's mask is that of all these days: one walk through
the index, for whatever is asked together. A day's mask is found by the last boundary before it: five conditions a row
cost as much as the walk. The first event of a user is on a day of the user, so that who is new is counted without days.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

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
SELECT {counts} FROM (SELECT bit_or({mask}) AS mask FROM {{user_day}} WHERE company_id = %s AND day >= %s AND day < %s
    GROUP BY user_id) AS users
"""
BEGUN = """
SELECT *, others - new AS resurrected FROM ({counted}) AS counted CROSS JOIN (
    SELECT COUNT(*) AS new FROM {{user_seen}} WHERE company_id = %s AND first_seen >= %s AND first_seen < %s::date
) AS begun
"""


class Cycle(NamedTuple):
    """A period of whole days [first, end) and where the one before it begins; who came since `start` is new."""

    before: date
    first: date
    end: date
    start: datetime


class Spanned(NamedTuple):
    """Days [first, end) that count under a bit of the mask."""

    bit: int
    first: date
    end: date


def select_counts(company: str, cycle: Cycle | None, last: date | None) -> Select:
    """One statement for users of a cycle (active, new, returning, resurrected, dormant), for those of the windows that
    end with a day (mau of 28 days, wau of 7, dau), or for both."""
    counted = _counted(company, cycle, last)
    if cycle is None:
        return Select("user_activity", counted)
    sql = BEGUN.format(counted=counted.sql)
    return Select("user_activity", Statement(sql, (*counted.params, company, cycle.start, cycle.end)))


def _counted(company: str, cycle: Cycle | None, last: date | None) -> Statement:
    spans = [*_of_cycle(cycle), *_of_windows(last)]
    conditions = (CYCLE if cycle else {}) | (WINDOWS if last else {})
    counts = ", ".join(f"COUNT(*) FILTER (WHERE {condition}) AS {name}" for name, condition in conditions.items())
    first, *later = sorted({bound for span in spans for bound in (span.first, span.end)})
    steps = list(zip((first, *later), later, strict=False)) or [(first, first)]  # of a period without a day: nobody
    masks = " ".join(f"WHEN day < %s THEN {_mask(spans, begin)}" for begin, _ in steps)
    sql = COUNTED.format(counts=counts, mask=f"CASE {masks} END")
    return Statement(sql, (*(end for _, end in steps), company, first, steps[-1][1]))


def _mask(spans: Sequence[Spanned], day: date) -> int:
    return sum(span.bit for span in spans if span.first <= day < span.end)


def _of_cycle(cycle: Cycle | None) -> Sequence[Spanned]:
    if cycle is None:
        return ()
    return Spanned(NOW, cycle.first, cycle.end), Spanned(BEFORE, cycle.before, cycle.first)


def _of_windows(last: date | None) -> Sequence[Spanned]:
    if last is None:
        return ()
    end = last + timedelta(days=1)
    return [Spanned(bit, end - timedelta(days=days), end) for bit, days in ((MONTH, 28), (WEEK, 7), (DAY, 1))]
