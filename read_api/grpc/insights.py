"""Competitive insights over gRPC: what `competitive` answers for each metric, beside the company's own value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from analytics.values_pb2 import MetricValue, Value
from common.read_scope_pb2 import ReadScope
from services import insights_pb2 as insights

from domain.access.rights import require
from domain.errors import Invalid
from domain.events.catalogue import LATEST
from domain.metrics.catalogue import metric
from domain.position import Position
from domain.request.caller import Caller
from projections.engine.query.ask import answerable
from projections.engine.query.formatting import show_time
from projections.engine.query.request import Question
from read_api.answers.questions import Questions
from read_api.grpc.answers import provenance

COMPETITIVE = "competitive"
PEER_GROUPS = ("", "tier")
UNUSED = ("filters", "at_position", "convention", "time_zone")  # members of a scope that no comparison has
WITHHELD = "withheld"  # of what would tell a peer's value


class Insights:
    """Handler of GetCompetitiveAnalysis."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    async def get_competitive_analysis(
        self, request: insights.GetCompetitiveAnalysisRequest, caller: Caller
    ) -> insights.GetCompetitiveAnalysisResponse:
        """A comparison for each metric. Raises Invalid without metrics and for what comparisons do not know."""
        scope = request.scope
        company = caller.company(scope.company_id)
        require(caller.principal, answerable(COMPETITIVE).right, company)
        _check(request)
        at_least, asked_at = Position.parse(scope.min_position), self._questions.now()
        answers, comparisons = [], []
        for key in request.metrics:
            asked = Question(COMPETITIVE, company, {"metric": key, **_period(scope)}, asked_at)
            answer = await self._questions.ask(caller.principal, asked, at_least)
            (row,) = answer["rows"]
            of_own = Question(row["evidence"]["query"], company, row["evidence"]["params"], asked_at)
            own = await self._questions.ask(caller.principal, of_own, at_least)
            answers += [answer, own]
            comparisons.append((row, _comparison(row, own["rows"][0])))
        peers = [row["sample"] for row, _ in comparisons if row["finding"]]
        return insights.GetCompetitiveAnalysisResponse(
            comparisons=[comparison for _, comparison in comparisons],
            peers=min(peers, default=0),
            provenance=provenance(caller, *answers),
        )


def _check(request: insights.GetCompetitiveAnalysisRequest) -> None:
    if not request.metrics:
        raise Invalid("name at least one metric to compare", code="bad_parameter")
    if request.peer_group not in PEER_GROUPS:
        raise Invalid(f"peers are those of the tier, not of {request.peer_group!r}", code="bad_parameter")
    if not all(0 <= at < LATEST for at in (request.scope.from_time, request.scope.to_time)):
        raise Invalid("a time is ms since 1970 UTC", code="bad_parameter")
    if given := [name for name in UNUSED if getattr(request.scope, name)]:
        raise Invalid(f"a comparison has no {given[0]}", code="bad_parameter")


def _period(scope: ReadScope) -> dict[str, str]:
    given = {"from": scope.from_time, "to": scope.to_time}
    return {name: show_time(datetime.fromtimestamp(at / 1000, UTC)) for name, at in given.items() if at}


def _comparison(row: Mapping[str, Any], own: Mapping[str, Any]) -> insights.PeerComparison:
    found = row["finding"]
    withheld = Value(reason=WITHHELD)
    return insights.PeerComparison(
        own=_metric(own),
        lower_quartile=withheld,
        median=withheld,
        upper_quartile=withheld,
        percentile=found["percentile"] / 100 if found else None,
        reason="" if found else row["reasons"]["finding"],
    )


def _metric(row: Mapping[str, Any]) -> MetricValue:
    same = ("key", "unit", "convention", "definition_version")
    return MetricValue(
        **{name: row[name] for name in same},
        title=metric(row["key"]).title,
        value=_value(row["value"], row),
        basis=row.get("basis", ""),
    )


def _value(value: Any, row: Mapping[str, Any]) -> Value:
    match value:
        case None:
            return Value(reason=row["reason"])
        case str():
            return Value(decimal=value)
        case int():
            return Value(count=value)
    return Value(number=value)
