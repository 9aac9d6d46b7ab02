"""Number of trades with p = 0: neither won nor lost, but trades. None where the platform's form counts them as lost."""

from __future__ import annotations

from domain.metrics.trading.trades import Trades


def breakeven_trades(trades: Trades) -> int:
    """Count of p = 0."""
    return trades.count - trades.wins - trades.losses
