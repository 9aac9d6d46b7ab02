"""Recommendations: rules over metrics of each strategy, with the numbers that met them and the expected effect."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from domain.insights.finding import Kind
from domain.insights.recommendations import RULES, Measured, recommendations
from domain.metrics.value import Reason
from projections.engine.query.answer_row import Rows
from projections.engine.query.composed import Composed, Part
from projections.engine.query.params import Param
from projections.engine.query.request import Request
from projections.queries.insights.daily_series import FROM, TO, window
from projections.queries.insights.shape import Insight, insight, plain

LOOKED_AT = timedelta(days=30)
READ = tuple(dict.fromkeys(key for rule in RULES for key in rule.reads))


def _window(request: Request) -> tuple[date, date]:
    begin, end = window(request)
    begin = begin if request.get("from") is not None else end - LOOKED_AT
    request.extent.reaches(begin, end)
    return begin, end


def _parts(request: Request) -> Mapping[str, Part]:
    begin, end = _window(request)
    filters = {"strategy": request.get("strategy")} if request.get("strategy") is not None else {}
    params = {"by": "strategy", "from": begin.isoformat(), "to": end.isoformat(), **filters}
    return {"strategies": Part("trading_totals", params)}


def _combine(request: Request, rows: Mapping[str, Rows]) -> list[Insight]:
    part = _parts(request)["strategies"]
    return [advice for row in rows["strategies"] for advice in _of_strategy(row, part)]


def _of_strategy(row: Mapping[str, Any], part: Part) -> list[Insight]:
    """What the rules advise about one strategy, with the question that shows its numbers again."""
    params = {**part.params, "strategy": row["strategy"]}
    measured = {key: Measured(_stat(row[key]), row["total_trades"]) for key in READ if key in row}
    link = f"/api/v1/query/{part.query}?{urlencode(params)}"
    insights = []
    for each in recommendations(row["strategy"], measured):
        shown = plain(each)
        del shown["basis"]
        evidence = {"query": part.query, "params": params, "measures": shown.pop("links"), "link": link}
        insights.append(insight(Kind.RECOMMENDATION, each.basis, shown, evidence=evidence))
    return insights


def _stat(value: object) -> float | Reason:
    return Reason.NO_DATA if value is None else float(str(value))


advice = Composed(
    "recommendations",
    "What could be done about strategies: rules over the numbers of a period, each with its evidence and effect.",
    (
        Param("strategy", "only this strategy"),
        Param("from", f"first day; {LOOKED_AT.days} days before the end without it", FROM.read),
        TO,
    ),
    _parts,
    _combine,
    Insight,
    any_zone=True,
)
