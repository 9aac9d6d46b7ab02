"""Number of trades with p < 0. The platform's own form (`breakeven_loses`) counts p = 0 too."""

from __future__ import annotations

from domain.metrics.trading.trades import Trades


def losing_trades(trades: Trades) -> int:
    """Count of p < 0."""
    return trades.losses
