"""Where a series breaks: the best division into straight pieces, each with a level and a slope of its own.

For every number of breaks up to sixty the division with the least squared error is found exactly, by dynamic
programming (Bai & Perron 2003), and the number that the Schwarz criterion prefers is kept: three parameters a break,
and as many independent observations as the autocorrelation of the noise leaves, because a slow wander is not a break.
That is measured without knowing the breaks: of changes from step to step, whose neighbours correlate by (ρ − 1) / 2,
and in which a break is one wild value. Where the residuals of what is kept wander more than that, theirs counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from domain.insights.finding import Basis, Finding, Kind
from domain.insights.series import ROUNDING, Floats, autocorrelations, observed, spread
from domain.metrics.value import Reason

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


METHOD = "piecewise straight lines by dynamic programming; number by the Schwarz criterion"
SHORTEST = 7  # points a piece: a line through fewer fits whatever is there
MOST = 60  # breaks that are looked for: one a month in five years of days
WILD = 3.0  # robust standard deviations, above which a change from step to step is no noise
VERSION = 2  # 1 looked for five breaks at most, and took them for wandering where there were more
PARAMETERS = 3  # a break adds its place, a level and a slope
STRONG = 6.0  # each must also show what Kass & Raftery (1995) call strong evidence: 2 ln of a Bayes factor of 20
CLOSE_ENOUGH = 0.01  # of an autocorrelation: what residuals may wander more
EXACT = 1e-10  # mean squared error, in variances, below which a fit counts as exact


class ChangePoint(msgspec.Struct, frozen=True):
    """The first step of a new piece."""

    index: int
    before: float  # the old line, at this step
    after: float  # the new line, at this step
    slope_before: float
    slope_after: float


class ChangePoints(Finding, frozen=True, tag=Kind.CHANGE_POINTS.value):
    """The breaks of a series, in time order; none is an answer too."""

    points: tuple[ChangePoint, ...]
    gain: float  # how far the criterion fell against no break


def change_points(values: Sequence[float], shortest: int = SHORTEST) -> ChangePoints | Reason:
    """The breaks of a series without season, pieces of at least `shortest` steps. O(n²) arithmetic, O(n) memory."""
    shortest = max(SHORTEST, shortest)
    series = observed(values, 2 * shortest)
    if isinstance(series, Reason):
        return series
    basis = Basis(METHOD, VERSION, series.size, 2 * shortest)
    centre, scale = float(series.mean()), float(series.std())
    if scale <= ROUNDING * abs(centre) or scale == 0:
        return ChangePoints(basis, (), 0.0)
    standard = (series - centre) / scale
    errors, came_from = _divisions(standard, shortest)
    rho = _resemblance(standard)
    while True:
        independent = series.size * (1 - rho) / (1 + rho)
        scores = [_criterion(error, breaks, series.size, independent) for breaks, error in enumerate(errors)]
        best = min(range(len(scores)), key=scores.__getitem__)
        places = _traced(came_from, best, series.size)
        left = float(autocorrelations(standard - _fitted(standard, places))[1])
        if left <= rho + CLOSE_ENOUGH:
            break
        rho = left
    points = tuple(_point(series, places, number) for number in range(best))
    return ChangePoints(basis, points, scores[0] - scores[best])


def _divisions(y: Floats, shortest: int) -> tuple[list[float], NDArray[np.int64]]:
    """For 0, 1, … breaks the least mean squared error; by breaks and end of a division where its last break lies."""
    import numpy as np

    n, most = y.size, min(MOST, y.size // shortest - 1)
    error = np.full((most + 1, n + 1), np.inf)  # error[k, j]: of the first j points with k breaks
    came_from = np.zeros((most + 1, n + 1), dtype=np.int64)
    costs = _Costs(y)
    for end in range(shortest, n + 1):
        cost = costs.until(end, end - shortest + 1)
        error[0, end] = cost[0]
        if most and end >= 2 * shortest:
            tried = error[:-1, : cost.size] + cost
            came_from[1:, end] = tried.argmin(axis=1)
            error[1:, end] = tried.min(axis=1)
    return (error[:, n] / n).tolist(), came_from


class _Costs:
    """Squared error of a straight line through any stretch, from running sums."""

    def __init__(self, y: Floats) -> None:
        import numpy as np

        self._y = np.concatenate(([0.0], np.cumsum(y)))
        self._yy = np.concatenate(([0.0], np.cumsum(y * y)))
        self._ty = np.concatenate(([0.0], np.cumsum(np.arange(y.size) * y)))

    def until(self, end: int, starts: int) -> Floats:
        """Of the stretches [start, end) for start in 0 … starts − 1."""
        import numpy as np

        start = np.arange(starts)
        n = (end - start).astype(float)
        y = self._y[end] - self._y[:starts]
        slant = self._ty[end] - self._ty[:starts] - (start + (n - 1) / 2) * y  # Σ (t − mean t) y
        rest = self._yy[end] - self._yy[:starts] - y * y / n - 12 * slant * slant / (n * (n * n - 1))
        errors: Floats = np.maximum(rest, 0.0)
        return errors


def _traced(came_from: NDArray[np.int64], breaks: int, end: int) -> tuple[int, ...]:
    places: list[int] = []
    for left in range(breaks, 0, -1):
        end = int(came_from[left, end])
        places.append(end)
    return tuple(reversed(places))


def _pieces(n: int, breaks: tuple[int, ...]) -> list[tuple[int, int]]:
    return list(zip((0, *breaks), (*breaks, n), strict=True))


def _line(y: Floats, start: int, end: int) -> tuple[float, float]:
    """Level at `start` and slope of the line of least squares through [start, end)."""
    import numpy as np

    steps = np.arange(end - start) - (end - start - 1) / 2
    slope = float((steps * y[start:end]).sum() / (steps * steps).sum())
    return float(y[start:end].mean()) - slope * (end - start - 1) / 2, slope


def _fitted(y: Floats, breaks: tuple[int, ...]) -> Floats:
    import numpy as np

    pieces = [(_line(y, start, end), end - start) for start, end in _pieces(y.size, breaks)]
    return np.concatenate([level + slope * np.arange(steps) for (level, slope), steps in pieces])


def _resemblance(y: Floats) -> float:
    """The autocorrelation of the noise at lag 1, from 0 to 1, whatever the breaks: 1 + 2 × that of its changes."""
    import numpy as np

    changes = np.diff(y)
    changes = changes - np.median(changes)
    limit = WILD * spread(changes)
    changes = changes.clip(-limit, limit)
    squares = float(changes @ changes)
    return min(1.0, max(0.0, 1 + 2 * float(changes[1:] @ changes[:-1]) / squares)) if squares else 0.0


def _criterion(error: float, breaks: int, size: int, independent: float) -> float:
    return independent * math.log(max(error, EXACT)) + breaks * (PARAMETERS * math.log(size) + STRONG)


def _point(series: Floats, breaks: tuple[int, ...], number: int) -> ChangePoint:
    pieces = _pieces(series.size, breaks)
    (start, middle), (_, end) = pieces[number], pieces[number + 1]
    level_before, slope_before = _line(series, start, middle)
    after, slope_after = _line(series, middle, end)
    return ChangePoint(middle, level_before + slope_before * (middle - start), after, slope_before, slope_after)
