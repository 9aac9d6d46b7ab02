"""The formulas of the catalogue, of any sums: a value that can be shown, or the reason why there is none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.metrics.catalogue import METRICS
from domain.metrics.formulas import FORMULAS, Assumptions, MetricInputs, Value
from domain.metrics.satisfaction.support import Ticket
from domain.metrics.value import Reason
from projections.engine.query.formatting import measure
from projections.queries.metrics.assumptions import MOST
from tests.support.examples import examples

LARGE = 12 * 10**27  # MRR is kept in twelfths of a trillionth
NUMBERS = st.one_of(st.sampled_from([0, 1, -1, LARGE, -LARGE]), st.integers(-10, 10), st.integers(-LARGE, LARGE))
MS = st.integers(0, 2**53)
CUSTOMERS = st.lists(st.sampled_from("abc"), max_size=3, unique=True)
SCORES = st.dictionaries(
    st.sampled_from(["nps", "csat", "ces"]), st.dictionaries(st.integers(0, 10), st.integers(0, 99))
)
GIVEN = st.builds(
    Assumptions,
    margin=st.floats(0, 1, exclude_min=True),
    burn=st.none() | st.floats(-MOST, MOST),
    profit_margin=st.none() | st.floats(-MOST, MOST),
    objective=st.floats(0, 1, exclude_min=True),
    threshold_ms=st.floats(0, MOST, exclude_min=True),
)


class Anything(Mapping[str, Any]):
    """Sums of any size, or none, under whatever name they are asked for; the same each time."""

    def __init__(self, data: st.DataObject, known: Mapping[str, Any]) -> None:
        self._data, self._known = data, dict(known)

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            self._known[name] = self._data.draw(st.none() | NUMBERS, label=name)
        return self._known[name]

    def get(self, name: str, default: Any = None) -> Any:
        """As a row of the source that has every column."""
        return self[name]

    def __iter__(self) -> Any:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


class Sources(Anything):
    """Sums of any source."""

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            self._known[name] = Anything(self._data, {})
        return self._known[name]


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    """Sources that give more than sums."""
    tickets = draw(st.lists(st.builds(Ticket, MS, MS, MS, st.booleans()), max_size=3))
    return {
        "customer_mrr": {"customers": [{"customer_id": c, "start_mrr": draw(NUMBERS)} for c in draw(CUSTOMERS)]},
        "customers_scheduled": {"customers": [{"customer_id": c, "scheduled": draw(NUMBERS)} for c in draw(CUSTOMERS)]},
        "owing_customers": {"owing": draw(st.none() | CUSTOMERS)},
        "operation_buckets": {
            "ok": draw(st.lists(st.tuples(st.floats(0, 1e13), st.integers(0, 2**62)), max_size=3)),
            "failures": draw(st.integers(0, 2**62)),
        },
        "survey_answers": draw(SCORES),
        "tickets": {"tickets": tickets},
    }


@pytest.mark.parametrize("key", sorted(FORMULAS))
@given(data=st.data(), known=rows(), asked=GIVEN, seconds=st.none() | st.floats(0, 1e12))
@settings(max_examples=examples(8), deadline=None)
def test_any_sums_give_a_value_or_a_reason(
    key: str, data: st.DataObject, known: dict[str, Any], asked: Assumptions, seconds: float | None
) -> None:
    """Never an exception, NaN or infinity, whatever the sums are."""
    value: Value = FORMULAS[key](MetricInputs(Sources(data, known), lambda: seconds, asked))
    assert isinstance(value, int | float | Fraction | Reason)
    told = json.dumps(measure(value, METRICS[key].unit), allow_nan=False)
    assert (told == "null") == isinstance(value, Reason)


def test_losses_that_come_to_nothing_have_no_payoff() -> None:
    """Sums that do not fit each other are no reason to fail."""
    trades = {"total_trades": 2, "winning_trades": 1, "losing_trades": 1, "gross_profit": 5, "gross_loss": 0}
    assert FORMULAS["payoff_ratio"](MetricInputs({"trading_totals": trades})) is Reason.ZERO_DENOMINATOR
