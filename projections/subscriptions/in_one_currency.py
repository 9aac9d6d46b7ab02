"""MRR of several currencies in one: what moved at the rates of its days, what stood at those of the ends of a period,
and what the rates themselves moved as a line of its own.

A period opens at the rates of the day before it and closes at those of its last day, of today where that comes first:
one begins with what the one before it ended with. Each amount is rounded half even, once, to whole trillionths.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from domain.billing.subscriptions import KINDS, LOSSES
from domain.company_calendar import (
    PERIODS,
    UTC_CALENDAR,
    Period,
    begin_of,
    day_at,
    first_day,
    next_first_day,
    period_name,
)
from domain.configuration.company import Calendar
from projections.engine.query.no_amount import NoAmount, NoAmounts
from projections.engine.query.reporting import Converter

MRR = tuple(f"{kind}_mrr" for kind in KINDS)
COUNTS = tuple(f"{kind}_count" for kind in KINDS)
SIGNED = {f"{kind}_mrr": -1 if kind in LOSSES else 1 for kind in KINDS}
CURRENCY_MRR = "currency_mrr"
LEVELS = frozenset({"start_mrr", *MRR, CURRENCY_MRR, "end_mrr"})
FIRST, EPOCH, INSTANT = datetime(1, 1, 1, tzinfo=UTC), date(1970, 1, 1), timedelta(microseconds=1)
Rows = list[dict[str, Any]]
Unit = Period | Literal[""]


class Ends(NamedTuple):
    """The days at whose rates MRR of the start and of the end of a period is told."""

    opening: date
    closing: date


class Grid(NamedTuple):
    """The time from `low` to before `high` in periods of this unit of a calendar; '': all of it.

    `today`, UTC, ends it.
    """

    unit: Unit
    low: datetime
    high: datetime
    today: date
    calendar: Calendar = UTC_CALENDAR

    @property
    def ends(self) -> Ends:
        """Of all of it."""
        return Ends(self._rated_before(self.low), self._rated_before(self.high))

    def rated_on(self, day: date) -> date:
        """The day of whose rate an amount of a day is told: no rate of tomorrow is known."""
        return min(day, self.today)

    def _rated_before(self, end: datetime) -> date:
        return self.rated_on((end - INSTANT).date() if end > FIRST else end.date())

    def period(self, day: date) -> date:
        """The first day of the period in which a day lies."""
        return first_day(day, self.unit, self.calendar) if self.unit else EPOCH

    def periods(self, moved: Iterable[date], *, opened: bool) -> dict[date, Ends]:
        """The ends of each period from the first in which anything moved, or was there before, to the last or today."""
        if not self.unit:
            return {EPOCH: self.ends}
        days = {*moved, *({day_at(self.low, self.calendar)} if opened else ())}
        if not days:
            return {}
        periods, first, last = dict[date, Ends](), self.period(min(days)), max(*days, self.ends.closing)
        while first <= last:
            after = next_first_day(first, self.unit, self.calendar)
            begin, end = (begin_of(day, self.calendar) for day in (first, after))
            periods[first] = Ends(self._rated_before(max(begin, self.low)), self._rated_before(min(end, self.high)))
            first = after
        return periods


def days_of(parts: Rows, grid: Grid) -> list[date]:
    """The days whose rates are needed."""
    moved = [part["day"] for part in parts if part["day"] is not None]
    periods = grid.periods(moved, opened=len(moved) < len(parts))
    rated = [grid.rated_on(part["utc_day"]) for part in parts if part["utc_day"] is not None]
    return [day for ends in periods.values() for day in ends if day > date.min] + rated


def movements(parts: Rows, by: Sequence[str], grid: Grid, converter: Converter) -> Rows:
    """Rows by these dimensions out of parts by day (null: before), plan, tier and currency."""
    of = defaultdict[tuple[Any, date | None], Rows](list)
    for part in parts:
        of[(part["plan"], part["tier"]), part["day"] and grid.period(part["day"])].append(part)
    moved = [part["day"] for part in parts if part["day"] is not None]
    periods = grid.periods(moved, opened=len(moved) < len(parts))
    groups = sorted({group for group, _ in of}) if by and {"plan", "tier"} & {*by} else [("", "")]
    rows = []
    for group in groups:
        levels = _added(Counter[str](), of[group, None])
        for period, ends in periods.items():
            before, within = levels, of[group, period]
            levels = _added(before, within)
            if within or not by or any(before.values()) or any(levels.values()):
                row = _named(by, period, group, grid.calendar)
                rows.append(_period(row, Standing(before, levels), within, ends, grid, converter))
    return sorted(rows, key=lambda row: [row[name] for name in by])


class Standing(NamedTuple):
    """MRR by currency, at the start and at the end."""

    start: Mapping[str, int]
    end: Mapping[str, int]


def _added(levels: Mapping[str, int], parts: Rows) -> Counter[str]:
    after = Counter(levels)
    for part in parts:
        after[part["currency"]] += sum(sign * int(part[name]) for name, sign in SIGNED.items())
    return after


def _named(by: Sequence[str], first: date, group: tuple[str, str], calendar: Calendar) -> dict[str, Any]:
    named: dict[str, Any] = {"plan": group[0], "tier": group[1]}
    for period in PERIODS:
        named[period] = period_name(first, period, calendar)
    return {name: named[name] for name in by}


def _period(
    row: dict[str, Any], standing: Standing, within: Rows, ends: Ends, grid: Grid, converter: Converter
) -> dict[str, Any]:
    counted = {name: sum(int(part[name]) for part in within) for name in COUNTS}
    try:
        start = whole(_level(standing.start, ends.opening, converter))
        end = whole(_level(standing.end, ends.closing, converter))
        moved = {
            name: whole(
                sum(
                    (converter.exactly(p["currency"], grid.rated_on(p["utc_day"]), int(p[name])) for p in within),
                    Fraction(0),
                )
            )
            for name in MRR
        }
    except NoAmount as missing:
        return NoAmounts(row | counted, LEVELS, missing.reason)
    net = sum(sign * moved[name] for name, sign in SIGNED.items())
    return {**row, "start_mrr": start, **moved, CURRENCY_MRR: end - start - net, "end_mrr": end, **counted}


def _level(levels: Mapping[str, int], day: date, converter: Converter) -> Fraction:
    return sum((converter.exactly(currency, day, mrr) for currency, mrr in levels.items()), Fraction(0))


def whole(twelfths: Fraction) -> int:
    """Twelfths that are whole trillionths."""
    return 12 * round(twelfths / 12)


class CustomerLevels(NamedTuple):
    """MRR of a customer at the start and at the end, unrounded; `held`: of the end, at the rates of the start."""

    start: Fraction
    end: Fraction
    held: Fraction


def levels_of(parts: Rows, ends: Ends, converter: Converter) -> Iterable[tuple[str, CustomerLevels | NoAmount]]:
    """Of each customer MRR at the start and the end, and that of the end at the rates of the start; or why there is
    none. `parts`: by customer and currency.
    """
    of = defaultdict[str, Rows](list)
    for part in parts:
        of[part["customer_id"]].append(part)
    for customer, of_customer in of.items():
        start, end = ({p["currency"]: int(p[name]) for p in of_customer} for name in ("start_mrr", "end_mrr"))
        try:
            opening = _level(start, ends.opening, converter)
            closing = _level(end, ends.closing, converter)
            # who was no customer at the start is compared with nothing
            held = _level(end, ends.opening, converter) if opening else Fraction(0)
        except NoAmount as missing:
            yield customer, missing
            continue
        yield customer, CustomerLevels(opening, closing, held)
