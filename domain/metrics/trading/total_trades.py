"""Number of closed trades."""

from __future__ import annotations

from domain.metrics.trading.trades import Trades


def total_trades(trades: Trades) -> int:
    """n."""
    return trades.count
