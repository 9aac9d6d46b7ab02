"""Statistics of returns: numbers computed by hand, an independent recount, other tools' forms, and every edge."""

from __future__ import annotations

import math
import statistics
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.metrics.trading.calendars import Calendar
from domain.metrics.trading.catalogue import STATISTICS, Convention, Reads, answer
from domain.metrics.trading.daily import Basis, Daily
from domain.metrics.trading.drawdown_dates import DrawdownDates, longest_underwater_days, max_drawdown_dates
from domain.metrics.trading.equity_curve import equity_curve, underwater_curve
from domain.metrics.trading.omega_ratio import omega_ratio
from domain.metrics.trading.periodic_returns import periodic_returns
from domain.metrics.trading.probabilistic_sharpe import probabilistic_sharpe
from domain.metrics.trading.record import TradingRecord
from domain.metrics.trading.rolling import rolling_sharpe, rolling_sortino, rolling_volatility
from domain.metrics.trading.sharpe_pnl import sharpe_pnl
from domain.metrics.trading.sharpe_ratio import sharpe_ratio
from domain.metrics.trading.sortino_ratio import sortino_ratio
from domain.metrics.trading.trades import Trades
from domain.metrics.trading.volatility import volatility
from domain.metrics.trading.whole import whole
from domain.metrics.value import Reason, Stat, has_value
from tests.domain.metrics.oracles import day_number
from tests.domain.metrics.trading.answers import answers

FOUR = [0.1, -0.2, 0.05, 0.0]
PNL = [10, -20, 5, 0]
WEEK = list(range(19723, 19728))  # 2024-01-01 and the days after it


def record_of(
    returns: list[float], pnl: list[int] | None = None, calendar: Calendar = Calendar.WEEKDAYS
) -> TradingRecord:
    """A record with these returns on successive days."""
    index = np.arange(WEEK[0], WEEK[0] + len(returns) + 1, dtype=np.int64)
    earned = whole(pnl if pnl is not None else [0] * len(returns))
    daily = Daily(Basis.EQUITY, calendar, index, earned, np.array(returns, dtype=np.float64), 100)
    return TradingRecord(Trades.of([]), daily)


YEAR = math.sqrt(252)
SPREAD = math.sqrt(0.051875 / 3)  # squares of 0.1125, −0.1875, 0.0625, 0.0125 about the mean −0.0125
BY_HAND = {
    "cumulative_return": 1.1 * 0.8 * 1.05 - 1,
    "cagr": 0.924**63 - 1,
    "volatility": SPREAD * YEAR,
    "sharpe_ratio": -0.0125 / SPREAD * YEAR,
    "sortino_ratio": -0.0125 / math.sqrt(0.04 / 4) * YEAR,
    "max_drawdown": -0.2,
    "calmar_ratio": (0.924**63 - 1) / 0.2,
    "omega_ratio": 0.15 / 0.2,
    "ulcer_index": math.sqrt((0 + 0.2**2 + 0.16**2 + 0.16**2) / 4),
    "recovery_factor": -0.076 / 0.2,
    "var_95": -0.2 + 0.15 * 0.2,  # place 0.15 between −0.2 and 0
    "cvar_95": -0.2,
    "tail_ratio": (0.05 + 0.85 * 0.05) / 0.17,
    "longest_underwater_days": 3,  # from the first day to the last
    "sharpe_pnl": -1.25 / math.sqrt(518.75 / 3) * YEAR,
    "max_drawdown_money": -20,
    "recovery_factor_money": -5 / 20,
}


@pytest.mark.parametrize("key", BY_HAND)
def test_four_days_by_hand(key: str) -> None:
    """+10 %, −20 %, +5 %, 0; the same in money."""
    assert answer(key, record_of(FOUR, PNL)).value == pytest.approx(BY_HAND[key], rel=1e-13)


def test_skew_and_kurtosis_by_hand() -> None:
    """Of 1, 2, 3, 4, 10 about 4: squares 9 + 4 + 1 + 0 + 36 = 50, cubes 180, fourth powers 1394."""
    record = record_of([1, 2, 3, 4, 10])
    third, fourth = 36 / 10**1.5, 278.8 / 100
    assert answer("skew", record).value == pytest.approx(math.sqrt(20) / 3 * third)
    assert answer("kurtosis", record).value == pytest.approx(4 / 6 * (6 * (fourth - 3) + 6))


