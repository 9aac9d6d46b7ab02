"""At the edges every method gives a finite value or a reason: never NaN, infinity or an exception."""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from domain import insights
from domain.insights.anomalies import anomalies
from domain.insights.bg_nbd import BgNbd, fit_bg_nbd
from domain.insights.change_points import change_points
from domain.insights.finding import Finding, Kind
from domain.insights.forecast import forecast
from domain.insights.growth import growth
from domain.insights.lifetime_value import lifetime_value
from domain.insights.periods import period_of
from domain.insights.purchases import Buyer
from domain.insights.retention import Retention, retention
from domain.insights.seasonality import seasonality
from domain.insights.trend import trend
from domain.metrics.value import Reason
from tests.support.examples import examples

METHODS: dict[str, Callable[[Sequence[float]], Any]] = {
    "trend": trend,
    "trend with a season": lambda values: trend(values, 4),
    "change points": change_points,
    "growth": lambda values: growth(values, 3, 5),
    "seasonality": lambda values: seasonality(values, [4]),
    "two seasons": lambda values: seasonality(values, [3, 6], robust=True),
    "period": period_of,
    "anomalies": anomalies,
    "anomalies with a season": lambda values: anomalies(values, 4),
    "forecast": lambda values: forecast(values, 3, origins=2),
    "forecast with a season": lambda values: forecast(values, 3, (4,), origins=2),
}
ORDINARY = st.floats(-1e6, 1e6)
HUGE = st.floats(allow_nan=False, allow_infinity=False)
FEW = st.sampled_from([0.0, 1.0, -1.0, 1e-300, 1e100, 5e-324])
SERIES = st.one_of(
    *(st.lists(values, max_size=40) for values in (ORDINARY, HUGE, FEW)),
    st.builds(lambda value, size: [value] * size, HUGE, st.integers(0, 40)),
    st.builds(lambda a, b, size: [a + b * step for step in range(size)], ORDINARY, ORDINARY, st.integers(0, 40)),
)
SLOW = settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def finite(value: object) -> bool:
    """Whether every number in a value, however deep, is one."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, msgspec.Struct):
        return all(finite(part) for part in msgspec.structs.astuple(value))
    return all(finite(part) for part in value) if isinstance(value, tuple | list) else True


@pytest.mark.parametrize("name", METHODS)
@given(series=SERIES)
@example([1e100, 0, 0, 0, 0, 1e100, 1e100, 1e100, 1e100, 0, 0, 0])  # more than that is expected of it
@SLOW
def test_any_series_gives_a_value_or_a_reason(name: str, series: list[float]) -> None:
    """Short, constant, straight, tiny and huge ones."""
    assert finite(METHODS[name](series))


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf, 1e101])
def test_a_value_that_is_no_number_refuses_the_series(name: str, broken: float) -> None:
    """A gap is the caller's to fill."""
    assert METHODS[name]([*map(float, range(30)), broken, *map(float, range(30))]) is Reason.NOT_FINITE


@pytest.mark.parametrize("name", METHODS)
def test_nothing_is_no_data_and_one_point_too_few(name: str) -> None:
    """The same reasons from every method."""
    assert METHODS[name]([]) is Reason.NO_DATA
    assert METHODS[name]([3.0]) is Reason.TOO_FEW


BUYERS = st.builds(
    lambda x, share, age, value: Buyer("b", x, share * age if x else 0.0, age, value if x else 0.0),
    st.integers(0, 500),
    st.floats(0.01, 1),
    st.floats(0.5, 1e4),
    st.floats(0.01, 1e9),
)


@given(st.lists(BUYERS, min_size=50, max_size=50))
@settings(max_examples=5, deadline=None, phases=[Phase.explicit, Phase.generate])  # a fit takes too long to shrink
def test_any_buyers_give_a_value_or_a_reason(sample: list[Buyer]) -> None:
    """Whoever they are, the models settle or say that they do not."""
    assert finite(lifetime_value(sample))
    model = fit_bg_nbd(sample)
    assert finite(model)
    if not isinstance(model, Reason):
        assert finite(model.expected_purchases(sample, 10.0).tolist())
        assert all(0 <= share <= 1 for share in model.p_alive(sample))


@pytest.mark.parametrize("model", [BgNbd(0.2, 4.0, a, 2.0, 0.0) for a in (1e-4, 1.0, 300.0, 1e5)])
def test_degenerate_models_still_give_numbers(model: BgNbd) -> None:
    """Stopping hardly ever, in the gap at 1, and almost always; of buyers without repeats and of thousands of them."""
    sample = [Buyer("a", 0, 0.0, 10.0), Buyer("b", 3, 9.0, 10.0), Buyer("c", 5000, 99.0, 100.0)]
    expected = model.expected_purchases(sample, 50.0).tolist()
    assert finite(expected)
    assert all(value >= 0 for value in expected)


@given(st.lists(st.integers(0, 10**9), max_size=30))
@SLOW
def test_any_cohort_gives_a_value_or_a_reason(counts: list[int]) -> None:
    """Sorted, any counts are a cohort that shrinks."""
    found = retention(sorted(counts, reverse=True))
    assert finite(found)
    if isinstance(found, Retention):
        assert 0 <= found.at(100) <= 1
        assert finite(found.churn_within(3, 4))


def test_every_kind_has_one_structure() -> None:
    """The kinds are a closed set, and each is the tag of exactly one structure."""
    for module in pkgutil.iter_modules(insights.__path__, f"{insights.__name__}."):
        importlib.import_module(module.name)
    tags = [str(structure.__struct_config__.tag) for structure in Finding.__subclasses__()]
    assert sorted(tags) == sorted(kind.value for kind in Kind)
