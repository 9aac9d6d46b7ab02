"""The trail of a running instance: what came in at each door is on record once, for the right tenant."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from analytics.control_events_pb2 import AuditEvent
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from services import operations_pb2
from services.analytics_service_pb2_grpc import AnalyticsServiceStub
from websockets.sync.client import connect

from adapters.postgres.log.log import EmbeddedLog
from adapters.servers.servers import Addresses
from tests.support.event_logs import read_all
from tests.support.instance import Instance, trade
from tests.support.serving import serving

COMPANY = "trailco"
WITHIN = 15.0  # seconds until what was noted is folded


def rows(instance: Instance, company: str = COMPANY, **filters: str) -> list[dict[str, Any]]:
    """The company's trail, as the local operator reads it."""
    asked = [part for name, value in filters.items() for part in ("--param", f"{name}={value}")]
    found: list[dict[str, Any]] = instance.answer("query", "audit_trail", "--company", company, *asked)["rows"]
    return found


def eventually(instance: Instance, number: int, company: str = COMPANY, **filters: str) -> list[dict[str, Any]]:
    """The rows of the trail once there are so many; fails where there are others."""
    deadline = time.monotonic() + WITHIN
    while len(found := rows(instance, company, **filters)) < number and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(found) == number, found
    return found


@pytest.fixture(scope="module")
def position(instance: Instance) -> str:
    """Three trades of the company are folded."""
    return instance.take([trade(COMPANY, n) for n in range(3)])


@pytest.fixture
def ann(instance: Instance) -> Iterator[httpx.Client]:
    """A viewer called Ann."""
    with instance.client("viewer", COMPANY, "--subject", "ann") as client:
        yield client


def test_a_query_is_on_record_with_its_position_and_correlation_id(
    instance: Instance, position: str, ann: httpx.Client
) -> None:
    """Who, in which role, what, through which door, how it ended."""
    answer = ann.get("/api/v1/query/trades", headers={"X-Correlation-Id": "trail-1"})
    (row,) = eventually(instance, 1, correlation_id="trail-1")
    expected = {"subject": "ann", "role": "viewer", "action": "query", "target": "trades", "door": "http"}
    assert {name: row[name] for name in expected} == expected
    assert (row["outcome"], row["code"], row["count"]) == ("ok", "", 1)
    assert row["position"] == answer.headers["x-position"]


def test_a_refusal_is_in_the_trail_of_the_callers_own_company(instance: Instance, ann: httpx.Client) -> None:
    """Nobody writes into the trail of a company that is not theirs."""
    headers = {"X-Correlation-Id": "trail-2"}
    assert ann.get("/api/v1/query/trades?company=othertrailco", headers=headers).status_code == 403
    (row,) = eventually(instance, 1, correlation_id="trail-2")
    assert (row["outcome"], row["code"]) == ("refused", "forbidden_company")
    assert rows(instance, "othertrailco", subject="ann") == []


def test_what_machines_poll_is_not_on_record_unless_it_is_refused(instance: Instance, ann: httpx.Client) -> None:
    """Health, projections, metrics and the list of queries; publishing only where it is refused."""
    for path in ("/api/v1/health", "/api/v1/projections", "/metrics", "/api/v1/query"):
        assert ann.get(path, headers={"X-Correlation-Id": "trail-3"}).status_code == 200
    url = f"{instance.addresses['command_api']}/api/v1/events"
    refused = ann.post(url, json=trade(COMPANY, 9), headers={"X-Correlation-Id": "trail-4"})
    assert refused.status_code == 403
    (row,) = eventually(instance, 1, correlation_id="trail-4")
    assert (row["action"], row["target"], row["code"]) == ("publish", "events", "forbidden_role")
    assert rows(instance, correlation_id="trail-3") == []


def test_strangers_are_counted_not_listed(servers: Addresses, new_database: Callable[[], str], tmp_path: Path) -> None:
    """Forty refusals of nobody known at one door are few notes, whatever was asked for; doors that close tell them."""
    database = new_database()
    with serving(tmp_path, servers, database) as doors, httpx.Client(base_url=doors.addresses["read_api"]) as stranger:
        for number in range(40):
            assert stranger.post(f"/api/v1/made-up/{number}").status_code == 401
    found = asyncio.run(on_record(database))
    assert {(event.subject, event.action) for event in found} == {("nobody", "command")}
    assert sum(event.count for event in found) == 40
    assert len(found) <= 4  # two in each ten seconds


async def on_record(database: str) -> list[AuditEvent]:
    """The trail in the log of that database."""
    log = EmbeddedLog(database)
    try:
        records = [value for part in (await read_all(log, "audit-events")).values() for _, value in part]
    finally:
        await log.close()
    return [AuditEvent.FromString(AnalyticsProcessingEnvelope.FromString(value).payload) for value in records]


