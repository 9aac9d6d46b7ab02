"""Forecasts: better than seasonal naive on published series, bands that hold, and the model against statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # the library carries no types
import pytest
from statsmodels.tsa.exponential_smoothing.ets import ETSModel  # type: ignore[import-untyped]  # the library carries no types

from domain.insights.exponential_smoothing import Fitted, Form, fit, polynomials
from domain.insights.forecast import BackTest, Forecast, back_test, forecast
from domain.insights.periods import period_of, seasons_of
from domain.metrics.value import Reason
from tests.domain.insights.measures import back_tests, forecast_table
from tests.domain.insights.oracles import co2, passengers


@pytest.mark.ci
def test_forecasts_beat_seasonal_naive(capsys: pytest.CaptureFixture[str]) -> None:
    """On both published series, half a year and a year ahead; the bands hold about what they say.

    Some forty models are fitted.
    """
    tests = back_tests()
    with capsys.disabled():
        print("", *forecast_table(tests), sep="\n")
    for test in tests.values():
        assert test.mae < 0.75 * test.naive_mae
        inside = dict(test.coverage)
        assert 0.65 <= inside[80] <= 0.95
        assert inside[95] >= 0.85


@pytest.mark.parametrize(
    "form", [Form(), Form(True), Form(True, True), Form(period=12), Form(True, period=12), Form(True, True, 12)]
)
def test_the_likelihood_is_at_least_that_of_statsmodels(form: Form) -> None:
    """Concentrating the initial state out finds no worse optimum than searching it together with the weights."""
    series = np.log(np.array(passengers()))
    ours = fit(series, form)
    assert isinstance(ours, Fitted)
    trend, season = ("add" if form.trend else None), ("add" if form.period > 1 else None)
    model = ETSModel(series, trend=trend, damped_trend=form.damped, seasonal=season, seasonal_periods=form.period)
    theirs = model.fit(disp=False)
    squares = float(ours.errors @ ours.errors)
    assert squares <= float(theirs.resid @ theirs.resid) * 1.001


def test_the_bands_are_those_of_statsmodels() -> None:
    """The variance of the next steps, for the same weights, is the exact one of the state-space form."""
    series = pd.Series(np.log(passengers()), index=pd.period_range("1949-01", periods=144, freq="M"))
    model = ETSModel(series, trend="add", damped_trend=True, seasonal="add", seasonal_periods=12)
    theirs = model.fit(disp=False)
    ours = fit(series.to_numpy(), Form(True, True, 12))
    assert isinstance(ours, Fitted)
    weights = type(ours.weights)(*(theirs.params[i] for i in (0, 1, 2, 3)))
    variance = float(theirs.resid @ theirs.resid) / 144
    same = Fitted(ours.form, weights, ours.series, ours.errors, variance, 0.0, np.zeros(1))
    exact = theirs.get_prediction("1961-01", "1963-12").summary_frame(alpha=0.05)
    widths = (exact["pi_upper"] - exact["pi_lower"]).to_numpy() / 2 / 1.959964
    assert same.deviation(36) == pytest.approx(widths, rel=2e-3)


def test_the_reduced_form_by_hand() -> None:
    """Level and trend: (1 − L)² y = (1 + (α + β − 2) L + (1 − α) L²) e."""
    weights = type(_fitted(Form(True)).weights)(0.3, 0.1, 0.0, 1.0)
    ar, ma = polynomials(Form(True), weights)
    assert ar == pytest.approx([1, -2, 1])
    assert ma == pytest.approx([1, 0.3 + 0.1 - 2, 1 - 0.3])


def _fitted(form: Form) -> Fitted:
    found = fit(np.array(co2()), form)
    assert isinstance(found, Fitted)
    return found


def test_a_line_and_a_week_go_on() -> None:
    """A straight line with a weekly pattern is continued exactly, whatever the noise model says."""
    week = [0.0, 1.0, 2.0, 4.0, 1.0, -3.0, -5.0]
    found = forecast([50 + week[day % 7] + 0.5 * day for day in range(70)], 14, (7,))
    assert isinstance(found, Forecast)
    assert found.steps == pytest.approx([50 + week[day % 7] + 0.5 * day for day in range(70, 84)], abs=0.05)


def test_bands_widen_and_enclose() -> None:
    """Each step lies in its bands, the wider band holds the narrower one, and later steps are less certain."""
    found = forecast(passengers(), 24, (12,))
    assert isinstance(found, Forecast)
    narrow, wide = found.bands
    assert (narrow.level, wide.level) == (80, 95)
    for step in range(24):
        assert wide.low[step] < narrow.low[step] < found.steps[step] < narrow.high[step] < wide.high[step]
    assert wide.high[23] / wide.low[23] > wide.high[0] / wide.low[0]


def test_the_back_test_knows_only_what_lay_before() -> None:
    """Changing what comes after the last origin's training data changes no forecast, so errors move as the data do."""
    series = np.array(co2())
    plain = back_test(series, 6, (12,))
    shifted = series.copy()
    shifted[-6:] += 1000.0
    moved = back_test(shifted, 6, (12,))
    assert isinstance(plain, BackTest)
    assert isinstance(moved, BackTest)
    assert moved.mae - plain.mae == pytest.approx(1000 / plain.origins, rel=0.01)


