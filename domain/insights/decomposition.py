"""Trend, season and remainder of a series: STL (Cleveland et al. 1990) and MSTL.

STL comes from statsmodels, which agrees with Cleveland's Fortran. MSTL (Bandara, Hyndman & Bergmeir 2021) is STL for
one season after the other, twice around. Every sum of the parts is the series, up to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from domain.insights.series import Floats, observed
from domain.metrics.value import Reason

ROUNDS = 2  # of MSTL over all seasons
NARROWEST, WIDER = 7, 4  # its seasonal windows: 11, 15, 19, … from the shortest season to the longest


class Smoothing(msgspec.Struct, frozen=True):
    """Settings of STL under its own names; None is the rule of Cleveland et al. Windows are odd, in steps."""

    seasonal: int = 7
    trend: int | None = None  # the smallest odd number above 1.5 × period / (1 − 1.5 / seasonal)
    low_pass: int | None = None  # the smallest odd number above the period
    seasonal_deg: int = 1
    trend_deg: int = 1
    low_pass_deg: int = 1
    seasonal_jump: int = 1  # smooth every so many steps, between them interpolate
    trend_jump: int = 1
    low_pass_jump: int = 1
    robust: bool = False  # weigh wild values down
    inner_iter: int | None = None  # 5, robust 2
    outer_iter: int | None = None  # 0, robust 15


@dataclass(frozen=True)
class Decomposition:
    """The parts of a series, each as long as it."""

    trend: Floats
    seasons: tuple[Floats, ...]  # one a period, shortest first
    remainder: Floats
    weights: Floats  # robustness weights, 1 where nothing was weighed down

    @property
    def fitted(self) -> Floats:
        """The series without its remainder, in its own units."""
        return self.trend + sum(self.seasons)


def stl(values: Sequence[float] | Floats, period: int, smoothing: Smoothing | None = None) -> Decomposition | Reason:
    """Trend, one season and remainder; refused below two full periods."""
    series = observed(values, 2 * max(2, period))
    if isinstance(series, Reason):
        return series
    if period < 2:
        return Reason.TOO_FEW
    from statsmodels.tsa.stl._stl import STL  # type: ignore[import-untyped]  # the library carries no types

    settings = smoothing or Smoothing()
    names = [name for name in settings.__struct_fields__ if name not in ("inner_iter", "outer_iter")]
    model = STL(series, period, **{name: getattr(settings, name) for name in names})
    parts = model.fit(settings.inner_iter, settings.outer_iter)
    return Decomposition(parts.trend, (parts.seasonal,), parts.resid, parts.weights)


def mstl(
    values: Sequence[float] | Floats, periods: Sequence[int], robust: bool = False, smooth_every_step: bool = False
) -> Decomposition | Reason:
    """Trend, a season for each period and remainder; refused below two full periods of the longest.

    Ten times slower if it is to `smooth_every_step`; the difference is far below the remainder.
    """
    import numpy as np

    lengths = sorted(set(periods))
    series = observed(values, 2 * max((2, *lengths)))
    if isinstance(series, Reason):
        return series
    if not lengths or lengths[0] < 2:
        return Reason.TOO_FEW
    seasons = [np.zeros(series.size) for _ in lengths]
    parts: Decomposition | None = None
    for _ in range(ROUNDS if len(lengths) > 1 else 1):
        for number, period in enumerate(lengths):
            others = sum((season for i, season in enumerate(seasons) if i != number), np.zeros(series.size))
            window = NARROWEST + WIDER * (number + 1)
            smoothing = Smoothing(window, robust=robust) if smooth_every_step else quick(period, window, robust)
            part = stl(series - others, period, smoothing)
            if isinstance(part, Reason):
                return part
            parts, seasons[number] = part, part.seasons[0]
    assert parts is not None  # there is at least one period
    return Decomposition(parts.trend, tuple(seasons), parts.remainder, parts.weights)


def quick(period: int, seasonal: int = NARROWEST, robust: bool = False) -> Smoothing:
    """Settings as Cleveland et al. advise where speed counts: smoothed every tenth of a window, five robust rounds."""
    trend = 1.5 * period / (1 - 1.5 / seasonal)
    return Smoothing(
        seasonal=seasonal,
        trend_jump=math.ceil(trend / 10),
        low_pass_jump=math.ceil(period / 10),
        robust=robust,
        outer_iter=5 if robust else None,
    )


def strength(component: Floats, remainder: Floats) -> float:
    """How much of what varies is the component: max(0, 1 − Var(R) / Var(C + R)); Hyndman & Athanasopoulos, 4.3."""
    whole = float((component + remainder).var())
    return max(0.0, 1 - float(remainder.var()) / whole) if whole > 0 else 0.0
