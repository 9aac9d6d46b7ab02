"""Who is likely to leave, how likely, and why: logistic regression on what the event stream says.

Its probabilities are calibrated by construction (on the sample the mean stated probability is the churn rate, and so it
is along every feature); whether that holds for customers that it has not seen is measured by cross-validation, and
shown as Brier score and curve. A driver is coefficient × (feature − mean): with the base they add up to the log-odds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from domain.insights.activity import Features
from domain.insights.calibration import Bin, base_brier, brier, calibration_error, curve
from domain.insights.finding import Basis, Finding, Kind
from domain.insights.series import Floats
from domain.metrics.value import Reason, Stat

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]

METHOD = "logistic regression, ridge of one standardised unit; measured by five-fold cross-validation"
MINIMUM = 100  # customers
RARER = 10  # of those who left, and of those who stayed, for each feature (Peduzzi et al. 1996)
FOLDS = 5
ITERATIONS = 1000


class Coefficient(msgspec.Struct, frozen=True):
    """One feature of the model: `weight` for each standard deviation `sd` above `mean`, in log-odds."""

    feature: str
    mean: float
    sd: float
    weight: float


class Driver(msgspec.Struct, frozen=True):
    """What one feature adds to a customer's log-odds of leaving, against the average customer."""

    feature: str
    value: float
    contribution: float


class Risk(msgspec.Struct, frozen=True):
    """Probability of leaving within the horizon of the model, and its drivers, strongest first."""

    probability: float
    drivers: tuple[Driver, ...]


class Churn(Finding, frozen=True, tag=Kind.CHURN.value):
    """The fitted model and how well it predicted customers that it had not seen."""

    left: int  # of the sample
    intercept: float  # log-odds of the average customer
    coefficients: tuple[Coefficient, ...]
    brier: Stat
    base_brier: Stat  # of stating the churn rate for everybody
    calibration_error: Stat
    curve: tuple[Bin, ...]

    def risk(self, customer: Features) -> Risk:
        """Of one customer; a plain sum, so any process can answer."""
        drivers = [_driver(coefficient, customer) for coefficient in self.coefficients]
        log_odds = self.intercept + math.fsum(driver.contribution for driver in drivers)
        ranked = sorted(drivers, key=lambda driver: (-abs(driver.contribution), driver.feature))
        return Risk(_logistic(log_odds), tuple(ranked))


def churn(customers: Sequence[Features], left: Sequence[bool]) -> Churn | Reason:
    """The model from customers as they were at a moment, and whether they left within the horizon after it."""
    import numpy as np

    if not customers:
        return Reason.NO_DATA
    rows, gone = np.array([msgspec.structs.astuple(customer) for customer in customers]), np.array(left, dtype=bool)
    if not np.isfinite(rows).all() or len(rows) != len(gone):
        return Reason.NOT_FINITE
    varied = [number for number in range(rows.shape[1]) if np.ptp(rows[:, number]) > 0]
    fewest = max(1, len(varied)) * RARER
    if len(rows) < MINIMUM or min(gone.sum(), (~gone).sum()) < fewest:
        return Reason.TOO_FEW
    if not varied:
        return Reason.NO_DISPERSION
    fitted = _fitted(rows[:, varied], gone)
    stated = _cross_validated(rows[:, varied], gone)
    if isinstance(fitted, Reason) or isinstance(stated, Reason):
        return Reason.NO_FIT
    names = [Features.__struct_fields__[number] for number in varied]
    return _result(fitted, names, stated, [bool(one) for one in gone])


class _Fitted(msgspec.Struct, frozen=True):
    mean: list[float]
    sd: list[float]
    weights: list[float]
    intercept: float


def _fitted(rows: Floats, gone: Flags) -> _Fitted | Reason:
    import warnings

    from sklearn.exceptions import ConvergenceWarning  # type: ignore[import-untyped]  # the library carries no types
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # the library carries no types

    mean, sd = rows.mean(axis=0), rows.std(axis=0)
    sd[sd == 0] = 1.0  # constant within a fold: its weight is 0
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            model = LogisticRegression(max_iter=ITERATIONS).fit((rows - mean) / sd, gone)
        except ConvergenceWarning:
            return Reason.NO_FIT
    return _Fitted(mean.tolist(), sd.tolist(), model.coef_[0].tolist(), float(model.intercept_[0]))


def _cross_validated(rows: Floats, gone: Flags) -> list[float] | Reason:
    """For every customer the probability that a model states which was fitted without him."""
    import numpy as np

    fold = np.empty(len(gone), dtype=int)
    for flag in (False, True):  # each fold has its share of those who left
        members = np.flatnonzero(gone == flag)
        fold[members] = np.arange(members.size) % FOLDS
    stated = np.empty(len(gone))
    for number in range(FOLDS):
        fitted = _fitted(rows[fold != number], gone[fold != number])
        if isinstance(fitted, Reason):
            return fitted
        held_out = (rows[fold == number] - fitted.mean) / fitted.sd
        stated[fold == number] = [_logistic(fitted.intercept + float(row @ fitted.weights)) for row in held_out]
    return [float(probability) for probability in stated]


def _result(fitted: _Fitted, names: list[str], stated: list[float], gone: list[bool]) -> Churn:
    bins = curve(stated, gone)
    return Churn(
        basis=Basis(METHOD, 1, len(gone), MINIMUM),
        left=sum(gone),
        intercept=fitted.intercept,
        coefficients=tuple(map(Coefficient, names, fitted.mean, fitted.sd, fitted.weights)),
        brier=brier(stated, gone),
        base_brier=base_brier(gone),
        calibration_error=calibration_error(bins),
        curve=bins,
    )


def _driver(coefficient: Coefficient, customer: Features) -> Driver:
    value = float(getattr(customer, coefficient.feature))
    return Driver(coefficient.feature, value, coefficient.weight * (value - coefficient.mean) / coefficient.sd)


def _logistic(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds)) if log_odds >= 0 else math.exp(log_odds) / (1 + math.exp(log_odds))
