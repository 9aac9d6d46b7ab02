"""Insights over gRPC: trends, seasons, anomalies, recommendations and findings about markets, in protobuf."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import date
from hashlib import sha256
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

import msgspec
from analytics.business_intelligence_pb2 import BusinessInsights
from common.read_scope_pb2 import ReadScope
from services.insights_pb2 import GetMarketInsightStreamRequest, GetMarketInsightStreamResponse

from domain.errors import Invalid
from domain.insights.finding import Kind
from domain.metrics.catalogue import METRICS
from domain.metrics.metric import Section
from domain.request.caller import Caller
from projections.queries.insights.daily_series import SERIES
from projections.queries.insights.drivers import DRIVEN
from read_api.grpc.answers import provenance
from read_api.grpc.kpis import metric_value, of_catalogue
from read_api.grpc.messages import message, ms
from read_api.grpc.question_streams import QuestionStreams, reached_before, resume_token
from read_api.grpc.rpc import Answer, Answers, Rpc, one
from read_api.grpc.scope import QueryCall, about, names, only

Row = Mapping[str, Any]
WATCHED = ("total_pnl", "active_users", "mrr", "error_rate")  # where no metric is named
DIRECTIONS = {"rising": "RISING", "falling": "FALLING", "none": "FLAT"}
MOST = 20  # metrics of one request: each is a model of its own
AREAS = ("trading",)  # that there are rules about
SERIES_OF = "series "  # before the name of a question: the one behind its series


def _each(request: Any, kind: str = "") -> Mapping[str, QueryCall]:
    """One question a metric."""
    if len(request.metrics) > MOST:
        raise Invalid(f"at most {MOST} metrics can be asked about", code="bad_parameter")
    return {key: about("insights", request.scope, metric=key, kind=kind) for key in request.metrics or WATCHED}


def _findings(answers: Answers) -> list[Row]:
    return [row for answer in answers.values() for row in answer["rows"]]


# ---- what is worth knowing


def insight(row: Row) -> dict[str, Any]:
    """The members of BusinessInsights out of a finding; the same finding has the same id."""
    told = {name: row[name] for name in ("kind", "metric", "evidence", "finding")}
    params = row["evidence"]["params"]
    return {
        "insight_id": sha256(msgspec.json.encode(told, order="sorted")).hexdigest()[:32],
        "kind": row["kind"],
        "severity": row["severity"],
        "title": row["title"],
        "explanation": f"{row['method']}; {row['sample']} observations.",
        "metric": {"current": _current(row), **_move(row)},
        "confidence": 1 - row["finding"]["p_value"] if "p_value" in row["finding"] else None,
        "suggested_actions": _actions(row),
        "from_time": ms(params.get("from")),
        "to_time": ms(params.get("to")),
    }


def _current(row: Row) -> dict[str, Any]:
    return of_catalogue(row["metric"]) | {"unit": row["unit"]}


def _move(row: Row) -> dict[str, Any]:
    """What the finding compares: the figure of the metric, what it was before, and the change."""
    finding, current = row["finding"], _current(row)
    if row["kind"] == Kind.GROWTH:
        now, before = finding["now"], finding["before"]
    elif row["kind"] == Kind.CHANGE_POINTS and finding["points"]:
        now, before = finding["points"][-1]["after"], finding["points"][-1]["before"]
    else:
        return {}
    change = (now - before) / abs(before) if before else None
    return {"current": {**current, "value": now}, "previous": {**current, "value": before}, "change": change}


def _actions(row: Row) -> list[str]:
    """What can be asked next about a move, or a day that was not as expected: questions that this API answers."""
    finding, params = row["finding"], row["evidence"]["params"]
    moved = row["kind"] == Kind.GROWTH or (row["kind"] == Kind.CHANGE_POINTS and finding["points"])
    asked: list[str] = []
    if moved and (driven := DRIVEN.get(row["metric"])) is not None:
        period = {"metric": row["metric"], "by": driven.dimensions[0], "from": params["from"], "to": params["to"]}
        asked.append(f"Ask /api/v1/query/drivers?{urlencode(period)} what each {driven.dimensions[0]} contributed.")
    if row["kind"] == Kind.ANOMALIES and finding["points"]:
        asked.append(f"See the events of {finding['points'][-1]['day']}: StreamEvents, or GET /api/v1/events.")
    return asked


def findings_from(rows: list[Row], least: int) -> list[Row]:
    """Findings of at least that severity, the gravest first."""
    found = [row for row in rows if row["finding"] is not None and rank(row) >= least]
    return sorted(found, key=rank, reverse=True)


def rank(row: Row) -> int:
    """The number of its severity in the contract."""
    return BusinessInsights.Severity.Value(row["severity"].upper())


def _insights(request: Any, answers: Answers) -> Row:
    named = [name for name in answers if not name.startswith(SERIES_OF)]
    rows = findings_from([row for name in named for row in answers[name]["rows"]], request.min_severity)
    told = []
    for row in rows[: request.limit or None]:
        found = insight(row)
        history = daily_series(row, answers[f"{SERIES_OF}{row['metric']}"]["rows"], request.scope.filters)
        told.append({**found, "metric": {**found["metric"], "history": history}})
    return {"insights": told}


# ---- of one kind


def _trending(request: Any) -> Mapping[str, QueryCall]:
    only("interval", request.interval, "day")
    return _each(request, "trend")


def of_series(_request: Any, answers: Answers) -> Mapping[str, QueryCall]:
    """The questions behind the series in which something was found: their evidence."""
    rows = {name: answer["rows"][0]["evidence"] for name, answer in answers.items()}
    return {f"{SERIES_OF}{name}": QueryCall(evidence["query"], evidence["params"]) for name, evidence in rows.items()}


def daily_series(row: Row, found: Sequence[Row], filters: Row = MappingProxyType({})) -> dict[str, Any]:
    """The members of a Series: the days in which something was looked for, out of the rows of its question."""
    params = row["evidence"]["params"]
    read = SERIES[row["metric"]].read(found, date.fromisoformat(params["from"]), date.fromisoformat(params["to"]))
    points = [{"time": ms(str(read.day(place))), "value": each} for place, each in enumerate(read.values)]
    title = METRICS[row["metric"]].title if row["metric"] in METRICS else row["metric"]
    return {"key": row["metric"], "unit": row["unit"], "title": title, "dimensions": filters, "points": points}


def _trends(request: Any, answers: Answers) -> Row:
    keys = request.metrics or WATCHED
    series = {key: (answers[key]["rows"][0], answers[f"{SERIES_OF}{key}"]["rows"]) for key in keys}
    return {"trends": [_trend(row, daily_series(row, found, request.scope.filters)) for row, found in series.values()]}


def _trend(row: Row, observed: Row) -> Row:
    if (finding := row["finding"]) is None:
        return {
            "observed": observed,
            "reasons": dict.fromkeys(("slope", "p_value", "trend"), row["reasons"]["finding"]),
        }
    line = [
        {"time": point["time"], "value": finding["begin"] + finding["slope"] * place}
        for place, point in enumerate(observed["points"])
    ]
    shown = {name: finding[name] for name in ("slope", "p_value")}
    straight = {**observed, "title": f"{observed['title']}: trend", "points": line}
    return {"observed": observed, "trend": straight, "direction": DIRECTIONS[finding["direction"]], **shown}


def _season(request: Any) -> QueryCall:
    only("cycle", request.cycle, "week")
    return about("insights", request.scope, metric=request.metric, kind="seasonality")


def _seasons(_request: Any, answer: Answer) -> Row:
    """Places count from the first day of the series, which need be no Monday: so they are turned to the week's."""
    (row,) = answer["rows"]
    if row["finding"] is None:
        return {"reason": row["reasons"]["finding"]}
    weeks = [season for season in row["finding"]["seasons"] if season["period"] == 7]
    if not weeks:
        return {"reason": "no_season"}
    first = ms(row["evidence"]["first_day"]) // 86_400_000 + 3  # 1 January 1970 was a Thursday
    places = sorted(((first + place) % 7, place) for place in range(7))
    shown = [
        {"place": weekday, "deviation": weeks[0]["profile"][place], "observations": len(range(place, row["sample"], 7))}
        for weekday, place in places
    ]
    return {"seasons": shown, "strength": weeks[0]["strength"]}