def test_a_live_feed_is_on_record_when_it_begins_and_when_it_ends(instance: Instance, position: str) -> None:
    """Sign-in, subscription, refusal and the end; not the updates in between."""
    token = instance.token("viewer", COMPANY, "--subject", "liz")
    url = instance.addresses["read_api"].replace("http", "ws") + "/api/v1/live"
    with connect(url, additional_headers={"X-Correlation-Id": "trail-5"}) as socket:
        assert socket.response is not None
        assert socket.response.headers["x-correlation-id"] == "trail-5"
        for message in (
            {"type": "token", "token": token},
            {"type": "subscribe", "id": "a", "query": "trades", "company": COMPANY},
            {"type": "subscribe", "id": "b", "query": "trades", "company": "othertrailco"},
            {"type": "unsubscribe", "id": "a"},
        ):
            socket.send(json.dumps(message))
            if message["type"] != "unsubscribe":
                socket.recv(timeout=10)
    found = eventually(instance, 4, correlation_id="trail-5")
    # sorted: what happens in the same millisecond has no order
    assert sorted((row["action"], row["target"], row["outcome"]) for row in found) == [
        ("sign_in", "live", "ok"),
        ("subscribe", "trades", "ok"),
        ("subscribe", "trades", "refused"),
        ("unsubscribe", "trades", "ok"),
    ]
    assert {(row["subject"], row["door"]) for row in found} == {("liz", "ws")}


def test_a_call_is_on_record(instance: Instance, position: str) -> None:
    """gRPC: what was read, and what was refused; a health check is not."""
    token = instance.token("auditor", COMPANY, "--subject", "ava")
    metadata = (("authorization", f"Bearer {token}"), ("x-correlation-id", "trail-6"))
    with grpc.insecure_channel(instance.addresses["grpc"]) as channel:
        stub = AnalyticsServiceStub(channel)
        events = stub.StreamEvents(operations_pb2.StreamEventsRequest(company_id=COMPANY, limit=1), metadata=metadata)
        assert [len(answer.events) for answer in events] == [1]
        stub.HealthCheck(operations_pb2.HealthCheckRequest(), metadata=metadata)
        with pytest.raises(grpc.RpcError):
            list(stub.StreamEvents(operations_pb2.StreamEventsRequest(company_id="otherco"), metadata=metadata))
    found = eventually(instance, 2, correlation_id="trail-6")
    assert sorted((row["subject"], row["action"], row["target"], row["outcome"], row["door"]) for row in found) == [
        ("ava", "events", "StreamEvents", "ok", "grpc"),
        ("ava", "events", "StreamEvents", "refused", "grpc"),
    ]


def test_commands_of_the_command_line_are_on_record_before_they_end(instance: Instance) -> None:
    """As the local operator's, with what they were about; those that only look at the machinery are not."""
    assert instance.command("projections", "pause", "market_bars").exit_code == 0
    assert instance.command("projections", "resume", "market_bars").exit_code == 0
    assert instance.command("projections", "status", "--json").exit_code == 0
    log = instance.command("log", "tail", "-n", "1000", "--topic", "audit-events").stdout
    told = [event["payload"] for event in map(json.loads, log.splitlines()) if event["payload"]["door"] == "cli"]
    done = [(payload["subject"], payload["action"], payload["target"]) for payload in told[-3:]]
    assert done == [
        ("local-operator", "operate", "projections pause market_bars"),
        ("local-operator", "operate", "projections resume market_bars"),
        ("local-operator", "events", "log tail"),
    ]


def test_the_trail_is_for_those_with_the_right_to_it(instance: Instance, position: str, ann: httpx.Client) -> None:
    """An auditor of the company; not its viewer, and its totals neither. Asking for it is on record, too."""
    for query in ("audit_trail", "audit_totals"):
        assert ann.get(f"/api/v1/query/{query}").json()["code"] == "forbidden_role"
    with instance.client("auditor", COMPANY, "--subject", "ava") as client:
        headers = {"X-Correlation-Id": "trail-7"}
        assert client.get("/api/v1/query/audit_trail", headers=headers).status_code == 200
        listed = {query["name"]: query["right"] for query in client.get("/api/v1/query").json()["queries"]}
        assert (listed["audit_trail"], listed["trades"]) == ("trail", "dashboards")
        assert client.get("/api/v1/query/audit_trail?company=othertrailco").status_code == 403
        eventually(instance, 1, correlation_id="trail-7")
        listed_rows = client.get("/api/v1/query/audit_trail?subject=ava").json()["rows"]
        asked = {"by": "action,outcome", "subject": "ava"}
        totals = client.get("/api/v1/query/audit_totals", params=asked).json()["rows"]
    counted = {(row["action"], row["outcome"]): row["total"] for row in totals}
    for kind, total in Counter((row["action"], row["outcome"]) for row in listed_rows).items():
        assert counted[kind] >= total  # the totals were asked for a moment later


def test_lag_settles_although_reads_make_events(instance: Instance, ann: httpx.Client) -> None:
    """Waiting for the projections and asking how far they are make no events themselves."""
    for _ in range(20):
        ann.get("/api/v1/query/trades")
    assert instance.command("projections", "wait", "--timeout", "20").exit_code == 0
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        lags = {p["name"]: p["lag_events"] for p in instance.answer("projections", "status", "--json")}
        if lags["audit"] == 0:
            break
        time.sleep(0.2)
    assert lags["audit"] == 0
