"""The client package at a running instance: examples of the reference, rows as Python values, streams that resume."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import grpc
import pytest
from analytics_client import AnalyticsClient, AnalyticsError
from analytics_client.resuming import by_position, by_token, resumed
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf.descriptor import MethodDescriptor
from services.kpis_pb2 import GetKPIsRequest
from services.operations_pb2 import StreamEventsRequest, StreamEventsResponse
from services.queries_pb2 import ExportAnalyticsRequest, RunAnalyticsQueryRequest

from app.docs import grpc_examples
from app.docs.grpc import code_of
from app.docs.grpc_examples import EXAMPLES
from app.serving.grpc_server import SERVICE
from domain.access.rights import Role
from domain.request.caller import Caller
from tests.read_api.grpc.serving import serving
from tests.support.instance import Instance
from tests.support.two_months import BEGIN, COMPANY, END

PERIOD = datetime.fromtimestamp(BEGIN / 1000, UTC), datetime.fromtimestamp(END / 1000, UTC)
# What the examples ask for that the instance does not have: the refusal is the answer.
MISSING = {"GetReport": "no_report", "DownloadReport": "no_report"}
FITTED = (  # models are fitted for them, which takes seconds: CI runs these
    *("GetBusinessInsights", "GetTrendAnalysis", "GetSeasonality", "GetAnomalies", "GetMarketInsightStream"),
    *("GetPredictiveAnalytics", "GetChurnForecast", "GetForecast"),
)


@pytest.fixture(scope="module")
def signed(filled: Instance) -> tuple[str, str]:
    """The address of an instance that has a company with everything, and a token for all of it."""
    return filled.addresses["grpc"], filled.signed("eve", COMPANY, roles=[*set(Role) - {Role.MEMBER}])


@pytest.fixture
async def analytics(signed: tuple[str, str]) -> AsyncIterator[AnalyticsClient]:
    """A client of it."""
    async with AnalyticsClient(*signed, COMPANY, timeout=120) as client:
        yield client


def test_every_rpc_has_an_example() -> None:
    """A new RPC needs one."""
    assert set(EXAMPLES) == {rpc.name for rpc in SERVICE.methods}


async def run_example(rpc: MethodDescriptor, analytics: AnalyticsClient) -> None:
    """As the reference shows it, of the company that there is."""
    lines = code_of(rpc).replace(f'"{grpc_examples.COMPANY}"', f'"{COMPANY}"').splitlines()
    body = "".join(f"    {line}\n" for line in lines if not line.startswith("from "))
    imports = "\n".join(line for line in lines if line.startswith("from "))
    space: dict[str, Any] = {"analytics": analytics, "print": lambda _: None}
    exec(f"{imports}\nasync def example() -> None:\n{body}", space)
    answered = asyncio.wait_for(space["example"](), 120)
    if rpc.name not in MISSING:
        await answered
        return
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await answered
    assert AnalyticsError(refused.value).code == MISSING[rpc.name]


ONE_BY_ONE = [rpc for rpc in SERVICE.methods if rpc.name not in (*FITTED, "Publish", "GetEvent")]


@pytest.mark.ci  # every RPC
async def test_every_example_of_the_reference_runs(analytics: AnalyticsClient) -> None:
    """Those that fit no models; an event is published before it is asked for."""
    for name in ("Publish", "GetEvent"):
        await run_example(SERVICE.methods_by_name[name], analytics)
    for rpc in ONE_BY_ONE:
        await run_example(rpc, analytics)


@pytest.mark.ci
@pytest.mark.parametrize("name", FITTED)
async def test_every_example_that_fits_models_runs(analytics: AnalyticsClient, name: str) -> None:
    """As the others; models are fitted in a process of their own, which takes seconds, so CI runs these."""
    try:
        await run_example(SERVICE.methods_by_name[name], analytics)
    except TimeoutError:
        assert name == "GetMarketInsightStream"  # nothing may be worth saying, and then it waits


async def test_rows_are_values_of_python(analytics: AnalyticsClient) -> None:
    """Money exact, counts whole, moments with their zone; what is undefined is None."""
    scope = analytics.scope(*PERIOD)
    metrics = await analytics.rows(
        analytics.question(metrics=["total_pnl", "total_trades"], by=["symbol"], scope=scope)
    )
    assert {type(row["total_pnl"]) for row in metrics} == {Decimal}
    assert {type(row["total_trades"]) for row in metrics} == {int}
    trades = await analytics.rows(analytics.question("trades", limit=5, scope=scope))
    assert [row["closed_at"].tzinfo for row in trades] == [UTC] * 5
    exported = await analytics.export(ExportAnalyticsRequest(question=analytics.question("trades", scope=scope)))
    assert len(exported.splitlines()) == sum(row["total_trades"] for row in metrics) + 1


async def test_a_refusal_says_what_may_be_done(analytics: AnalyticsClient) -> None:
    """Code, correlation id and actions of the details; nothing is tried again."""
    with pytest.raises(AnalyticsError) as refused:
        await analytics.rows(analytics.question("tradez"))
    assert (refused.value.code, refused.value.status) == ("unknown_query", grpc.StatusCode.NOT_FOUND)
    assert refused.value.correlation_id


async def test_what_was_published_is_in_the_next_answer(analytics: AnalyticsClient) -> None:
    """With the position of the publication as the least that is answered."""
    events = [
        AnalyticsProcessingEnvelope(
            message_type="user_event", company_id=COMPANY, user_id="own-write", event_id=f"own-{number}",
            payload=b"\n\tpage_view", timestamp=BEGIN + number,
        )
        for number in range(1_200)
    ]  # fmt: skip
    published = await analytics.publish(events)
    assert (published.accepted, published.quarantined) == (1_200, 0)
    scope = analytics.scope(*PERIOD, min_position=published.position, user_id="own-write")
    (row,) = await analytics.rows(analytics.question("user_activity", scope=scope))
    assert row["page_views"] == 1_200
    seen = [event async for event in analytics.events(StreamEventsRequest(company_id=COMPANY, user_id="own-write"))]
    assert len(seen) == 1_200


async def test_a_stream_that_breaks_off_goes_on_by_itself() -> None:
    """Broken after every message: each one comes once, in order. A server that stays away is given up."""
    begun: list[str] = []

    async def broken(request: StreamEventsRequest, caller: Caller) -> AsyncGenerator[StreamEventsResponse]:
        begun.append(request.from_position)
        number = int(request.from_position or 0)
        if number < 5:
            yield StreamEventsResponse(position=str(number + 1))
            raise ConnectionError

    async with serving({"StreamEvents": broken}) as channel:
        from services.analytics_service_pb2_grpc import AnalyticsServiceStub

        call = AnalyticsServiceStub(channel).StreamEvents
        metadata = (("authorization", "Bearer viewer"),)

        def signed_call(request: StreamEventsRequest) -> Any:
            return call(request, metadata=metadata)

        told = [page.position async for page in resumed(signed_call, StreamEventsRequest(), by_position)]
    assert told == ["1", "2", "3", "4", "5"]
    assert begun == ["", "1", "2", "3", "4", "5"]


async def test_a_service_that_stays_away_is_given_up() -> None:
    """After so many attempts without a message, with what the last one said."""
    async with AnalyticsClient("127.0.0.1:1", "x", COMPANY) as nobody:
        stream = resumed(nobody.rpc.RunAnalyticsQuery, RunAnalyticsQueryRequest(), by_token, attempts=2)
        with pytest.raises(AnalyticsError) as failed:
            await anext(stream)
        assert failed.value.status is grpc.StatusCode.UNAVAILABLE


async def test_the_token_is_that_of_the_moment(signed: tuple[str, str]) -> None:
    """A client may be given what knows the current one."""
    tokens = iter([signed[1], "x.y.z"])
    async with AnalyticsClient(signed[0], lambda: next(tokens), COMPANY) as client:
        request = GetKPIsRequest(scope=client.scope(*PERIOD), metrics=["mrr"])
        assert (await client.rpc.GetKPIs(request)).kpis
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await client.rpc.GetKPIs(request)
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