def test_probabilistic_sharpe_by_hand() -> None:
    """Of −1, 0, 2, 3: mean 1, variance 10/3, no skew, excess −3.3: Φ(SR × √3 / √(1 − 1.3/4 × SR²))."""
    sharpe = 1 / math.sqrt(10 / 3)
    z = sharpe * math.sqrt(3 / (1 - 1.3 / 4 * sharpe**2))
    returns = np.array([-1.0, 0.0, 2.0, 3.0])
    assert probabilistic_sharpe(returns, 252) == pytest.approx(statistics.NormalDist().cdf(z))
    benchmark = sharpe * YEAR
    assert probabilistic_sharpe(returns, 252, benchmark) == pytest.approx(0.5)


def test_every_statistic_of_the_series_was_computed_by_hand() -> None:
    """A statistic added to the catalogue needs its number above."""
    tested = {*BY_HAND, "skew", "kurtosis", "probabilistic_sharpe"}
    of_series = {Reads.RETURNS, Reads.DAILY_PNL}
    assert {key for key, entry in STATISTICS.items() if entry.reads in of_series} == tested


def test_a_risk_free_rate_is_taken_off_each_day() -> None:
    """5 % a year over two returns a year: √1.05 − 1 each."""
    returns, rate = np.array([0.1, 0.0]), math.sqrt(1.05) - 1
    assert sharpe_ratio(returns, 2, 0.05) == pytest.approx((0.05 - rate) / math.sqrt(0.005) * math.sqrt(2))
    assert sortino_ratio(returns, 2, 0.05) == pytest.approx((0.05 - rate) / (rate / math.sqrt(2)) * math.sqrt(2))


def test_omega_has_a_target() -> None:
    """Above and below 1 % a day."""
    assert omega_ratio(np.array([0.03, 0.0, 0.01]), 0.01) == pytest.approx(2)


def test_drawdown_dates_by_hand() -> None:
    """Up, flat, down, down, made good on the fifth day; then nothing."""
    returns = np.array([0.1, 0.0, -0.1, -0.1, 0.5])
    assert max_drawdown_dates(returns, np.arange(6)) == DrawdownDates(peak=2, trough=4, recovery=5)
    assert longest_underwater_days(returns, np.arange(6)) == 3
    assert max_drawdown_dates(returns[:2], np.arange(3)) is Reason.NO_DRAWDOWN
    assert longest_underwater_days(returns[:2], np.arange(3)) == 0
    assert max_drawdown_dates(returns[:0], np.arange(1)) is Reason.NO_DATA


def test_a_loss_on_the_last_day_is_a_drawdown_that_lasts() -> None:
    """From the Friday to the Monday: three days below the peak, not made good."""
    index = np.array([4, 7])
    assert max_drawdown_dates(np.array([-0.1]), index) == DrawdownDates(4, 7, None)
    assert longest_underwater_days(np.array([-0.1]), index) == 3


def test_returns_of_months_and_years_compound() -> None:
    """Two days of January, one of March; no February."""
    days = np.array([day_number(day) for day in ("2024-01-30", "2024-01-31", "2024-03-01")])
    returns = np.array([0.1, 0.1, -0.5])
    assert periodic_returns(returns, days, "month") == pytest.approx({"2024-01": 0.21, "2024-03": -0.5})
    assert periodic_returns(returns, days, "year") == pytest.approx({"2024": 1.21 * 0.5 - 1})
    assert periodic_returns(Reason.NO_EQUITY, days, "year") == {}


