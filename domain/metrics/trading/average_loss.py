"""Mean result of the lost trades: −gross loss / losses, negative, in trillionths.

Null: no_trades, no_losses.
"""

from __future__ import annotations

from domain.metrics.trading.trades import Trades
from domain.metrics.value import Reason, Stat


def average_loss(trades: Trades) -> Stat:
    """−Gross loss / losses."""
    return trades.ratio(-trades.loss_sum, trades.losses, Reason.NO_LOSSES)
