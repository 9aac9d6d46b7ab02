"""One metric as a tile of figures shows it: its value beside that of the period before, and a history for a spark line.

The value of each period is that of `metric`, so that whatever has a single value can be shown so, also of one user.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from msgspec import UNSET, UnsetType, field

from domain.metrics.catalogue import METRICS
from domain.whole_number import whole_number
from projections.engine.query.answer_row import CURRENCY, AnswerRow, AnswerTime, Rows
from projections.engine.query.asked_at import INSTANT
from projections.engine.query.composed import Composed, Part
from projections.engine.query.extent import TIER
from projections.engine.query.formatting import show_time
from projections.engine.query.params import Param, read_choice, read_time
from projections.engine.query.request import Request
from projections.queries.metrics.assumptions import SINCE
from projections.queries.metrics.comparison import ComparedValue, PeriodValue, comparison
from projections.queries.metrics.kpis import PERIODS, metric_query, period_at, span_of
from projections.queries.metrics.periods import Span
from projections.queries.metrics.several import text_of

LEAST, MOST = 2, 36  # periods of a history
OWN = ("from", "to", "at", "period", "history")
HEAD = ("key", "value", "unit", "convention", "definition_version", "reason", "basis", "detail", CURRENCY)


class FigurePoint(AnswerRow, kw_only=True):
    """A period of a history and its value; `unfinished`: it still runs."""

    begin: AnswerTime = field(name="from")
    end: AnswerTime = field(name="to")
    unfinished: bool
    value: str | float | None
    reason: str = ""
    currency: str | UnsetType | None = UNSET


class FigureWithHistory(ComparedValue, kw_only=True):
    """A key figure and the periods up to its own, the newest last."""

    history: list[FigurePoint]


def _newest(request: Request) -> Span:
    """The period that is asked about; of a length and an end that are given the last one of that length."""
    end, period = request.get("to"), request.get("period")
    return period_at(end - INSTANT, period, request.calendar) if end is not None and period else span_of(request)


def _spans(request: Request) -> Sequence[Span]:
    """The period and those before it, as many as are wanted and may be seen; the newest is the last."""
    spans, since = [_newest(request)], request.get(SINCE.name)
    request.extent.reaches(*spans[0].ends)
    while len(spans) < request.get("history", LEAST):
        before = spans[0].before()
        start, end = before.bounds
        if start >= end:
            break
        if since is not None and start < since:
            request.extent.limits.add(TIER)
            break
        spans.insert(0, before)
    return spans


def _parts(request: Request) -> Mapping[str, Part]:
    others = {name: text_of(value) for name, value in request.params.items() if name not in OWN}
    return {show_time(span.bounds[0]): Part("metric", {**others, **span.params()}) for span in _spans(request)}


def _rows(request: Request, answers: Mapping[str, Rows]) -> list[FigureWithHistory]:
    spans, entry = _spans(request), METRICS[request.get("key")]
    values = [answers[show_time(span.bounds[0])][0] for span in spans]
    newest = {name: values[-1][name] for name in HEAD if name in values[-1]}
    history = [_point(request, span, value) for span, value in zip(spans, values, strict=True)]
    of_periods = [PeriodValue(point.value, point.reason, point.currency) for point in history]
    last = history[-1]
    return [
        FigureWithHistory(
            **newest,
            **comparison(entry, of_periods[-1], of_periods[-2] if len(of_periods) > 1 else None),
            begin=last.begin,
            end=last.end,
            unfinished=last.unfinished,
            history=history,
        )
    ]


def _point(request: Request, span: Span, row: Mapping[str, Any]) -> FigurePoint:
    begin, end = span.bounds
    return FigurePoint(
        begin=show_time(begin),
        end=show_time(end),
        unfinished=request.asked_at.is_before(end),
        value=row["value"],
        reason=row.get("reason", ""),
        currency=row.get(CURRENCY, UNSET),
    )


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
    FigureWithHistory,
    kept=True,
    any_zone=True,
)
