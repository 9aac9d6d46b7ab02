"""Every field of every answer is filled by something, or it is said here when, or why not.

Each RPC is asked at random, as its example asks, and in the ways that fill what those leave empty; a field that none of
the answers has must be among those with a reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from random import Random
from typing import Any

import httpx
import pytest
from analytics import performance_data_pb2
from analytics.report_generation_pb2 import ReportRequest
from common.envelope_pb2 import CONFIDENTIAL, AnalyticsProcessingEnvelope
from common.read_scope_pb2 import PageRequest, ReadScope
from common.request_trace_pb2 import TraceContext
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from services import charts_pb2 as charts
from services import dashboards_pb2 as dashboards
from services import insights_pb2 as insights
from services import kpis_pb2 as kpis
from services import operations_pb2 as operations
from services import predictive_pb2 as predictive
from services import queries_pb2 as queries
from services import reports_pb2 as reports
from services import trading_pb2 as trading
from services import users_pb2 as users
from services.analytics_service_pb2_grpc import AnalyticsServiceStub
from trading import trading_signals_pb2

from app.docs.grpc import request_of
from app.serving.grpc_server import SERVICE
from domain.access.rights import EVERY_COMPANY, Role
from tests.read_api.grpc.silent_fields import REASONS
from tests.read_api.grpc.test_twins import FITTED
from tests.read_api.grpc.twin_requests import REQUESTS
from tests.support.instance import Instance
from tests.support.two_months import BEGIN, COMPANY, DAY_MS, END
from tests.support.waiting import eventually

SCOPE = ReadScope(company_id=COMPANY, from_time=BEGIN, to_time=END)
EVENT = "filled-fields-1"
TIMES = 3


def _is_followed(request: Any) -> bool:
    """Whether a stream of dashboards goes on."""
    subscribed = getattr(request, "subscribe", None)
    return getattr(request if subscribed is None else subscribed.dashboard, "once", True) is False


class Asker:
    """Somebody who may ask everything, with what there is to be asked about."""

    def __init__(self, instance: Instance, stub: AnalyticsServiceStub, client: httpx.Client) -> None:
        everything = [*set(Role) - {Role.MEMBER}]
        self._instance, self._stub = instance, stub
        self._tokens = [instance.signed("eve", company, roles=everything) for company in (COMPANY, EVERY_COMPANY)]
        self._headers = dict(client.headers)

    def answers(self, name: str, request: Message) -> list[Any]:
        """What is answered: of a stream without an end the first messages. Of the instance asks who sees all of it."""
        rpc = SERVICE.methods_by_name[name]
        token = self._tokens[name in OF_INSTANCE]
        metadata = (("authorization", f"Bearer {token}"),)
        call = getattr(self._stub, name)(
            iter([request]) if rpc.client_streaming else request, metadata=metadata, timeout=120
        )
        if not rpc.server_streaming:
            return [call]
        try:
            return list(islice(call, FIRST.get(name, 1 if _is_followed(request) else None)))
        finally:
            call.cancel()

    def command(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What a command answers."""
        answer = httpx.post(
            f"{self._instance.addresses['command_api']}/api/v1/{path}", json=body, headers=self._headers
        )
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found


OF_INSTANCE = ("HealthCheck", "GetProjectionStatus", "GetRealTimeMetrics", "Publish")
LIVE = "livefields"
OF_MODELS = ("GetMarketInsightStream",)
FIRST = {"GetMarketInsightStream": 3, "GetChartDataStream": 1, "GetTechnicalIndicatorStream": 1}  # of what has no end
SMA = charts.IndicatorChoice(key="sma", settings={"period": 5})
TILE = {
    "id": "t1", "title": "Wins", "kind": "table", "query": "trading_totals", "params": {"by": "symbol"},
    "layout": {"x": 1, "y": 1, "w": 4, "h": 3},
}  # fmt: skip
SECTION: Mapping[str, Any] = {"title": "Trades", "query": "trades", "params": {"limit": "5"}}
MADE_REPORT = ReportRequest(
    kind="custom", title="All", scope=ReadScope(
        company_id=COMPANY, convention="platform", time_zone="UTC", from_time=BEGIN, to_time=END,
        filters={"symbol": "AAPL"},
    ),
    format=ReportRequest.JSON, locale="de-CH", sections=[
        ReportRequest.Section(**SECTION, chart="table"),
        ReportRequest.Section(query="trading_metrics", params={"keys": "win_rate"}),
    ],
    asked_at=END, failures="box",
)  # fmt: skip
Made = Callable[[Asker], Iterator[Any]]


def watched(_asker: Asker) -> Iterator[Any]:
    """Each standard dashboard, of all its data, and as it is followed."""
    for name in ("executive", "trading", "users", "system"):
        yield dashboards.GetDashboardDataRequest(dashboard_id=name, scope=SCOPE, once=True)


