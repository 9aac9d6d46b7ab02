"""Exponential smoothing of the additive class (Hyndman, Koehler, Ord & Snyder 2008): level, damped trend, season.

The model in its reduced form is A(L) y = Θ(L) e, so the one-step errors are two linear filters, and they depend on the
initial state linearly: for given smoothing weights the best initial state is a least-squares solution, and only the two
to four weights are searched. That is exact and some twenty times faster than searching states and weights together.
Multiplicative behaviour is the same model on logarithms.

Its cost grows with the square of the period. A season too long for it is taken off by STL beforehand, and the last of
its cycles goes on (Hyndman & Athanasopoulos, Forecasting, 13.4): bands are those of the rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import msgspec

from domain.insights.decomposition import quick, stl
from domain.insights.series import Floats
from domain.metrics.value import Reason

LEAST_DAMPING, MOST_DAMPING = 0.8, 0.98  # of the trend a step, the usual bounds: below is no trend, above no damping
ITERATIONS = 200
FLAT = 9.0  # logits beyond it are as good as 0 and 1, and the likelihood has no slope there
SEASONAL = 11  # cycles that a season which is taken off is smoothed over
EXACT = 1e-24  # error variance, in variances of the series, below which a fit counts as exact


class Form(msgspec.Struct, frozen=True):
    """Which parts the model has."""

    trend: bool = False
    damped: bool = False
    period: int = 1  # of the season, 1 for none
    apart: int = 1  # period of a season that is taken off beforehand, 1 for none
    logarithms: bool = False  # the model is of the logarithm, so all parts multiply

    @property
    def name(self) -> str:
        """As in the literature: ETS(error, trend, season)."""
        trend = ("Ad" if self.damped else "A") if self.trend else "N"
        season = f"A[{self.period}]" if self.period > 1 else "N"
        taken_off = f"STL[{self.apart}] + " if self.apart > 1 else ""
        return f"{taken_off}ETS(A,{trend},{season})" + (" of logarithms" if self.logarithms else "")

    @property
    def initial(self) -> int:
        """Free initial states: level, trend, and the season's phases, which sum to zero."""
        return 1 + self.trend + (self.period - 1)

    @property
    def parameters(self) -> int:
        """Estimated numbers: weights, damping, initial states, a season taken off, and the error variance."""
        return 1 + self.trend + self.damped + (self.period > 1) + self.initial + (self.apart - 1) + 1


class Weights(msgspec.Struct, frozen=True):
    """The smoothing weights, in the form's own bounds; 0 for parts that are not there."""

    level: float
    trend: float
    season: float
    damping: float  # 1 for a trend that is not damped


@dataclass(frozen=True)
class Fitted:
    """A form with its weights and its one-step errors."""

    form: Form
    weights: Weights
    series: Floats  # as the model sees it: logarithms where it is of them, without the season that was taken off
    errors: Floats
    variance: float  # of an error, by degrees of freedom
    criterion: float  # AICc, comparable between forms of one series
    season: Floats  # the next cycle of what was taken off; one 0 where nothing was

    def mean(self, horizon: int) -> Floats:
        """Expected values of the next steps, as the model sees them."""
        import numpy as np

        ar, ma = polynomials(self.form, self.weights)
        future = np.concatenate((self.series, np.zeros(horizon)))
        errors = np.concatenate((self.errors, np.zeros(horizon)))
        for t in range(self.series.size, future.size):
            reach = min(ar.size - 1, t)
            past, shocks = future[t - reach : t][::-1], errors[t - reach : t][::-1]
            future[t] = ma[1 : reach + 1] @ shocks - ar[1 : reach + 1] @ past
        return future[self.series.size :] + np.resize(self.season, horizon)

    def deviation(self, horizon: int) -> Floats:
        """Standard deviations of those steps: σ² (1 + Σ c²), c_j = α + β (φ + … + φ^j) + γ where j is a full period."""
        import numpy as np

        w, steps = self.weights, np.arange(1, horizon)
        carried = w.level + w.trend * np.cumsum(w.damping**steps)
        if self.form.period > 1:
            carried = carried + w.season * (steps % self.form.period == 0)
        return np.sqrt(self.variance * np.concatenate(([1.0], 1 + np.cumsum(carried**2))))


