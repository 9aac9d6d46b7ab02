"""Churn: known weights come back, probabilities are calibrated, real customers are predicted better than by rate."""

from __future__ import annotations

import math

import numpy as np
import pytest

from domain.insights.activity import Features, History, features_of, went_quiet
from domain.insights.calibration import Bin, base_brier, brier, calibration_error, curve, log_loss
from domain.insights.churn import Churn, churn
from domain.metrics.value import Reason
from tests.domain.insights.measures import cdnow_churn, churn_table, number

WEIGHTS = {"recency": 1.2, "frequency": -0.8, "payments_failed": 0.6}
NAMES = Features.__struct_fields__


def _customers(seed: int, size: int) -> tuple[list[Features], list[bool]]:
    """Standard normal features; log-odds −1 + 1.2 recency − 0.8 frequency + 0.6 payments_failed, nothing else."""
    dice = np.random.default_rng(seed)
    rows = dice.normal(size=(size, len(NAMES)))
    weights = np.array([WEIGHTS.get(name, 0.0) for name in NAMES])
    left = dice.random(size) < 1 / (1 + np.exp(1 - rows @ weights))
    return [Features(*map(float, row)) for row in rows], [bool(gone) for gone in left]


def _model(seed: int = 1, size: int = 5000) -> Churn:
    found = churn(*_customers(seed, size))
    assert isinstance(found, Churn)
    return found


def test_known_weights_come_back() -> None:
    """From 5,000 customers within 0.12 a standard deviation, and nothing for what does not matter."""
    model = _model()
    for coefficient in model.coefficients:
        assert coefficient.weight / coefficient.sd == pytest.approx(WEIGHTS.get(coefficient.feature, 0.0), abs=0.12)
    assert number(model.brier) < number(model.base_brier)
    assert number(model.calibration_error) < 0.02


def test_probabilities_are_those_that_made_the_data() -> None:
    """For customers that it has not seen: the curve lies on the diagonal, and each probability near the true one."""
    model, (customers, left) = _model(), _customers(2, 5000)
    stated = [model.risk(customer).probability for customer in customers]
    assert number(calibration_error(curve(stated, left))) < 0.03
    true = [
        1 / (1 + math.exp(1 - sum(weight * getattr(customer, name) for name, weight in WEIGHTS.items())))
        for customer in customers
    ]
    assert np.abs(np.array(stated) - true).mean() < 0.02


def test_drivers_add_up_to_the_log_odds() -> None:
    """Base and contributions are the log-odds; the strongest driver comes first."""
    model = _model()
    risk = model.risk(Features(2.0, -1.0, 0.0, 0.0, 0.0, 0.5))
    log_odds = model.intercept + math.fsum(driver.contribution for driver in risk.drivers)
    assert risk.probability == pytest.approx(1 / (1 + math.exp(-log_odds)))
    assert risk.drivers[0].feature == "recency"
    sizes = [abs(driver.contribution) for driver in risk.drivers]
    assert sizes == sorted(sizes, reverse=True)


def test_real_customers_are_predicted_better_than_by_the_rate(capsys: pytest.CaptureFixture[str]) -> None:
    """CDNOW: fitted on one third of 1997, scored on the four months after the next, Brier and curve printed."""
    predicted = cdnow_churn()
    with capsys.disabled():
        print("", *churn_table(predicted), sep="\n")
    assert number(predicted.model.brier) < 0.9 * number(predicted.model.base_brier)
    assert predicted.brier < 0.85 * predicted.base_brier
    assert predicted.calibration_error < 0.03
    observed = [part.observed for part in predicted.curve]
    assert observed[-1] - observed[0] > 0.5


def test_features_by_hand() -> None:
    """Day 60 with a window of 28 days: active on 59, 47, 46, 40 and earlier; day 61 is not known yet."""
    history = History(10, (10, 30, 40, 46, 47, 59, 61), payments_failed=(20, 50, 61))
    assert features_of(history, 60) == Features(
        recency=math.log(2),
        frequency=math.log(5),
        activity=math.log(7),
        tenure=math.log(51),
        activity_trend=math.log((1 + 2) / (1 + 2)),
        payments_failed=math.log(2),
    )
    assert not went_quiet(history, 60, 1)
    assert went_quiet(history, 61, 30)
    assert went_quiet(history, 59, 1)


def test_scores_by_hand() -> None:
    """Brier ((0.8 − 1)² + (0.3 − 0)²) / 2, log loss, and a curve of two bins."""
    stated, came = [0.8, 0.3], [True, False]
    assert brier(stated, came) == pytest.approx((0.04 + 0.09) / 2)
    assert base_brier(came) == 0.25
    assert log_loss(stated, came) == pytest.approx(-(math.log(0.8) + math.log(0.7)) / 2)
    bins = curve(stated, came, 2)
    assert bins == (Bin(1, 0.3, 0.0), Bin(1, 0.8, 1.0))
    assert calibration_error(bins) == pytest.approx((0.3 + 0.2) / 2)
    assert brier([], []) is Reason.NO_DATA
    assert log_loss([0.0], [True]) == pytest.approx(-math.log(1e-6))


def test_samples_that_say_too_little_are_refused() -> None:
    """Nobody; too few; hardly anybody who left; nobody who differs; values that are no numbers."""
    customers, left = _customers(3, 400)
    assert churn([], []) is Reason.NO_DATA
    assert churn(customers[:99], left[:99]) is Reason.TOO_FEW
    assert churn(customers, [True] * 5 + [False] * 395) is Reason.TOO_FEW
    assert churn([customers[0]] * 200, left[:200]) is Reason.NO_DISPERSION
    broken = [Features(math.nan, 0.0, 0.0, 0.0, 0.0, 0.0), *customers[1:]]
    assert churn(broken, left) is Reason.NOT_FINITE
    assert churn(customers, left[1:]) is Reason.NOT_FINITE


def test_perfectly_separated_customers_give_probabilities_short_of_certain() -> None:
    """The ridge keeps weights finite where one feature decides everything."""
    customers, _ = _customers(4, 400)
    model = churn(customers, [customer.recency > 0 for customer in customers])
    assert isinstance(model, Churn)
    extreme = model.risk(Features(6.0, 0.0, 0.0, 0.0, 0.0, 0.0)).probability
    assert 0.99 < extreme <= 1.0
    assert number(model.brier) < 0.1
