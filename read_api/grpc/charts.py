"""Charts over gRPC: bars, indicators, markets and correlations, in protobuf."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from datetime import timedelta
from itertools import zip_longest
from typing import Any

from analytics.values_pb2 import Series
from services.charts_pb2 import (
    BarRange,
    GetChartDataStreamRequest,
    GetChartDataStreamResponse,
    GetCorrelationMatrixRequest,
    GetTechnicalIndicatorStreamRequest,
    GetTechnicalIndicatorStreamResponse,
)

from domain.errors import Invalid
from domain.request.caller import Caller
from projections.market_bars import length
from read_api.grpc.messages import ms, value
from read_api.grpc.question_streams import QuestionStreams, reached_before, resume_token
from read_api.grpc.rpc import Answer, Answers, Asking, Rpc, one
from read_api.grpc.scope import QueryCall, about, moment, names

Row = Mapping[str, Any]
MOST = 20  # indicators of one chart


def of_bars(bars: BarRange) -> dict[str, str]:
    """The range as parameters."""
    period = {"from": bars.from_time, "to": bars.to_time}
    given = {"symbol": bars.symbol, "interval": bars.interval}
    return {name: text for name, text in given.items() if text} | {
        name: moment(at) for name, at in period.items() if at
    }


def indicators(chosen: Any, bars: Mapping[str, str]) -> Mapping[str, QueryCall]:
    """A question for each indicator, by its place. Raises Invalid for too many."""
    if len(chosen) > MOST:
        raise Invalid(f"a chart has at most {MOST} indicators", code="bad_parameter")
    return {str(place): QueryCall("indicator", {**bars, **_choice(each)}) for place, each in enumerate(chosen)}


def _choice(chosen: Any) -> dict[str, str]:
    settings = ",".join(f"{name}={value:g}" for name, value in sorted(chosen.settings.items()))
    return {"indicator": chosen.key, **({"params": settings} if settings else {})}


def unfinished(answer: Answer, interval: str) -> Callable[[str], bool]:
    """Whether a bar that begins then goes on beyond the moment that the answer is of."""
    over = ms(answer["as_of"]) - length(interval) / timedelta(milliseconds=1)
    return lambda start: 0 < over < ms(start)


def bars_of(answer: Answer, interval: str) -> list[Row]:
    """The members of ChartBars."""
    goes_on = unfinished(answer, interval)
    return [{**row, "unfinished": goes_on(row["start"])} for row in answer["rows"]]


def outputs(chosen: Any, interval: str, answers: Answers) -> list[Row]:
    """A series for each output of each indicator, one point a bar; undefined while it warms up."""
    return [series for place, each in enumerate(chosen) for series in _outputs(each.key, interval, answers[str(place)])]


def _outputs(key: str, interval: str, answer: Answer) -> list[Row]:
    rows, goes_on = answer["rows"], unfinished(answer, interval)
    columns = [name for name in rows[0] if name != "start"] if rows else []
    return [
        {
            "key": name,
            "title": f"{key} {name}" if name != key else key,
            "dimensions": {"indicator": key},
            "points": [
                {
                    "time": ms(row["start"]),
                    "value": row[name],
                    "reason": WARMING_UP,
                    "unfinished": goes_on(row["start"]),
                }
                for row in rows
            ],
        }
        for name in columns
    ]


WARMING_UP = "warming_up"


def _chart(request: Any) -> Mapping[str, QueryCall]:
    bars = of_bars(request.range)
    return {"bars": QueryCall("market_bars", bars), **indicators(request.indicators, bars)}


def _drawn(request: Any, answers: Answers) -> Row:
    interval = request.range.interval
    return {
        "bars": bars_of(answers["bars"], interval),
        "indicators": outputs(request.indicators, interval, answers),
    }


def _technical(request: Any) -> Mapping[str, QueryCall]:
    if not request.indicators:
        raise Invalid("name at least one indicator", code="missing_parameter")
    return indicators(request.indicators, of_bars(request.range))


def _markets(request: Any) -> QueryCall:
    return about("markets", request.scope, symbols=names(request.symbols), interval=request.interval)


def _correlated(request: Any) -> QueryCall:
    of = GetCorrelationMatrixRequest.Of.Name(request.of).lower() if request.of else ""
    return about("correlations", request.scope, of=of, names=names(request.names), interval=request.interval)


def _listed(request: Any, answer: Answer) -> Row:
    wanted = request.search.lower()
    return {
        "indicators": [
            _indicator(row) for row in answer["rows"] if wanted in f"{row['indicator']} {row['title']}".lower()
        ]
    }


def _indicator(row: Row) -> Row:
    numbers = {each["name"]: each["default"] for each in row["params"] if not isinstance(each["default"], str)}
    return {**row, "key": row["indicator"], "settings": numbers, "formula": row["source"]}


RPCS = (
    Rpc("GetChartData", _chart, _drawn, members=True),
    Rpc(
        "GetTechnicalIndicators",
        _technical,
        lambda request, answers: {"indicators": outputs(request.indicators, request.range.interval, answers)},
        members=True,
    ),
    one("ListIndicators", lambda _request: QueryCall("indicators"), _listed, members=True),
    one("GetMarketAnalytics", _markets, lambda _request, answer: {"markets": answer["rows"]}, members=True),
    one("GetCorrelationMatrix", _correlated, lambda _request, answer: {"pairs": answer["rows"]}),
)

# ---- kept up to date

CHART = Rpc("GetChartDataStream", _chart, _drawn, members=True)
AT_THE_LAST_BAR = Rpc(
    "GetTechnicalIndicatorStream",
    lambda request: {
        "bars": QueryCall("market_bars", _recent(request, 1)),
        **indicators(request.indicators, _recent(request, LEAD)),
    },
    lambda request, answers: _last(request, answers),
    members=True,
)
LEAD = 1_000  # intervals before the newest bar that indicators are computed on, so that averages have settled


class ChartStreams:
    """Handlers of GetChartDataStream and GetTechnicalIndicatorStream."""

    def __init__(self, asking: Asking, following: QuestionStreams) -> None:
        self._asking = asking
        self._following = following

    async def get_chart_data_stream(
        self, request: GetChartDataStreamRequest, caller: Caller
    ) -> AsyncGenerator[GetChartDataStreamResponse]:
        """The chart as a whole, unless nothing moved since the token; then bars and points that are new or changed."""
        if request.range.to_time:
            raise Invalid("a chart that is followed has no end", code="bad_parameter")
        before, seen = reached_before(request), None
        async with aclosing(self._following.states(CHART, request, caller)) as states:
            async for answers in states:
                made = await self._asking.filled(CHART, request, answers, caller)
                whole = GetChartDataStreamResponse.FromString(made.SerializeToString())
                position = whole.provenance.position
                told = _changes(whole if seen is None and before == position else seen, whole)
                seen = whole
                if told is not None:
                    told.resume_token = resume_token(request, position)
                    yield told

    async def get_technical_indicator_stream(
        self, request: GetTechnicalIndicatorStreamRequest, caller: Caller
    ) -> AsyncGenerator[GetTechnicalIndicatorStreamResponse]:
        """The last bar with its indicators, whenever either is another."""
        before, last = reached_before(request), b""
        async with aclosing(self._following.states(AT_THE_LAST_BAR, request, caller)) as states:
            async for answers in states:
                made = await self._asking.filled(AT_THE_LAST_BAR, request, answers, caller)
                told = GetTechnicalIndicatorStreamResponse.FromString(made.SerializeToString())
                position, content = told.provenance.position, _without_place(told)
                if content != last and (last or before != position) and told.HasField("bar"):
                    told.resume_token = resume_token(request, position)
                    yield told
                last = content


def _without_place(told: GetTechnicalIndicatorStreamResponse) -> bytes:
    content = GetTechnicalIndicatorStreamResponse(bar=told.bar, outputs=told.outputs)
    return content.SerializeToString(deterministic=True)


def _recent(request: Any, last: int) -> dict[str, str]:
    given = {"symbol": request.symbol, "interval": request.interval, "last": str(last)}
    return {name: text for name, text in given.items() if text}


def _last(request: Any, answers: Answers) -> Row:
    bars = bars_of(answers["bars"], request.interval)
    if not bars:
        return {}
    last = {str(place): answers[str(place)]["rows"][-1:] for place, _ in enumerate(request.indicators)}
    found = {
        name: value(shown, WARMING_UP)
        for place, _ in enumerate(request.indicators)
        for row in last[str(place)]
        for name, shown in row.items()
        if name != "start"
    }
    return {"bar": bars[-1], "outputs": found}


def _changes(
    before: GetChartDataStreamResponse | None, now: GetChartDataStreamResponse
) -> GetChartDataStreamResponse | None:
    """What is new or changed; None for nothing. What is gone makes it a snapshot, as the first one is."""
    if before is None:
        return GetChartDataStreamResponse(
            bars=now.bars, indicators=now.indicators, snapshot=True, provenance=now.provenance
        )
    bars = {bar.start: bar for bar in before.bars}
    if bars.keys() - {bar.start for bar in now.bars}:
        return _changes(None, now)
    changed = [bar for bar in now.bars if bars.get(bar.start) != bar]
    series = [_newer(old, new) for old, new in zip_longest(before.indicators, now.indicators, fillvalue=Series())]
    told = [each for each in series if each.points]
    if not changed and not told:
        return None
    return GetChartDataStreamResponse(bars=changed, indicators=told, provenance=now.provenance)


def _newer(before: Series, now: Series) -> Series:
    points = {point.time: point for point in before.points}
    changed = Series(key=now.key, title=now.title, unit=now.unit, dimensions=now.dimensions)
    changed.points.extend(point for point in now.points if points.get(point.time) != point)
    return changed