def _anomalous(request: Any) -> Mapping[str, QueryCall]:
    only("interval", request.interval, "day")
    only("sensitivity", str(request.sensitivity or ""), "")
    return _each(request, "anomalies")


def _anomalies(request: Any, answers: Answers) -> Row:
    found = [
        {**_anomaly(row, point), "dimensions": request.scope.filters}
        for row in _findings(answers)
        if row["finding"]
        for point in row["finding"]["points"]
    ]
    return {"anomalies": sorted(found, key=lambda each: each["observed"]["time"])}


def _anomaly(row: Row, point: Row) -> dict[str, Any]:
    finding = row["finding"]
    band: Row = {}
    if not finding["logarithms"]:  # there the band is a factor of a level that the finding does not tell
        width = finding["threshold"] * finding["spread"]
        band = {"lower": point["expected"] - width, "upper": point["expected"] + width}
    observed = {"time": ms(point["day"]), "value": point["value"]}
    return {
        "metric": row["metric"],
        "observed": observed,
        "expected": point["expected"],
        "score": point["score"],
        **band,
    }


def _advice(request: Any) -> QueryCall:
    only("area", request.area, *AREAS)
    return about("recommendations", request.scope)


def _recommendations(request: Any, answer: Answer) -> Row:
    return {"recommendations": [_recommendation(row) for row in answer["rows"][: request.limit or None]]}


