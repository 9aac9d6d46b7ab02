"""RPCs that are more than one question: the catalogue, explanations, ad-hoc rows, files and reports, as over HTTP."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import grpc
import httpx
import psycopg
import pytest
from analytics.report_generation_pb2 import ReportRequest, ReportResult
from common.read_scope_pb2 import PageRequest, ReadScope
from google.protobuf import json_format
from google.rpc.error_details_pb2 import ErrorInfo, Help, RequestInfo
from google.rpc.status_pb2 import Status
from services import dashboards_pb2 as dashboards
from services import queries_pb2 as queries
from services import reports_pb2 as reports
from services import trading_pb2 as trading
from services.analytics_service_pb2_grpc import AnalyticsServiceStub

from app.docs.grpc import request_of
from app.serving.grpc_server import SERVICE
from domain.access.rights import Role, Tier
from read_api.dashboards.documents import NAMES
from tests.read_api.grpc.twins import plain
from tests.support.instance import Instance
from tests.support.two_months import BEGIN, COMPANY, END

SCOPE = ReadScope(company_id=COMPANY, from_time=BEGIN, to_time=END)
PERIOD = {"from": "2025-10-01", "to": "2025-12-01"}
METRICS = ("total_trades", "total_pnl", "profit_factor")


@pytest.fixture
def signed(token: str) -> Sequence[tuple[str, str]]:
    """Metadata of somebody who may."""
    return (("authorization", f"Bearer {token}"),)


def test_the_catalogue_is_the_same(client: httpx.Client, stub: AnalyticsServiceStub, signed: Any) -> None:
    """ListMetrics and DescribeMetric; earlier versions are not kept, and said so."""
    listed = {entry["key"]: entry for entry in client.get("/api/v1/metrics").json()["metrics"]}
    told = stub.ListMetrics(queries.ListMetricsRequest(), metadata=signed).metrics
    assert [entry.key for entry in told] == list(listed)
    assert all(entry.formula == listed[entry.key]["formula"] for entry in told)
    one = stub.DescribeMetric(queries.DescribeMetricRequest(key="win_rate"), metadata=signed).metric
    defined = client.get("/api/v1/metrics/win_rate/definition").json()
    assert defined == listed["win_rate"]
    assert (one.title, list(one.dimensions)) == (defined["title"], defined["dimensions"])
    with pytest.raises(grpc.RpcError) as refused:
        stub.DescribeMetric(queries.DescribeMetricRequest(key="win_rate", definition_version=99), metadata=signed)
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


@pytest.mark.ci  # page by page
def test_an_explanation_is_the_same(client: httpx.Client, stub: AnalyticsServiceStub, signed: Any) -> None:
    """ExplainMetric: the value, the measure behind it, and the events page by page."""
    page, found = PageRequest(limit=40), list[str]()
    explained = client.get("/api/v1/metrics/total_trades/explain", params={**PERIOD, "limit": 1000}).json()
    while True:
        request = queries.ExplainMetricRequest(scope=SCOPE, key="total_trades", page=page)
        told = stub.ExplainMetric(request, metadata=signed, timeout=120)
        found += [event.event_id for event in told.contributions]
        if not told.next_cursor:
            break
        page.cursor = told.next_cursor
    assert found == [event["event_id"] for event in explained["events"]]
    assert (told.events, told.value.value.count) == (explained["total"], explained["value"])
    assert told.inputs["total_trades"].count == explained["value"]
    made_of = {each.ingredient: (each.value.count, list(each.explained_by)) for each in told.ingredients}
    assert made_of == {each["ingredient"]: (each["value"], each["explained_by"]) for each in explained["ingredients"]}
    other = queries.ExplainMetricRequest(scope=SCOPE, key="win_rate", measure="trading_totals.total_trades")
    assert stub.ExplainMetric(other, metadata=signed, timeout=120).events == explained["total"]


def ad_hoc(**more: Any) -> queries.RunAnalyticsQueryRequest:
    """Metrics of strategies, the best first."""
    given = {"metrics": METRICS, "by": ["strategy", "symbol"], "order_by": ["-total_pnl"], **more}
    return queries.RunAnalyticsQueryRequest(scope=SCOPE, **given)


def rows_of(parts: Sequence[queries.RunAnalyticsQueryResponse]) -> list[list[Any]]:
    """The values of all parts, null where there is none."""
    return [
        [plain(getattr(v, kind)) if (kind := v.WhichOneof("kind")) else None for v in row.values]
        for part in parts
        for row in part.table.rows
    ]


def test_ad_hoc_rows_are_the_same(client: httpx.Client, stub: AnalyticsServiceStub, signed: Any) -> None:
    """RunAnalyticsQuery and POST /api/v1/query: one row a group, one column a metric, sorted and cut alike."""
    body = {"metrics": METRICS, "by": ["strategy", "symbol"], "order_by": ["-total_pnl"], "params": PERIOD, "limit": 3}
    over_http = client.post("/api/v1/query", json=body)
    assert over_http.status_code == 200, over_http.text
    parts = list(stub.RunAnalyticsQuery(ad_hoc(limit=3), metadata=signed, timeout=60))
    columns = [column.name for column in parts[0].table.columns]
    assert columns == over_http.json()["columns"]
    expected = over_http.json()["rows"]
    assert len(expected) == 3
    earned = [float(row["total_pnl"]) for row in expected]
    assert earned == sorted(earned, reverse=True)
    names = [name for name in columns if name != "reasons"]
    assert [values[: len(names)] for values in rows_of(parts)] == [
        [None if row[name] is None else plain(row[name]) for name in names] for row in expected
    ]
    assert over_http.headers["x-position"] == parts[0].provenance.position


def test_rows_go_on_where_they_were_broken_off(stub: AnalyticsServiceStub, signed: Any) -> None:
    """After the token of a part come the rows that are left; after that of another answer all of them, said so."""
    asked = queries.RunAnalyticsQueryRequest(scope=SCOPE, query="user_steps", params={"limit": "1100"})
    parts = list(stub.RunAnalyticsQuery(asked, metadata=signed, timeout=60))
    assert [len(part.table.rows) for part in parts] == [500, 500, 100]
    asked.resume_token = parts[0].resume_token
    rest = list(stub.RunAnalyticsQuery(asked, metadata=signed, timeout=60))
    assert rows_of(rest) == rows_of(parts[1:])
    assert not any(part.restarted or part.table.columns for part in rest)
    digest, _, place = parts[0].resume_token.partition(".")
    asked.resume_token = f"{digest}.{'0' * 24}.{place.rpartition('.')[2]}"
    anew = list(stub.RunAnalyticsQuery(asked, metadata=signed, timeout=60))
    assert rows_of(anew) == rows_of(parts)
    assert [part.restarted for part in anew] == [True, False, False]
    asked.query = "trades"
    with pytest.raises(grpc.RpcError) as refused:
        list(stub.RunAnalyticsQuery(asked, metadata=signed))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("name", ["csv", "ndjson", "xlsx", "parquet"])
def test_a_file_is_the_same(client: httpx.Client, stub: AnalyticsServiceStub, signed: Any, name: str) -> None:
    """ExportAnalytics and GET /api/v1/analytics/export, byte by byte, also when it goes on in the middle."""
    params = {"metrics": ",".join(METRICS), "by": "strategy,symbol", "order_by": "-total_pnl", **PERIOD, "format": name}
    over_http = client.get("/api/v1/analytics/export", params=params)
    assert over_http.status_code == 200, over_http.text
    asked = queries.ExportAnalyticsRequest(question=ad_hoc(), format=name.upper())
    pieces = list(stub.ExportAnalytics(asked, metadata=signed, timeout=60))
    whole = b"".join(piece.content for piece in pieces)
    assert whole == over_http.content
    assert over_http.headers["content-type"].startswith(pieces[0].media_type)
    assert pieces[0].file_name in over_http.headers["content-disposition"]
    digest, _, place = pieces[-1].resume_token.rpartition(".")
    asked.resume_token = f"{digest}.{int(place) // 2}"
    rest = b"".join(piece.content for piece in stub.ExportAnalytics(asked, metadata=signed, timeout=60))
    assert rest == whole[int(place) // 2 :]
    asked.resume_token = f"{digest}.{'9' * 5_000}"  # longer than Python reads: nothing was received
    anew = b"".join(piece.content for piece in stub.ExportAnalytics(asked, metadata=signed, timeout=60))
    assert anew == whole


@pytest.mark.ci  # row by row
def test_csv_holds_what_the_answer_says(client: httpx.Client) -> None:
    """Every row and column, as a spreadsheet reads it."""
    told = client.get("/api/v1/query/trades", params={"limit": 50}).json()["rows"]
    file = client.get("/api/v1/analytics/export", params={"query": "trades", "limit": "50"}).text
    read = list(csv.DictReader(io.StringIO(file)))
    assert [row["trade_id"] for row in read] == [row["trade_id"] for row in told]
    assert [row["pnl"] for row in read] == [row["pnl"] for row in told]


def test_a_report_whose_process_ended_has_failed(filled: Instance, client: httpx.Client) -> None:
    """Made for longer than that may take; in the list as well."""
    asked = {"kind": "system", "format": "json", "failures": "box"}
    report_id = client.post("/api/v1/reports", json=asked).json()["report_id"]
    left = {"state": "running", "requested_at": 0, "finished_at": 0}
    with psycopg.connect(filled.addresses["database"], autocommit=True) as database:
        change = "UPDATE reports SET report = report || %s::jsonb WHERE report_id = %s"
        assert database.execute(change, (json.dumps(left), report_id)).rowcount == 1
    shown = client.get(f"/api/v1/reports/{report_id}").json()
    assert (shown["state"], shown["error"]) == ("failed", "the process that made it has ended")
    listed = client.get("/api/v1/reports", params={"kind": "system"}).json()["reports"]
    assert [each["state"] for each in listed if each["report_id"] == report_id] == ["failed"]
    assert client.get(f"/api/v1/reports/{report_id}/file").status_code == 409


def test_a_report_is_made_listed_and_downloaded(client: httpx.Client, stub: AnalyticsServiceStub, signed: Any) -> None:
    """GenerateReport once a key; GetReport, ListReports and DownloadReport say of it what HTTP says."""
    request = reports.GenerateReportRequest(
        report=ReportRequest(kind="trading", scope=SCOPE, format=ReportRequest.JSON), idempotency_key="once"
    )
    made = stub.GenerateReport(request, metadata=signed, timeout=120).report
    assert made.state == ReportResult.READY, made.error
    again = stub.GenerateReport(request, metadata=signed, timeout=120).report
    assert (again.report_id, again.finished_at) == (made.report_id, made.finished_at)
    over_http = client.get(f"/api/v1/reports/{made.report_id}").json()
    assert (over_http["sha256"], over_http["size"], over_http["state"]) == (made.sha256, made.size, "ready")
    assert over_http["stands_for"]["position"] == made.provenance.position
    asked = reports.GetReportRequest(company_id=COMPANY, report_id=made.report_id)
    assert stub.GetReport(asked, metadata=signed).report.sha256 == made.sha256
    listed = stub.ListReports(reports.ListReportsRequest(company_id=COMPANY, kind="trading"), metadata=signed).reports
    assert [each.report_id for each in listed] == [
        each["report_id"] for each in client.get("/api/v1/reports", params={"kind": "trading"}).json()["reports"]
    ]
    whole = b"".join(downloaded(stub, signed, made.report_id))
    assert sha256(whole).hexdigest() == made.sha256
    assert whole == client.get(f"/api/v1/reports/{made.report_id}/file").content
    assert b"".join(downloaded(stub, signed, made.report_id, offset=1_000)) == whole[1_000:]
    document = json.loads(whole)
    league = client.get("/api/v1/trading/strategies", params=PERIOD).json()["rows"]
    (told,) = [part for part in document["sections"] if part["params"].get("by") == "strategy"]
    for row, expected in zip(told["rows"], league, strict=True):
        assert row == {n: pytest.approx(v, rel=1e-11) if isinstance(v, float) else v for n, v in expected.items()}


@pytest.mark.parametrize("form", [*(pytest.param(form, marks=pytest.mark.ci) for form in ("pdf", "xlsx")), "json"])
def test_a_report_is_made_again_from_the_log(filled: Instance, client: httpx.Client, form: str, tmp_path: Path) -> None:
    """By its proof to equal bytes; one flipped byte of it is found, and another recipe."""
    asked = {"kind": "trading", "format": form, "params": PERIOD}
    made = client.post("/api/v1/reports", json=asked).json()
    assert made["state"] == "ready", made["error"]
    file, proof = tmp_path / "report", tmp_path / "report.proof.json"
    assert filled.command("report", "get", made["report_id"], "--company", COMPANY, "--out", str(file)).exit_code == 0
    assert sha256(file.read_bytes()).hexdigest() == made["sha256"]
    verified = filled.command("report", "verify", str(file))
    assert (verified.exit_code, verified.output[:9]) == (0, "verified:"), verified.output
    whole = file.read_bytes()
    file.write_bytes(whole[:1_000] + bytes([whole[1_000] ^ 1]) + whole[1_001:])
    assert filled.command("report", "verify", str(file)).exit_code == 1
    file.write_bytes(whole)
    proof.write_text(proof.read_text().replace('"trading"', '"users"'))
    assert "signature" in filled.command("report", "verify", str(file)).output


@pytest.mark.ci  # reports are made four times
def test_the_same_moment_and_position_give_the_same_file(client: httpx.Client) -> None:
    """To another user of the same rights too; the one was answered by now, the other by the past."""
    first = client.post("/api/v1/reports", json={"kind": "users", "format": "json"}).json()
    recipe = first["proof"]["recipe"]["request"]
    again = client.post("/api/v1/reports", json=recipe).json()
    assert again["sha256"] == first["sha256"], again["error"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"format": "doc"}, "unknown_format"),
        ({"kind": "tradin"}, "bad_parameter"),
        ({"kind": "custom"}, "bad_parameter"),
        ({"kind": "custom", "sections": [{"query": "pipeline"}]}, "no_past"),
        ({"kind": "custom", "sections": [{"query": "trades", "chart": "lin"}]}, "bad_parameter"),
        ({"kind": "custom", "sections": [{"query": "trades", "params": {"limit": "x"}}]}, "bad_parameter"),
        ({"kind": "custom", "dashboard": "executve"}, "no_dashboard"),
        ({"asked_at": "2999-01-01"}, "bad_parameter"),
        ({"asked_at": "soon"}, "bad_parameter"),
        ({"at_position": "nowhere"}, "bad_position"),
        ({"locale": "klingon"}, "bad_parameter"),
        ({"params": {"symbl": "AAPL"}}, "unknown_parameter"),
        ({"failures": "hide"}, "bad_body"),
    ],
)
def test_a_wrong_request_is_refused(client: httpx.Client, wrong: dict[str, Any], code: str) -> None:
    """Before anything is made, with a code that says why."""
    refused = client.post("/api/v1/reports", json={"kind": "trading", "format": "json", **wrong})
    assert (refused.json()["code"], refused.status_code // 100) == (code, 4)


def test_a_dashboard_is_a_report(client: httpx.Client) -> None:
    """Its tiles are the sections, but for what is known of this moment alone."""
    asked = {"kind": "custom", "dashboard": "system", "format": "json", "failures": "box"}
    made = client.post("/api/v1/reports", json=asked).json()
    assert made["state"] == "ready", made["error"]
    sections = client.get(f"/api/v1/reports/{made['report_id']}/file").json()["sections"]
    assert "Burn" not in sections[0]["title"]
    assert {"burn_rates", "operations"} <= {each["query"] for each in sections}
    assert "pipeline" not in {each["query"] for each in sections}


def downloaded(stub: AnalyticsServiceStub, signed: Any, report_id: str, offset: int = 0) -> Iterator[bytes]:
    """The pieces of a report's file."""
    asked = reports.DownloadReportRequest(company_id=COMPANY, report_id=report_id, offset=offset)
    return (piece.content for piece in stub.DownloadReport(asked, metadata=signed))


