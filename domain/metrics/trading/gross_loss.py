"""What the lost trades lost: −Σp over p < 0, positive, in whole trillionths, exact; 0 without any."""

from __future__ import annotations

from domain.metrics.trading.trades import Trades


def gross_loss(trades: Trades) -> int:
    """−Σp over p < 0."""
    return trades.loss_sum
