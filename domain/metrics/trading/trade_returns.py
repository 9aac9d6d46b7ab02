"""The return of each trade on what it was opened with: p / (quantity × entry price), fractions.

Of the trades that carry quantity and entry price, both above zero. backtesting.py builds several statistics on these.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from domain.metrics.trading.trades import Trades

MILLIONTHS = 1_000_000


def trade_returns(trades: Trades) -> NDArray[np.float64]:
    """p / (quantity × entry price)."""
    priced = trades.carrying(trades.quantity, trades.entry_price)
    if not priced.any():
        return np.empty(0, dtype=np.float64)
    stake = trades.quantity[priced].astype(np.float64) * trades.entry_price[priced].astype(np.float64) / MILLIONTHS
    staked = stake > 0
    return np.asarray(trades.pnl[priced].astype(np.float64)[staked] / stake[staked], dtype=np.float64)