def test_short_series_are_refused_and_shorter_tests_left_out() -> None:
    """Below two periods there is no forecast; without room for an origin there is no back-test, with a reason."""
    assert forecast(co2()[:23], 6, (12,)) is Reason.TOO_FEW
    found = forecast(co2()[:28], 12, (12,))
    assert isinstance(found, Forecast)
    assert found.back_test is Reason.TOO_FEW
    assert forecast([5.0] * 40, 6) is Reason.NO_DISPERSION
    assert forecast(co2(), 0, (12,)) is Reason.TOO_FEW


def under_a_wave(seed: int, weeks: int) -> list[float]:
    """A week below a wave of 28 days."""
    chance = np.random.default_rng(seed)
    week = [0.0, 1.0, 2.0, 4.0, 1.0, -3.0, -5.0]
    return [
        100 + week[day % 7] + 8 * np.sin(2 * np.pi * day / 28) + float(chance.normal(0, 0.5))
        for day in range(7 * weeks)
    ]


def test_a_week_is_found_below_a_longer_season() -> None:
    """Both are seasons; in white noise, and in a wave alone, there is no week."""
    series = under_a_wave(1, 40)
    assert period_of(series) == 28
    assert seasons_of(series, (7,)) == (7, 28)
    chance = np.random.default_rng(2)
    waves = [[8 * np.sin(2 * np.pi * day / 28) + chance.normal() for day in range(280)] for _ in range(20)]
    assert {seasons_of(wave, (7,)) for wave in waves} == {(28,)}
    noisy = [seasons_of(chance.normal(size=280), (7,)) for _ in range(100)]
    assert sum(7 in seasons for seasons in noisy) <= 1


def test_skill_is_against_the_best_seasonal_naive() -> None:
    """Of the value before, a week before and 28 days before; the forecast is better than all three."""
    series = np.array(under_a_wave(3, 20))
    test = back_test(series, 14, (7, 28), origins=2)
    assert isinstance(test, BackTest)
    alone = {period: back_test(series, 14, (period,), origins=2) for period in (7, 28)}
    naive = {period: each.naive_mae for period, each in alone.items() if isinstance(each, BackTest)}
    assert test.naive_period == 28
    assert test.naive_mae == pytest.approx(min(naive.values()), rel=0.1)
    assert isinstance(test.skill, float)
    assert test.skill > 0


def test_a_season_too_long_for_the_model_is_taken_off() -> None:
    """A week of hours in 3,600 of them: seconds where it had not ended in 280, and the week goes on."""
    chance = np.random.default_rng(4)
    profile = chance.normal(0, 5, 168)
    hours = [50 + profile[hour % 168] + float(chance.normal(0, 0.5)) for hour in range(3_600)]
    found = forecast(hours, 168, (168,), origins=1)
    assert isinstance(found, Forecast)
    assert found.model.startswith("STL[168] + ETS(")
    right = np.array([50 + profile[hour % 168] for hour in range(3_600, 3_768)])
    assert float(np.abs(np.array(found.steps) - right).mean()) < 0.5
    assert isinstance(found.back_test, BackTest)
    assert found.back_test.naive_period == 168