def subscribed(asker: Asker) -> Iterator[Any]:
    """The same, subscribed to."""
    for dashboard in followed_dashboard(asker):
        asked = dashboards.WatchDashboardsRequest.Subscribe(subscription_id="a", dashboard=dashboard)
        yield dashboards.WatchDashboardsRequest(subscribe=asked)


def configured(asker: Asker) -> Iterator[Any]:
    """A dashboard with everything, by its id."""
    made = asker.command("dashboard/config", {
        "name": "Filled", "description": "all of it", "tiles": [TILE], "sharing": {"audience": "users", "users": ["u"]},
    })  # fmt: skip
    yield dashboards.GetDashboardConfigRequest(
        company_id=COMPANY, dashboard_id=made["id"], min_position=made["position"]
    )


def dashboard_list(asker: Asker) -> Iterator[Any]:
    """With such a one among them."""
    (one,) = configured(asker)
    yield dashboards.ListDashboardsRequest(company_id=COMPANY, min_position=one.min_position)


def followed_dashboard(asker: Asker) -> Iterator[Any]:
    """Of one with parameters, both ways."""
    yield from watched(asker)
    for once in (True, False):
        (one,) = configured(asker)
        scope = ReadScope()
        scope.CopyFrom(SCOPE)
        scope.min_position = one.min_position
        yield dashboards.GetDashboardDataRequest(dashboard_id=one.dashboard_id, scope=scope, once=once)


def schedules(asker: Asker) -> Iterator[Any]:
    """With everything that one has."""
    made = asker.command("reports/schedule", {
        "name": "weekly", "description": "all of it",
        "report": {"kind": "custom", "format": "json", "sections": [SECTION],
                   "params": {"from": "2025-10-01", "to": "2025-11-01"}},
        "timing": {"cron": "0 7 * * mon", "time_zone": "Europe/Zurich"},
        "recipients": [{"kind": "email", "to": "a@example.com"}],
    })  # fmt: skip
    yield reports.ListReportSchedulesRequest(company_id=COMPANY, min_position=made["position"])


def made_report(asker: Asker) -> Iterator[Any]:
    """A custom one, which says all that may be said."""
    yield reports.GenerateReportRequest(report=MADE_REPORT)
    yield reports.GenerateReportRequest(report=ReportRequest(kind="trading", scope=SCOPE, format=ReportRequest.JSON))


def report_id(asker: Asker) -> str:
    """Of the custom one."""
    (answer,) = asker.answers("GenerateReport", reports.GenerateReportRequest(report=MADE_REPORT))
    return str(answer.report.report_id)


def health(asker: Asker) -> Iterator[Any]:
    """After a report was made, so that there is a time that one takes."""
    report_id(asker)
    yield operations.HealthCheckRequest()


def live(asker: Asker) -> Iterator[Any]:
    """Of a company that trades now."""
    now = time.time_ns() // 1_000_000
    trade = trading_signals_pb2.TradingResult(
        trade_id="t", account_id="a", symbol="AAPL", side="LONG", quantity=1, entry_price=1, exit_price=2, pnl=1,
        currency="USD", opened_at=now - 1, closed_at=now,
    )  # fmt: skip
    event = AnalyticsProcessingEnvelope(
        message_type="trading_result", company_id=LIVE, user_id="u1", event_id=f"live-{now}", timestamp=now,
        payload=trade.SerializeToString(),
    )  # fmt: skip
    asker.answers("Publish", operations.PublishRequest(events=[event]))
    by_symbol = dashboards.GetRealTimeMetricsRequest(
        scope=ReadScope(company_id=LIVE), metrics=["trading"], once=True, by=["symbol"]
    )
    eventually(lambda: any("groups" in ways(answer) for answer in asker.answers("GetRealTimeMetrics", by_symbol)))
    yield dashboards.GetRealTimeMetricsRequest(scope=ReadScope(company_id=LIVE), metrics=["trading"], once=True)
    yield by_symbol


def published(asker: Asker) -> Iterator[Any]:
    """An event that says everything, one that is bad, and so many of those that not all are listed."""
    trace = TraceContext(trace_id="1" * 32, span_id="2" * 16, flags=1, baggage={"a": "b"}, state="a=b")
    event = AnalyticsProcessingEnvelope(
        message_type="system_metric", company_id=COMPANY, user_id="u1", event_id=EVENT, timestamp=BEGIN,
        payload=performance_data_pb2.SystemMetric(service="filled", metric="m", value=1.0).SerializeToString(),
        service_source="test", correlation_id="filled", trace_context=trace, data_class=CONFIDENTIAL,
        causation_id="before", schema_version=1, producer_id="filled", producer_seq=1,
        unknown_members='{"more":1}',
    )  # fmt: skip
    bad = AnalyticsProcessingEnvelope(message_type="none", company_id=COMPANY, event_id="filled-bad", timestamp=BEGIN)
    plain = AnalyticsProcessingEnvelope(
        message_type="system_metric",
        company_id=COMPANY,
        event_id="filled-plain",
        timestamp=BEGIN,
        payload=event.payload,
    )
    for _ in range(2):  # the second time it is a duplicate
        yield operations.PublishRequest(events=[event, plain, *[bad] * 150])