def polynomials(form: Form, weights: Weights) -> tuple[Floats, Floats]:
    """A(L) and Θ(L), equally long, both beginning with 1."""
    import numpy as np

    difference = np.zeros(form.period + 1)  # 1 − L^m
    difference[0], difference[-1] = 1.0, -1.0
    summed = np.ones(form.period)  # (1 − L^m) / (1 − L)
    damping = np.array([1.0, -weights.damping]) if form.trend else np.array([1.0])
    ar = np.convolve(difference, damping)
    ma = ar.copy()
    _add(ma, weights.level * np.convolve(summed, damping), 1)
    if form.trend:
        _add(ma, weights.trend * weights.damping * summed, 1)
    if form.period > 1:
        _add(ma, weights.season * damping, form.period)
    return ar, ma


def _add(polynomial: Floats, other: Floats, power: int) -> None:
    polynomial[power : power + other.size] += other


def fit(series: Floats, form: Form) -> Fitted | Reason:
    """The weights of highest likelihood. `series` must be positive for a form of logarithms."""
    import numpy as np
    from scipy.optimize import minimize  # type: ignore[import-untyped]  # the library carries no types

    if series.size <= form.parameters + 1 or series.size < 2 * max(form.period, form.apart):
        return Reason.TOO_FEW
    seen, season = _without_season(np.log(series) if form.logarithms else series, form.apart)
    scale = float(seen.std())
    if scale == 0:
        return Reason.NO_DISPERSION
    standard = (seen - seen.mean()) / scale
    floor = standard.size * EXACT

    def unlikely(free: Floats) -> float:
        errors = _errors(standard, form, _bounded(form, free))
        return math.log(max(float(errors @ errors), floor))

    options = {"maxiter": ITERATIONS, "xatol": 1e-3, "fatol": 1e-7}
    starts = _starts(form)
    bounds = [(-FLAT, FLAT)] * len(starts[0])
    tried = [minimize(unlikely, start, method="Nelder-Mead", bounds=bounds, options=options) for start in starts]
    weights = _bounded(form, min(tried, key=lambda result: float(result.fun)).x)
    errors = _errors(standard, form, weights) * scale
    squares, n = float(errors @ errors), seen.size
    likelihood = n * math.log(max(squares / n, EXACT * float(seen.var())))
    if form.logarithms:
        likelihood += 2 * float(np.log(series).sum())  # the Jacobian: densities of y, not of log y
    k = form.parameters
    criterion = likelihood + 2 * k + 2 * k * (k + 1) / (n - k - 1)
    return Fitted(form, weights, seen, errors, squares / (n - form.initial), criterion, season)


def _without_season(series: Floats, period: int) -> tuple[Floats, Floats]:
    """The series without a season of that length, and the season's next cycle."""
    import numpy as np

    if period < 2:
        return series, np.zeros(1)
    parts = stl(series, period, quick(period, SEASONAL))
    assert not isinstance(parts, Reason)  # the caller has seen two full periods
    return series - parts.seasons[0], parts.seasons[0][-period:]


def _starts(form: Form) -> list[list[float]]:
    """Where to search from: a season that hardly changes and one that changes fast are two hills of the likelihood."""
    seasons = [[_logit(0.1)], [_logit(0.6)]] if form.period > 1 else [[]]
    return [[_logit(0.3), *[_logit(0.1)] * form.trend, *season, *[0.0] * form.damped] for season in seasons]


def _errors(series: Floats, form: Form, weights: Weights) -> Floats:
    """One-step errors from the best initial state."""
    import numpy as np
    from scipy.signal import lfilter  # type: ignore[import-untyped]  # the library carries no types

    ar, ma = polynomials(form, weights)
    impulse = np.zeros(series.size)
    impulse[0] = 1.0
    response = lfilter([1.0], ma, impulse)
    free = lfilter(ar, ma, series)
    starts = np.column_stack([np.concatenate((np.zeros(k), response[: response.size - k])) for k in range(ar.size - 1)])
    # The normal equations are as small as the state; a decomposition of the tall matrix took 73 ms on two busy cores.
    best = np.linalg.lstsq(starts.T @ starts, starts.T @ free, rcond=None)[0]
    errors: Floats = free - starts @ best
    return errors


def _bounded(form: Form, free: Floats) -> Weights:
    """Weights in their usual bounds, 0 < α < 1, 0 < β < α, 0 < γ < 1 − α, from numbers without bounds."""
    values = iter(free)
    level = _share(next(values))
    trend = level * _share(next(values)) if form.trend else 0.0
    season = (1 - level) * _share(next(values)) if form.period > 1 else 0.0
    damping = LEAST_DAMPING + (MOST_DAMPING - LEAST_DAMPING) * _share(next(values)) if form.damped else 1.0
    return Weights(level, trend, season, damping)


def _share(free: float) -> float:
    return 1 / (1 + math.exp(-float(free)))


def _logit(share: float) -> float:
    return math.log(share / (1 - share))
