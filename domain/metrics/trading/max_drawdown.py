"""Largest fall below the peak so far: min(equity / peak − 1), a negative fraction; the starting equity is a peak.

0 without a fall; below −1 where equity went below zero. Null: no_data. Confirmed by empyrical, quantstats,
backtesting.py (ffn loses the first return).
"""

from __future__ import annotations

from domain.metrics.trading.returns import Returns, on_returns, underwater
from domain.metrics.value import Stat


@on_returns()
def max_drawdown(returns: Returns) -> Stat:
    """min(growth / peak − 1)."""
    return float(underwater(returns).min())
