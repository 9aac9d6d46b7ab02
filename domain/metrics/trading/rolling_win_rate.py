"""Win rate of the last `window` trades at each trade from the window-th on: fractions, by order of exit.

Empty with fewer trades than the window.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from domain.metrics.trading.trades import Trades


def rolling_win_rate(trades: Trades, window: int = 20) -> NDArray[np.float64]:
    """Wins among each `window` successive trades / window."""
    won = np.concatenate(([0], np.cumsum(trades.won)))
    if trades.count < window:
        return np.empty(0, dtype=np.float64)
    return np.asarray((won[window:] - won[:-window]) / window, dtype=np.float64)
