"""Share of a period in which at least one position was open: the union of [entry, exit) over the period, a fraction.

Times outside the period are cut off; trades without an entry time are left out. Default period: first entry to last
exit. Null: no_trades, not_reported (no entry time), zero_denominator (the period has no length).
"""

from __future__ import annotations

import numpy as np

from domain.metrics.trading.trades import Trades
from domain.metrics.value import Stat, ratio


def exposure(trades: Trades, start: int | None = None, end: int | None = None) -> Stat:
    """Time with a position / time of the period (both in milliseconds)."""
    timed = trades.timed
    if not timed.any():
        return trades.unreported
    opened, closed = trades.opened_at[timed], trades.closed_at[timed]
    first = int(opened.min()) if start is None else start
    last = int(closed.max()) if end is None else end
    order = np.argsort(opened, kind="stable")
    opened, closed = np.clip(opened[order], first, last), np.clip(closed[order], first, last)
    # what each trade adds to the time that those before it cover
    covered = np.concatenate(([first], np.maximum.accumulate(closed)[:-1]))
    added = np.maximum(closed - np.maximum(opened, covered), 0)
    return ratio(int(added.sum()), last - first) if last > first else ratio(0, 0)
