"""Metrics and their explanation over gRPC: the catalogue in protobuf, and the events behind a number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from services.queries_pb2 import ExplainMetricRequest, ExplainMetricResponse

from domain.access.rights import Right
from domain.errors import NotFound
from domain.metrics.catalogue import METRICS, metric
from domain.metrics.metric import Metric
from domain.position import Position
from domain.request.caller import Caller
from projections.engine.query.request import Question
from read_api.answers.explained_measure import explained_measure, measure_name
from read_api.grpc.answers import provenance
from read_api.grpc.kpis import metric_value
from read_api.grpc.messages import message
from read_api.grpc.rpc import Answers, Asking, Rpc
from read_api.grpc.scope import QueryCall, about
from read_api.services import ReadServices

Row = Mapping[str, Any]


def definition(entry: Metric) -> dict[str, Any]:
    """The members of MetricDefinition."""
    return {
        "key": entry.key,
        "title": entry.title,
        "area": str(entry.section),
        "unit": str(entry.unit),
        "formula": entry.formula,
        "reads": [measure_name(each) for each in entry.explained],
        "dimensions": entry.dimensions,
        "conventions": [str(entry.convention)],
        "definition_version": entry.version,
        "reasons": [entry.absent] if entry.absent else [],
    }


def _nothing(_request: Any) -> Mapping[str, QueryCall]:
    return {}


def _listed(request: Any, _answers: Answers) -> Row:
    wanted = request.search.lower()
    return {
        "metrics": [
            definition(entry)
            for entry in METRICS.values()
            if wanted in f"{entry.key} {entry.title}".lower() and request.area in ("", entry.section)
        ]
    }


def _described(request: Any, _answers: Answers) -> Row:
    """Raises NotFound for a key or version that there is not: earlier ones are not kept."""
    entry = metric(request.key)
    if request.definition_version not in (0, entry.version):
        raise NotFound(f"{entry.key} has no version {request.definition_version} any more", code="unknown_version")
    return {"metric": definition(entry)}


RPCS = (
    Rpc("ListMetrics", _nothing, _listed, members=True, right=Right.CATALOGUE),
    Rpc("DescribeMetric", _nothing, _described, members=True, right=Right.CATALOGUE),
)

# ---- where a number comes from

EXPLAIN = Rpc(
    "ExplainMetric",
    lambda request: {
        name: about(query, request.scope, key=request.key, **request.dimensions)
        for name, query in (("value", "metric"), ("ingredients", "ingredients"))
    },
    lambda request, answers: {"value": metric_value(answers["value"]["rows"][0])},
    members=True,
    right=Right.EXPLAIN,
)


class MetricExplanations:
    """Handler of ExplainMetric: the value, what it is made of, and a page of the events behind one measure of that."""

    def __init__(self, side: ReadServices, asking: Asking) -> None:
        self._side = side
        self._asking = asking

    async def explain_metric(self, request: ExplainMetricRequest, caller: Caller) -> ExplainMetricResponse:
        """Raises Forbidden, Invalid, NotFound, and what telling the past raises."""
        self._asking.admit(EXPLAIN, request, caller)
        entry = metric(request.key)
        of = explained_measure(entry, request.measure)
        answers = await self._asking.answers(EXPLAIN, request, caller)
        asked, answer = about(of.query, request.scope, **request.dimensions), answers["value"]
        page = {"measure": of.measure, "cursor": request.page.cursor, "as_known_at": request.scope.at_position}
        page["limit"] = str(request.page.limit or "")
        wanted = {name: text for name, text in page.items() if text}
        question = Question(of.query, answer["company"], asked.params, self._side.questions.now(), about=wanted)
        least = Position.parse(request.scope.min_position or caller.min_position)
        found = await self._side.past.answer(caller.principal, question, least)
        return message(
            ExplainMetricResponse,
            {
                "value": metric_value(answer["rows"][0]) if answer["rows"] else None,
                "definition": definition(entry),
                "inputs": {of.measure: found["value"]},
                "ingredients": answers["ingredients"]["rows"],
                "contributions": [_contribution(event) for event in msgspec.json.decode(found["events"])],
                "events": found["total"],
                "next_cursor": found.get("next_cursor"),
                "provenance": provenance(caller, answer),
            },
        )


def _contribution(event: Row) -> Row:
    return {**event, "amount": event["share"]}
