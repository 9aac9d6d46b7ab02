"""The daily series of an account: calendars, zero-filling, weekends, the three bases, flows that are not returns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.metrics.trading.calendars import Calendar
from domain.metrics.trading.daily import NOTHING, Basis, Booked, Daily, from_flows, from_pnl, from_values
from domain.metrics.trading.equity_curve import equity_curve, pnl_curve, underwater_curve
from domain.metrics.trading.whole import whole
from domain.metrics.value import Reason
from tests.domain.metrics.oracles import day_number, day_text

MONDAY = "2024-01-01"  # was one
Booking = tuple[str, int]
Bookings = list[Booking]


def booked(bookings: Sequence[Booking]) -> Booked:
    """Amounts by date."""
    days = np.array([day_number(day) for day, _ in bookings], dtype=np.int64)
    return Booked(days, whole(amount for _, amount in bookings))


def series(
    pnl: Bookings, flows: Sequence[Booking] = (), values: Sequence[Booking] = (), calendar: Calendar = Calendar.WEEKDAYS
) -> Daily:
    """The series of these bookings."""
    if values:
        return from_values(booked(values), booked(flows), calendar)
    return from_flows(booked(pnl), booked(flows), calendar) if flows else from_pnl(booked(pnl), calendar)


def returns_of(made: Daily) -> dict[str, float]:
    """Return of each date."""
    assert not isinstance(made.returns, Reason)
    return dict(zip(map(day_text, made.days.tolist()), made.returns.tolist(), strict=True))


def test_deposits_and_closed_trades_make_the_equity() -> None:
    """100 on Monday; +10, −11 with 20 more money, +12 on 119: flows are no returns, a flat day is zero."""
    made = series(
        [("2024-01-02", 10), ("2024-01-03", -11), ("2024-01-05", 12)],
        flows=[("2024-01-01", 100), ("2024-01-03", 20)],
    )
    assert (made.basis, made.annual, made.starting_equity) == (Basis.EQUITY, 252, 100)
    assert returns_of(made) == {
        "2024-01-02": 0.1,
        "2024-01-03": -11 / 110,
        "2024-01-04": 0.0,
        "2024-01-05": 12 / 119,
    }
    assert day_text(made.index[0]) == MONDAY
    assert made.pnl.tolist() == [10, -11, 0, 12]


def test_a_trade_on_the_day_of_the_first_deposit_counts() -> None:
    """10 on 100 deposited the same Monday; the start is the Friday before."""
    made = series([(MONDAY, 10), (MONDAY, 5)], flows=[(MONDAY, 100)])
    assert returns_of(made) == {MONDAY: 0.15}
    assert (day_text(made.index[0]), made.starting_equity) == ("2023-12-29", 100)


def test_money_of_a_weekend_counts_on_monday_and_none_is_dropped() -> None:
    """Saturday and Sunday go to the Monday after; with all days they stay."""
    bookings = [("2024-01-05", 1), ("2024-01-06", 2), ("2024-01-07", 3), ("2024-01-08", 4)]
    weekdays, every = series(bookings), series(bookings, calendar=Calendar.ALL)
    assert weekdays.pnl.tolist() == [1, 9]
    assert [day_text(day) for day in weekdays.days] == ["2024-01-05", "2024-01-08"]
    assert every.pnl.tolist() == [1, 2, 3, 4]
    assert (weekdays.annual, every.annual) == (252, 365)


def test_without_flows_and_values_there_are_no_returns() -> None:
    """Money only, zero-filled."""
    made = series([("2024-01-02", 10), ("2024-01-04", -3)])
    assert (made.basis, made.returns) == (Basis.PNL, Reason.NO_EQUITY)
    assert made.pnl.tolist() == [10, 0, -3]


def test_marked_values_are_not_filled_and_the_last_of_a_day_counts() -> None:
    """100, then 121 with 10 paid in meanwhile, then 120 after 1 was paid out on the day itself."""
    made = series(
        [],
        flows=[("2024-01-01", 50), ("2024-01-03", 10), ("2024-01-09", -1), ("2024-02-01", 7)],
        values=[(MONDAY, 90), (MONDAY, 100), ("2024-01-04", 121), ("2024-01-09", 120)],
    )
    assert (made.basis, made.starting_equity) == (Basis.MARKED, 100)
    assert returns_of(made) == {"2024-01-04": 0.11, "2024-01-09": 0.0}
    assert made.pnl.tolist() == [11, 0]


def test_one_marked_value_is_a_start_without_returns() -> None:
    """Nothing to compare it with."""
    made = series([], values=[(MONDAY, 100)])
    assert returns_of(made) == {}
    assert made.pnl.tolist() == []


def test_a_loss_on_nothing_is_ruin_or_unfunded() -> None:
    """After all is lost there is no base; before anything was paid in there never was one; new money is a new base."""
    funded = [("2024-01-01", 100)]
    assert series([("2024-01-02", -150), ("2024-01-03", 10)], flows=funded).returns is Reason.RUIN
    assert series([("2024-01-01", -5)], flows=[("2024-01-02", 100)]).returns is Reason.NO_EQUITY
    again = series([("2024-01-02", -150), ("2024-01-03", 10)], flows=[*funded, ("2024-01-03", 150)])
    assert returns_of(again) == {"2024-01-02": -1.5, "2024-01-03": 0.1}


def test_an_account_that_was_emptied_rests_at_zero() -> None:
    """All paid out, nothing earned, paid in again: no returns but zeros."""
    made = series([("2024-01-05", 5)], flows=[("2024-01-01", 100), ("2024-01-02", -100), ("2024-01-04", 50)])
    assert returns_of(made) == {"2024-01-02": 0, "2024-01-03": 0, "2024-01-04": 0, "2024-01-05": 0.1}


def test_nothing_booked_is_an_empty_series() -> None:
    """Without an account nothing fails."""
    made = series([])
    assert (made.pnl.size, made.days.size, made.returns) == (0, 0, Reason.NO_EQUITY)


def test_curves_begin_at_the_start() -> None:
    """Level 1, then ±10 %, and money from zero."""
    made = series([("2024-01-02", 10), ("2024-01-03", -11)], flows=[("2024-01-01", 100)])
    level, below = equity_curve(made.returns), underwater_curve(made.returns)
    assert not isinstance(level, Reason)
    assert not isinstance(below, Reason)
    assert level.tolist() == pytest.approx([1, 1.1, 0.99])
    assert below.tolist() == pytest.approx([0, 0, -0.1])
    assert pnl_curve(made.pnl).tolist() == [0, 10, -1]
    assert equity_curve(Reason.NO_EQUITY) is Reason.NO_EQUITY
    assert underwater_curve(np.empty(0)) is Reason.NO_DATA
    assert equity_curve(np.array([1e308, 1e308])) is Reason.NOT_FINITE


OFFSETS = st.integers(0, 60)
AMOUNTS = st.integers(-(10**9), 10**9) | st.integers(-(2**63) + 1, 2**63 - 1)
BOOKINGS = st.lists(st.tuples(OFFSETS, AMOUNTS), max_size=30)


def dated(bookings: list[tuple[int, int]]) -> Bookings:
    """Offsets as dates of 2024."""
    return [(str(date(2024, 1, 1) + timedelta(days=offset)), amount) for offset, amount in bookings]


@given(BOOKINGS, BOOKINGS, st.sampled_from(list(Calendar)))
def test_no_money_is_dropped_and_no_day_is_left_out(
    pnl: list[tuple[int, int]], flows: list[tuple[int, int]], calendar: Calendar
) -> None:
    """The days are those of the calendar from the first to the last booked one, and sum to what was booked."""
    made = series(dated(pnl), dated(flows), calendar=calendar)
    assert sum(made.pnl.tolist()) == sum(amount for _, amount in pnl)
    days = [date.fromisoformat(day_text(day)) for day in made.index.tolist()]
    for day, following in pairwise(days):
        monday = calendar is Calendar.WEEKDAYS and following.weekday() == 0
        assert (following - day).days == (3 if monday else 1)
        assert calendar is Calendar.ALL or following.weekday() < 5


SMALL = st.lists(st.tuples(OFFSETS, st.integers(-(10**9), 10**9)), max_size=30)


@given(SMALL, SMALL)
def test_returns_are_those_of_a_ledger_walk_in_fractions(
    pnl: list[tuple[int, int]], more: list[tuple[int, int]]
) -> None:
    """Day by day: profit over what was there, or over what came in where nothing was."""
    flows = [(1, 10**12), *more]
    made = series(dated(pnl), dated(flows), calendar=Calendar.ALL)
    if isinstance(made.returns, Reason):  # something was earned or lost on nothing
        assert min(offset for offset, _ in [*pnl, *more]) == 0
        return
    earned: dict[str, int] = defaultdict(int)
    moved: dict[str, int] = defaultdict(int)
    for (day, amount), book in [(entry, earned) for entry in dated(pnl)] + [(entry, moved) for entry in dated(flows)]:
        book[day] += amount
    equity = 0
    walked = {}
    for offset in range(61):
        day = str(date(2024, 1, 1) + timedelta(days=offset))
        base = equity if equity > 0 else equity + moved[day]
        walked[day] = float(Fraction(earned[day], base)) if base > 0 else 0.0
        equity += earned[day] + moved[day]
    assert returns_of(made) == pytest.approx({day: walked[day] for day in returns_of(made)}, rel=1e-12)


@given(st.lists(st.tuples(OFFSETS, AMOUNTS), min_size=1, max_size=12), BOOKINGS)
def test_any_values_make_finite_returns_or_a_reason(
    values: list[tuple[int, int]], flows: list[tuple[int, int]]
) -> None:
    """P&L of the days is what the values rose by, less what flowed meanwhile: exactly."""
    made = series([], dated(flows), dated(values))
    by_day = dict(sorted(values, key=lambda entry: entry[0]))
    first, last = min(by_day), max(by_day)
    between = sum(amount for offset, amount in flows if first < offset <= last)
    assert sum(made.pnl.tolist()) == by_day[last] - by_day[first] - between
    assert isinstance(made.returns, Reason) or bool(np.isfinite(made.returns).all())


def test_nothing_is_booked_by_default() -> None:
    """The constant for what is not known is empty."""
    assert from_pnl(NOTHING, Calendar.ALL).basis is Basis.PNL
