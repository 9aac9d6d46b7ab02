"""One metric as a tile of figures shows it: its value beside that of the period before, and a history for a spark line.

The value of each period is that of `metric`, so that whatever has a single value can be shown so, also of one user.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from domain.metrics.catalogue import METRICS
from domain.whole_number import whole_number
from projections.engine.query.asked_at import INSTANT
from projections.engine.query.composed import Composed, Part, Rows
from projections.engine.query.formatting import show_time
from projections.engine.query.params import Param, read_choice, read_time
from projections.engine.query.request import Request
from projections.queries.metrics.comparison import comparison
from projections.queries.metrics.kpis import PERIODS, SINCE, metric_query, period_at, span_of
from projections.queries.metrics.periods import Span
from projections.queries.metrics.several import text_of

LEAST, MOST = 2, 36  # periods of a history
OWN = ("from", "to", "at", "period", "history")
HEAD = ("key", "value", "unit", "convention", "definition_version")


def _newest(request: Request) -> Span:
    """The period that is asked about; of a length and an end that are given the last one of that length."""
    end, period = request.get("to"), request.get("period")
    return period_at(end - INSTANT, period) if end is not None and period else span_of(request)


def _spans(request: Request) -> Sequence[Span]:
    """The period and those before it, as many as are wanted and may be seen; the newest is the last."""
    spans, since = [_newest(request)], request.get(SINCE.name)
    while len(spans) < request.get("history", LEAST):
        before = spans[0].before()
        start, end = before.bounds
        if start >= end or (since is not None and start < since):
            break
        spans.insert(0, before)
    return spans


def _parts(request: Request) -> Mapping[str, Part]:
    others = {name: text_of(value) for name, value in request.params.items() if name not in OWN}
    return {show_time(span.bounds[0]): Part("metric", {**others, **span.params()}) for span in _spans(request)}


def _rows(request: Request, answers: Mapping[str, Rows]) -> Rows:
    spans, entry = _spans(request), METRICS[request.get("key")]
    values = [answers[show_time(span.bounds[0])][0] for span in spans]
    newest = {name: values[-1][name] for name in (*HEAD, "reason", "reasons", "basis", "detail") if name in values[-1]}
    begin, end = spans[-1].bounds
    return [
        {
            **comparison(entry, newest, values[-2] if len(values) > 1 else None),
            "from": show_time(begin),
            "to": show_time(end),
            "unfinished": request.asked_at.is_before(end),
            "history": [_point(request, span, value) for span, value in zip(spans, values, strict=True)],
        }
    ]


def _point(request: Request, span: Span, value: Mapping[str, Any]) -> dict[str, Any]:
    begin, end = span.bounds
    point = {"from": show_time(begin), "to": show_time(end), "unfinished": request.asked_at.is_before(end)}
    point["value"] = value["value"]
    return point | ({"reason": value["reason"]} if value["value"] is None else {})


key_figure = Composed(
    "key_figure",
    "One metric for a period: its value beside that of the period before, the change, and the values of those before.",
    (
        *(param for param in metric_query.params if param.name != "by"),
        Param("at", "a moment in the period; now without it", read_time),
        Param(
            "period",
            f"calendar period around it, or the last one before `to`: {', '.join(PERIODS)}; month without any",
            read_choice(*PERIODS),
        ),
        Param(
            "history",
            f"periods that are told, the last one too: {LEAST} to {MOST}; {LEAST} without",
            partial(whole_number, low=LEAST, high=MOST),
        ),
    ),
    _parts,
    _rows,
    kept=True,
)
