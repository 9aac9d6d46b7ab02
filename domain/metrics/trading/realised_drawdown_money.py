"""Largest fall of the closed trades' P&L below its highest level so far, which begins at zero: at most 0, exact.

Realised: what open positions lost meanwhile is not in it (`max_drawdown_money` of a marked series has that). In whole
trillionths; 0 without trades or without a fall.
"""

from __future__ import annotations

import numpy as np

from domain.metrics.trading.trades import Trades
from domain.metrics.trading.whole import Whole, running


def realised_drawdown_money(trades: Trades) -> int:
    """Smallest (running P&L − its peak), in trillionths."""
    return deepest(trades.pnl)


def deepest(amounts: Whole) -> int:
    """How far the running sum of the amounts falls below its peak so far; zero is the first peak."""
    if not amounts.size:
        return 0
    reached = running(amounts)
    return int(min(0, (reached - np.maximum(np.maximum.accumulate(reached), 0)).min()))
