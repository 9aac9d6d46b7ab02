"""When the largest drawdown began, was deepest and was made good, and the longest time below a peak.

Peak: the last day at the level that was lost. Trough: the first day of the deepest fall. Recovery: the first day after
it that is back at the level; none while it lasts. A level counts as reached within 10⁻¹², since the running product
rounds. Days below a peak are calendar days from the peak to the recovery, or to the last day of the series
(backtesting.py: "Max. Drawdown Duration").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.metrics.trading.calendars import Days
from domain.metrics.trading.equity_curve import underwater_curve
from domain.metrics.trading.returns import NEGLIGIBLE, Returns
from domain.metrics.value import Reason


@dataclass(frozen=True)
class DrawdownDates:
    """Days since 1970-01-01."""

    peak: int
    trough: int
    recovery: int | None


def max_drawdown_dates(returns: Returns | Reason, index: Days) -> DrawdownDates | Reason:
    """The dates of the largest drawdown. `index`: the day of the start, then the day of each return."""
    below = underwater_curve(returns)
    if isinstance(below, Reason):
        return below
    trough = int(np.argmin(below))
    if below[trough] >= -NEGLIGIBLE:
        return Reason.NO_DRAWDOWN
    afloat = np.flatnonzero(below >= -NEGLIGIBLE)
    later = afloat[afloat > trough]
    peak = int(afloat[afloat < trough][-1])
    return DrawdownDates(int(index[peak]), int(index[trough]), int(index[later[0]]) if later.size else None)


def longest_underwater_days(returns: Returns | Reason, index: Days) -> int | Reason:
    """Most calendar days from a peak to the day when it was reached again; 0 without a fall."""
    below = underwater_curve(returns)
    if isinstance(below, Reason):
        return below
    marks = np.unique(np.append(np.flatnonzero(below >= -NEGLIGIBLE), below.size - 1))
    fallen = np.diff(marks) > 1
    if below[-1] < -NEGLIGIBLE:  # the last day need not be a whole step away from the peak to be below it
        fallen[-1] = True
    lengths = np.diff(index[marks])[fallen]
    return int(lengths.max()) if lengths.size else 0
