"""How good the methods are on published data: what the tests hold and `python -m tests.domain.insights.report`
prints."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import msgspec
import numpy as np

from domain.insights.activity import features_of, went_quiet
from domain.insights.anomalies import THRESHOLDS, Anomalies, anomalies
from domain.insights.calibration import Bin, base_brier, brier, calibration_error, curve
from domain.insights.churn import Churn, churn
from domain.insights.forecast import BackTest, Forecast, forecast
from domain.metrics.value import Reason, Stat, has_value
from tests.domain.insights.oracles import co2, histories, labelled, passengers


class Found(msgspec.Struct, frozen=True):
    """Alarms of a method against labels; an alarm is right only on the labelled observation itself."""

    method: str
    right: int
    alarms: int
    labelled: int

    @property
    def precision(self) -> float:
        """Right alarms of all alarms; 0 without any."""
        return self.right / self.alarms if self.alarms else 0.0

    @property
    def recall(self) -> float:
        """Labels with an alarm."""
        return self.right / self.labelled

    @property
    def f1(self) -> float:
        """Their harmonic mean."""
        return 2 * self.right / (self.alarms + self.labelled)


def found_by(method: str, found: Anomalies | Reason, truth: frozenset[int]) -> Found:
    """Our alarms against the labels."""
    assert isinstance(found, Anomalies)
    return _counted(method, {point.index for point in found.points}, truth)


def labelled_rows() -> list[Found]:
    """Our method at each sensitivity and plain z-scores, 3 and the threshold that happens to be best, on one series."""
    series, truth = labelled()
    rows = [
        found_by(f"STL, sensitivity {sensitivity}", anomalies(series, sensitivity=sensitivity), truth)
        for sensitivity in THRESHOLDS
    ]
    z = np.abs(np.array(series) - np.mean(series)) / np.std(series)
    tried = [_z_score(z, float(limit), truth, " (best of all)") for limit in np.sort(z) - 1e-9]
    return [*rows, _z_score(z, 3.0, truth, ""), _z_score(z, 2.0, truth, ""), max(tried, key=lambda row: row.f1)]


def _z_score(z: np.typing.NDArray[np.float64], limit: float, truth: frozenset[int], note: str) -> Found:
    alarms = {int(place) for place in np.flatnonzero(z > limit)}
    return _counted(f"z-score above {limit:.2f}{note}", alarms, truth)


def _counted(method: str, alarms: set[int], truth: frozenset[int]) -> Found:
    return Found(method, len(alarms & truth), len(alarms), len(truth))


def anomaly_table(rows: list[Found]) -> Iterator[str]:
    """As lines."""
    yield f"{'method':34}{'precision':>10}{'recall':>8}{'alarms':>8}{'labels':>8}"
    for row in rows:
        yield f"{row.method:34}{row.precision:10.2f}{row.recall:8.2f}{row.alarms:8}{row.labelled:8}"


def back_tests() -> dict[tuple[str, int], BackTest]:
    """Of the two published series, by name and horizon in months."""
    tests: dict[tuple[str, int], BackTest] = {}
    for name, series in (("co2_monthly_348", co2()), ("airpassengers", passengers())):
        for horizon in (6, 12):
            found = forecast(series, horizon, (12,))
            assert isinstance(found, Forecast)
            assert isinstance(found.back_test, BackTest)
            tests[name, horizon] = found.back_test
    return tests


def forecast_table(tests: dict[tuple[str, int], BackTest]) -> Iterator[str]:
    """As lines."""
    heads = f"{'MAE':>9}{'naive':>9}{'skill':>7}{'MASE':>7}{'MAPE':>8}{'80 %':>6}{'95 %':>6}"
    yield f"{'series':18}{'months':>7}{'origins':>8}{heads}"
    for (name, horizon), test in tests.items():
        inside = "".join(f"{share:6.2f}" for _, share in test.coverage)
        numbers = f"{test.mae:9.3f}{test.naive_mae:9.3f}{test.skill:7.2f}{test.mase:7.2f}{test.mape:8.4f}"
        yield f"{name:18}{horizon:7}{test.origins:8}{numbers}{inside}"


def number(stat: Stat) -> float:
    """The value of a statistic that must have one."""
    assert has_value(stat), stat
    return stat


class Predicted(msgspec.Struct, frozen=True):
    """A model of churn and how it did on a later time that it had not seen."""

    model: Churn
    brier: float
    base_brier: float
    calibration_error: float
    curve: tuple[Bin, ...]


def cdnow_churn() -> Predicted:
    """Fitted on who ordered nothing from June to September 1997; scored on October 1997 to January 1998."""
    fitted_at, scored_at, horizon = date(1997, 5, 31).toordinal(), date(1997, 9, 30).toordinal(), 122
    customers = histories()
    model = churn(
        [features_of(customer, fitted_at) for customer in customers],
        [went_quiet(customer, fitted_at, horizon) for customer in customers],
    )
    assert isinstance(model, Churn)
    stated = [model.risk(features_of(customer, scored_at)).probability for customer in customers]
    came = [went_quiet(customer, scored_at, horizon) for customer in customers]
    bins = curve(stated, came)
    error = number(calibration_error(bins))
    return Predicted(model, number(brier(stated, came)), number(base_brier(came)), error, bins)


def churn_table(predicted: Predicted) -> Iterator[str]:
    """As lines: the scores, the curve, the weights."""
    model = predicted.model
    yield f"fitted on {model.basis.sample} customers, {model.left} of them went quiet"
    yield f"cross-validated  Brier {number(model.brier):.4f}, base rate {number(model.base_brier):.4f}"
    yield f"next four months Brier {predicted.brier:.4f}, base rate {predicted.base_brier:.4f}"
    yield f"mean distance of the curve from the diagonal {predicted.calibration_error:.4f}"
    yield f"{'customers':>10}{'stated':>9}{'observed':>10}"
    for part in predicted.curve:
        yield f"{part.cases:10}{part.stated:9.3f}{part.observed:10.3f}"
    for weight in model.coefficients:
        yield f"{weight.feature:18}{weight.weight:+8.3f} log-odds a standard deviation"
