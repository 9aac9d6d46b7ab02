"""Which observations do not belong: robust z of what trend and season leave (the remainder of a robust STL).

A wild value bends the season around it, so that its neighbours one period away look wild too. Therefore the series is
looked at twice: what the first look flags is replaced by what was expected there, and the second look measures every
observation against a season that the wild ones did not touch. Without a season the level is a running median.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from domain.insights.decomposition import quick, stl
from domain.insights.finding import Basis, Finding, Kind
from domain.insights.periods import period_of
from domain.insights.series import ROUNDING, observed, spread
from domain.metrics.value import Reason

if TYPE_CHECKING:
    from domain.insights.series import Floats

METHOD = "robust z (median, MAD) of the remainder of robust STL, wild values replaced and looked at again"
MINIMUM = 12
WINDOW = 13  # steps of the running median, where there is no season


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
    spread: float  # robust standard deviation of the remainder, in the units of the series
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
    expected = _expected(series, period)
    clean = np.where(np.abs(_scores(series, expected)[0]) > threshold, expected, series)
    expected = _expected(clean, period)
    scores, deviation = _scores(series, expected)
    points = tuple(
        Anomaly(int(i), float(series[i]), float(expected[i]), float(scores[i]))
        for i in np.flatnonzero(np.abs(scores) > threshold)
    )
    return Anomalies(Basis(METHOD, 1, series.size, max(MINIMUM, 2 * period)), period, threshold, deviation, points)


def _period(series: Floats) -> int:
    found = period_of(series)
    return 1 if isinstance(found, Reason) else found


def _expected(series: Floats, period: int) -> Floats:
    """What trend and season say about every observation."""
    import numpy as np

    if period > 1:
        parts = stl(series, period, quick(period, robust=True))
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
