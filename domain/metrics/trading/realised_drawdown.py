"""Largest fall of (starting equity + closed trades' P&L) below its peak so far, a negative fraction of that peak.

Realised: open positions are not in it, so it is shallower than `max_drawdown` of marked values.
Null: no_trades, no_equity (no starting equity above zero).
"""

from __future__ import annotations

import numpy as np

from domain.metrics.trading.trades import Trades
from domain.metrics.trading.whole import running
from domain.metrics.value import Reason, Stat, finite


def realised_drawdown(trades: Trades, starting_equity: int) -> Stat:
    """Smallest (equity / peak − 1); the starting equity is the first peak."""
    if not trades.count:
        return Reason.NO_TRADES
    if starting_equity <= 0:
        return Reason.NO_EQUITY
    reached = running(trades.pnl)
    peaks = np.maximum(np.maximum.accumulate(reached), 0)
    falls = (reached - peaks).astype(np.float64) / (peaks + starting_equity).astype(np.float64)
    return finite(min(0.0, float(falls.min())))
