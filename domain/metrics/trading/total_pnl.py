"""What all trades earned, net of fees: Σp, in whole trillionths, exact; 0 without trades."""

from __future__ import annotations

from domain.metrics.trading.trades import Trades


def total_pnl(trades: Trades) -> int:
    """Σp."""
    return trades.pnl_sum
