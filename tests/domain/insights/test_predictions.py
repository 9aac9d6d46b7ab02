"""Predictions that were made are scored against what came."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.insights.calibration import Bin
from domain.insights.predictions import Expected, Interval, Prediction, Probability, score
from domain.metrics.value import Reason

DAY = 86_400_000_000


def made(key: str, stated: Probability | Expected, version: int = 1) -> Prediction:
    """A prediction of today for a month ahead."""
    return Prediction(key, "acme", "churn", "u1", DAY, 31 * DAY, "logistic", version, stated)


def test_probabilities_by_hand() -> None:
    """Two of three have come due: Brier ((0.9 − 1)² + (0.2 − 0)²) / 2."""
    predictions = [made("a", Probability(0.9)), made("b", Probability(0.2)), made("c", Probability(0.5))]
    (found,) = score(predictions, {"a": 1.0, "b": 0.0, "unknown": 1.0}, bins=2)
    assert (found.predictions, found.scored) == (3, 2)
    assert found.brier == pytest.approx(0.025)
    assert found.base_brier == 0.25
    assert found.log_loss == pytest.approx(-(math.log(0.9) + math.log(0.8)) / 2)
    assert found.curve == (Bin(1, 0.2, 0.0), Bin(1, 0.9, 1.0))
    assert found.mae is Reason.NO_DATA


def test_values_by_hand() -> None:
    """110 and 90 for 100 and 100: MAE 10, no bias, MAPE 10 %, MASE 10 / 20, one of two in the band."""
    band = (Interval(80, 95.0, 120.0),)
    predictions = [
        made("a", Expected(110.0, band, 20.0)),
        made("b", Expected(90.0, (Interval(80, 85.0, 95.0),), 20.0)),
    ]
    (found,) = score(predictions, {"a": 100.0, "b": 100.0})
    assert (found.mae, found.bias, found.mape, found.mase) == (10.0, 0.0, 0.1, 0.5)
    assert found.coverage == ((80, 0.5),)
    assert found.brier is Reason.NO_DATA


def test_versions_are_scored_apart() -> None:
    """A new version has to show that it is better."""
    predictions = [made("a", Probability(0.6)), made("b", Probability(0.9), version=2)]
    old, new = score(predictions, {"a": 1.0, "b": 1.0})
    assert (old.method_version, new.method_version) == (1, 2)
    assert [old.brier, new.brier] == pytest.approx([0.16, 0.01])


def test_nothing_due_is_no_score() -> None:
    """Without outcomes there are reasons; an actual value of zero has no percentage error."""
    (found,) = score([made("a", Probability(0.6))], {})
    assert (found.scored, found.brier) == (0, Reason.NO_DATA)
    (found,) = score([made("a", Expected(5.0))], {"a": 0.0})
    assert (found.mae, found.mape, found.mase) == (5.0, Reason.ZERO_DENOMINATOR, Reason.NO_DATA)
    assert score([], {"a": 1.0}) == ()


def test_a_prediction_survives_being_written_down() -> None:
    """As JSON and back it is the same, of both sorts."""
    for stated in (Probability(0.25), Expected(1.5, (Interval(95, -1.0, 4.0),), 0.5)):
        prediction = made("a", stated)
        assert msgspec.json.decode(msgspec.json.encode(prediction), type=Prediction) == prediction


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(NUMBERS, st.floats(), st.one_of(st.none(), st.floats(0, 1e308)))))
def test_any_values_are_scored_with_numbers_or_reasons(cases: list[tuple[float, float, float | None]]) -> None:
    """Never NaN or infinity, however large the values or broken the outcomes."""
    predictions = [made(str(n), Expected(value, (), naive)) for n, (value, _, naive) in enumerate(cases)]
    for found in score(predictions, {str(n): actual for n, (_, actual, _) in enumerate(cases)}):
        for stat in (found.mae, found.bias, found.mape, found.mase):
            assert isinstance(stat, Reason) or math.isfinite(stat)
