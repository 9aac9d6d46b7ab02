"""The daily series of an account: what it earned each day, and a return of it where there is equity to relate it to.

Three bases, the best that is known:

- `marked`: account values are known. The days are those that have a value, none is filled.
- `equity`: flows are known. E = deposits + closed P&L, zero-filled over the calendar from the first to the last booked
  day; money booked on a weekend counts on the next weekday.
- `pnl`: only closed P&L is known, zero-filled likewise. There are no returns: NO_EQUITY.

Returns are time-weighted, flows are not returns: r = (E − F) / E_prev − 1, computed as (E − F − E_prev) / E_prev in
whole trillionths with one rounding. An account that was empty before (E_prev ≤ 0) is taken to be funded at the day's
beginning, so r = P / (E_prev + F), and a trade on the very day of the first deposit is not lost. A first day that
earns nothing is the start, not a return. A loss on equity that is not there is RUIN: no return says how much.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from domain.metrics.trading.calendars import Calendar, Days, days_of, ordinals
from domain.metrics.trading.returns import NO_RETURNS, Returns
from domain.metrics.trading.whole import Whole, minus, plus, running, sums_by
from domain.metrics.value import Reason


class Basis(StrEnum):
    """What the returns of a series are taken from."""

    MARKED = "marked"
    EQUITY = "equity"
    PNL = "pnl"


@dataclass(frozen=True, eq=False)
class Booked:
    """Amounts of money in whole trillionths and the day of each; days may repeat and come in any order."""

    days: Days
    amounts: Whole


NOTHING = Booked(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Daily:
    """A series. `index` holds the day of the starting equity, then the day of each return (or of each P&L without)."""

    basis: Basis
    calendar: Calendar
    index: Days
    pnl: Whole  # what each day after the start earned, in whole trillionths
    returns: Returns | Reason  # of the same days
    starting_equity: int  # what the first return is taken of; 0 where no equity is known
    flows: Booked = NOTHING  # those after the start

    @property
    def days(self) -> Days:
        """The day of each entry of `pnl` and `returns`."""
        return self.index[1:]

    @property
    def annual(self) -> int:
        """Returns a year."""
        return self.calendar.annual


def from_values(values: Booked, flows: Booked, calendar: Calendar) -> Daily:
    """Marked: one value a day (the last given of a day); flows count to the next day that has a value."""
    days, equity = _last_of_each_day(values)
    place = np.searchsorted(days, flows.days, side="left")
    between = (place > 0) & (place < days.size)
    later = Booked(flows.days[between], flows.amounts[between])
    moved = sums_by(place[between] - 1, later.amounts, days.size - 1)
    before = equity[:-1]
    pnl = minus(minus(equity[1:], before), moved)
    return Daily(Basis.MARKED, calendar, days, pnl, time_weighted(before, moved, pnl), int(equity[0]), later)


def _last_of_each_day(values: Booked) -> tuple[Days, Whole]:
    order = np.argsort(values.days, kind="stable")
    days, equity = values.days[order], values.amounts[order]
    last = np.append(days[1:] != days[:-1], True)
    return days[last], equity[last]


def from_flows(pnl: Booked, flows: Booked, calendar: Calendar) -> Daily:
    """Equity: deposits + closed P&L, zero-filled."""
    first, (earned, moved) = _filled([pnl, flows], calendar)
    if not earned.size:
        return _empty(Basis.EQUITY, calendar)
    equity = running(plus(earned, moved))
    index = days_of(np.arange(first - 1, first + earned.size, dtype=np.int64), calendar)
    before = np.concatenate((np.zeros(1, dtype=equity.dtype), equity[:-1]))
    start = 0
    if earned[0] == 0:  # the day of the first deposit is the start
        start = int(equity[0])
        index, before, earned, moved = index[1:], before[1:], earned[1:], moved[1:]
    elif int(moved[0]) > 0:
        start = int(moved[0])
    later = ordinals(flows.days, calendar) > first if start else np.ones(flows.days.size, dtype=bool)
    rest = Booked(flows.days[later], flows.amounts[later])
    return Daily(Basis.EQUITY, calendar, index, earned, time_weighted(before, moved, earned), start, rest)


def from_pnl(pnl: Booked, calendar: Calendar) -> Daily:
    """Closed P&L alone, zero-filled."""
    first, (earned,) = _filled([pnl], calendar)
    if not earned.size:
        return _empty(Basis.PNL, calendar)
    index = days_of(np.arange(first - 1, first + earned.size, dtype=np.int64), calendar)
    return Daily(Basis.PNL, calendar, index, earned, Reason.NO_EQUITY, 0)


def time_weighted(before: Whole, moved: Whole, earned: Whole) -> Returns | Reason:
    """Return of each day from the equity before it, its flows and its profit; RUIN or NO_EQUITY without a base."""
    base = np.where(before > 0, before, plus(before, moved))
    baseless = np.asarray((base <= 0) & (earned != 0), dtype=bool)
    if baseless.any():
        funded = bool(np.any(before[: int(np.argmax(baseless)) + 1] != 0))
        return Reason.RUIN if funded else Reason.NO_EQUITY
    divisor = np.where(base > 0, base, 1).astype(np.float64)
    return np.asarray(earned.astype(np.float64) / divisor, dtype=np.float64)


def _filled(booked: list[Booked], calendar: Calendar) -> tuple[int, list[Whole]]:
    """The first ordinal of all bookings, and what each of them adds to every day from there to the last."""
    places = [ordinals(each.days, calendar) for each in booked]
    used = np.concatenate(places)
    if not used.size:
        return 0, [each.amounts for each in booked]
    first, last = int(used.min()), int(used.max())
    pairs = zip(places, booked, strict=True)
    return first, [sums_by(place - first, each.amounts, last - first + 1) for place, each in pairs]


def _empty(basis: Basis, calendar: Calendar) -> Daily:
    none = np.empty(0, dtype=np.int64)
    return Daily(basis, calendar, none, none, Reason.NO_EQUITY if basis is Basis.PNL else NO_RETURNS, 0)
