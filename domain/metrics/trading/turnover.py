"""Money moved: Σ quantity × multiplier × (|entry price| + |exit price|), in whole trillionths.

Each trade is rounded half even once, as in the stored measure, so that both agree to the last digit. Trades without
prices or quantity move nothing that is known; 0 without trades.
"""

from __future__ import annotations

import numpy as np

from domain.decimals import ONE
from domain.metrics.trading.trades import Trades
from domain.metrics.trading.whole import Whole, plus, products, total


def turnover(trades: Trades) -> int:
    """Σ quantity × multiplier × (|entry| + |exit|)."""
    priced = trades.carrying(trades.quantity, trades.entry_price, trades.exit_price)
    if not priced.any():
        return 0
    legs = plus(abs(trades.entry_price[priced]), abs(trades.exit_price[priced]))
    parts = [trades.quantity[priced], legs]
    multipliers = trades.multipliers[priced]
    if (multipliers != ONE).any():
        parts.append(multipliers)
    return total(_rounded(products(parts), ONE ** (len(parts) - 1)))


def _rounded(products: Whole, one: int) -> Whole:
    """The exact quotients, rounded half even."""
    whole, rest = products // one, products % one
    up = (rest > one // 2) | ((rest == one // 2) & (whole % 2 == 1))
    return np.asarray(whole + np.asarray(up, dtype=np.int64))
