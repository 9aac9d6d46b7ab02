"""Largest fall of the summed daily P&L below its highest level so far, which begins at zero: at most 0, exact.

In whole trillionths; flows are not in it. Of a marked series it contains what open positions lost; of closed trades see
`realised_drawdown_money`. 0 without days or without a fall.
"""

from __future__ import annotations

from domain.metrics.trading.realised_drawdown_money import deepest
from domain.metrics.trading.whole import Whole


def max_drawdown_money(pnl: Whole) -> int:
    """Smallest (running P&L − its peak), in trillionths."""
    return deepest(pnl)
