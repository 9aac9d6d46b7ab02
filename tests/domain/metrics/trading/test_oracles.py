"""Trading statistics against the oracles: all within the tolerance that each of them states."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from domain.decimals import ONE
from domain.metrics.trading.calendars import Calendar
from domain.metrics.trading.catalogue import STATISTICS, Convention, Unit, answer
from domain.metrics.trading.daily import Basis, Daily
from domain.metrics.trading.drawdown_dates import DrawdownDates, max_drawdown_dates
from domain.metrics.trading.periodic_returns import periodic_returns
from domain.metrics.trading.record import TradingRecord
from domain.metrics.trading.rolling import rolling_sharpe
from domain.metrics.trading.sharpe_ratio import sharpe_ratio
from domain.metrics.trading.trades import Trades
from domain.metrics.value import Reason, has_value
from tests.domain.metrics.oracles import aapl_daily, aapl_trades, agrees, day_text, oracle, trillionths

# the oracles' names for what has another one here
KEYS = {
    "total_return": "cumulative_return",
    "sharpe": "sharpe_ratio",
    "sortino": "sortino_ratio",
    "calmar": "calmar_ratio",
    "omega_0": "omega_ratio",
    "var_95_hist_return": "var_95",
    "cvar_95_hist_return": "cvar_95",
    "kurtosis_excess": "kurtosis",
    "longest_underwater_calendar_days": "longest_underwater_days",
    "n_trades": "total_trades",
    "wins": "winning_trades",
    "losses": "losing_trades",
    "breakeven": "breakeven_trades",
    "net_pnl": "total_pnl",
    "commission_total": "total_fees",
    "avg_win": "average_win",
    "avg_loss": "average_loss",
    "best_trade": "largest_win",
    "worst_trade": "largest_loss",
    "avg_trade_return_geometric": "mean_trade_return",
    "max_consecutive_wins": "longest_win_streak",
    "max_consecutive_losses": "longest_loss_streak",
    "closed_trade_max_drawdown_cash": "realised_drawdown_money",
    "closed_trade_max_drawdown_frac": "realised_drawdown",
    "max_drawdown_cash": "realised_drawdown_money",
    "max_duration_days": "longest_hold_minutes",
    "median_duration_days": "median_hold_minutes",
}
# units of the oracles: money in the currency, times in days
PER_UNIT = {Unit.MONEY: ONE, Unit.MINUTES: 24 * 60}
AAPL = oracle("trading_aapl.json")
EDGES = oracle("edge_metrics.json")
CASES = oracle("edge_cases.json")
# the drawdown of closed trades is taken from a start in their unit, the returns come from a file with a finer one
RECORD = TradingRecord(aapl_trades(), replace(aapl_daily(), starting_equity=10_000 * ONE))
ELSEWHERE = [  # statistic, convention, how the oracle names what it gives
    ("cagr", Convention.BACKTESTING, "calendar days/365.25 (backtesting CAGR)"),
    ("volatility", Convention.BACKTESTING, "backtesting (geometric)"),
    ("sharpe", Convention.BACKTESTING, "backtesting (CAGR / geometric vol)"),
    ("sortino", Convention.BACKTESTING, "backtesting (CAGR numerator)"),
    ("var_95_hist_return", Convention.QUANTSTATS, "quantstats (Gaussian, NOT historical)"),
    ("cvar_95_hist_return", Convention.QUANTSTATS, "quantstats default (Gaussian)"),
    ("ulcer_index", Convention.QUANTSTATS, "quantstats (n-1)"),
    ("profit_factor", Convention.BACKTESTING, "backtesting (sum of trade RETURNS)"),
    ("expectancy", Convention.BACKTESTING, "backtesting Expectancy [%]/100 (mean trade return)"),
]


def in_oracle_units(key: str, record: TradingRecord) -> Any:
    """The answer as the oracles write it."""
    given = answer(key, record)
    return given.value / PER_UNIT.get(given.unit, 1) if has_value(given.value) else given.value


def of_returns(returns: list[float]) -> TradingRecord:
    """A record that has nothing but returns."""
    values = np.array(returns, dtype=np.float64)
    index = np.arange(values.size + 1, dtype=np.int64)
    pnl = np.zeros(values.size, dtype=np.int64)
    return TradingRecord(Trades.of([]), Daily(Basis.MARKED, Calendar.WEEKDAYS, index, pnl, values, 0))


@pytest.mark.parametrize(
    ("part", "name"),
    [(part, name) for part in ("daily", "trades") for name in AAPL[part] if KEYS.get(name, name) in STATISTICS],
)
def test_statistics_of_the_crossover_are_those_of_the_oracle(part: str, name: str) -> None:
    """On real prices, from amounts in whole trillionths."""
    expected = AAPL[part][name]
    value = expected["value"] if isinstance(expected, dict) else expected
    got = in_oracle_units(KEYS.get(name, name), RECORD)
    assert agrees(got, value), f"{got} is not {value}"


def test_every_figure_of_the_crossover_is_compared() -> None:
    """What is no entry of the catalogue is compared in the tests below."""
    elsewhere = {"annual_factor", "n_daily_returns", "first_date", "last_date", "sharpe_rf_2pct", "monthly_returns"}
    elsewhere |= {"yearly_returns", "rolling_sharpe_63_last_60", "max_drawdown_peak_date", "max_drawdown_trough_date"}
    named = set(AAPL["daily"]) | set(AAPL["trades"])
    assert {name for name in named if KEYS.get(name, name) not in STATISTICS} == elsewhere


def test_the_series_of_the_crossover_has_the_days_of_the_oracle() -> None:
    """One return per value after the first, 252 a year."""
    daily, expected = RECORD.daily, AAPL["daily"]
    assert not isinstance(daily.returns, Reason)
    assert daily.returns.size == expected["n_daily_returns"]
    assert (day_text(daily.index[0]), day_text(daily.index[-1])) == (expected["first_date"], expected["last_date"])
    assert daily.annual == expected["annual_factor"]


def test_sharpe_ratio_takes_the_risk_free_rate_of_a_day() -> None:
    """2 % a year, de-annualised geometrically."""
    expected = AAPL["daily"]["sharpe_rf_2pct"]["value"]
    assert agrees(sharpe_ratio(RECORD.daily.returns, 252, 0.02), expected)


def test_dates_of_the_largest_drawdown_are_those_of_the_oracle() -> None:
    """It is not made good by the end."""
    dates = max_drawdown_dates(RECORD.daily.returns, RECORD.daily.index)
    assert isinstance(dates, DrawdownDates)
    assert day_text(dates.peak) == AAPL["daily"]["max_drawdown_peak_date"]
    assert day_text(dates.trough) == AAPL["daily"]["max_drawdown_trough_date"]
    assert dates.recovery is None


@pytest.mark.parametrize(("by", "name"), [("month", "monthly_returns"), ("year", "yearly_returns")])
def test_returns_of_periods_are_those_of_the_oracle(by: Any, name: str) -> None:
    """Every month, every year."""
    got = periodic_returns(RECORD.daily.returns, RECORD.daily.days, by)
    assert got.keys() == AAPL["daily"][name].keys()
    assert all(agrees(got[period], value) for period, value in AAPL["daily"][name].items())


def test_rolling_sharpe_is_that_of_the_oracle() -> None:
    """The last 60 windows of 63 days."""
    expected = AAPL["daily"]["rolling_sharpe_63_last_60"]
    got = rolling_sharpe(RECORD.daily.returns, 252, 63)[-60:]
    assert [day_text(day) for day in RECORD.daily.days[-60:]] == list(expected)
    assert all(agrees(value, wanted) for value, wanted in zip(got, expected.values(), strict=True))


@pytest.mark.parametrize(("name", "convention", "label"), ELSEWHERE)
def test_other_conventions_are_those_of_the_oracle(name: str, convention: Convention, label: str) -> None:
    """The answer in another tool's convention is what that tool gives."""
    part = "daily" if name in AAPL["daily"] else "trades"
    got = answer(KEYS.get(name, name), RECORD, convention)
    assert got.convention is convention
    assert agrees(got.value, AAPL[part][name]["other_conventions"][label])


@pytest.mark.parametrize("case", sorted(EDGES["returns"]))
def test_returns_at_the_edges_have_a_value_or_a_reason(case: str) -> None:
    """Each figure of the policy, each short series."""
    record = of_returns(CASES["daily_returns"][case])
    for name, expected in EDGES["returns"][case]["canonical"].items():
        got = in_oracle_units(KEYS.get(name, name), record)
        assert agrees(got, expected), f"{name}: {got} is not {expected}"


@pytest.mark.parametrize("case", sorted(EDGES["trades"]))
def test_trades_at_the_edges_have_a_value_or_a_reason(case: str) -> None:
    """Each figure of the policy, each short list; 10¹⁵ and a cent in one list cost no digit."""
    pnl = [trillionths(amount) for amount in CASES["trade_pnls"][case]]
    record = TradingRecord(Trades.of(pnl), RECORD.daily)
    for name, expected in EDGES["trades"][case]["canonical"].items():
        if name == "profit_factor_infinite":
            infinite = answer("profit_factor", record).value is Reason.NO_LOSSES and record.trades.profit_sum > 0
            assert infinite is expected
        else:
            got = in_oracle_units(KEYS.get(name, name), record)
            assert agrees(got, expected), f"{name}: {got} is not {expected}"
