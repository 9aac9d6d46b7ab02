"""Which season a series has, where nobody says: the shortest lag at which it resembles itself best.

A slow drift (a running mean over a third of the series) is taken off and wild values are cut, because either would hide
a season. Candidates are peaks of the autocorrelation that come again at twice the lag, with four full periods of data:
the wandering of a series without season has peaks too, but no second ones. Multiples of a season peak as high as the
season itself, so the shortest of the near-best is taken.
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
    rest = series - level
    rest -= np.median(rest)
    limit = CUT * spread(rest)
    return np.clip(rest, -limit, limit)
