"""Gross profit / gross loss, on money (not on the returns of trades, as backtesting.py has it).

Null: no_trades; no_losses where nothing was lost, whether or not something was won (with a profit it is what others
write as infinity).
"""

from __future__ import annotations

from domain.metrics.trading.trades import Trades
from domain.metrics.value import Reason, Stat


def profit_factor(trades: Trades) -> Stat:
    """Gross profit / gross loss."""
    return trades.ratio(trades.profit_sum, trades.loss_sum, Reason.NO_LOSSES)