@pytest.mark.parametrize(
    ("returns", "reasons"),
    [
        ([], {key: "no_data" for key in ("cagr", "sharpe_ratio", "max_drawdown", "var_95", "omega_ratio")}),
        ([0.1], {"volatility": "too_few", "sortino_ratio": "too_few", "calmar_ratio": "no_drawdown"}),
        ([0.1, 0.2], {"skew": "too_few", "kurtosis": "too_few", "probabilistic_sharpe": "too_few"}),
        ([0.1] * 5, {"sharpe_ratio": "no_dispersion", "skew": "no_dispersion", "kurtosis": "no_dispersion"}),
        ([0.1, 0.2], {"sortino_ratio": "no_downside", "omega_ratio": "no_downside", "recovery_factor": "no_drawdown"}),
        ([0.1, -1.5], {"cagr": "ruin", "calmar_ratio": "ruin"}),
        ([-1.5, -1.5], {"cagr": "ruin"}),  # ends above zero, but went below it
        ([0.0, 0.0], {"tail_ratio": "zero_denominator"}),
        ([1e308, 1e308], {"cumulative_return": "not_finite"}),
        ([1e308, -1e308], {"sharpe_ratio": "not_finite", "sortino_ratio": "not_finite"}),
    ],
)
def test_what_is_undefined_says_why(returns: list[float], reasons: dict[str, str]) -> None:
    """No data, too few, all equal, no loss, ruin, out of range."""
    assert {key: answer(key, record_of(returns)).value for key in reasons} == reasons


def test_without_equity_every_statistic_of_returns_says_so() -> None:
    """And those of money have their values."""
    record = record_of(FOUR, PNL)
    unfunded = TradingRecord(
        record.trades, Daily(Basis.PNL, Calendar.ALL, record.daily.index, record.daily.pnl, Reason.NO_EQUITY, 0)
    )
    given = answers(unfunded)
    assert {given[key].value for key, entry in STATISTICS.items() if entry.reads is Reads.RETURNS} == {Reason.NO_EQUITY}
    assert all(has_value(given[key].value) for key, entry in STATISTICS.items() if entry.reads is Reads.DAILY_PNL)


def test_tradingview_looks_at_months() -> None:
    """Two months of +10 % and −5 %, 2 % a year risk-free, not annualised."""
    daily = Daily(
        Basis.EQUITY,
        Calendar.ALL,
        np.array([day_number(day) for day in ("2024-01-01", "2024-01-31", "2024-02-29")]),
        whole([0, 0]),
        np.array([0.1, -0.05]),
        100,
    )
    record, mean = TradingRecord(Trades.of([]), daily), 0.025 - 0.02 / 12
    assert answer("sharpe_ratio", record, Convention.TRADINGVIEW).value == pytest.approx(mean / 0.075)
    assert answer("sortino_ratio", record, Convention.TRADINGVIEW).value == pytest.approx(mean / (0.05 / math.sqrt(2)))


def test_freqtrade_spreads_trades_over_days() -> None:
    """+10, −5, −15, +20 of 100 in ten days: 1 % a day; deviations √(0.01875) of all and 0.05 of the lost."""
    day = 86_400_000
    trades = Trades.of(
        [10, -5, -15, 20], opened_at=[day, day, 2 * day, 3 * day], closed_at=[2 * day, 3 * day, 4 * day, 11 * day]
    )
    record, rate = TradingRecord(trades, record_of(FOUR).daily), math.sqrt(365)
    given = {key: answer(key, record, Convention.FREQTRADE).value for key in ("sharpe_ratio", "sortino_ratio")}
    assert given["sharpe_ratio"] == pytest.approx(0.01 / math.sqrt(0.01812500) * rate)
    assert given["sortino_ratio"] == pytest.approx(0.01 / 0.05 * rate)
    fallen = 20 / 110  # from 10 to −10, on 100
    assert answer("calmar_ratio", record, Convention.FREQTRADE).value == pytest.approx(0.01 * 100 / fallen * rate)
    assert answer("cagr", record, Convention.FREQTRADE).value == pytest.approx(1.1**36.5 - 1)


def test_quantstats_takes_days_for_trades() -> None:
    """Two days up, one down, one of zero that is not counted."""
    record = record_of(FOUR)
    wanted = {
        "win_rate": 2 / 3,
        "payoff_ratio": 0.075 / 0.2,
        "profit_factor": 0.75,
        "kelly": 2 / 3 - (1 / 3) / 0.375,
        "recovery_factor": 0.05 / 0.2,
        "ulcer_index": math.sqrt((0.2**2 + 0.16**2 + 0.16**2) / 3),
    }
    given = answers(record, Convention.QUANTSTATS)
    assert {key: given[key].value for key in wanted} == pytest.approx(wanted)
    assert given["skew"].convention is Convention.CANONICAL


