"""Equity curve: the account's level at the start and after each day.

Three forms: an index that begins at 1 and moves with the returns (flows do not move it), its distance below its peak
(underwater curve, 0 or a negative fraction), and the summed P&L in whole trillionths, exact, which begins at 0.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from domain.metrics.trading.returns import Returns, growth, underwater
from domain.metrics.trading.whole import Whole, running
from domain.metrics.value import Reason


def equity_curve(returns: Returns | Reason) -> Returns | Reason:
    """Π(1 + r) after each day; one entry more than there are returns. Days: `Daily.index`."""
    return _curve(returns, growth)


def underwater_curve(returns: Returns | Reason) -> Returns | Reason:
    """Level / peak so far − 1; the same days as `equity_curve`."""
    return _curve(returns, underwater)


def pnl_curve(pnl: Whole) -> Whole:
    """Σ P&L after each day, after a 0 for the start."""
    reached = running(pnl)
    return np.concatenate((np.zeros(1, dtype=reached.dtype), reached))


def _curve(returns: Returns | Reason, form: Callable[[Returns], Returns]) -> Returns | Reason:
    if isinstance(returns, Reason):
        return returns
    if not returns.size:
        return Reason.NO_DATA
    with np.errstate(all="ignore"):
        curve = form(returns)
    return curve if np.isfinite(curve).all() else Reason.NOT_FINITE
