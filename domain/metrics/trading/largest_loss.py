"""The largest loss of one trade, negative, in whole trillionths.

Null: no_trades, no_losses.
"""

from __future__ import annotations

from domain.metrics.trading.trades import Trades
from domain.metrics.value import Reason, Stat


def largest_loss(trades: Trades) -> Stat:
    """The smallest p < 0."""
    if not trades.losses:
        return Reason.NO_LOSSES if trades.count else Reason.NO_TRADES
    return int(trades.pnl.min())
