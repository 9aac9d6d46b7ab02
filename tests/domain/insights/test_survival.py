"""Survival and retention: the published curves."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.insights.retention import Life, Retention, alive_after, retention
from domain.insights.survival import Survival, conditional_churn, survival
from domain.metrics.value import Reason
from tests.domain.insights.oracles import expected

# Weeks of remission of 21 patients on 6-mercaptopurine (Freireich et al. 1963); negative: still in remission then.
REMISSION = [6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35]
# The textbook curve (Kleinbaum & Klein) and Greenwood's standard errors.
CURVE = {6: (0.8571, 0.0764), 7: (0.8067, 0.0869), 10: (0.7529, 0.0963), 13: (0.6902, 0.1068)}
LATER = {16: (0.6275, 0.1141), 22: (0.5378, 0.1282), 23: (0.4482, 0.1346)}
COHORTS = expected("sbg_survivors")["customers_alive_at_start_of_period"]


def _remission() -> Survival:
    found = survival([abs(week) for week in REMISSION], [week > 0 for week in REMISSION])
    assert isinstance(found, Survival)
    return found


def test_the_curve_is_the_textbook_one() -> None:
    """Every step, the numbers at risk, and the median of 23 weeks."""
    found = _remission()
    assert {step.time: round(step.survival, 4) for step in found.steps} == {
        week: share for week, (share, _) in (CURVE | LATER).items()
    }
    assert [step.at_risk for step in found.steps] == [21, 17, 15, 12, 11, 7, 6]
    assert (found.churned, found.median, found.seen_until) == (9, 23.0, 35.0)


def test_the_interval_is_greenwoods_on_the_double_logarithm() -> None:
    """S^exp(±1.96 se / (S ln S)), from the published standard errors."""
    for step in _remission().steps:
        share, error = (CURVE | LATER)[int(step.time)]
        width = 1.959964 * error / (share * abs(math.log(share)))
        assert step.low == pytest.approx(share ** math.exp(width), abs=2e-3)
        assert step.high == pytest.approx(share ** math.exp(-width), abs=2e-3)


def test_churn_within_a_horizon_is_conditional_on_being_there() -> None:
    """P(churn in (10, 22] | alive at 10) = 1 − 0.5378 / 0.7529; beyond the last observation nothing is known."""
    found = _remission()
    assert found.at(5.9) == 1.0
    assert found.churn_within(10, 12) == pytest.approx(1 - 0.5378 / 0.7529, abs=1e-3)
    assert found.churn_within(23, 12) == 0.0
    assert found.churn_within(23, 13) is Reason.NO_DATA
    assert conditional_churn(0.0, 0.0) is Reason.ZERO_DENOMINATOR


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), min_size=20, max_size=80))
def test_the_curve_falls_from_one_and_its_interval_holds_it(customers: list[tuple[int, bool]]) -> None:
    """For any customers; without anybody still there the last step is 0 and the curve is the plain share."""
    found = survival([time for time, _ in customers], [gone for _, gone in customers])
    assert isinstance(found, Survival)
    shares = [1.0, *(step.survival for step in found.steps)]
    assert all(0 <= later <= earlier for earlier, later in pairwise(shares))
    assert all(0 <= step.low <= step.survival <= step.high <= 1 for step in found.steps)
    everybody = survival([time for time, _ in customers], [True] * len(customers))
    assert isinstance(everybody, Survival)
    for step in everybody.steps:
        assert step.survival == pytest.approx(sum(time > step.time for time, _ in customers) / len(customers))


@pytest.mark.parametrize(("cohort", "alpha", "beta"), [("highend", 0.668, 3.806), ("regular", 0.704, 1.182)])
def test_retention_has_the_published_parameters(cohort: str, alpha: float, beta: float) -> None:
    """Fader & Hardie (2007), from eight counts; the curve runs within two in a hundred of the counts."""
    found = retention(COHORTS[cohort])
    assert isinstance(found, Retention)
    assert (found.alpha, found.beta) == pytest.approx((alpha, beta), abs=1e-3)
    for renewals, count in enumerate(COHORTS[cohort]):
        assert found.at(renewals) * 1000 == pytest.approx(count, abs=20)


def test_retention_by_hand() -> None:
    """α = 1, β = 2: S(t) = 2 / (2 + t) · 1, renewal rates 2/3, 3/4, …; churn in the second period 1 − 3/4."""
    found = Retention(_remission().basis, 1.0, 2.0, 0.0)
    assert [found.at(t) for t in (0, 1, 2, 4)] == pytest.approx([1, 2 / 3, 1 / 2, 1 / 3])
    assert [found.renewal_rate(n) for n in (1, 2)] == pytest.approx([2 / 3, 3 / 4])
    assert found.churn_within(1, 1) == pytest.approx(1 - 3 / 4)


def test_a_cohort_is_counted_as_far_as_it_was_followed() -> None:
    """Of 25, of whom 20 began 70 days ago and five 40: two periods of 30 of the twenty, whatever became of the five."""
    early = [Life(10, True, 70), Life(30, True, 70), *[Life(70, False, 70)] * 18]
    late = [Life(5, True, 40), *[Life(40, False, 40)] * 4]
    assert alive_after([*late, *early], 30) == [20, 18, 18]
    assert alive_after(late, 30) == [5]


def test_cohorts_that_say_nothing_are_refused() -> None:
    """Nobody, a cohort that grows, too few periods or customers, nobody who left."""
    assert retention([]) is Reason.NO_DATA
    assert retention([100, 90, 95]) is Reason.NOT_FINITE
    assert retention([100, 90]) is Reason.TOO_FEW
    assert retention([10, 9, 8]) is Reason.TOO_FEW
    assert retention([100, 100, 100]) is Reason.NO_DISPERSION
    assert survival([], []) is Reason.NO_DATA
    assert survival([1.0] * 19, [True] * 19) is Reason.TOO_FEW
    assert survival([math.nan] * 30, [True] * 30) is Reason.NOT_FINITE
