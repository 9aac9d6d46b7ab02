"""Geometric mean of the returns of trades: exp(mean(ln(1 + r))) − 1, a fraction (backtesting.py: "Avg. Trade").

Null: no_trades, not_reported, ruin (a trade lost all that it was opened with, or more).
"""

from __future__ import annotations

import numpy as np

from domain.metrics.trading.trades import Trades
from domain.metrics.value import Reason, Stat, finite


def mean_trade_return(trades: Trades) -> Stat:
    """exp(mean(ln(1 + r))) − 1."""
    returns = trades.returns
    if not returns.size:
        return trades.unreported
    if float(returns.min()) <= -1:
        return Reason.RUIN
    return finite(float(np.expm1(np.log1p(returns).mean())))
