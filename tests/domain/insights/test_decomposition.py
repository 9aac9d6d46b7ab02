"""Decompositions: Cleveland's Fortran, statsmodels and hand-made series."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from statsmodels.tsa.seasonal import MSTL  # type: ignore[import-untyped]  # the library carries no types

from domain.insights.decomposition import Decomposition, Smoothing, mstl, stl, strength
from domain.insights.seasonality import seasonality
from domain.metrics.value import Reason
from tests.domain.insights.oracles import co2, expected

SCENARIOS: dict[str, dict[str, Any]] = expected("stl_co2")["scenarios"]
STL = [name for name, scenario in SCENARIOS.items() if "trend" in scenario and not name.startswith("classical")]


def _smoothing(params: dict[str, Any]) -> Smoothing:
    settings = {name: value for name, value in params.items() if name != "period"}
    return Smoothing(**{"robust": params.get("outer_iter", 0) > 0, **settings})


@pytest.mark.parametrize("name", STL)
def test_stl_equals_the_fortran(name: str) -> None:
    """Trend, season and robustness weights agree with the original in all of its settings."""
    scenario = SCENARIOS[name]
    parts = stl(co2(), scenario["params"]["period"], _smoothing(scenario["params"]))
    assert isinstance(parts, Decomposition)
    np.testing.assert_allclose(parts.trend, scenario["trend"], atol=scenario["abs"], rtol=0)
    np.testing.assert_allclose(parts.seasons[0], scenario["seasonal"], atol=scenario["abs"], rtol=0)
    weights = scenario.get("robust_weights", parts.weights)
    np.testing.assert_allclose(parts.weights, weights, atol=scenario["abs"], rtol=0)
    np.testing.assert_allclose(parts.fitted + parts.remainder, co2(), atol=1e-9, rtol=0)


def test_strengths_equal_the_oracle() -> None:
    """Strength of trend and season of CO₂, seasonal window 13."""
    scenario = SCENARIOS["strengths_seasonal13"]
    parts = stl(co2(), 12, Smoothing(seasonal=13))
    assert isinstance(parts, Decomposition)
    assert strength(parts.trend, parts.remainder) == pytest.approx(scenario["F_trend"], abs=scenario["abs"])
    assert strength(parts.seasons[0], parts.remainder) == pytest.approx(scenario["F_seasonal"], abs=scenario["abs"])


def test_several_seasons_are_found_as_statsmodels_finds_them() -> None:
    """MSTL of a daily and a weekly season, with the same windows and jumps, is the same to rounding."""
    hours = np.arange(24 * 7 * 5)
    wave = 10 * np.sin(hours * 2 * np.pi / 24) + 4 * np.sin(hours * 2 * np.pi / 168) + 0.01 * hours
    series = wave + np.random.default_rng(1).normal(size=hours.size)
    parts = mstl(series, (168, 24), smooth_every_step=True)
    assert isinstance(parts, Decomposition)
    reference = MSTL(series, periods=(24, 168)).fit()
    np.testing.assert_allclose(np.column_stack(parts.seasons), reference.seasonal, atol=1e-9)
    np.testing.assert_allclose(parts.trend, reference.trend, atol=1e-9)


def test_a_made_season_is_found_with_its_peak() -> None:
    """A week that is high on its fourth day and low on its last, on a straight line."""
    week = [0.0, 1.0, 2.0, 4.0, 1.0, -3.0, -5.0]
    found = seasonality([week[day % 7] + 0.5 * day for day in range(70)], [7])
    assert not isinstance(found, Reason)
    (season,) = found.seasons
    assert (season.period, season.peak, season.trough) == (7, 3, 6)
    assert season.profile == pytest.approx(week, abs=1e-6)
    assert season.strength == pytest.approx(1.0)
    assert found.basis.sample == 70


def test_fewer_than_two_full_periods_are_refused() -> None:
    """23 months say nothing about a year; 24 do."""
    assert stl(co2()[:23], 12) is Reason.TOO_FEW
    assert mstl(co2()[:47], [12, 24]) is Reason.TOO_FEW
    assert seasonality(co2()[:23], [12]) is Reason.TOO_FEW
    assert isinstance(stl(co2()[:24], 12), Decomposition)