def test_another_report_with_the_same_key_is_a_conflict(stub: AnalyticsServiceStub, signed: Any) -> None:
    """Nor is a report made of what there is not; the refusal says where it is listed, in its details."""
    request = reports.GenerateReportRequest(
        report=ReportRequest(kind="system", scope=SCOPE, format=ReportRequest.JSON), idempotency_key="twice"
    )
    stub.GenerateReport(request, metadata=signed, timeout=120)
    request.report.kind = "users"
    with pytest.raises(grpc.RpcError) as refused:
        stub.GenerateReport(request, metadata=signed)
    assert refused.value.code() is grpc.StatusCode.ABORTED
    request.report.kind = "custom"
    request.report.sections.add(query="treades")
    with pytest.raises(grpc.RpcError) as refused:
        stub.GenerateReport(request, metadata=signed)
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    metadata: Any = refused.value.trailing_metadata()
    told = dict(metadata)
    status = Status.FromString(told["grpc-status-details-bin"])
    info, about, helps = ErrorInfo(), RequestInfo(), Help()
    assert [detail.Unpack(each) for detail, each in zip(status.details, (info, about, helps), strict=True)] == [
        True
    ] * 3
    assert (status.code, info.reason) == (5, "unknown_query")
    assert about.request_id == told["x-correlation-id"]
    assert "analytics queries" in helps.links[0].description


