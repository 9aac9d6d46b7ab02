"""Number of trades with p > 0, p being the profit net of fees."""

from __future__ import annotations

from domain.metrics.trading.trades import Trades


def winning_trades(trades: Trades) -> int:
    """Count of p > 0."""
    return trades.wins
