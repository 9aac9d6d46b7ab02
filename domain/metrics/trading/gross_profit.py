"""What the won trades earned: Σp over p > 0, in whole trillionths, exact; 0 without any."""

from __future__ import annotations

from domain.metrics.trading.trades import Trades


def gross_profit(trades: Trades) -> int:
    """Σp over p > 0."""
    return trades.profit_sum
