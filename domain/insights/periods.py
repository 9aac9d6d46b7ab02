"""Which seasons a series has, where nobody says: the shortest lag at which it resembles itself best.

A slow drift (a running mean over a third of the series) is taken off and wild values are cut, because either would hide
a season. Candidates are peaks of the autocorrelation that come again at twice the lag, with four full periods of data:
the wandering of a series without season has peaks too, but no second ones. Multiples of a season peak as high as the
season itself, so the shortest of the near-best is taken.

A season of a usual length, such as a week, hides below a longer one that lies over it. It is asked for by itself: by
the variance between its phases around means over one period, which neither a longer wave nor a change of the level
raises (analysis of variance). What recurs in the rest is found as above.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from domain.insights.series import Floats, autocorrelations, observed, spread
from domain.metrics.value import Reason

SHORTEST = 12  # observations: less says nothing about recurrence
CUT = 3.0  # robust standard deviations
NEAR_BEST = 0.8  # of the highest peak: half a season that alternates stays below
WEAKEST = 0.2  # correlation below which a recurrence is of no use, however certain
AGAIN = 0.5  # of its correlation a season has at least at twice its lag
CYCLES = 4  # full periods needed to tell a season from chance


UNLIKELY = 0.001  # of a variance between phases, without a season
LEAST_SHARE = 0.05  # of the whole variance, below which a season is of no use


def seasons_of(values: Sequence[float] | Floats, usual: Sequence[int] = ()) -> tuple[int, ...]:
    """Lengths of all seasons in steps, shortest first: those of usual lengths, and one that recurs in the rest."""
    series = observed(values, SHORTEST)
    if isinstance(series, Reason):
        return ()
    seasons: list[int] = []
    for period in sorted(usual):
        if series.size >= CYCLES * period and _has_phases(_around_means(series, period), period):
            seasons.append(period)
            series = without_season(series, period)
    other = period_of(series)
    return tuple(sorted({*seasons, *(() if isinstance(other, Reason) else (other,))}))


def without_season(series: Floats, period: int) -> Floats:
    """The series without a season that does not change: the means of its phases, around means over one period."""
    return series - _phases(_around_means(series, period), period)


def _around_means(series: Floats, period: int) -> Floats:
    """The series around means over about one period, wild values cut."""
    import numpy as np

    half = period // 2
    weights = np.full(2 * half + 1, 1 / period)
    if period % 2 == 0:
        weights[0] = weights[-1] = 0.5 / period
    level = np.convolve(np.pad(series, half, mode="reflect", reflect_type="odd"), weights, mode="valid")
    return _cut(series - level)


def _phases(series: Floats, period: int) -> Floats:
    """The mean of its phase at each step."""
    import numpy as np

    means = np.array([series[phase::period].mean() for phase in range(period)])
    return means[np.arange(series.size) % period]


def _has_phases(series: Floats, period: int) -> bool:
    """Whether its phases differ by more than chance, and enough to be of use."""
    from scipy.special import fdtrc  # type: ignore[import-untyped]  # the library carries no types

    n, whole = series.size, float(((series - series.mean()) ** 2).sum())
    rest = series - _phases(series, period)
    within = float(rest @ rest)
    if whole <= 0 or (whole - within) < LEAST_SHARE * whole:
        return False
    if within <= 0:
        return True
    ratio = (whole - within) / (period - 1) / (within / (n - period))
    return float(fdtrc(period - 1, n - period, ratio)) < UNLIKELY


def period_of(values: Sequence[float] | Floats, longest: int | None = None) -> int | Reason:
    """The season's length in steps, at least 2 and at most a quarter of the series; NO_DISPERSION if nothing recurs."""
    import numpy as np

    series = observed(values, SHORTEST)
    if isinstance(series, Reason):
        return series
    correlations = autocorrelations(_levelled(series))
    last = min(series.size // CYCLES, longest or series.size)
    lags = np.arange(2, last + 1)
    here = correlations[lags]
    peak = (here > correlations[lags - 1]) & (here >= correlations[lags + 1])
    certain = here > max(WEAKEST, 2.576 / math.sqrt(series.size))  # 99 %: many lags are looked at
    again = correlations[2 * lags] >= AGAIN * here
    candidates = lags[peak & certain & again]
    if candidates.size == 0:
        return Reason.NO_DISPERSION
    best = float(correlations[candidates].max())
    return int(candidates[correlations[candidates] >= NEAR_BEST * best][0])


def _levelled(series: Floats) -> Floats:
    """The series around its drift, wild values cut."""
    import numpy as np

    half = max(2, series.size // 6)
    padded = np.pad(series, half, mode="reflect", reflect_type="odd")  # odd: a straight line goes on straight
    level = np.convolve(padded, np.full(2 * half + 1, 1 / (2 * half + 1)), mode="valid")
    return _cut(series - level)


def _cut(rest: Floats) -> Floats:
    """Around the median, wild values cut."""
    import numpy as np

    rest = rest - np.median(rest)
    limit = CUT * spread(rest)
    return np.clip(rest, -limit, limit)