RETURNS = st.lists(st.floats(-0.9, 2, allow_nan=False), min_size=2, max_size=60)


@given(RETURNS)
def test_statistics_equal_a_recount(returns: list[float]) -> None:
    """Plain Python and its statistics module."""
    assume(statistics.stdev(returns) > 1e-6)
    given = {key: entry.value for key, entry in answers(record_of(returns)).items()}
    levels = list(accumulate(returns, lambda level, r: level * (1 + r), initial=1.0))
    falls = [level / peak - 1 for level, peak in zip(levels, accumulate(levels, max), strict=True)]
    mean, spread = statistics.fmean(returns), statistics.stdev(returns)
    ordered, place = sorted(returns), 0.05 * (len(returns) - 1)
    low = ordered[int(place)] + (place % 1) * (ordered[min(int(place) + 1, len(returns) - 1)] - ordered[int(place)])
    down = math.sqrt(sum(min(r, 0) ** 2 for r in returns) / len(returns))
    wanted = {
        "cumulative_return": levels[-1] - 1,
        "volatility": spread * YEAR,
        "sharpe_ratio": mean / spread * YEAR,
        "max_drawdown": min(falls),
        "ulcer_index": math.sqrt(sum(fall * fall for fall in falls[1:]) / len(returns)),
        "var_95": low,
    }
    if down > 1e-6:
        wanted["sortino_ratio"] = mean / down * YEAR
        wanted["omega_ratio"] = sum(max(r, 0) for r in returns) / -sum(min(r, 0) for r in returns)
    assert {key: given[key] for key in wanted} == pytest.approx(wanted, rel=1e-9, abs=1e-9)


@given(RETURNS, st.integers(2, 10))
def test_rolling_forms_are_the_ratios_of_each_window(returns: list[float], window: int) -> None:
    """Entry i is the ratio of returns i … i + window − 1."""
    series = np.array(returns)
    pieces = [series[i : i + window] for i in range(len(returns) - window + 1)]
    for rolled, ratio in (
        (rolling_sharpe, sharpe_ratio),
        (rolling_sortino, sortino_ratio),
        (rolling_volatility, volatility),
    ):
        given = rolled(series, 252, window)
        wanted = [ratio(piece, 252) for piece in pieces]
        assert len(given) == len(wanted)
        assert all(alike(value, other) for value, other in zip(given, wanted, strict=True))


def alike(value: Stat, other: Stat) -> bool:
    """The same reason, or the same number but for rounding."""
    if not (has_value(value) and has_value(other)):
        return value == other
    return math.isclose(value, other, rel_tol=1e-9, abs_tol=1e-9)


ANY = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -1.0, -1.5, 1e308, -1e308, 5e-324, 0.01])


@given(st.lists(ANY, max_size=40), st.sampled_from(list(Convention)), st.sampled_from(list(Calendar)))
def test_any_returns_give_a_value_or_a_reason(returns: list[float], convention: Convention, calendar: Calendar) -> None:
    """Never NaN, infinity, a warning or an exception, in any convention."""
    record = record_of(returns, calendar=calendar)
    values: list[Stat] = [entry.value for entry in answers(record, convention).values()]
    values += rolling_sharpe(record.daily.returns, 252, 5)
    values += rolling_sortino(record.daily.returns, 252, 5)
    values += rolling_volatility(record.daily.returns, 252, 5)
    values += periodic_returns(record.daily.returns, record.daily.days, "month").values()
    assert all(not has_value(value) or math.isfinite(value) for value in values)
    for curve in (equity_curve(record.daily.returns), underwater_curve(record.daily.returns)):
        assert isinstance(curve, Reason) or bool(np.isfinite(curve).all())


@given(st.lists(st.integers(-(2**63) + 1, 2**63 - 1), max_size=20))
def test_any_money_gives_a_value_or_a_reason(pnl: list[int]) -> None:
    """Sums may leave 64 bits."""
    value = sharpe_pnl(whole(pnl), 365)
    assert not has_value(value) or math.isfinite(value)
    record = record_of([0.0] * len(pnl), pnl)
    level = peak = deepest = 0
    for amount in pnl:
        level += amount
        peak, deepest = max(peak, level), min(deepest, level - max(peak, level))
    assert answer("max_drawdown_money", record).value == deepest
