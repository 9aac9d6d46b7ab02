"""Mean R multiple: mean of p / initial risk, over the trades that report a risk above zero.

R is what was at risk when the trade was opened (Van Tharp, "Trade Your Way to Financial Freedom").
Null: no_trades, not_reported (no trade has a risk).
"""

from __future__ import annotations

import numpy as np

from domain.metrics.trading.trades import Trades
from domain.metrics.value import Stat, finite


def expectancy_r(trades: Trades) -> Stat:
    """Mean of p / R."""
    risked = trades.carrying(trades.initial_risk)
    if trades.initial_risk.size:
        risked &= np.asarray(trades.initial_risk > 0, dtype=bool)
    if not risked.any():
        return trades.unreported
    multiples = trades.pnl[risked].astype(np.float64) / trades.initial_risk[risked].astype(np.float64)
    return finite(float(multiples.mean()))
