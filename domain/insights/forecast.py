"""What comes next: exponential smoothing with 80 and 95 % bands, chosen by AICc, back-tested by rolling origin.

The back-test forecasts from earlier ends of the series, knowing only what lay before them: the form is chosen at the
first of them, the weights are fitted at each. It is measured at the same origins beside seasonal naive (the value one
period earlier) of that plausible season, or of none, by which it is best; a forecast whose `skill` is not positive
should not be shown.

Of several seasons AICc chooses one. Those for which the model would cost too much (`AFFORDABLE`) are taken off by STL
beforehand, so that a season of 168 hours in 3,600 is a matter of seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from domain.insights.exponential_smoothing import Fitted, Form, fit
from domain.insights.finding import Basis, Finding, Kind
from domain.insights.series import Floats, observed
from domain.metrics.value import Reason, Stat, finite, ratio

METHOD = (
    "additive exponential smoothing of the series or its logarithm, by AICc, long seasons taken off by STL;"
    " back-test by rolling origin"
)
VERSION = 2  # 1 knew one season, and compared with seasonal naive of that alone
AFFORDABLE = 2_000_000  # steps × period²
MINIMUM = 10
ORIGINS = 8
QUANTILES = {80: 1.281552, 95: 1.959964}  # of a standard normal, two-sided
LARGEST_LOGARITHM = 230.0  # of a band's end; e^230 is 1e100


class Band(msgspec.Struct, frozen=True):
    """Where the next steps lie with a stated probability."""

    level: int  # percent
    low: tuple[float, ...]
    high: tuple[float, ...]


class BackTest(msgspec.Struct, frozen=True):
    """Errors of forecasts from earlier ends, over all origins and steps."""

    origins: int
    horizon: int
    mae: float
    naive_period: int  # the season by which seasonal naive is best; 1: the value before
    naive_mae: float  # of seasonal naive by it, at the same origins
    skill: Stat  # 1 − mae / naive_mae: above 0 is better than seasonal naive of every plausible season
    mape: Stat  # undefined where an actual value is zero
    mase: Stat  # mae / mean absolute change over that season before the first origin
    coverage: tuple[tuple[int, float], ...]  # level of the band, share of actual values inside


class Forecast(Finding, frozen=True, tag=Kind.FORECAST.value):
    """The next steps: medians and bands. Without logarithms a band may reach below zero."""

    model: str
    steps: tuple[float, ...]
    bands: tuple[Band, ...]
    back_test: BackTest | Reason  # why the series is too short to test on


def forecast(
    values: Sequence[float], horizon: int, seasons: Sequence[int] = (), origins: int = ORIGINS
) -> Forecast | Reason:
    """The next `horizon` steps of a series that may have these `seasons`, in steps.

    Refused below two full periods of the longest.
    """
    minimum = max(MINIMUM, 2 * max(seasons, default=1))
    series = observed(values, minimum)
    if isinstance(series, Reason):
        return series
    if horizon < 1 or min(seasons, default=1) < 1:
        return Reason.TOO_FEW
    chosen = choose(series, seasons)
    if isinstance(chosen, Reason):
        return chosen
    return Forecast(
        basis=Basis(METHOD, VERSION, series.size, minimum),
        model=chosen.form.name,
        steps=_in_units(chosen, chosen.mean(horizon)),
        bands=bands(chosen, horizon),
        back_test=back_test(series, horizon, seasons, origins),
    )


def choose(series: Floats, seasons: Sequence[int]) -> Fitted | Reason:
    """The form of lowest AICc among level, trend and damped trend, with each season and none, with logarithms."""
    import numpy as np

    if np.ptp(series) <= 1e-12 * float(np.abs(series).max()):
        return Reason.NO_DISPERSION
    fits = [fit(series, form) for form in _forms(series.size, seasons, positive=bool(series.min() > 0))]
    fitted = [each for each in fits if not isinstance(each, Reason)]
    return min(fitted, key=lambda each: each.criterion) if fitted else Reason.TOO_FEW


def _forms(size: int, seasons: Sequence[int], positive: bool) -> list[Form]:
    return [
        Form(trend, damped, season if affordable else 1, 1 if affordable else season, logarithms)
        for season in sorted({1, *seasons})
        for affordable in [size * season**2 <= AFFORDABLE]
        for trend, damped in ((False, False), (True, False), (True, True))
        for logarithms in ((False, True) if positive else (False,))
    ]


def bands(fitted: Fitted, horizon: int) -> tuple[Band, ...]:
    """The bands of the next steps, narrowest first."""
    mean, deviation = fitted.mean(horizon), fitted.deviation(horizon)
    return tuple(
        Band(level, _in_units(fitted, mean - z * deviation), _in_units(fitted, mean + z * deviation))
        for level, z in QUANTILES.items()
    )


def _in_units(fitted: Fitted, steps: Floats) -> tuple[float, ...]:
    """In the units of the series."""
    if not fitted.form.logarithms:
        return tuple(float(step) for step in steps)
    return tuple(math.exp(min(LARGEST_LOGARITHM, max(-LARGEST_LOGARITHM, float(step)))) for step in steps)


def back_test(series: Floats, horizon: int, seasons: Sequence[int] = (), origins: int = ORIGINS) -> BackTest | Reason:
    """Forecasts from `origins` earlier ends, evenly over the last half, against what came."""
    import numpy as np

    first = max(series.size // 2, MINIMUM, 2 * max(seasons, default=1) + 1)
    last = series.size - horizon
    if last < first or origins < 1:
        return Reason.TOO_FEW
    ends = sorted({round(end) for end in np.linspace(first, last, origins)})
    form = choose(series[: ends[0]], seasons)
    if isinstance(form, Reason):
        return form
    fits = [(end, fit(series[:end], form.form)) for end in ends]
    usable = [(end, fitted) for end, fitted in fits if not isinstance(fitted, Reason)]
    if not usable:
        return Reason.TOO_FEW
    actual = np.array([series[end : end + horizon] for end, _ in usable])
    naive = _best_naive(series, [end for end, _ in usable], actual, seasons)
    change = float(np.abs(series[naive.period : ends[0]] - series[: ends[0] - naive.period]).mean())
    return _compared(actual, naive, [fitted for _, fitted in usable], change)


class _Naive(NamedTuple):
    """Seasonal naive of a period, and its mean absolute error."""

    mae: float
    period: int


def _best_naive(series: Floats, ends: Sequence[int], actual: Floats, seasons: Sequence[int]) -> _Naive:
    """Of all plausible seasons the one by which seasonal naive is best; of equals the shortest."""
    import numpy as np

    return min(
        _Naive(float(np.abs(actual - [_seasonal_naive(series[:end], actual.shape[1], p) for end in ends]).mean()), p)
        for p in {1, *seasons}
    )


def _seasonal_naive(series: Floats, horizon: int, period: int) -> list[float]:
    return [float(series[series.size - period + step % period]) for step in range(horizon)]


def _compared(actual: Floats, naive: _Naive, fits: list[Fitted], change: float) -> BackTest:
    import numpy as np

    horizon = actual.shape[1]
    predicted = np.array([_in_units(fitted, fitted.mean(horizon)) for fitted in fits])
    errors = np.abs(actual - predicted)
    mae = float(errors.mean())
    worse = ratio(mae, naive.mae)
    return BackTest(
        origins=len(fits),
        horizon=horizon,
        mae=mae,
        naive_period=naive.period,
        naive_mae=naive.mae,
        skill=worse if isinstance(worse, Reason) else 1 - worse,
        mape=finite(float((errors / np.abs(actual)).mean())) if actual.all() else Reason.ZERO_DENOMINATOR,
        mase=ratio(mae, change),
        coverage=_coverage(actual, fits),
    )


def _coverage(actual: Floats, fits: list[Fitted]) -> tuple[tuple[int, float], ...]:
    """For each level the share of actual values in its band."""
    inside: dict[int, list[bool]] = {level: [] for level in QUANTILES}
    for row, fitted in zip(actual, fits, strict=True):
        for band in bands(fitted, len(row)):
            limits = zip(band.low, row, band.high, strict=True)
            inside[band.level] += [bool(low <= value <= high) for low, value, high in limits]
    return tuple((level, sum(hits) / len(hits)) for level, hits in inside.items())
