"""Charts: what a column holds, what is drawn of it, and that Vega-Lite takes every specification there is."""

from __future__ import annotations

from typing import Any, get_args

import pytest
import vl_convert
from hypothesis import given
from hypothesis import strategies as st

from domain.configuration.company import Calendar
from domain.configuration.dashboard import TileKind
from read_api.charts.charts import KINDS, charts_of, columns_drawn
from read_api.charts.columns import DAY, FRACTION, MOMENT, MONEY, MONTH, QUANTITY, TEXT, WEEKDAY, kind_of, label
from read_api.charts.special import CHARTS, TIME

DAYS = [{"day": f"2025-10-{n:02}", "symbol": "AAPL", "total_pnl": str(n - 3), "trades": n} for n in range(1, 9)]
ROWS: dict[str, list[dict[str, Any]]] = {
    "mrr_movements": [
        {"month": "2025-10", **dict.fromkeys(("start_mrr", "new_mrr", "expansion_mrr", "contraction_mrr"), "1"),
         **dict.fromkeys(("churned_mrr", "reactivated_mrr", "end_mrr"), "2.5")},
    ],
    "lifecycle": [
        {"week": "2025-10-06", "new_users": 1, "returning_users": 2, "resurrected_users": 0, "dormant_users": 1},
    ],
    "trading_equity": [{"day": "2025-10-01", "equity": "1000", "underwater": -0.1}],
    "trading_time": [{"entry_hour": 14, "weekday": 0, "total_pnl": "-1", "total_trades": 2}],
    "retention": [{"cohort": "2025-10-01", "users": 2, "ages": [{"age": 0, "rate": 1.0, "retained": 2}]}],
    "trades": [{"pnl": "1", "symbol": "AAPL", "max_adverse_excursion": "-1", "max_favourable_excursion": "2"}],
    "stickiness": [{"days": 1, "users": 2}],
    "operation_buckets": [{"bucket": 600, "count": 1}],
    "forecast": [{"finding": {"steps": [{"day": "2025-12-01", "value": 1.0, "bands": [
        {"level": 80, "low": 0.5, "high": 1.5}, {"level": 95, "low": 0.0, "high": 2.0}]}]}}],
    "funnel": [{"step": 1, "name": "page_view", "users": 3, "rate": 1.0}],
    "market_bars": [{"start": "2025-10-01T00:00:00Z", "open": "1", "high": "2", "low": "0.5", "close": "1.5"}],
    "indicator": [{"start": "2025-10-01T00:00:00Z", "macd": 0.5, "signal": 0.25}],
}  # fmt: skip


def specs() -> list[tuple[str, str, list[dict[str, Any]]]]:
    """Kind, query and rows of every chart that there is."""
    return [
        *((kind, query, ROWS[query]) for kind, query in (TIME, *CHARTS)),
        *((kind, "trading_totals", DAYS) for kind in KINDS),
    ]


@pytest.mark.parametrize(("kind", "query", "rows"), specs())
def test_vega_lite_takes_every_chart_and_draws_marks(kind: str, query: str, rows: list[dict[str, Any]]) -> None:
    charts = charts_of(kind, query, {}, rows)
    assert charts
    for chart in charts:
        drawn = {**chart.spec, "data": {"name": "rows", "values": rows}, "width": 300, "height": 200}
        assert 'class="mark-' in vl_convert.vegalite_to_svg(drawn)
    assert columns_drawn(charts, rows[0])


def test_amounts_of_several_currencies_share_no_axis() -> None:
    """The most frequent one is drawn, of its own rows, and the caption names it."""
    rows = [{"pnl": "1", "currency": code} for code in ("JPY", "USD", "USD", "")]
    (chart,) = charts_of("histogram", "trades", {}, rows)
    assert chart.spec["transform"][0] == {"filter": {"field": "currency", "equal": "USD"}}
    assert ", in USD, the most frequent of 3 currencies" in chart.title
    (alone,) = charts_of("histogram", "trades", {}, rows[1:3])
    assert alone.title.endswith(", in USD")


def test_weeks_begin_where_the_calendar_says() -> None:
    """On Sunday (6) its place is the first; on Monday it is the last."""
    for calendar, first in ((Calendar(week_starts_on="sunday"), 6), (Calendar(), 0)):
        (chart,) = charts_of(*TIME, {}, ROWS["trading_time"], calendar)
        (place,) = (step["calculate"] for step in chart.spec["transform"] if step.get("as") == "place")
        assert place == f"(datum.weekday + {7 - first}) % 7"


def test_a_chart_of_no_rows_is_none() -> None:
    assert [charts_of(kind, "trades", {}, []) for kind in get_args(TileKind)] == [()] * len(get_args(TileKind))


VALUES = (
    st.none()
    | st.integers(-5, 5)
    | st.floats(-5, 5)
    | st.text(max_size=5)
    | st.booleans()
    | st.sampled_from(["1.5", "2025-10-01"])
)


@given(
    st.sampled_from(get_args(TileKind)),
    st.lists(st.dictionaries(st.sampled_from(["day", "name", "pnl", "x", "users"]), VALUES), max_size=4),
)
def test_whatever_a_query_answers_there_is_a_chart_or_none(kind: str, rows: list[dict[str, Any]]) -> None:
    """Configured dashboards may show any query as anything: nothing of it is an error."""
    charts_of(kind, "any_query", {}, rows)


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("total_pnl", "-1.50", MONEY), ("quantity", "0.00000001", QUANTITY), ("user_id", "42", TEXT),
        ("symbol", "600519", TEXT),
        ("day", "2025-10-01", DAY), ("closed_at", "2025-10-01T12:00:00Z", MOMENT), ("win_rate", 0.5, FRACTION),
        ("strategy", "2025-10-01", DAY), ("plan", "12.5", TEXT),
        ("weekday", 0, WEEKDAY), ("month", "2025-10", MONTH), ("entry_hour", -1, TEXT),
        ("hour", "2025-10-01T12:00:00Z", MOMENT),
    ],
)  # fmt: skip
def test_what_a_column_holds(name: str, value: object, kind: str) -> None:
    assert kind_of(name, [None, value]) == kind


def test_names_of_columns_for_people() -> None:
    assert [label(name) for name in ("total_pnl", "start_mrr", "user_id")] == ["Total P&L", "Start MRR", "User ID"]
