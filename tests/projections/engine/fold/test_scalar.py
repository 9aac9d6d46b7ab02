"""Folds of single facts against the same folds as columns: equal for every window that is declared, null included."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pytest
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.events.catalogue import LATEST
from domain.events.validation import judge
from projections.engine.declare.projection import AdditiveFold, Projection
from projections.engine.declare.registry import all_windows
from projections.engine.declare.rows import Columns
from projections.engine.fold.deltas import delta_rows
from projections.engine.fold.scalar import scalar_fold
from projections.engine.live.folding import Delta, fold_columns, fold_facts, topics
from projections.engine.live.panes import Pane
from projections.trading import TradingByMinute
from tests.support.any_event import Values, edge_value, good_events, usual_value
from tests.support.examples import examples


@pytest.mark.parametrize("value", [usual_value, edge_value])
@pytest.mark.parametrize("topic", topics())
@settings(max_examples=examples(15), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_fact_comes_to_the_same_by_itself_and_in_columns(topic: str, value: Values, data: st.DataObject) -> None:
    """Rows, what came of each source, and the order of events by which the last one is known."""
    envelopes: Sequence[AnalyticsProcessingEnvelope] = data.draw(st.lists(good_events(topic, value), max_size=12))
    assert [judge(envelope.SerializeToString(), topic, LATEST) for envelope in envelopes] == [None] * len(envelopes)
    alone, together = fold_facts(topic, envelopes, 7), fold_columns(topic, envelopes, 7)
    assert sorted(map(repr, alone.progress)) == sorted(map(repr, together.progress))
    assert _panes(alone.deltas) == _panes(together.deltas)


def _panes(deltas: Sequence[Delta]) -> dict[tuple[str, str, int], object]:
    """What deltas come to, by company, table and time."""
    panes: dict[tuple[str, str, int], Pane] = {}
    for delta in deltas:
        pane = panes.setdefault((delta.company, delta.table.name, delta.time), Pane())
        pane.merge(delta.table, delta.key, delta.cells)
    return {place: list(pane.rows.values()) for place, pane in panes.items()}


def test_every_fold_of_a_window_has_a_scalar_form() -> None:
    """Without it what is followed costs milliseconds an event: an expression that is not known has to be taught."""
    folds = [fold for projection, window in all_windows().values() for fold in projection.folds_of(window)]
    assert [fold.name for fold in folds if scalar_fold(fold) is None] == []


def test_a_fold_with_an_unknown_expression_has_none() -> None:
    """It is folded as columns then."""
    projection = Projection("unknown_expression", version=1)

    @projection.folds("trading_result", into=TradingByMinute)
    def odd(trade: Columns) -> dict[str, pl.Expr]:
        return {"minute": trade.closed_at, "total_trades": trade.symbol.str.len_bytes()}

    (fold,) = projection.additive
    assert isinstance(fold, AdditiveFold)
    assert scalar_fold(fold) is None


OPERATIONS = Projection("operations_of_two_columns", version=1)
NUMBERS = st.none() | st.integers(-3, 3) | st.integers(-(2**31), 2**31)


@OPERATIONS.folds("trading_result", into=TradingByMinute)
def _operations(trade: Columns) -> dict[str, pl.Expr]:
    one, other = trade.pnl, trade.fees
    return {
        "minute": trade.closed_at,
        "total_trades": (one == other) | (one > other),
        "winning_trades": (one != other) & (one >= other),
        "losing_trades": one <= other,
        "breakeven_trades": pl.when(one < other).then(one).otherwise(other.sign()),
        "total_pnl": one // other,
        "gross_profit": one % other,
        "gross_loss": one * other,
        "total_fees": one + other,
        "turnover": (one - other).fill_null(other),
        "largest_win": one // 7,
        "largest_loss": other.abs() % -7,
    }


@settings(max_examples=examples(30), deadline=None)
@given(pnl=NUMBERS, fees=NUMBERS)
def test_every_operation_gives_what_polars_gives(pnl: int | None, fees: int | None) -> None:
    """Null, zero and less among them."""
    (fold,) = OPERATIONS.additive
    assert isinstance(fold, AdditiveFold)
    scalar = scalar_fold(fold)
    assert scalar is not None
    fact = {
        "company_id": "acme",
        "closed_at": 60_000,
        "strategy": "s",
        "symbol": "AAPL",
        "currency": "",
        "pnl": pnl,
        "fees": fees,
    }
    frame = pl.DataFrame([fact], schema_overrides={"pnl": pl.Int64, "fees": pl.Int64})
    columns = [c.name for c in (*TradingByMinute.table.keys, *TradingByMinute.table.values)]
    assert scalar.row(fact) == list(delta_rows(fold, frame).select(columns).row(0))
