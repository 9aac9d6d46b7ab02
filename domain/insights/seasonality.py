"""What recurs in a series, how strongly, and when in the cycle it is high and low."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from domain.insights.decomposition import mstl, strength
from domain.insights.finding import Basis, Finding, Kind
from domain.insights.series import Floats
from domain.metrics.value import Reason

METHOD = "STL, MSTL for several periods; strength 1 − Var(R) / Var(component + R)"


class Season(msgspec.Struct, frozen=True):
    """One season. Phases count from 0 at the first observation."""

    period: int  # steps
    strength: float  # 0 to 1; above 0.64 it is commonly called strong
    profile: tuple[float, ...]  # mean deviation from the trend in each phase
    peak: int  # the phase of the highest
    trough: int


class Seasonality(Finding, frozen=True, tag=Kind.SEASONALITY.value):
    """Strength of the trend and of every season."""

    trend_strength: float
    seasons: tuple[Season, ...]  # shortest first


def seasonality(values: Sequence[float], periods: Sequence[int], robust: bool = False) -> Seasonality | Reason:
    """Seasons of the given lengths in steps; refused below two full periods of the longest."""
    import numpy as np

    parts = mstl(values, periods, robust)
    if isinstance(parts, Reason):
        return parts
    if np.ptp(parts.fitted + parts.remainder) == 0:
        return Reason.NO_DISPERSION
    lengths = sorted(set(periods))
    seasons = (_season(period, part, parts.remainder) for period, part in zip(lengths, parts.seasons, strict=True))
    basis = Basis(METHOD, 1, parts.trend.size, 2 * lengths[-1])
    return Seasonality(basis, strength(parts.trend, parts.remainder), tuple(seasons))


def _season(period: int, component: Floats, remainder: Floats) -> Season:
    profile = [float(component[phase::period].mean()) for phase in range(period)]
    peak, trough = profile.index(max(profile)), profile.index(min(profile))
    return Season(period, strength(component, remainder), tuple(profile), peak, trough)
