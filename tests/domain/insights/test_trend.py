"""Trends, change points and growth: by hand, against SciPy, and on series made with and without them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau, norm, theilslopes  # type: ignore[import-untyped]  # the library carries no types

from domain.insights.change_points import ChangePoints, change_points
from domain.insights.growth import Growth, growth
from domain.insights.trend import Trend, trend
from domain.metrics.value import Reason
from tests.domain.insights.oracles import co2, passengers


def noise(seed: int, size: int, resemblance: float = 0.0) -> list[float]:
    """Autoregressive noise of order one."""
    shocks = np.random.default_rng(seed).normal(size=size).tolist()
    for step in range(1, size):
        shocks[step] += resemblance * shocks[step - 1]
    return [float(value) for value in shocks]


def test_a_slope_by_hand() -> None:
    """Nine points on a line of slope 2 and a wild tenth: the median slope is 2; 36 of 45 pairs rise, 9 fall."""
    found = trend([0, 2, 4, 6, 8, 10, 12, 14, 16, -100])
    assert isinstance(found, Trend)
    assert found.slope == 2.0
    # S = 36 − 9 = 27, Var S = 10 × 9 × 25 / 18 = 125, z = 26 / √125
    assert found.plain_p_value == pytest.approx(2 * norm.sf(26 / np.sqrt(125)))
    assert found.direction == "rising"
    assert (found.basis.sample, found.basis.minimum) == (10, 10)


def test_ties_lower_the_variance() -> None:
    """Two groups of five equal values: Var S = (10 × 9 × 25 − 2 × 5 × 4 × 15) / 18, S = 25."""
    found = trend([1] * 5 + [2] * 5)
    assert isinstance(found, Trend)
    assert found.plain_p_value == pytest.approx(2 * norm.sf(24 / np.sqrt((2250 - 600) / 18)))


@pytest.mark.parametrize("seed", range(5))
def test_slope_and_significance_equal_scipy(seed: int) -> None:
    """Theil–Sen slope with its interval, and Kendall's tau with ties, on rounded noise with a drift."""
    values = [round(value + 0.02 * step, 1) for step, value in enumerate(noise(seed, 60))]
    found = trend(values)
    assert isinstance(found, Trend)
    reference = theilslopes(values, range(60), alpha=0.95)
    assert found.slope == pytest.approx(reference.slope)
    if found.p_value == found.plain_p_value:  # SciPy knows no autocorrelation
        assert (found.low, found.high) == pytest.approx((reference.low_slope, reference.high_slope), abs=2e-3)
    tau = kendalltau(range(60), values, method="asymptotic")
    assert found.plain_p_value == pytest.approx(tau.pvalue, rel=0.1)  # SciPy corrects nothing for continuity


def test_noise_that_resembles_itself_is_seldom_called_a_trend() -> None:
    """Of 200 stationary series with autocorrelation 0.6 the plain test calls more than 20 % trends, ours below 10 %."""
    found = [result for seed in range(200) if isinstance(result := trend(noise(seed, 150, 0.6)), Trend)]
    assert sum(one.plain_p_value < 0.05 for one in found) > 40
    assert sum(one.p_value < 0.05 for one in found) < 20


def test_a_season_is_not_taken_for_a_trend() -> None:
    """Months that rise within each year and fall back have no trend from year to year."""
    saw = [float(step % 12) for step in range(30)]
    assert isinstance(plain := trend(saw), Trend)
    assert isinstance(seasonal := trend(saw, 12), Trend)
    assert plain.slope != 0
    assert (seasonal.slope, seasonal.direction) == (0.0, "none")


@pytest.mark.parametrize("series", [co2(), passengers()])
def test_published_series_rise(series: list[float]) -> None:
    """CO₂ and airline passengers rise, beyond doubt, also when their autocorrelation is allowed for."""
    found = trend(series, 12)
    assert isinstance(found, Trend)
    assert found.direction == "rising"
    assert 0 < found.low <= found.slope <= found.high
    assert found.p_value > found.plain_p_value


def test_long_series_are_thinned_evenly() -> None:
    """Above 2,000 points not every pair is compared, and the slope stays the slope."""
    found = trend([0.5 * step + value for step, value in enumerate(noise(1, 3000))])
    assert isinstance(found, Trend)
    assert found.slope == pytest.approx(0.5, abs=1e-3)


def test_a_step_and_a_kink_are_found_where_they_are() -> None:
    """A level that jumps at 60 and a slope that begins at 120, in noise."""
    made = [10.0 * (step >= 60) + 0.5 * max(0, step - 120) + value for step, value in enumerate(noise(3, 180))]
    found = change_points(made)
    assert isinstance(found, ChangePoints)
    assert [point.index for point in found.points] == pytest.approx([60, 120], abs=4)
    jump, kink = found.points
    assert jump.after - jump.before == pytest.approx(10, abs=1.5)
    assert (kink.slope_before, kink.slope_after) == pytest.approx((0.0, 0.5), abs=0.06)
    assert found.gain > 10


@pytest.mark.parametrize("shifts", [6, 12, 36])
def test_many_shifts_of_the_level_are_found(shifts: int) -> None:
    """By turns 0 and 10, every 30 days, in noise of ±0.125: all, and where they are."""
    days = range(30 * (shifts + 1))
    noisy = np.random.default_rng(shifts).uniform(-0.125, 0.125, len(days)).tolist()
    found = change_points([10.0 * (day // 30 % 2) + noisy[day] for day in days])
    assert isinstance(found, ChangePoints)
    assert [point.index for point in found.points] == [30 * (number + 1) for number in range(shifts)]


def test_noise_seldom_breaks() -> None:
    """At most 2 of 100 series of white noise, at most 15 of 100 that wander, are said to have a break."""
    white = [change_points(noise(seed, 200)) for seed in range(100)]
    wandering = [change_points(noise(seed, 200, 0.6)) for seed in range(100)]
    assert sum(bool(one.points) for one in white if isinstance(one, ChangePoints)) <= 2
    assert sum(bool(one.points) for one in wandering if isinstance(one, ChangePoints)) <= 15


def test_growth_by_hand() -> None:
    """The last three steps against the three a cycle of five earlier: (6 + 7 + 8) / (1 + 2 + 3) − 1."""
    found = growth([1, 2, 3, 4, 5, 6, 7, 8], length=3, lag=5)
    assert isinstance(found, Growth)
    assert (found.now, found.before, found.change, found.rate) == (21.0, 6.0, 15.0, 2.5)


def test_growth_from_nothing_is_no_number() -> None:
    """From zero there is a change and no rate; from a loss the rate is of its size."""
    assert isinstance(from_zero := growth([0, 0, 3, 4], 2, 2), Growth)
    assert (from_zero.change, from_zero.rate) == (7.0, Reason.ZERO_DENOMINATOR)
    assert isinstance(from_loss := growth([-10, 5], 1, 1), Growth)
    assert from_loss.rate == 1.5
    assert growth([1, 2, 3], 2, 2) is Reason.TOO_FEW
    assert growth([1, 2, 3], 2, 1) is Reason.TOO_FEW
