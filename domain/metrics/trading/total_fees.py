"""Fees of both legs of all trades, in whole trillionths, exact; a trade that reports none had none."""

from __future__ import annotations

from domain.metrics.trading.trades import Trades
from domain.metrics.trading.whole import reported, total


def total_fees(trades: Trades) -> int:
    """Σ fees."""
    return total(trades.fees[reported(trades.fees)])
