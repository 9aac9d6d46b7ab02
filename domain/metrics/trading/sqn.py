"""System quality number: √n × mean(p) / sd(p), sd with ddof 1 (Van Tharp; backtesting.py and freqtrade agree).

`cap=100` bounds the n under the root, as Tharp does, so that many trades alone do not make a system good.
Null: no_trades, too_few (n < 2), no_dispersion (all equal, or sd ≤ 10⁻¹²×|mean|).
"""

from __future__ import annotations

import math

from domain.metrics.trading.trades import Trades
from domain.metrics.trading.whole import deviation
from domain.metrics.value import Reason, Stat, finite


def sqn(trades: Trades, cap: int | None = None) -> Stat:
    """√min(n, cap) × mean / sd."""
    if trades.count < 2:
        return Reason.TOO_FEW if trades.count else Reason.NO_TRADES
    if trades.pnl.max() == trades.pnl.min():
        return Reason.NO_DISPERSION
    mean, apart = deviation(trades.pnl)
    if apart <= 1e-12 * abs(mean):
        return Reason.NO_DISPERSION
    return finite(math.sqrt(min(trades.count, cap or trades.count)) * mean / apart)
