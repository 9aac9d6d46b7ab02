"""The smallest return of one trade on what it was opened with, a fraction.

Null: no_trades, not_reported (no trade has quantity and entry price).
"""

from __future__ import annotations

from domain.metrics.trading.trades import Trades
from domain.metrics.value import Stat, finite


def worst_trade_return(trades: Trades) -> Stat:
    """Smallest p / (quantity × entry price)."""
    returns = trades.returns
    return finite(float(returns.min())) if returns.size else trades.unreported
