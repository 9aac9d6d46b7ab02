"""Growth over matched periods: the last complete steps against as many steps a cycle earlier.

Matched means that both stretches are equally long and begin in the same phase (28 days hold four of each weekday; 364
days earlier is the same weekday), so that a season or a short month is not taken for growth.
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.insights.finding import Basis, Finding, Kind
from domain.insights.series import observed
from domain.metrics.value import Reason, Stat, ratio

METHOD = "sum of the last steps against the sum of the matched steps before"


class Growth(Finding, frozen=True, tag=Kind.GROWTH.value):
    """Two matched stretches and the move between them."""

    now: float
    before: float
    change: float
    rate: Stat  # change / |before|


def growth(values: Sequence[float], length: int, lag: int) -> Growth | Reason:
    """Of the last `length` steps against those `lag` steps earlier; leave an unfinished step out of `values`."""
    minimum = length + lag
    series = observed(values, minimum)
    if isinstance(series, Reason):
        return series
    if length < 1 or lag < length:
        return Reason.TOO_FEW  # nothing, or stretches that overlap and share their change
    now = float(series[-length:].sum())
    before = float(series[-minimum:-lag].sum())
    return Growth(Basis(METHOD, 1, 2 * length, minimum), now, before, now - before, ratio(now - before, abs(before)))
