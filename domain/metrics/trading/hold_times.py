"""How long trades were open, in milliseconds: the trades whose entry time is known (above 0)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from domain.metrics.trading.trades import Trades
from domain.metrics.trading.whole import Whole

MS_PER_MINUTE = 60_000


def hold_times(trades: Trades, among: NDArray[np.bool_] | None = None) -> Whole:
    """Exit − entry of each trade that knows both, of those `among`."""
    timed = trades.timed if among is None else trades.timed & among
    if not timed.any():
        return np.empty(0, dtype=np.int64)
    return trades.closed_at[timed] - trades.opened_at[timed]
