"""Every question at the edges of time: it is answered or refused, and fails in no other way."""

from __future__ import annotations

from itertools import product

import pytest

from domain.errors import AnalyticsError
from projections.engine.declare.registry import all_registered
from tests.projections.harness import ReadModels
from tests.projections.small_company import company

NEEDED = {
    "key": "mrr",
    "metric": "active_users",
    "steps": "signup,activated",
    "statistic": "sharpe",
    "symbol": "AAPL",
    "interval": "1d",
    "indicator": "rsi",
    "what": "mrr",
    "other": "stripe",
    "currency": "USD",
}
BY = {"trading_league": "symbol", "drivers": "service"}
EDGES = ("0001-01-01", "9999-12-31", "2025-03-01", "")
ZONED = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00")
SPANS = [{"from": begin, "to": end} for begin, end in (*product(EDGES, EDGES), ZONED, ZONED[::-1])]
MOMENTS = [{name: at} for name in ("at", "since", "until") for at in (*EDGES, *ZONED)]


@pytest.mark.ci
async def test_no_question_fails_at_the_edges_of_time(models: ReadModels) -> None:
    """Periods that begin or end in the first or last year that there is, in any zone, or are open."""
    models.given(company())
    answered = set()
    for name, query in all_registered().items():
        known = {param.name for param in query.params}
        needed = {p.name: BY.get(name, NEEDED.get(p.name, "x")) for p in query.params if p.required}
        asked = [{n: text for n, text in each.items() if n in known and text} for each in (*SPANS, *MOMENTS)]
        for params in [dict(each) for each in {tuple(sorted(each.items())) for each in asked}]:
            try:
                rows = await models.rows(name, **(needed | params))
            except AnalyticsError:
                continue
            assert isinstance(rows, list)
            answered.add(name)
    assert {"kpis", "metric", "trading_metrics", "insights", "funnel", "churn_risks"} <= answered
