"""Live metrics over gRPC: a stream of what the live lane says, window by window."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from functools import cache
from typing import Any

from analytics.values_pb2 import MetricGroup, MetricValue, Value
from common.provenance_pb2 import Provenance
from services.dashboards_pb2 import GetRealTimeMetricsRequest, GetRealTimeMetricsResponse

from domain.errors import AnalyticsError
from domain.metrics.catalogue import METRICS
from domain.metrics.value import Reason
from domain.request.caller import Caller
from eventlog import tasks
from projections.engine.declare.live_window import LiveWindow
from projections.engine.declare.merge_rules import Money
from projections.engine.declare.registry import all_windows
from projections.engine.query.answer_row import CURRENCY
from read_api.answers.realtime import LiveQuestion, live_questions
from read_api.charts.columns import label
from read_api.grpc.messages import ms, value
from read_api.live.metrics import LiveMetrics, Message


class RealTime:
    """Handler of GetRealTimeMetrics."""

    def __init__(self, live: LiveMetrics) -> None:
        self._live = live

    async def get_real_time_metrics(
        self, request: GetRealTimeMetricsRequest, caller: Caller
    ) -> AsyncGenerator[GetRealTimeMetricsResponse]:
        """The newest windows of each metric, then each as it moves. Who reads slowly misses revisions, not windows."""
        company = caller.company(request.scope.company_id)
        filters = dict(request.scope.filters)
        asked = (",".join(request.metrics), request.window, ",".join(request.by), filters)
        questions = live_questions(caller.principal, company, *asked)
        if request.once:
            for question in questions:
                document = await question.document(self._live)
                for window in document["windows"]:
                    yield _response(question, {**document, "windows": [window]}, caller)
            return
        async for question, message in _together(questions, self._live):
            yield _response(question, message, caller)


async def _together(
    questions: Sequence[LiveQuestion], live: LiveMetrics
) -> AsyncGenerator[tuple[LiveQuestion, Message]]:
    """The messages of all questions as they come; of each the next is taken when the last one was.

    Raises Unavailable while the live lane is silent.
    """
    waiting: asyncio.Queue[tuple[LiveQuestion, Message] | AnalyticsError] = asyncio.Queue(1)

    async def pass_on(question: LiveQuestion) -> None:
        try:
            async for message in question.messages(live):
                await waiting.put((question, message))
        except AnalyticsError as error:
            await waiting.put(error)

    passing = [tasks.start(pass_on(question), f"live {question.view.window}") for question in questions]
    try:
        while True:
            found = await waiting.get()
            if isinstance(found, AnalyticsError):
                raise found
            yield found
    finally:
        await tasks.end(*passing)


def _response(question: LiveQuestion, message: Message, caller: Caller) -> GetRealTimeMetricsResponse:
    """One window of a message."""
    (window,), by = message["windows"], question.view.by
    declared = all_windows()[question.view.window]
    value_of = _values(declared[1], question, message)
    rows = [value_of(row) for row in window["rows"]]
    dimensions = [{name: str(row[name]) for name in by} for row in window["rows"]]
    return GetRealTimeMetricsResponse(
        window_begins=ms(window["start"]),
        window_ends=ms(window["end"]),
        watermark=ms(window["watermark"]),
        metrics=[] if by else rows[0],
        groups=[MetricGroup(dimensions=d, metrics=r) for d, r in zip(dimensions, rows, strict=True)] if by else [],
        provenance=Provenance(
            query=question.view.window,
            definition_version=declared[0].definition_version,
            correlation_id=caller.correlation_id,
            complete=window["kind"] == "durable",
        ),
        kind=window["kind"],
        revision=window["revision"],
        partial=window["partial"],
        partial_reasons=window["partial_reasons"],
        late_share=window["late_share"],
        durable_minutes=window["durable_minutes"],
    )


@cache
def _of_catalogue(name: str) -> Mapping[str, Any]:
    """What the catalogue says of a measure that is a metric of it; else its name for people."""
    entry = METRICS.get(name)
    if entry is None:
        return {"title": label(name)}
    return {"title": entry.title, "convention": entry.convention, "definition_version": entry.version}


def _values(
    window: LiveWindow, question: LiveQuestion, message: Message
) -> Callable[[Mapping[str, Any]], list[MetricValue]]:
    """How the measures of a row become values; money is in that of the row or of all its trades, else the company's."""
    money = {c.name for c in window.of.values if c.kind is Money}
    of_all = message["windows"][0].get(CURRENCY) or message[CURRENCY] or ""

    def values(row: Mapping[str, Any]) -> list[MetricValue]:
        reasons = row.get("reasons", {})
        mixed = Reason.MIXED_CURRENCIES in reasons.values()
        currency = "" if mixed else row.get(CURRENCY) or of_all
        return [
            MetricValue(
                key=f"{window.name}.{name}",
                unit=currency if name in money or isinstance(row[name], str) else "",
                currency=currency if name in money or isinstance(row[name], str) else "",
                value=Value(**value(row[name], reasons.get(name, ""))),
                **_of_catalogue(name),
            )
            for name in (question.measures or window.measures)
        ]

    return values
