"""Money moved: Σ quantity × (entry price + exit price), in whole millionths, each trade rounded half even once.

The same rounding as in the stored measure, so that both agree to the last digit. Trades without prices or quantity
move nothing that is known; 0 without trades.
"""

from __future__ import annotations

import numpy as np

from domain.billing.monthly_price import MILLIONTHS
from domain.metrics.trading.trades import Trades
from domain.metrics.trading.whole import Whole, products, total


def turnover(trades: Trades) -> int:
    """Σ quantity × (entry + exit)."""
    priced = trades.carrying(trades.quantity, trades.entry_price, trades.exit_price)
    if not priced.any():
        return 0
    legs = trades.entry_price[priced] + trades.exit_price[priced]
    return total(_millionths(products([trades.quantity[priced], legs])))


def _millionths(products: Whole) -> Whole:
    """Products of two millionths as millionths, rounded half even."""
    whole, rest = products // MILLIONTHS, products % MILLIONTHS
    up = (rest > MILLIONTHS // 2) | ((rest == MILLIONTHS // 2) & (whole % 2 == 1))
    return whole + np.asarray(up, dtype=np.int64)
