"""freqtrade: ratios of trades over the starting balance, spread over the calendar days, 365 days a year.

Profit of a trade = p / starting balance; its mean is per day of the period, its deviation (ddof 0) per trade. The
period is the record's, else first entry to last exit, in whole days, at least one.
Null besides: no_equity (no starting balance is known), not_reported (no time is known).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from domain.metrics.trading.record import TradingRecord
from domain.metrics.trading.whole import running
from domain.metrics.value import Reason, Stat, finite, ratio

DAYS_A_YEAR = 365
MS_PER_DAY = 86_400_000


def sharpe_ratio(record: TradingRecord) -> Stat:
    """Profit a day / deviation of all trades' profits × √365."""
    terms = _terms(record)
    if isinstance(terms, Reason):
        return terms
    profits, days = terms
    return _per_deviation(float(profits.sum()) / days, profits, Reason.NO_DISPERSION)


def sortino_ratio(record: TradingRecord) -> Stat:
    """Profit a day / deviation of the lost trades' profits × √365."""
    terms = _terms(record)
    if isinstance(terms, Reason):
        return terms
    profits, days = terms
    return _per_deviation(float(profits.sum()) / days, profits[profits < 0], Reason.NO_DOWNSIDE)


def _per_deviation(mean: float, profits: NDArray[np.float64], reason: Reason) -> Stat:
    spread = float(profits.std()) if profits.size and profits.max() > profits.min() else 0.0
    return finite(mean / spread * math.sqrt(DAYS_A_YEAR)) if spread else reason


def calmar_ratio(record: TradingRecord) -> Stat:
    """Profit a day in percent / relative drawdown where the drawdown in money is largest × √365."""
    terms = _terms(record)
    if isinstance(terms, Reason):
        return terms
    profits, days = terms
    reached = running(record.trades.pnl)
    peaks = np.maximum(np.maximum.accumulate(reached), 0)
    deepest = int(np.argmin(reached - peaks))
    fallen, peak = int(peaks[deepest] - reached[deepest]), int(peaks[deepest]) + record.daily.starting_equity
    earned = float(profits.sum()) / days * 100 * math.sqrt(DAYS_A_YEAR)
    return ratio(earned, fallen / peak, Reason.NO_DRAWDOWN)


def cagr(record: TradingRecord) -> Stat:
    """(final / starting balance)^(365 / days) − 1."""
    terms = _terms(record)
    if isinstance(terms, Reason):
        return terms
    profits, days = terms
    grown = 1 + float(profits.sum())
    if grown < 0:
        return Reason.RUIN
    with np.errstate(all="ignore"):
        return finite(float(np.power(grown, DAYS_A_YEAR / days)) - 1)


def _terms(record: TradingRecord) -> tuple[NDArray[np.float64], int] | Reason:
    """Profit of each trade over the starting balance, and the days of the period."""
    trades, balance = record.trades, record.daily.starting_equity
    if not trades.count:
        return Reason.NO_TRADES
    if balance <= 0:
        return Reason.NO_EQUITY
    timed = trades.timed
    if not timed.any() and (record.start is None or record.end is None):
        return Reason.NOT_REPORTED
    start = int(trades.opened_at[timed].min()) if record.start is None else record.start
    end = int(trades.closed_at[timed].max()) if record.end is None else record.end
    return trades.pnl.astype(np.float64) / balance, max(1, (end - start) // MS_PER_DAY)


FORMS = {"sharpe_ratio": sharpe_ratio, "sortino_ratio": sortino_ratio, "calmar_ratio": calmar_ratio, "cagr": cagr}
