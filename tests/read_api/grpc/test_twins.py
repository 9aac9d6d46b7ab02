"""Every RPC says what HTTP says: asked at random, compared value by value, in order; and every RPC is compared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from common.read_scope_pb2 import ReadScope
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from services.analytics_service_pb2_grpc import AnalyticsServiceStub
from services.queries_pb2 import ExplainMetricRequest

from app.docs.grpc import twins_of
from app.docs.openapi import document
from app.serving.grpc_server import SERVICE
from domain.access.rights import Role
from domain.errors import Invalid
from projections.engine.declare.registry import all_registered
from read_api.grpc import RPCS
from read_api.grpc.rpc import Rpc
from read_api.grpc.scope import QueryCall
from tests.read_api.grpc.twin_requests import REQUESTS
from tests.read_api.grpc.twin_sources import COMPARED, MADE, SOURCES, Found, Rows, metrics_of
from tests.read_api.grpc.twins import plain, said_in_json, said_in_message
from tests.support.instance import Instance
from tests.support.two_currencies import SEVERAL
from tests.support.two_months import BEGIN, COMPANY, END

ROOT = Path(__file__).parents[3]
TIMES = 4  # each RPC is asked so often
BY_QUESTION = {rpc.name: rpc for rpc in RPCS}


def ask_http(client: httpx.Client, rpc: Rpc, request: Message) -> dict[str, Rows]:
    """The rows of the questions of the RPC, asked over HTTP."""
    answers = {name: answered(client, asked) for name, asked in rpc.asks(request).items()}
    then = {name: answered(client, asked) for name, asked in rpc.then(request, answers).items()}
    return {name: answer["rows"] for name, answer in (answers | then).items()}


def answered(client: httpx.Client, asked: QueryCall, company: str = COMPANY) -> dict[str, Any]:
    """An answer over HTTP; an unknown parameter would be refused there as well."""
    answer = client.get(f"/api/v1/query/{asked.query}", params={**asked.params, "company": company})
    assert answer.status_code == 200, (asked, answer.text)
    found: dict[str, Any] = answer.json()
    return found


def differences(name: str, request: Any, message: Message, found: Found) -> Iterator[str]:
    """What the message says and HTTP does not, or in another way."""
    told, said, sources = said_in_json(list(found.values())), said_in_message(message), SOURCES.get(name, {})
    if sources is COMPARED and not request.compare_to:
        sources = metrics_of()
    limit = getattr(request, "limit", 0) or getattr(getattr(request, "page", None), "limit", 0)
    for key in sorted(said):
        source = sources.get(key, key)
        if source is MADE:
            continue
        expected = told.get(source, []) if isinstance(source, str) else [
            plain(value) for value in source(found) if value is not None and value != "" and value is not False
        ]  # fmt: skip
        if limit and len(said[key]) < len(expected):
            expected = expected[: len(said[key])]
        if said[key] != expected:
            yield f"{name}.{key}: HTTP {str(expected)[:300]} gRPC {str(said[key])[:300]}"


def compare(name: str, times: int, client: httpx.Client, stub: AnalyticsServiceStub, token: str) -> None:
    """Ask both doors; the questions are the same in every run."""
    chance = Random(name)
    for _ in range(times):
        request = REQUESTS[name](chance)
        message = getattr(stub, name)(request, metadata=(("authorization", f"Bearer {token}"),), timeout=120)
        found = ask_http(client, BY_QUESTION[name], request)
        assert list(differences(name, request, message, found)) == [], request
        assert name == "ListIndicators" or message.provenance.query  # the list of indicators stands for no data


FITTED = (
    *("GetBusinessInsights", "GetTrendAnalysis", "GetSeasonality", "GetAnomalies", "GetPredictiveAnalytics"),
    *("GetChurnForecast", "GetLifetimeValue", "GetForecast"),
)


@pytest.mark.parametrize("name", [name for name in REQUESTS if name not in FITTED])
def test_an_rpc_says_what_http_says(name: str, client: httpx.Client, stub: AnalyticsServiceStub, token: str) -> None:
    """The same rows, value by value."""
    compare(name, TIMES, client, stub, token)


@pytest.mark.ci
@pytest.mark.parametrize("name", FITTED)
def test_an_rpc_whose_models_are_fitted_says_what_http_says(
    name: str, client: httpx.Client, stub: AnalyticsServiceStub, token: str
) -> None:
    """As the others; each question fits models in a process of its own, which takes seconds: so CI asks it."""
    compare(name, 2, client, stub, token)


# What a request says and no question has: it chooses among the rows, or says how far they go.
CHOOSES = frozenset(
    (
        *("GetBusinessInsights.min_severity", "GetBusinessInsights.limit", "GetRecommendations.limit"),
        *("GetStrategyBreakdown.limit", "GetSymbolBreakdown.limit", "GetChurnForecast.min_probability"),
        *("GetForecast.coverage", "ListIndicators.search", "GetSegments.page.limit", "GetKPIs.compare_from"),
        *("GetTradingKPIs.compare_from", "ListMetrics.search", "ListMetrics.area", "DescribeMetric.key"),
        *("DescribeMetric.definition_version", "GetTradingMetrics.scope.time_zone"),
    )
)
JUDGED = ("company_id", "at_position", "min_position")  # by what asks every question


@pytest.mark.parametrize("rpc", RPCS, ids=lambda rpc: rpc.name)
def test_nothing_of_a_request_is_ignored(rpc: Rpc) -> None:
    """Whatever is set changes the question, or is refused."""
    empty = GetMessageClass(SERVICE.methods_by_name[rpc.name].input_type)()
    request = REQUESTS[rpc.name](Random(3)) if rpc.name in REQUESTS else empty
    before = asked_by(rpc, request)
    ignored = [
        path
        for path, changed in changes(request)
        if path.rpartition(".")[2] not in JUDGED and asked_by(rpc, changed) == before
    ]
    assert {f"{rpc.name}.{path}" for path in ignored} - CHOOSES == set()


def asked_by(rpc: Rpc, request: Message) -> Any:
    """The questions, or the refusal."""
    try:
        return dict(rpc.asks(request))
    except Invalid as error:
        return str(error)


def changes(request: Message, path: str = "") -> Iterator[tuple[str, Message]]:
    """The request with one more thing said, or said otherwise, for each field of it and of what is in it."""
    for field in request.DESCRIPTOR.fields:
        inner, changed = field.message_type, type(request)()
        changed.CopyFrom(request)
        if inner is not None and inner.GetOptions().map_entry:
            getattr(changed, field.name)["another"] = (
                1.5 if inner.fields_by_name["value"].type == field.TYPE_DOUBLE else "x"
            )
        elif field.is_repeated and inner is None:
            getattr(changed, field.name).append("another")
        elif field.is_repeated:
            getattr(changed, field.name).add()
        elif inner is not None:
            for deeper, each in changes(getattr(request, field.name), f"{path}{field.name}."):
                whole_request = type(request)()
                whole_request.CopyFrom(request)
                getattr(whole_request, field.name).CopyFrom(each)
                yield deeper, whole_request
            continue
        else:
            now = getattr(request, field.name)
            if isinstance(now, bool):
                now = int(not now) - 1
            other = f"{now}x" if isinstance(now, str) else 1 if field.enum_type is not None and now != 1 else now + 1
            setattr(changed, field.name, other)
        yield path + field.name, changed


# RPCs that are more than questions, and who compares them.
OF_ROWS, OF_STREAMS = "tests/read_api/grpc/test_rows_and_reports.py", "tests/read_api/grpc/test_streams.py"
OTHERS = {
    **dict.fromkeys(("GetDashboardConfig", "ListMetrics", "DescribeMetric", "ExplainMetric"), OF_ROWS),
    **dict.fromkeys(("RunAnalyticsQuery", "ExportAnalytics"), OF_ROWS),
    **dict.fromkeys(("GenerateReport", "GetReport", "ListReports", "DownloadReport"), OF_ROWS),
    **dict.fromkeys(("GetChartDataStream", "GetTechnicalIndicatorStream", "GetMarketInsightStream"), OF_STREAMS),
    **dict.fromkeys(("StreamEvents", "GetEvent"), "tests/read_api/grpc/test_event_history.py"),
    **dict.fromkeys(("GetProjectionStatus", "HealthCheck"), "tests/read_api/grpc/test_operations.py"),
    **dict.fromkeys(("GetDashboardData", "WatchDashboards"), "tests/read_api/grpc/test_dashboard_streams.py"),
    "GetRealTimeMetrics": "tests/read_api/live/test_realtime.py",
    "VerifyLog": "tests/e2e/test_evidence.py",
    "Publish": "tests/command_api/test_grpc_publish.py",
}


def test_every_rpc_has_a_twin_that_is_served() -> None:
    """A question of its own, or a path of the OpenAPI document with its method."""
    paths = document()["paths"]
    for rpc in SERVICE.methods:
        for method, path in (twin.split() for twin in twins_of(rpc.name)):
            assert method.lower() in paths[path], (rpc.name, path)
        assert twins_of(rpc.name), f"{rpc.name} has no twin"


def test_every_rpc_is_compared() -> None:
    """A new RPC needs a request here, or a line that says which test compares it."""
    assert {rpc.name for rpc in RPCS} - REQUESTS.keys() == {"GetDashboardConfig", "ListMetrics", "DescribeMetric"}
    compared = REQUESTS.keys() | OTHERS.keys()
    assert compared == {rpc.name for rpc in SERVICE.methods}
    assert all(name in (ROOT / file).read_text() for name, file in OTHERS.items())


def converts(name: str) -> bool:
    """Whether a question of the RPC may be told at rates of exchange."""
    asked = BY_QUESTION[name].asks(REQUESTS[name](Random(name))).values()
    return any(param.name == "list_rates" for call in asked for param in all_registered()[call.query].params)


def of_all(accounts: list[dict[str, Any]]) -> tuple[Any, ...]:
    """What several answers say of the rates that they took, as one: policy, sources, first and last day."""
    days = [each[name] for each in accounts for name in ("first_day", "last_day") if each["number"]]
    sources = sorted({source for each in accounts for source in each["sources"]})
    return (*{each["policy"] for each in accounts}, sources, min(days, default=""), max(days, default=""))


@pytest.mark.parametrize("name", [name for name in REQUESTS if name not in FITTED and converts(name)])
def test_an_rpc_names_the_rates_that_http_names(name: str, several: Instance, stub: AnalyticsServiceStub) -> None:
    """Those of all its questions, in the provenance, where amounts of several currencies are told in one."""
    token, rpc = several.signed("eve", SEVERAL, roles=[Role.ADMIN]), BY_QUESTION[name]
    request: Any = REQUESTS[name](Random(name))
    request.scope.CopyFrom(ReadScope(company_id=SEVERAL, from_time=BEGIN, to_time=END))
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=several.addresses["read_api"], headers=headers, timeout=120) as client:
        answers = {key: answered(client, call, SEVERAL) for key, call in rpc.asks(request).items()}
        then = [answered(client, call, SEVERAL) for call in rpc.then(request, answers).values()]
    message = getattr(stub, name)(request, metadata=(("authorization", headers["Authorization"]),), timeout=120)
    accounts = [answer["rates"] for answer in (*answers.values(), *then) if "rates" in answer]
    said = message.provenance.rates
    if accounts:
        assert (said.policy, list(said.sources), said.first_day, said.last_day) == of_all(accounts)
    assert message.provenance.HasField("rates") == bool(accounts)
    assert (said.number > 0) == any(each["number"] for each in accounts)
    assert said.number or name not in ("GetTradingMetrics", "GetAcquisitionMetrics")


def test_an_explanation_names_the_rates_that_http_names(several: Instance, stub: AnalyticsServiceStub) -> None:
    """ExplainMetric has those of the metric in its provenance, each of them where that is asked for."""
    token = several.signed("eve", SEVERAL, roles=[Role.ADMIN])
    scope = ReadScope(company_id=SEVERAL, from_time=BEGIN, to_time=END, filters={"list_rates": "true"})
    request = ExplainMetricRequest(scope=scope, key="total_pnl")
    told = stub.ExplainMetric(request, metadata=(("authorization", f"Bearer {token}"),), timeout=120).provenance.rates
    with several.client("admin", SEVERAL) as client:
        params = {"key": "total_pnl", "from": "2025-10-01", "to": "2025-12-01", "list_rates": "true"}
        answer = client.get("/api/v1/query/metric", params=params).json()["rates"]
    assert len(answer["used"]) == 4
    assert MessageToDict(told, preserving_proto_field_name=True, always_print_fields_with_no_presence=True) == answer