def test_a_dashboard_is_the_same(
    filled: Instance, client: httpx.Client, stub: AnalyticsServiceStub, signed: Any
) -> None:
    """GetDashboardConfig, as GET /api/v1/dashboard/config/{id}."""
    body = {"name": "Twins", "description": "both doors", "sharing": {"audience": "company"}}
    address = f"{filled.addresses['command_api']}/api/v1/dashboard/config"
    made = httpx.post(address, json=body, headers=dict(client.headers))
    assert made.status_code == 201, made.text
    request = dashboards.GetDashboardConfigRequest(
        company_id=COMPANY, dashboard_id=made.json()["id"], min_position=made.json()["position"]
    )
    told = stub.GetDashboardConfig(request, metadata=signed, timeout=30)
    over_http = client.get(f"/api/v1/dashboard/config/{made.json()['id']}").json()
    assert (told.dashboard.title, told.dashboard.description) == (over_http["name"], over_http["description"])
    assert (told.dashboard.version, told.dashboard.owner) == (over_http["version"], over_http["owner"])


@pytest.mark.parametrize("name", NAMES)
def test_a_standard_dashboard_is_the_same(
    client: httpx.Client, stub: AnalyticsServiceStub, signed: Any, name: str
) -> None:
    """GetDashboardConfig by its name, as GET /api/v1/dashboards/{name}/config; it is of nobody."""
    request = dashboards.GetDashboardConfigRequest(company_id=COMPANY, dashboard_id=name)
    told = json_format.MessageToDict(stub.GetDashboardConfig(request, metadata=signed, timeout=30).dashboard)
    over_http = client.get(f"/api/v1/dashboards/{name}/config").json()
    assert (told.pop("dashboardId"), told.pop("title")) == (name, over_http.pop("name"))
    tiles = [{"id": tile.pop("tileId"), **tile} for tile in told["tiles"]]
    for tile in tiles:
        tile["layout"] = {"x": 0, "y": 0, **tile["layout"]}  # 0 is not said in protobuf
        tile.setdefault("params", {})
    assert told | {"tiles": tiles} == over_http | {"sharing": {"audience": "company"}}


