"""The statistics of a trading record by key: unit, what it reads, how it is computed here, and how other tools do it.

A convention that has no form of its own for a statistic computes it as it is done here, and the answer says so. The
platform's own form differs in one thing, and so is no list of forms: a breakeven counts as lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from domain.errors import NotFound
from domain.metrics.metric import Unit as Unit  # told on
from domain.metrics.trading.average_loss import average_loss
from domain.metrics.trading.average_win import average_win
from domain.metrics.trading.best_trade_return import best_trade_return
from domain.metrics.trading.breakeven_trades import breakeven_trades
from domain.metrics.trading.cagr import cagr
from domain.metrics.trading.calmar_ratio import calmar_ratio
from domain.metrics.trading.conventions import backtesting, freqtrade, quantstats, tradingview
from domain.metrics.trading.cumulative_return import cumulative_return
from domain.metrics.trading.cvar_95 import cvar_95
from domain.metrics.trading.drawdown_dates import longest_underwater_days
from domain.metrics.trading.exit_efficiency import exit_efficiency
from domain.metrics.trading.expectancy import expectancy
from domain.metrics.trading.expectancy_r import expectancy_r
from domain.metrics.trading.exposure import exposure
from domain.metrics.trading.gross_loss import gross_loss
from domain.metrics.trading.gross_profit import gross_profit
from domain.metrics.trading.kelly import kelly
from domain.metrics.trading.kurtosis import kurtosis
from domain.metrics.trading.largest_loss import largest_loss
from domain.metrics.trading.largest_win import largest_win
from domain.metrics.trading.longest_hold_minutes import longest_hold_minutes
from domain.metrics.trading.longest_loss_streak import longest_loss_streak
from domain.metrics.trading.longest_win_streak import longest_win_streak
from domain.metrics.trading.losing_trades import losing_trades
from domain.metrics.trading.mae import mae
from domain.metrics.trading.max_drawdown import max_drawdown
from domain.metrics.trading.max_drawdown_money import max_drawdown_money
from domain.metrics.trading.mean_hold_minutes import (
    mean_hold_minutes,
    mean_hold_minutes_losers,
    mean_hold_minutes_winners,
)
from domain.metrics.trading.mean_trade_return import mean_trade_return
from domain.metrics.trading.median_hold_minutes import median_hold_minutes
from domain.metrics.trading.mfe import mfe
from domain.metrics.trading.omega_ratio import omega_ratio
from domain.metrics.trading.payoff_ratio import payoff_ratio
from domain.metrics.trading.probabilistic_sharpe import probabilistic_sharpe
from domain.metrics.trading.profit_factor import profit_factor
from domain.metrics.trading.realised_drawdown import realised_drawdown
from domain.metrics.trading.realised_drawdown_money import realised_drawdown_money
from domain.metrics.trading.record import Form, TradingRecord, of_annual_returns, of_returns, of_trades
from domain.metrics.trading.recovery_factor import recovery_factor, recovery_factor_money
from domain.metrics.trading.sharpe_pnl import sharpe_pnl
from domain.metrics.trading.sharpe_ratio import sharpe_ratio
from domain.metrics.trading.skew import skew
from domain.metrics.trading.sortino_ratio import sortino_ratio
from domain.metrics.trading.sqn import sqn
from domain.metrics.trading.tail_ratio import tail_ratio
from domain.metrics.trading.total_fees import total_fees
from domain.metrics.trading.total_pnl import total_pnl
from domain.metrics.trading.total_trades import total_trades
from domain.metrics.trading.turnover import turnover
from domain.metrics.trading.ulcer_index import ulcer_index
from domain.metrics.trading.var_95 import var_95
from domain.metrics.trading.volatility import volatility
from domain.metrics.trading.win_rate import win_rate
from domain.metrics.trading.winning_trades import winning_trades
from domain.metrics.trading.worst_trade_return import worst_trade_return
from domain.metrics.value import Reason, Stat


class Reads(StrEnum):
    """Which part of a record a statistic is computed from."""

    TRADES = "trades"
    CLOSED_EQUITY = "closed_equity"
    RETURNS = "returns"
    DAILY_PNL = "daily_pnl"


class Convention(StrEnum):
    """Whose formulas are used."""

    CANONICAL = "canonical"
    QUANTSTATS = "quantstats"
    TRADINGVIEW = "tradingview"
    FREQTRADE = "freqtrade"
    BACKTESTING = "backtesting"
    PLATFORM = "platform"


@dataclass(frozen=True)
class Statistic:
    """One entry."""

    key: str
    unit: Unit
    form: Form
    reads: Reads


@dataclass(frozen=True)
class Answer:
    """A value (or the reason why there is none) with the unit and the convention that it was really computed in."""

    value: Stat
    unit: Unit
    convention: Convention


STATISTICS: Mapping[str, Statistic] = MappingProxyType(
    {
        statistic.key: statistic
        for statistic in (
            Statistic("total_trades", Unit.COUNT, of_trades(total_trades), Reads.TRADES),
            Statistic("winning_trades", Unit.COUNT, of_trades(winning_trades), Reads.TRADES),
            Statistic("losing_trades", Unit.COUNT, of_trades(losing_trades), Reads.TRADES),
            Statistic("breakeven_trades", Unit.COUNT, of_trades(breakeven_trades), Reads.TRADES),
            Statistic("win_rate", Unit.FRACTION, of_trades(win_rate), Reads.TRADES),
            Statistic("total_pnl", Unit.MONEY, of_trades(total_pnl), Reads.TRADES),
            Statistic("gross_profit", Unit.MONEY, of_trades(gross_profit), Reads.TRADES),
            Statistic("gross_loss", Unit.MONEY, of_trades(gross_loss), Reads.TRADES),
            Statistic("total_fees", Unit.MONEY, of_trades(total_fees), Reads.TRADES),
            Statistic("average_win", Unit.MONEY, of_trades(average_win), Reads.TRADES),
            Statistic("average_loss", Unit.MONEY, of_trades(average_loss), Reads.TRADES),
            Statistic("largest_win", Unit.MONEY, of_trades(largest_win), Reads.TRADES),
            Statistic("largest_loss", Unit.MONEY, of_trades(largest_loss), Reads.TRADES),
            Statistic("payoff_ratio", Unit.RATIO, of_trades(payoff_ratio), Reads.TRADES),
            Statistic("profit_factor", Unit.RATIO, of_trades(profit_factor), Reads.TRADES),
            Statistic("expectancy", Unit.MONEY, of_trades(expectancy), Reads.TRADES),
            Statistic("expectancy_r", Unit.RATIO, of_trades(expectancy_r), Reads.TRADES),
            Statistic("sqn", Unit.RATIO, of_trades(sqn), Reads.TRADES),
            Statistic("kelly", Unit.FRACTION, of_trades(kelly), Reads.TRADES),
            Statistic("longest_win_streak", Unit.COUNT, of_trades(longest_win_streak), Reads.TRADES),
            Statistic("longest_loss_streak", Unit.COUNT, of_trades(longest_loss_streak), Reads.TRADES),
            Statistic("mean_hold_minutes", Unit.MINUTES, of_trades(mean_hold_minutes), Reads.TRADES),
            Statistic("mean_hold_minutes_winners", Unit.MINUTES, of_trades(mean_hold_minutes_winners), Reads.TRADES),
            Statistic("mean_hold_minutes_losers", Unit.MINUTES, of_trades(mean_hold_minutes_losers), Reads.TRADES),
            Statistic("median_hold_minutes", Unit.MINUTES, of_trades(median_hold_minutes), Reads.TRADES),
            Statistic("longest_hold_minutes", Unit.MINUTES, of_trades(longest_hold_minutes), Reads.TRADES),
            Statistic("mae", Unit.MONEY, of_trades(mae), Reads.TRADES),
            Statistic("mfe", Unit.MONEY, of_trades(mfe), Reads.TRADES),
            Statistic("exit_efficiency", Unit.RATIO, of_trades(exit_efficiency), Reads.TRADES),
            Statistic("turnover", Unit.MONEY, of_trades(turnover), Reads.TRADES),
            Statistic("best_trade_return", Unit.FRACTION, of_trades(best_trade_return), Reads.TRADES),
            Statistic("worst_trade_return", Unit.FRACTION, of_trades(worst_trade_return), Reads.TRADES),
            Statistic("mean_trade_return", Unit.FRACTION, of_trades(mean_trade_return), Reads.TRADES),
            Statistic("realised_drawdown_money", Unit.MONEY, of_trades(realised_drawdown_money), Reads.TRADES),
            Statistic(
                "exposure",
                Unit.FRACTION,
                lambda record: exposure(record.trades, record.start, record.end),
                Reads.TRADES,
            ),
            Statistic(
                "realised_drawdown",
                Unit.FRACTION,
                lambda record: realised_drawdown(
                    record.trades, record.daily.starting_equity, record.daily.flows, record.zone
                ),
                Reads.CLOSED_EQUITY,
            ),
            Statistic("cumulative_return", Unit.FRACTION, of_returns(cumulative_return), Reads.RETURNS),
            Statistic("max_drawdown", Unit.FRACTION, of_returns(max_drawdown), Reads.RETURNS),
            Statistic("omega_ratio", Unit.RATIO, of_returns(omega_ratio), Reads.RETURNS),
            Statistic("ulcer_index", Unit.FRACTION, of_returns(ulcer_index), Reads.RETURNS),
            Statistic("recovery_factor", Unit.RATIO, of_returns(recovery_factor), Reads.RETURNS),
            Statistic("var_95", Unit.FRACTION, of_returns(var_95), Reads.RETURNS),
            Statistic("cvar_95", Unit.FRACTION, of_returns(cvar_95), Reads.RETURNS),
            Statistic("tail_ratio", Unit.RATIO, of_returns(tail_ratio), Reads.RETURNS),
            Statistic("skew", Unit.RATIO, of_returns(skew), Reads.RETURNS),
            Statistic("kurtosis", Unit.RATIO, of_returns(kurtosis), Reads.RETURNS),
            Statistic("cagr", Unit.FRACTION, of_annual_returns(cagr), Reads.RETURNS),
            Statistic("volatility", Unit.FRACTION, of_annual_returns(volatility), Reads.RETURNS),
            Statistic("sharpe_ratio", Unit.RATIO, of_annual_returns(sharpe_ratio), Reads.RETURNS),
            Statistic("sortino_ratio", Unit.RATIO, of_annual_returns(sortino_ratio), Reads.RETURNS),
            Statistic("calmar_ratio", Unit.RATIO, of_annual_returns(calmar_ratio), Reads.RETURNS),
            Statistic("probabilistic_sharpe", Unit.FRACTION, of_annual_returns(probabilistic_sharpe), Reads.RETURNS),
            Statistic(
                "longest_underwater_days",
                Unit.DAYS,
                lambda record: longest_underwater_days(record.daily.returns, record.daily.index),
                Reads.RETURNS,
            ),
            Statistic(
                "sharpe_pnl",
                Unit.RATIO,
                lambda record: sharpe_pnl(record.daily.pnl, record.daily.annual),
                Reads.DAILY_PNL,
            ),
            Statistic(
                "max_drawdown_money", Unit.MONEY, lambda record: max_drawdown_money(record.daily.pnl), Reads.DAILY_PNL
            ),
            Statistic(
                "recovery_factor_money",
                Unit.RATIO,
                lambda record: recovery_factor_money(record.daily.pnl),
                Reads.DAILY_PNL,
            ),
        )
    }
)

FORMS: Mapping[Convention, Mapping[str, Form]] = MappingProxyType(
    {
        Convention.QUANTSTATS: quantstats.FORMS,
        Convention.TRADINGVIEW: tradingview.FORMS,
        Convention.FREQTRADE: freqtrade.FORMS,
        Convention.BACKTESTING: backtesting.FORMS,
    }
)
# a form elsewhere may answer in another unit: backtesting.py's expectancy is a mean of returns
UNITS_ELSEWHERE = {(Convention.BACKTESTING, "expectancy"): Unit.FRACTION}


def answer(key: str, record: TradingRecord, convention: Convention = Convention.CANONICAL) -> Answer:
    """The statistic of a record in a convention. Raises NotFound for a key that is none."""
    statistic = STATISTICS.get(key)
    if statistic is None:
        raise NotFound(
            f"no trading statistic is called {key}", suggested_actions=["list them with `analytics metrics`"]
        )
    if convention is Convention.PLATFORM and statistic.reads is Reads.TRADES:
        platform = replace(record, trades=replace(record.trades, breakeven_loses=True))
        return Answer(statistic.form(platform), statistic.unit, convention)
    form = FORMS.get(convention, {}).get(key)
    if form is None:
        return Answer(statistic.form(record), statistic.unit, Convention.CANONICAL)
    return Answer(form(record), UNITS_ELSEWHERE.get((convention, key), statistic.unit), convention)


SUMS = frozenset(
    [
        "total_trades",
        "winning_trades",
        "losing_trades",
        "breakeven_trades",
        "total_pnl",
        "gross_profit",
        "gross_loss",
        "total_fees",
        "turnover",
    ]
)


def reported(key: str, record: TradingRecord, convention: Convention = Convention.CANONICAL) -> Answer:
    """The same as it is shown: where nothing was traded sums are 0, and everything else is NO_TRADES.

    Formulas alone give 0 for the longest of no streaks and the deepest of no falls. Raises NotFound for a key that is
    none.
    """
    result = answer(key, record, convention)
    series = STATISTICS[key].reads in (Reads.RETURNS, Reads.DAILY_PNL) and record.daily.pnl.size
    nothing = not record.trades.count and not series and key not in SUMS
    return replace(result, value=Reason.NO_TRADES) if nothing else result
