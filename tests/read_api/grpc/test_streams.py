"""Streams that follow: GetChartDataStream, GetTechnicalIndicatorStream and GetMarketInsightStream.

A snapshot, then what changed; put together it is what the whole says. After a token nothing is told twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import grpc
import httpx
import pytest
from common.read_scope_pb2 import ReadScope
from services import charts_pb2 as charts
from services import insights_pb2 as insights
from services.analytics_service_pb2_grpc import AnalyticsServiceStub

from read_api.grpc.scope import moment
from tests.read_api.grpc.twins import said_in_message
from tests.support.instance import Instance
from tests.support.two_months import BEGIN, COMPANY, DAY_MS, END

SYMBOL, OTHER = "MSFT", "NVDA"  # each followed by one test: they come in any order
SMA = charts.IndicatorChoice(key="sma", settings={"period": 2})
CHART = charts.GetChartDataStreamRequest(
    company_id=COMPANY, range=charts.BarRange(symbol=SYMBOL, interval="1d"), indicators=[SMA]
)


def bar(day: int, close: float, symbol: str = SYMBOL) -> dict[str, object]:
    """A daily bar, published anew with every call."""
    start = BEGIN + day * DAY_MS
    prices = {"open": close, "high": close + 1, "low": close - 1, "close": close, "volume": 10 + day}
    return {
        "company_id": COMPANY, "event_id": f"bar-{symbol}-{day}-{close}-{time.monotonic_ns()}",
        "message_type": "market_bar", "timestamp": start,
        "payload": {"symbol": symbol, "interval": "1d", "start": start, **prices},
    }  # fmt: skip


@pytest.fixture
def signed(token: str) -> Sequence[tuple[str, str]]:
    """Metadata of somebody who may."""
    return (("authorization", f"Bearer {token}"),)


@pytest.fixture(scope="module")
def bars(filled: Instance) -> Instance:
    """Three bars of two markets of its own."""
    filled.take([bar(day, 100.0 + day, symbol) for day in range(3) for symbol in (SYMBOL, OTHER)])
    return filled


def put_together(told: Sequence[charts.GetChartDataStreamResponse]) -> tuple[dict[int, Any], dict[Any, Any]]:
    """What a client that applies every message has: bars by start, points by series and time."""
    bars: dict[int, Any] = {}
    points: dict[Any, Any] = {}
    for message in told:
        if message.snapshot:
            bars, points = {}, {}
        bars |= {each.start: each for each in message.bars}
        points |= {(series.key, point.time): point for series in message.indicators for point in series.points}
    return bars, points


def test_a_chart_that_is_followed_is_what_the_whole_says(
    bars: Instance, stub: AnalyticsServiceStub, signed: Any
) -> None:
    """A new bar, and one that is published again, come as changes alone; a resumed stream tells what came since."""
    call = stub.GetChartDataStream(CHART, metadata=signed, timeout=120)
    told = [next(call)]
    assert (told[0].snapshot, len(told[0].bars)) == (True, 3)
    bars.take([bar(3, 110.0)])
    told.append(next(call))
    bars.take([bar(3, 90.0)])
    told.append(next(call))
    call.cancel()
    assert [(message.snapshot, len(message.bars)) for message in told[1:]] == [(False, 1), (False, 1)]
    whole = stub.GetChartData(
        charts.GetChartDataRequest(company_id=COMPANY, range=CHART.range, indicators=[SMA]), metadata=signed
    )
    expected = put_together([charts.GetChartDataStreamResponse(bars=whole.bars, indicators=whole.indicators)])
    assert put_together(told) == expected

    resumed = charts.GetChartDataStreamRequest()
    resumed.CopyFrom(CHART)
    resumed.resume_token = told[-1].resume_token
    call = stub.GetChartDataStream(resumed, metadata=signed, timeout=120)
    bars.take([bar(4, 120.0)])
    first = next(call)
    call.cancel()
    # the position may have moved before the stream began; then it begins anew, and says so
    assert len(first.bars) == (5 if first.snapshot else 1)


def test_a_token_of_another_request_is_refused(bars: Instance, stub: AnalyticsServiceStub, signed: Any) -> None:
    """It would be taken for a place in another chart."""
    told = next(stub.GetChartDataStream(CHART, metadata=signed, timeout=120))
    other = charts.GetChartDataStreamRequest(
        company_id=COMPANY, range=charts.BarRange(symbol="AAPL", interval="1d"), resume_token=told.resume_token
    )
    with pytest.raises(grpc.RpcError) as refused:
        next(stub.GetChartDataStream(other, metadata=signed, timeout=60))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_indicators_come_with_the_last_bar(
    bars: Instance, client: httpx.Client, stub: AnalyticsServiceStub, signed: Any
) -> None:
    """As `indicator` says it over HTTP; again when another bar is the last."""
    asked = charts.GetTechnicalIndicatorStreamRequest(company_id=COMPANY, symbol=OTHER, interval="1d", indicators=[SMA])
    call = stub.GetTechnicalIndicatorStream(asked, metadata=signed, timeout=120)
    first = next(call)
    bars.take([bar(9, 130.0, OTHER)])
    second = next(call)
    call.cancel()
    assert second.bar.start == BEGIN + 9 * DAY_MS > first.bar.start
    params = {"symbol": OTHER, "interval": "1d", "indicator": "sma", "params": "period=2"}
    last = client.get("/api/v1/query/indicator", params=params).json()["rows"][-1]
    assert second.outputs["sma"].number == last["sma"]


@pytest.mark.ci
def test_findings_about_markets_come_once(stub: AnalyticsServiceStub, client: httpx.Client, signed: Any) -> None:
    """What `market_insights` finds, the gravest first; none of it again after the token. Fits models, so CI asks it."""
    scope = ReadScope(company_id=COMPANY, filters={"symbol": "AAPL"}, from_time=BEGIN, to_time=END)
    params = {"symbols": "AAPL", "from": moment(BEGIN), "to": moment(END)}
    rows = client.get("/api/v1/markets/insights", params=params).json()["rows"]
    expected = [row for row in rows if row["finding"] is not None]
    assert expected
    call = stub.GetMarketInsightStream(insights.GetMarketInsightStreamRequest(scope=scope), metadata=signed, timeout=60)
    told = list(within(call, len(expected)))
    call.cancel()
    assert sorted(each.insight.title for each in told) == sorted(row["title"] for row in expected)
    assert all(said_in_message(each)["insight_id"] for each in told)
    asked = insights.GetMarketInsightStreamRequest(scope=scope, resume_token=told[-1].resume_token)
    with pytest.raises(grpc.RpcError) as ended:
        next(stub.GetMarketInsightStream(asked, metadata=signed, timeout=20))
    assert ended.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def within(call: Iterator[Any], most: int) -> Iterator[Any]:
    """So many messages."""
    return (next(call) for _ in range(most))