NEEDS = {  # RPCs that a tier must open, by the feature
    "GetCohortRetention": "retention", "GetFunnel": "funnels", "GetUserJourney": "funnels", "GetForecast": "predictive",
    "GetPredictiveAnalytics": "predictive", "GetChurnForecast": "predictive", "GetCompetitiveAnalysis": "competitive",
    "RunAnalyticsQuery": "ad_hoc", "ExportAnalytics": "csv",
}  # fmt: skip


@pytest.mark.parametrize("name", NEEDS)
def test_a_tier_that_does_not_open_an_rpc_is_refused(filled: Instance, stub: AnalyticsServiceStub, name: str) -> None:
    """With the feature that it lacks."""
    free = filled.signed("fay", COMPANY, roles=[Role.ADMIN], tier=Tier.FREE)
    request: Any = request_of(SERVICE.methods_by_name[name])
    (request.question if name == "ExportAnalytics" else request).scope.company_id = COMPANY
    with pytest.raises(grpc.RpcError) as refused:
        list(getattr(stub, name)(request, metadata=(("authorization", f"Bearer {free}"),), timeout=60))
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert f"tier FREE does not open {NEEDS[name]!r}" in str(refused.value.details())


def test_how_far_an_answer_reaches_is_said_alike(client: httpx.Client, stub: AnalyticsServiceStub, signed: Any) -> None:
    """Its period, what cut it, and names of which nothing is known: in the provenance, as HTTP has it in the answer."""
    of_one = PageRequest(limit=1)
    for filters, begin in ({}, BEGIN), ({"symbol": "NO-SUCH"}, 0):
        scope = ReadScope(company_id=COMPANY, from_time=begin, filters=filters)
        told = stub.ListTrades(trading.ListTradesRequest(scope=scope, page=of_one), metadata=signed).provenance
        params = {"limit": "1", **filters, **({"from": "2025-10-01"} if begin else {})}
        answer = client.get("/api/v1/query/trades", params=params).json()
        assert (list(told.limited), dict(told.unknown)) == (answer["limited"], answer["unknown"])
        assert {name: getattr(told.calendar, name) for name in answer["calendar"]} == answer["calendar"]
        assert (told.HasField("from_time"), told.from_time, told.HasField("to_time")) == (begin > 0, begin, False)
        assert answer["limited"] == ([] if filters else ["limit"])
