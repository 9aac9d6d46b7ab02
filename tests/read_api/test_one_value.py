"""One value a metric by every door: HTTP under each of its addresses, the command line, and as of the past.

`tests/projections/test_one_value.py` compares all queries that have a metric; these doors answer with the same queries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf import proto
from services.analytics_service_pb2_grpc import AnalyticsServiceStub
from services.users_pb2 import GetUserAnalyticsRequest

from domain.metrics.catalogue import METRICS
from domain.metrics.trading.catalogue import STATISTICS
from eventlog.publish.builders import payment, support_ticket
from eventlog.publish.event import Event
from tests.projections.small_company import at, company, did
from tests.support.instance import Instance

COMPANY = "onevalue"
PERIOD = {"from": "2025-03-01", "to": "2025-03-10"}
SAID = ("value", "unit", "convention", "reason", "basis", "days", "short_sample")
# What became later of what the period has: by definition more is known of it now than at the period's end.
LATER: Mapping[str, str] = {
    "activation_rate": "of those who signed up in the period, activated within 7 days, also after its end",
    "time_to_value": "of those who signed up in the period, whenever they were activated",
    "trial_conversion_rate": "trials of the period that became paying, whenever",
    "failed_charge_rate": "invoices of the period, whenever a charge of them failed",
    "dunning_recovery_rate": "failures of the period that were paid within 30 days, also after its end",
    "first_response_minutes": "of tickets of the period, whenever they were answered",
    "resolution_hours": "of tickets of the period, whenever they were resolved",
    "first_contact_resolution_rate": "of tickets of the period, whenever they were resolved",
    "median_session_minutes": "of sessions that began in the period, however long they went on",
}


def later() -> Iterator[Event]:
    """What became of March's first days after the tenth."""
    about: dict[str, Any] = {"company_id": "acme", "customer_id": "c1", "invoice_id": "i9", "amount": 60}
    yield payment(kind="failed", currency="USD", timestamp=at("2025-03-06T00:00:00"), **about)
    yield payment(kind="recovered", currency="USD", timestamp=at("2025-03-12T00:00:00"), **about)
    yield support_ticket(company_id="acme", ticket_id="k2", event="opened", timestamp=at("2025-03-07T00:00:00"))
    yield support_ticket(company_id="acme", ticket_id="k2", event="resolved", timestamp=at("2025-03-15T00:00:00"))
    yield did("u2", "activated", "2025-03-11T00:00:00")
    yield did("u1", "page_view", "2025-03-10T08:00:00", session_id="v1")


@pytest.fixture(scope="module")
def client(instance: Instance) -> Iterator[httpx.Client]:
    """An analyst of the company that was worked out by hand, which is folded."""
    lines = BytesIO()
    for event in (*company(), *later()):
        envelope = event.envelope
        envelope.company_id = COMPANY
        proto.serialize_length_prefixed(envelope, lines)
    path = instance.folder.parent / "company.bin"
    path.write_bytes(lines.getvalue())
    position = str(instance.answer("ingest", str(path), "--json")["position"])
    instance.wait(position)
    with instance.client("analyst", COMPANY) as opened:
        yield opened


