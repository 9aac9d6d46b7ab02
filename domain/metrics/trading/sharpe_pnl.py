"""Sharpe ratio of money: mean(daily P&L) / sd × √A, sd with ddof 1: for accounts whose equity nobody knows.

Not comparable with `sharpe_ratio`: a growing account weighs late days more. Null: no_data, too_few (n < 2),
no_dispersion.
"""

from __future__ import annotations

import math

from domain.metrics.trading.returns import per_spread
from domain.metrics.trading.whole import Whole, deviation
from domain.metrics.value import Reason, Stat, finite, has_value


def sharpe_pnl(pnl: Whole, annual: int) -> Stat:
    """Mean / sd × √A of whole trillionths a day."""
    if pnl.size < 2:
        return Reason.TOO_FEW if pnl.size else Reason.NO_DATA
    if pnl.max() == pnl.min():
        return Reason.NO_DISPERSION
    ratio = per_spread(*deviation(pnl))
    return finite(ratio * math.sqrt(annual)) if has_value(ratio) else ratio
