"""Where a series is heading: Theil–Sen slope, Mann–Kendall significance.

The slope is the median of all pairwise slopes, so up to 29 % wild values do not move it; its interval comes from the
ranks of those slopes (Sen 1968). S counts the pairs that rise less those that fall; its variance is corrected for ties
(Kendall 1970) and, where neighbouring residuals resemble each other, for that (Hamed & Rao 1998, lags up to the first
insignificant one): the plain test calls half of all random walks trends. With a period only points of the same season
are compared (Hirsch, Slack & Smith 1982), so a season is not taken for a trend.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from domain.insights.finding import Basis, Finding, Kind
from domain.insights.series import Floats, autocorrelations, observed, two_sided
from domain.metrics.value import Reason

METHOD = "Theil–Sen slope; Mann–Kendall test corrected for ties and autocorrelation"
MINIMUM = 10  # below it the normal approximation of S does not hold
MOST_SLOPES = 2_000_000  # of 2,001 points all pairs; of more, pairs at evenly thinned lags
CERTAIN = 1.959964  # two-sided 95 % of a standard normal
SIGNIFICANT = 0.05


class Trend(Finding, frozen=True, tag=Kind.TREND.value):
    """Change a step, and whether it is more than chance."""

    begin: float  # the trend's line at the first step
    slope: float  # units of the series a step
    low: float  # 95 % interval of the slope
    high: float
    p_value: float  # two-sided; the probability of such an S without a trend
    plain_p_value: float  # the same if residuals were independent
    autocorrelation: float  # of the detrended series at lag 1: large means that the plain p-value is too small
    direction: str  # rising, falling or none, at 5 %


def trend(values: Sequence[float], period: int = 1) -> Trend | Reason:
    """The trend of a series in time order; `period` is its season's length in steps, 1 for none. O(n²) comparisons."""
    import numpy as np

    series = observed(values, MINIMUM)
    if isinstance(series, Reason):
        return series
    if series.size < 2 * period or period < 1:
        return Reason.TOO_FEW
    slopes, s = _compared(series, period)
    slope = float(np.median(slopes))
    variance = sum(_variance(series[phase::period]) for phase in range(period))
    ranks = _detrended_ranks(series, slope, period)
    inflation = _inflation(ranks)
    z, plain_z = _z(s, variance * inflation), _z(s, variance)
    low, high = _interval(slopes, variance * inflation, series.size, period)
    return Trend(
        basis=Basis(METHOD, 1, series.size, max(MINIMUM, 2 * period)),
        begin=float(np.median(series - slope * np.arange(series.size))),
        slope=slope,
        low=low,
        high=high,
        p_value=two_sided(z),
        plain_p_value=two_sided(plain_z),
        autocorrelation=float(autocorrelations(ranks)[1]),
        direction="none" if two_sided(z) >= SIGNIFICANT else "rising" if s > 0 else "falling",
    )


def _compared(series: Floats, period: int) -> tuple[Floats, int]:
    """Slopes of the pairs of equal season, and rising less falling pairs."""
    import numpy as np

    lags = range(period, series.size, period)
    pairs = sum(series.size - lag for lag in lags)
    stride = -(-pairs // MOST_SLOPES)
    slopes, s = [], 0
    for number, lag in enumerate(lags):
        rises = series[lag:] - series[:-lag]
        s += int(np.sign(rises).sum())
        if number % stride == 0:
            slopes.append(rises / lag)
    return np.sort(np.concatenate(slopes)), s


def _variance(season: Floats) -> float:
    """Of S, without a trend, among the points of one season."""
    import numpy as np

    n = season.size
    ties = np.unique(season, return_counts=True)[1].astype(float)
    return float((n * (n - 1) * (2 * n + 5) - (ties * (ties - 1) * (2 * ties + 5)).sum()) / 18)


def _detrended_ranks(series: Floats, slope: float, period: int) -> Floats:
    """Ranks of what the trend and the season's medians leave, ties by order."""
    import numpy as np

    rest = series - slope * np.arange(series.size)
    for phase in range(period):
        rest[phase::period] -= np.median(rest[phase::period])
    if np.ptp(rest) <= 1e-9 * float(np.abs(series).max()):
        return np.zeros(series.size)  # a straight line: ranks of rounding errors say nothing
    return np.argsort(np.argsort(rest, kind="stable"), kind="stable").astype(float)


def _inflation(ranks: Floats) -> float:
    """By how much autocorrelation widens the variance of S; never below 1."""
    n, total = ranks.size, 0.0
    for lag, correlation in enumerate(autocorrelations(ranks)[1 : n - 2], start=1):
        if abs(correlation) <= CERTAIN / math.sqrt(n):
            break
        total += (n - lag) * (n - lag - 1) * (n - lag - 2) * float(correlation)
    return max(1.0, 1 + 2 * total / (n * (n - 1) * (n - 2)))


def _z(s: int, variance: float) -> float:
    return (s - math.copysign(1, s)) / math.sqrt(variance) if s and variance else 0.0  # one off: S is discrete


def _interval(slopes: Floats, variance: float, n: int, period: int) -> tuple[float, float]:
    """The slopes whose ranks bound the median with 95 % confidence; thinned slopes by their share of all."""
    pairs = sum(n - lag for lag in range(period, n, period))
    reach = CERTAIN * math.sqrt(variance) / pairs
    last = slopes.size - 1
    low, high = (last * (1 - reach) / 2, last * (1 + reach) / 2)
    return float(slopes[max(0, math.floor(low))]), float(slopes[min(last, math.ceil(high))])