def said(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What rows say of metrics, by their keys."""
    return {row["key"]: {name: row[name] for name in SAID if row.get(name) is not None} for row in rows}


def values_of(client: httpx.Client, path: str, **params: str) -> dict[str, dict[str, Any]]:
    """The same of an answer about the period."""
    answer = client.get(path, params={**PERIOD, **params})
    assert answer.status_code == 200, answer.text
    return said(answer.json()["rows"])


def test_a_metric_is_the_same_under_every_address(client: httpx.Client, instance: Instance) -> None:
    """By its key, among key figures, among trading metrics, and on the command line."""
    figures, trading = values_of(client, "/api/v1/kpis"), values_of(client, "/api/v1/trading/metrics")
    asked = {**trading, **figures}
    for key in asked.keys() & METRICS.keys():
        (alone,) = values_of(client, f"/api/v1/metrics/{key}").values()
        assert alone == asked[key], key
    assert {key for key in figures.keys() & trading.keys() if figures[key] != trading[key]} == set()
    assert {*figures} == {key for key, entry in METRICS.items() if entry.kpi}
    assert {*STATISTICS} <= {*trading}
    params = [text for name, value in PERIOD.items() for text in ("-p", f"{name}={value}")]
    for query, expected in (("kpis", figures), ("trading_metrics", trading)):
        assert said(instance.answer("query", query, "--company", COMPANY, *params)["rows"]) == expected


@pytest.mark.parametrize(
    ("period", "begin", "end"),
    [
        ("day", "2025-03-05", "2025-03-06"),
        ("week", "2025-03-03", "2025-03-10"),
        ("month", "2025-03-01", "2025-04-01"),
        ("quarter", "2025-01-01", "2025-04-01"),
        ("year", "2025-01-01", "2026-01-01"),
    ],
)
def test_a_period_of_the_calendar_is_its_days(client: httpx.Client, period: str, begin: str, end: str) -> None:
    """Named or given by its ends, of key figures and of each metric alone."""
    named = client.get("/api/v1/kpis", params={"at": "2025-03-05", "period": period}).json()["rows"]
    ends = {"from": begin, "to": end}
    assert said(named) == values_of(client, "/api/v1/kpis", **ends)
    for key, figure in said(named).items():
        (alone,) = values_of(client, f"/api/v1/metrics/{key}", **ends).values()
        assert alone == figure, key


@pytest.mark.ci
def test_the_end_of_a_period_is_what_was_known_then(client: httpx.Client) -> None:
    """`to` and `as_of` of one moment say the same of every metric, but of what became of it later."""
    then = {"as_of": f"{PERIOD['to']}T00:00:00Z"}
    differs = set()
    for path in ("/api/v1/query/kpis", "/api/v1/query/trading_metrics"):
        now, past = values_of(client, path), values_of(client, path, **then)
        differs |= {key for key in now if now[key] != past[key]}
    for key in ("mrr_at_risk", "deferred_revenue", "apdex"):
        path = f"/api/v1/metrics/{key}"
        differs |= {key} if values_of(client, path) != values_of(client, path, **then) else set()
    assert differs - {*LATER} == set()
    assert "resolution_hours" in differs  # so that the comparison can fail


def test_a_session_is_one_thing_by_every_door(client: httpx.Client, instance: Instance) -> None:
    """One that events name, and two runs of events that name none: by query, metric and path, split or whole; HTTP,
    command line and gRPC.
    """

    def asked(query: str, **params: str) -> list[dict[str, Any]]:
        answer = client.get(f"/api/v1/query/{query}", params={**PERIOD, **params})
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["rows"]
        return rows

    counts = {
        f"{query} by {by}": sum(row["sessions"] for row in asked(query, by=by))
        for query, by in (("user_activity", ""), ("user_activity", "user_id,day"), ("activity_totals", "month"))
    }
    counts["sessions"] = len(asked("sessions"))
    counts["journey"] = sum(row["sequences"] for row in asked("journey", of="sessions", length="1", top="1000"))
    for by in ("", "user_id", "weekday"):
        counts[f"metric by {by}"] = sum(row["value"] for row in asked("metric", key="sessions", by=by))
    figures = said(asked("kpis"))
    counts["kpis"] = figures["sessions"]["value"]
    counts["per user"] = figures["sessions_per_user"]["value"] * figures["active_users"]["value"]
    params = [text for name, value in PERIOD.items() for text in ("-p", f"{name}={value}")]
    (row,) = instance.answer("query", "activity_totals", "--company", COMPANY, *params)["rows"]
    counts["command line"] = row["sessions"]
    scope = {
        "company_id": COMPANY,
        "from_time": at(f"{PERIOD['from']}T00:00:00"),
        "to_time": at(f"{PERIOD['to']}T00:00:00"),
    }
    headers = (("authorization", f"Bearer {instance.token('analyst', COMPANY)}"),)
    with grpc.insecure_channel(instance.addresses["grpc"]) as channel:
        stub = AnalyticsServiceStub(channel)
        told = stub.GetUserAnalytics(GetUserAnalyticsRequest(scope=scope), metadata=headers, timeout=60)
    counts["gRPC"] = told.activity[0].behavior.sessions
    assert told.activity[0].behavior.median_session_minutes == figures["median_session_minutes"]["value"]
    assert counts == dict.fromkeys(counts, 3)