def events(asker: Asker) -> Iterator[Any]:
    """That one among others."""
    for request in published(asker):
        asker.answers("Publish", request)
    yield operations.StreamEventsRequest(company_id=COMPANY, streams=["performance-data"])


def event(asker: Asker) -> Iterator[Any]:
    """That one."""
    for request in published(asker):
        asker.answers("Publish", request)
    yield operations.GetEventRequest(company_id=COMPANY, event_id=EVENT, stream="performance-data")


ONE = PageRequest(limit=1)
DAY = ReadScope(company_id=COMPANY, from_time=BEGIN + 33 * DAY_MS, to_time=BEGIN + 34 * DAY_MS)
OF_SERVICE = ReadScope(company_id=COMPANY, from_time=BEGIN, to_time=END, filters={"service": "gateway"})
OF_SYMBOL = ReadScope(company_id=COMPANY, from_time=BEGIN, to_time=END, filters={"symbol": "AAPL"})
SHARPE = ["sharpe_ratio", "total_pnl"]
FIGURES: Mapping[str, Any] = {"scope": SCOPE, "metrics": SHARPE, "history": 3}
MORE: Mapping[str, Made] = {
    "GetDashboardData": followed_dashboard,
    "WatchDashboards": subscribed,
    "GetDashboardConfig": configured,
    "ListDashboards": dashboard_list,
    "ListReportSchedules": schedules,
    "GenerateReport": made_report,
    "GetReport": lambda a: iter([reports.GetReportRequest(company_id=COMPANY, report_id=report_id(a))]),
    "DownloadReport": lambda a: iter([reports.DownloadReportRequest(company_id=COMPANY, report_id=report_id(a))]),
    "ListReports": lambda a: iter([reports.ListReportsRequest(company_id=report_id(a) and COMPANY)]),
    "GetKPIs": lambda _: iter([kpis.GetKPIsRequest(**FIGURES)]),
    "GetTradingKPIs": lambda _: iter([kpis.GetTradingKPIsRequest(**FIGURES)]),
    "ListMetrics": lambda _: iter([queries.ListMetricsRequest()]),
    "ExplainMetric": lambda _: iter([queries.ExplainMetricRequest(scope=SCOPE, key="total_pnl", page=ONE)]),
    "GetUserAnalytics": lambda _: iter([
        users.GetUserAnalyticsRequest(scope=SCOPE, page=ONE), users.GetUserAnalyticsRequest(scope=SCOPE, user_id="u1"),
        users.GetUserAnalyticsRequest(scope=DAY), users.GetUserAnalyticsRequest(scope=DAY, user_id="u1"),
    ]),
    "GetUserJourney": lambda _: iter([users.GetUserJourneyRequest(scope=SCOPE, user_id="u1", page=ONE)]),
    "GetSegments": lambda _: iter([
        users.GetSegmentsRequest(scope=ReadScope(company_id=COMPANY, to_time=END), segment=name)
        for name in ("engaged", "dormant", "power", "at_risk", "activated", "churned")
    ]),
    "GetTrendAnalysis": lambda _: iter([insights.GetTrendAnalysisRequest(scope=OF_SYMBOL, metrics=["total_pnl"])]),
    "GetAnomalies": lambda _: iter([
        insights.GetAnomaliesRequest(scope=scope, metrics=metrics)
        for scope, metrics in (
            (OF_SERVICE, ["error_rate", "errors", "latency_p99", "throughput"]), (OF_SYMBOL, ["turnover", "total_pnl"]),
        )
    ]),
    "GetMarketInsightStream": lambda _: iter([insights.GetMarketInsightStreamRequest(scope=SCOPE)]),
    "GetBusinessInsights": lambda _: iter([
        insights.GetBusinessInsightsRequest(scope=SCOPE, metrics=["turnover", "mrr"])
    ]),
    "GetCohortRetention": lambda _: iter([users.GetCohortRetentionRequest(scope=SCOPE, interval="week", ages=60)]),
    "GetLifetimeValue": lambda _: iter([
        predictive.GetLifetimeValueRequest(scope=SCOPE, method="predicted"),
    ]),
    "GetStrategyBreakdown": lambda _: iter([trading.GetStrategyBreakdownRequest(scope=SCOPE)]),
    "GetSymbolBreakdown": lambda _: iter([trading.GetSymbolBreakdownRequest(scope=SCOPE)]),
    "GetTradingMetrics": lambda _: iter([trading.GetTradingMetricsRequest(scope=SCOPE, by=["account_id"])]),
    "GetRetentionMetrics": lambda _: iter([kpis.GetRetentionMetricsRequest(scope=SCOPE, by=["plan"])]),
    "ListTrades": lambda _: iter([trading.ListTradesRequest(scope=SCOPE, page=ONE)]),
    "Publish": published,
    "StreamEvents": events,
    "GetEvent": event,
    "HealthCheck": health,
    "GetRealTimeMetrics": live,
}  # fmt: skip


