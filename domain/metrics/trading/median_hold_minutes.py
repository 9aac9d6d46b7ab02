"""Median time that a trade was open, in minutes; of an even number the mean of the middle two.

Null: no_trades, not_reported (no entry time).
"""

from __future__ import annotations

import numpy as np

from domain.metrics.trading.mean_hold_minutes import MS_PER_MINUTE
from domain.metrics.trading.trades import Trades
from domain.metrics.value import Stat, finite


def median_hold_minutes(trades: Trades) -> Stat:
    """Median of exit − entry."""
    held = trades.held
    return finite(float(np.median(held.astype(np.float64))) / MS_PER_MINUTE) if held.size else trades.unreported
