"""Which observations do not belong: robust z of what trend and season leave, the remainder of STL.

The series is looked at twice. A robust STL finds what is wild; that is replaced by what was expected there, and a plain
STL of the rest measures every observation. Once is not enough: a wild value bends the season around it, so that its
neighbours one period away look wild too, and the weights of a robust fit make what it weighed down look wilder than it
is. The seasonal window is wide, because a narrow one follows the noise and leaves too small a remainder to judge by.

A positive series whose parts multiply (prices, revenue: swings grow with the level) is judged by its logarithms.
Without a season the level is a running median.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from domain.insights.decomposition import quick, stl
from domain.insights.finding import Basis, Finding, Kind
from domain.insights.periods import period_of
from domain.insights.series import LARGEST, ROUNDING, Floats, observed, spread
from domain.metrics.value import Reason

METHOD = "robust z (median, MAD) of the remainder of STL, wild values replaced before the second of two looks"
MINIMUM = 12
WINDOW = 13  # steps of the running median, where there is no season
SEASONAL = 25  # periods that the season is smoothed over: a year and a half of weeks, two years of months
BULK = 0.9  # of the remainders: the median does not see that some parts of a series swing wider than others
CLOSER = 0.9  # of the remainder is left to logarithms, at most, before they are preferred


class Sensitivity(StrEnum):
    """How far from expected is too far."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


# Robust standard deviations. Remainders of real series have heavier tails than the normal distribution, where 3.5
# would flag one in two thousand; at 5 a year of hours is quiet until something happens.
THRESHOLDS = {Sensitivity.LOW: 8.0, Sensitivity.NORMAL: 5.0, Sensitivity.HIGH: 3.5}


class Anomaly(msgspec.Struct, frozen=True):
    """One observation that does not belong."""

    index: int
    value: float
    expected: float
    score: float  # (value − expected) in robust standard deviations


class Anomalies(Finding, frozen=True, tag=Kind.ANOMALIES.value):
    """The anomalies of a series in time order; none is an answer too."""

    period: int  # of the season, 1 for none
    threshold: float
    logarithms: bool  # whether the remainder is relative to the level
    spread: float  # robust standard deviation of the remainder, in the units of the series or its logarithm
    points: tuple[Anomaly, ...]


def anomalies(
    values: Sequence[float], period: int | None = None, sensitivity: Sensitivity = Sensitivity.NORMAL
) -> Anomalies | Reason:
    """The anomalies; `period` in steps, 1 for no season, None to find it out. Refused below two full periods."""
    import numpy as np

    series = observed(values, max(MINIMUM, 2 * (period or 1)))
    if isinstance(series, Reason):
        return series
    period = _period(series) if period is None else max(1, period)
    threshold = THRESHOLDS[sensitivity]
    seen, first = _better_seen(series, period)
    logarithms = seen is not series
    clean = np.where(np.abs(_scores(seen, first)[0]) > threshold, first, seen)
    clean = clean.clip(-LARGEST, LARGEST)  # what is expected of the largest may lie a little beyond
    expected = _expected(clean, period, robust=False)
    scores, deviation = _scores(seen, expected)
    level = np.exp(expected) if logarithms else expected
    points = tuple(
        Anomaly(int(i), float(series[i]), float(level[i]), float(scores[i]))
        for i in np.flatnonzero(np.abs(scores) > threshold)
    )
    basis = Basis(METHOD, 1, series.size, max(MINIMUM, 2 * period))
    return Anomalies(basis, period, threshold, logarithms, deviation, points)


def newest_score(values: Sequence[float]) -> float | Reason:
    """How far the last value lies from what those before it let expect, in robust standard deviations.

    `anomalies` fits both sides of a value, and so cannot judge the last one. Expected is the fit of one period before,
    without a season the median of the last `WINDOW` values. 0 where those before leave no more than rounding.
    """
    import numpy as np

    series = observed(values[:-1], MINIMUM)
    if isinstance(series, Reason):
        return series
    period = _period(series)
    fitted = _expected(series, period, robust=True)
    expected = fitted[-period] if period > 1 else np.median(series[-WINDOW:])
    deviation = spread(series - fitted)
    if deviation <= ROUNDING * float(np.abs(series).max()):
        return 0.0
    return float((values[-1] - expected) / deviation)


def _better_seen(series: Floats, period: int) -> tuple[Floats, Floats]:
    """The series, or its logarithms where they leave a smaller remainder, and what is expected of it.

    Remainders are compared in the units of the series at its geometric mean, as Box & Cox (1964) compare likelihoods.
    """
    import numpy as np

    expected = _expected(series, period, robust=True)
    if series.min() <= 0:
        return series, expected
    logarithms = np.log(series)
    relative = _expected(logarithms, period, robust=True)
    left, plain = (float(np.quantile(np.abs(rest), BULK)) for rest in (logarithms - relative, series - expected))
    better = left * math.exp(float(logarithms.mean())) < CLOSER * plain
    return (logarithms, relative) if better else (series, expected)


def _period(series: Floats) -> int:
    period = period_of(series)
    return 1 if isinstance(period, Reason) else period


def _expected(series: Floats, period: int, robust: bool) -> Floats:
    """What trend and season say about every observation."""
    import numpy as np

    if period > 1:
        parts = stl(series, period, quick(period, SEASONAL, robust))
        assert not isinstance(parts, Reason)  # the caller has seen two full periods
        return parts.fitted
    half = min(WINDOW, series.size) // 2
    padded = np.pad(series, half, mode="reflect", reflect_type="odd")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1), axis=1)


def _scores(series: Floats, expected: Floats) -> tuple[Floats, float]:
    """Robust z of the remainder and its spread; all 0 where only rounding is left."""
    import numpy as np

    remainder = series - expected
    remainder = remainder - np.median(remainder)
    deviation = spread(remainder)
    if deviation <= ROUNDING * float(np.abs(series).max()):
        return np.zeros(series.size), 0.0
    return remainder / deviation, deviation
