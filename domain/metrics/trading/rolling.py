"""Ratios of the last `window` returns at each day from the window-th on: volatility, Sharpe, Sortino.

One entry a window, the first over returns 1 … window; the day of an entry is the day of its last return. A window
without a value has its reason in place of it. Each window is computed anew from its returns (two passes), since running
sums of squares lose digits where returns are small beside their history.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from domain.metrics.trading.returns import Returns, per_day, per_spread
from domain.metrics.value import Reason, Stat, finite, has_value, ratio

MONTHS_3 = 63  # trading days


def rolling_volatility(returns: Returns | Reason, annual: int, window: int = MONTHS_3) -> Sequence[Stat]:
    """`volatility` of each window (at least 2 returns)."""
    windows = _windows(returns, window)
    with np.errstate(all="ignore"):
        return [finite(value) for value in (_deviations(windows) * math.sqrt(annual)).tolist()]


def rolling_sharpe(
    returns: Returns | Reason, annual: int, window: int = MONTHS_3, risk_free: float = 0.0
) -> Sequence[Stat]:
    """`sharpe_ratio` of each window (at least 2 returns)."""
    windows = _windows(returns, window) - per_day(risk_free, annual)
    with np.errstate(all="ignore"):
        means, spreads = windows.mean(axis=1), _deviations(windows)
    ratios = [per_spread(mean, spread) for mean, spread in zip(means.tolist(), spreads.tolist(), strict=True)]
    return [finite(value * math.sqrt(annual)) if has_value(value) else value for value in ratios]


def rolling_sortino(
    returns: Returns | Reason, annual: int, window: int = MONTHS_3, risk_free: float = 0.0
) -> Sequence[Stat]:
    """`sortino_ratio` of each window (at least 2 returns)."""
    windows = _windows(returns, window) - per_day(risk_free, annual)
    with np.errstate(all="ignore"):
        means = windows.mean(axis=1) * math.sqrt(annual)
        downside = np.sqrt(np.square(np.minimum(windows, 0)).mean(axis=1))
    pairs = zip(means.tolist(), downside.tolist(), strict=True)
    return [ratio(mean, below, Reason.NO_DOWNSIDE) for mean, below in pairs]


def _windows(returns: Returns | Reason, window: int) -> Returns:
    """The windows as rows; none where there are too few returns or none at all."""
    if isinstance(returns, Reason) or returns.size < window or window < 2:
        return np.empty((0, max(window, 2)), dtype=np.float64)
    return sliding_window_view(returns, window)


def _deviations(windows: Returns) -> Returns:
    """Standard deviation of each row, ddof 1; exactly 0 where all of a row are equal."""
    spread = windows.max(axis=1) - windows.min(axis=1)
    return np.where(spread == 0, 0.0, windows.std(axis=1, ddof=1))
