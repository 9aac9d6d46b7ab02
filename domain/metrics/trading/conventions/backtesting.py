"""backtesting.py: the annualised return over a geometric volatility, trade statistics on the returns of trades.

Its own "CAGR" counts calendar days of 1/365.25 year; its annualised return, which its ratios use, is ours.
"""

from __future__ import annotations

import math

import numpy as np

from domain.metrics.trading.cagr import cagr
from domain.metrics.trading.record import TradingRecord, of_annual_returns
from domain.metrics.trading.returns import Returns, growth, on_returns
from domain.metrics.trading.sortino_ratio import downside_deviation
from domain.metrics.value import Reason, Stat, finite, has_value, ratio

DAYS_A_YEAR = 365.25


def calendar_cagr(record: TradingRecord) -> Stat:
    """W^(365.25 / calendar days) − 1."""
    returns, index = record.daily.returns, record.daily.index
    days = int(index[-1] - index[0]) if index.size else 0
    return _grown_in(returns, days) if days else Reason.NO_DATA


@on_returns()
def _grown_in(returns: Returns, days: int) -> Stat:
    grown = growth(returns)
    return float(np.power(grown[-1], DAYS_A_YEAR / days)) - 1 if float(grown.min()) >= 0 else Reason.RUIN


@on_returns(least=2)
def volatility(returns: Returns, annual: int) -> Stat:
    """√((var + (1+g)²)^A − (1+g)^2A), g the geometric mean return, 0 after a total loss."""
    factors = 1 + returns
    mean = 1 + (float(np.expm1(np.log(factors).mean())) if float(factors.min()) > 0 else 0.0)
    variance = np.float64(returns.var(ddof=1))
    return float(np.sqrt(np.maximum((variance + mean**2) ** annual - np.float64(mean) ** (2 * annual), 0)))


@on_returns(least=2)
def sharpe_ratio(returns: Returns, annual: int) -> Stat:
    """Annualised return / geometric volatility."""
    grown, spread = cagr(returns, annual), volatility(returns, annual)
    if not has_value(grown):
        return grown
    return ratio(grown, spread, Reason.NO_DISPERSION) if has_value(spread) else spread


@on_returns(least=2)
def sortino_ratio(returns: Returns, annual: int) -> Stat:
    """Annualised return / annualised downside deviation."""
    grown, downside = cagr(returns, annual), downside_deviation(returns) * math.sqrt(annual)
    return ratio(grown, downside, Reason.NO_DOWNSIDE) if has_value(grown) else grown


def profit_factor(record: TradingRecord) -> Stat:
    """Sum of the won trades' returns / |sum of the lost ones'|."""
    returns = record.trades.returns
    if not returns.size:
        return record.trades.unreported
    won, lost = float(np.maximum(returns, 0).sum()), -float(np.minimum(returns, 0).sum())
    return ratio(won, lost, Reason.NO_LOSSES)


def expectancy(record: TradingRecord) -> Stat:
    """Mean return of the trades, a fraction."""
    returns = record.trades.returns
    return finite(float(returns.mean())) if returns.size else record.trades.unreported


FORMS = {
    "cagr": calendar_cagr,
    "volatility": of_annual_returns(volatility),
    "sharpe_ratio": of_annual_returns(sharpe_ratio),
    "sortino_ratio": of_annual_returns(sortino_ratio),
    "profit_factor": profit_factor,
    "expectancy": expectancy,
}