def requests(rpc: MethodDescriptor, asker: Asker) -> Iterator[Any]:
    """In what ways it is asked."""
    if rpc.name in REQUESTS:
        chance = Random(rpc.name)
        yield from (REQUESTS[rpc.name](chance) for _ in range(TIMES))
    if rpc.name in MORE:
        yield from MORE[rpc.name](asker)
    if rpc.name not in ("GetReport", "DownloadReport", "Publish", "GetEvent", "WatchDashboards"):
        example: Any = request_of(rpc)
        for holder in (example, *(getattr(example, name, None) for name in ("scope", "question", "report"))):
            inner = getattr(holder, "scope", holder)
            if getattr(inner, "company_id", ""):
                inner.company_id = COMPANY
        yield example


def declared(kind: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Fields of a message and of those in it: the way to each, and what it is called there."""
    for field in kind.fields:
        yield f"{path}{field.name}", f"{kind.name}.{field.name}"
        inner = field.message_type
        if inner is not None and not inner.GetOptions().map_entry and inner.full_name != "analytics.Value":
            yield from declared(inner, f"{path}{field.name}.")


def ways(message: Message, path: str = "") -> Iterator[str]:
    """Ways to what it has."""
    for field, found in message.ListFields():
        inner = field.message_type
        if inner is None or inner.GetOptions().map_entry:
            yield f"{path}{field.name}"
        elif inner.full_name == "analytics.Value":
            yield from (f"{path}{field.name}" for each in values(field, found) if each.WhichOneof("kind"))
        else:
            yield f"{path}{field.name}"
            for each in values(field, found):
                yield from ways(each, f"{path}{field.name}.")


def values(field: Any, found: Any) -> Sequence[Any]:
    """One or several."""
    return found if field.is_repeated else [found]


def silent(rpc: MethodDescriptor, asker: Asker) -> list[str]:
    """Fields that no answer has, without those inside them, and without those that have a reason."""
    has = {
        way for request in requests(rpc, asker) for answer in asker.answers(rpc.name, request) for way in ways(answer)
    }
    missing = [(way, name) for way, name in declared(rpc.output_type) if way not in has]
    above = tuple(f"{way}." for way, _ in missing)
    return [way for way, name in missing if not way.startswith(above) and not excuse(rpc, way, name)]


def excuse(rpc: MethodDescriptor, way: str, name: str) -> str:
    """Why a field may be missing; empty where nothing says so."""
    return REASONS.get(name) or REASONS.get(f"{rpc.name}: {way}", "")


@pytest.fixture(scope="module")
def asker(filled: Instance, stub: AnalyticsServiceStub, client: httpx.Client) -> Iterator[Asker]:
    """Of the company that has everything. What was published is folded before others compare what two doors say."""
    yield Asker(filled, stub, client)
    filled.wait()


@pytest.mark.share(3)
@pytest.mark.parametrize("name", [rpc.name for rpc in SERVICE.methods if rpc.name not in (*FITTED, *OF_MODELS)])
def test_every_field_is_filled_or_has_a_reason(name: str, asker: Asker) -> None:
    """By some answer of the RPC. A new field comes in by itself."""
    assert silent(SERVICE.methods_by_name[name], asker) == []


@pytest.mark.ci
@pytest.mark.parametrize("name", [*FITTED, *OF_MODELS])
def test_every_field_of_what_models_are_fitted_for(name: str, asker: Asker) -> None:
    """As the others; models are fitted in a process of their own, which takes seconds, so CI asks these."""
    assert silent(SERVICE.methods_by_name[name], asker) == []


def test_reasons_are_of_fields_that_there_are() -> None:
    """What is taken out of the contract, or filled by all, needs none."""
    named = {
        each
        for rpc in SERVICE.methods
        for way, name in declared(rpc.output_type)
        for each in (name, f"{rpc.name}: {way}")
    }
    assert REASONS.keys() <= named