def _recommendation(row: Row) -> Row:
    finding = row["finding"]
    told = msgspec.json.encode([finding["rule"], finding["subject"], row["evidence"]["params"]], order="sorted")
    effect = finding["effect"]
    return {
        "recommendation_id": sha256(told).hexdigest()[:32],
        "area": Section.TRADING.value,
        "action": finding["advice"],
        "rationale": f"{finding['subject']}: " + "; ".join(map(_met, finding["evidence"])) + ".",
        "expected_effect": of_catalogue(effect["metric"]) | {"title": effect["assumption"], "value": effect["change"]},
    }


def _met(condition: Row) -> str:
    return f"{condition['metric']} {condition['value']:.6g} is {condition['relation']} {condition['bound']:.6g}"


# ---- among others

PEER_GROUPS = ("tier",)
UNUSED = ("filters", "at_position", "convention", "time_zone")  # members of a scope that no comparison has
WITHHELD = {"reason": "withheld"}  # of what would tell a peer's value


def _compared(request: Any) -> Mapping[str, QueryCall]:
    if not request.metrics:
        raise Invalid("name at least one metric to compare", code="bad_parameter")
    only("peer_group", request.peer_group, *PEER_GROUPS)
    if given := [name for name in UNUSED if getattr(request.scope, name)]:
        raise Invalid(f"a comparison has no {given[0]}", code="bad_parameter")
    return {key: about("competitive", request.scope, metric=key) for key in request.metrics}


def _own(_request: Any, answers: Answers) -> Mapping[str, QueryCall]:
    evidence = {key: answer["rows"][0]["evidence"] for key, answer in answers.items()}
    return {f"own {key}": QueryCall(each["query"], each["params"]) for key, each in evidence.items()}


def _comparisons(request: Any, answers: Answers) -> Row:
    rows = [answers[key]["rows"][0] for key in request.metrics]
    own = [answers[f"own {key}"]["rows"][0] for key in request.metrics]
    peers = [row["sample"] for row in rows if row["finding"]]
    return {
        "comparisons": [_comparison(row, value) for row, value in zip(rows, own, strict=True)],
        "peers": min(peers, default=0),
    }


def _comparison(row: Row, own: Row) -> Row:
    finding = row["finding"]
    return {
        "own": metric_value(own),
        **dict.fromkeys(("lower_quartile", "median", "upper_quartile"), WITHHELD),
        "percentile": finding["percentile"] / 100 if finding else None,
        "reason": "" if finding else row["reasons"]["finding"],
    }


# ---- about markets


def markets(request: Any) -> QueryCall:
    """What the closes of the markets say that a stream is about: one symbol in the filters, or all.

    Raises Invalid for another filter.
    """
    filters = dict(request.scope.filters)
    if wrong := [name for name in filters if name != "symbol"]:
        raise Invalid(f"{wrong[0]} is no filter here", code="bad_parameter")
    of_all = ReadScope()
    of_all.CopyFrom(request.scope)
    of_all.filters.clear()
    return about("market_insights", of_all, symbols=names([filters["symbol"]]) if filters else "")


MARKETS = Rpc(
    "GetMarketInsightStream", lambda request: {"": markets(request)}, lambda _request, _answers: {}, members=True
)
EVERY = 60.0  # seconds between two looks at the markets: findings are about days, and models are fitted for them
SHORT = 8  # letters of an id in a token: enough to tell a few dozen findings apart


class MarketInsights:
    """Handler of GetMarketInsightStream."""

    def __init__(self, following: QuestionStreams) -> None:
        self._following = following

    async def get_market_insight_stream(
        self, request: GetMarketInsightStreamRequest, caller: Caller
    ) -> AsyncGenerator[GetMarketInsightStreamResponse]:
        """Every finding once, the gravest of a moment first; those that the token covers are not sent again."""
        sent = set(filter(None, reached_before(request).split("-")))
        async with aclosing(self._following.states(MARKETS, request, caller, pause=EVERY)) as states:
            async for answers in states:
                made = [(row, insight(row)) for row in findings_from(answers[""]["rows"], request.min_severity)]
                sent &= {each["insight_id"][:SHORT] for _, each in made}  # the token names what still holds
                for _, each in made:
                    if (short := each["insight_id"][:SHORT]) not in sent:
                        sent.add(short)
                        told: dict[str, Any] = {
                            "insight": each,
                            "resume_token": resume_token(request, "-".join(sorted(sent))),
                        }
                        told["provenance"] = provenance(caller, answers[""])
                        yield message(GetMarketInsightStreamResponse, told)


RPCS = (
    Rpc("GetBusinessInsights", _each, _insights, of_series, members=True),
    Rpc("GetTrendAnalysis", _trending, _trends, of_series, members=True),
    one("GetSeasonality", _season, _seasons, members=True),
    Rpc("GetAnomalies", _anomalous, _anomalies, members=True),
    one("GetRecommendations", _advice, _recommendations),
    Rpc("GetCompetitiveAnalysis", _compared, _comparisons, _own),
)
