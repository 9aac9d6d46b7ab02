"""Live metrics through the doors of a running instance: published over HTTP, read over HTTP and in the terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import grpc
import httpx
import pytest
from common.read_scope_pb2 import ReadScope
from services.analytics_service_pb2_grpc import AnalyticsServiceStub
from services.dashboards_pb2 import GetRealTimeMetricsRequest
from websockets.sync.client import connect

from tests.support.instance import Instance, command_line, trade
from tests.support.pages import Shown, settled, signed_in
from tests.support.waiting import eventually

MINUTE = 60_000
PATIENCE = 60.0  # seconds, on a machine that does much else


def publish(instance: Instance, *events: dict[str, object]) -> None:
    """Hand events in at the HTTP door; they are accepted when this returns."""
    company = str(events[0]["company_id"])
    headers = {"Authorization": f"Bearer {instance.token('service', company)}"}
    with httpx.Client(base_url=instance.addresses["command_api"], headers=headers, timeout=60) as client:
        answer = client.post("/api/v1/events", json=list(events)).json()
    assert answer["accepted"] == len(events), answer


def closed(company: str, at: int, number: int, pnl: float = 1.5) -> dict[str, object]:
    """A trade that closed at this moment (ms)."""
    return {**trade(company, number, pnl, closed_at=at, opened_at=at - 1_000), "timestamp": at}


@pytest.fixture
def now() -> int:
    """A moment (ms) with time left in its minute, so that what is published is of one minute, and may close it."""
    while not 8 <= time.time() % 60 < 50:
        time.sleep(0.2)
    return time.time_ns() // 1_000_000


def states(client: httpx.Client, metrics: str, **params: str) -> list[dict[str, Any]]:
    """The windows of one metric, as HTTP answers them."""
    answer = client.get("/api/v1/realtime", params={"metrics": metrics, **params})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["metrics"][0]["windows"]
    return found


def test_an_event_is_seen_at_once_and_its_minute_ends_as_the_projections(instance: Instance, now: int) -> None:
    """Early within the minute; when the watermark passes its end the projection's value takes over, the same."""
    with instance.client("viewer", "lanes") as client:
        assert states(client, "trading")[-1]["rows"][0]["total_trades"] == 0
        publish(instance, *(closed("lanes", now + n, n, pnl=0.25) for n in range(4)))
        early = eventually(lambda: [w for w in states(client, "trading") if w["rows"][0]["total_trades"] == 4])[0]
        assert (early["kind"], early["rows"][0]["total_pnl"]) == ("early", "1")
        publish(instance, closed("lanes", now // MINUTE * MINUTE + 66_000, 9))  # ahead, but believed
        durable = eventually(
            lambda: [w for w in states(client, "trading") if w["start"] == early["start"] and w["kind"] == "durable"]
        )[0]
        assert durable["rows"] == early["rows"]
        answer = client.get("/api/v1/query/trading_totals").json()
        assert answer["rows"][0]["total_trades"] == 5


def test_watch_prints_a_line_a_message(instance: Instance, now: int) -> None:
    """What moves is printed as it moves: here one measure, by symbol."""
    command = ("watch", "trading.total_pnl", "--company", "watched", "--by", "symbol", "--json", "--count", "8")
    line = [sys.executable, "-m", "app.cli", *command, "--data", str(instance.folder)]  # others print here
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
        with instance.client("viewer", "watched") as client:
            eventually(lambda: client.get("/api/v1/health").json().get("live"))
        for number in range(200):
            if watching.poll() is not None:
                break
            publish(instance, closed("watched", time.time_ns() // 1_000_000, number))
            time.sleep(0.1)
        printed, trouble = watching.communicate(timeout=30)
    assert watching.returncode == 0, trouble
    lines = [json.loads(line) for line in printed.splitlines()]
    assert [line["metric"] for line in lines] == ["trading"] * 8
    rows = [row for line in lines for window in line["windows"] for row in window["rows"]]
    assert rows
    assert all(row.keys() == {"symbol", "total_pnl"} for row in rows)


def test_grpc_streams_what_http_answers(instance: Instance, now: int) -> None:
    """The newest windows come first, then each as it moves, with the same figures."""
    publish(instance, closed("streamed", now, 1, pnl=2.5))
    request = GetRealTimeMetricsRequest(
        scope=ReadScope(company_id="streamed"), metrics=["trading.total_pnl", "trading.win_rate"], by=["symbol"]
    )
    metadata = (("authorization", f"Bearer {instance.token('viewer', 'streamed')}"),)
    with grpc.insecure_channel(instance.addresses["grpc"]) as channel:
        stream = AnalyticsServiceStub(channel).GetRealTimeMetrics(request, metadata=metadata, timeout=PATIENCE)
        found = next(answer for answer in stream if answer.groups)
        assert (found.kind, found.provenance.query) == ("early", "trading")
        (group,) = found.groups
        assert dict(group.dimensions) == {"symbol": "AAPL"}
        assert [(m.key, m.unit) for m in group.metrics] == [("trading.total_pnl", "USD"), ("trading.win_rate", "")]
        assert (group.metrics[0].value.decimal, group.metrics[1].value.number) == ("2.5", 1.0)
        publish(instance, closed("streamed", now + 1, 2, pnl=-1))
        again = (answer for answer in stream if answer.window_begins == found.window_begins)
        moved = next(answer for answer in again if answer.revision > found.revision)
        assert moved.groups[0].metrics[0].value.decimal == "1.5"
    with instance.client("viewer", "streamed") as client:
        (window,) = [w for w in states(client, "trading.total_pnl", by="symbol") if w["rows"]]
        assert window["rows"] == [{"symbol": "AAPL", "total_pnl": "1.5"}]


def test_a_websocket_client_sees_an_event_as_it_comes(instance: Instance, now: int) -> None:
    """A snapshot, then what changes; the frame comes without anybody asking again."""
    with connect(instance.addresses["read_api"].replace("http", "ws") + "/api/v1/live") as socket:
        socket.send(json.dumps({"type": "token", "token": instance.token("viewer", "framed")}))
        socket.send(json.dumps({"type": "subscribe", "id": "a", "live": "trading.total_trades", "company": "framed"}))
        frames = (json.loads(socket.recv(timeout=PATIENCE)) for _ in range(1_000))
        assert next(frame for frame in frames if frame["type"] == "snapshot")["answer"]["metric"] == "trading"
        publish(instance, closed("framed", now, 1))
        assert next(frame for frame in frames if '"total_trades": 1' in json.dumps(frame))["type"] == "delta"


def test_a_tenant_is_a_wall_and_members_see_nothing_of_the_whole_company(instance: Instance) -> None:
    """Live figures are of the token's company; a member sees the windows that are nobody's."""
    with instance.client("viewer", "walled") as client:
        other = client.get("/api/v1/realtime", params={"company": "lanes", "metrics": "trading"})
        assert (other.status_code, other.json()["code"]) == (403, "forbidden_company")
    options = ("--user-id", "u1")
    with instance.client("member", "walled", *options) as client:
        whole = client.get("/api/v1/realtime", params={"metrics": "trading"})
        assert (whole.status_code, whole.json()["code"]) == (403, "forbidden_member")
        assert [m["metric"] for m in client.get("/api/v1/realtime").json()["metrics"]] == ["market_bars"]


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"metrics": "nothing"}, 404, "unknown_metric"),
        ({"metrics": "trading", "window": "2m"}, 400, "bad_parameter"),
        ({"metrics": "trading", "by": "side"}, 400, "bad_parameter"),
        ({"metrics": "trading", "color": "red"}, 400, "bad_parameter"),
        ({"metrics": "p50"}, 400, "bad_parameter"),
    ],
)
def test_what_cannot_be_asked_is_refused(instance: Instance, params: dict[str, str], status: int, code: str) -> None:
    """With a problem document that says what there is."""
    with instance.client("viewer", "walled") as client:
        answer = client.get("/api/v1/realtime", params=params)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.ci
def test_a_killed_live_lane_heals_within_a_minute(instance: Instance, now: int) -> None:
    """Another process takes over; the minute in hand is partial, and ends as what the projection has: all of it.

    It waits for a minute to end.
    """
    with instance.client("viewer", "killed") as client:
        states(client, "trading")
        publish(instance, closed("killed", now, 1))
        eventually(lambda: [w for w in states(client, "trading") if w["rows"][0]["total_trades"] == 1])
        (lane,) = [child for child in instance.children() if "live" in command_line(child)]
        os.kill(lane.pid, signal.SIGKILL)
        publish(instance, closed("killed", now + 1, 2))
        heard = eventually(lambda: [w for w in answered(client) if w["partial"] and w["kind"] == "early"])[0]
        assert heard["rows"][0]["total_trades"] < 2
        publish(instance, closed("killed", now // MINUTE * MINUTE + 66_000, 3))
        ended = eventually(
            lambda: [w for w in answered(client) if w["start"] == heard["start"] and w["kind"] == "durable"]
        )
        assert (ended[0]["rows"][0]["total_trades"], ended[0]["partial"]) == (2, False)


def answered(client: httpx.Client) -> list[dict[str, Any]]:
    """The windows of trading; none while the lane is away, which is said."""
    answer = client.get("/api/v1/realtime", params={"metrics": "trading"})
    if answer.status_code == 503:
        assert answer.json()["code"] == "live_unavailable"
        return []
    found: list[dict[str, Any]] = answer.json()["metrics"][0]["windows"]
    return found


def test_health_and_metrics_say_how_the_lane_is(instance: Instance) -> None:
    """What it holds is for who sees every company; that it is there, for everybody who sees the status."""
    with instance.client("engineer", "*") as client:
        (health,) = eventually(lambda: [h for h in (client.get("/api/v1/health").json(),) if "live_lane" in h])
        assert {c["name"]: c["status"] for c in health["components"]}["live"] == "ok"
        assert health["live_lane"]["messages"] >= 0
        assert 'analytics_live_lane{figure="facts"}' in client.get("/metrics").text
    with instance.client("viewer", "walled") as client:
        assert "live_lane" not in client.get("/api/v1/health").json()


def test_every_door_says_amounts_by_currency(instance: Instance, now: int) -> None:
    """Of trades in three currencies HTTP, WebSocket, gRPC and page show the same by currency; added up, none does."""
    company, amounts = "mixedco", {"EUR": "5", "JPY": "-3000", "USD": "2.5"}
    given = [(number, code, float(pnl)) for number, (code, pnl) in enumerate(amounts.items())]
    publish(instance, *(_in(code, closed(company, now + n, n, pnl)) for n, code, pnl in given))
    with instance.client("viewer", company) as client:
        found = eventually(lambda: [w for w in states(client, "trading", by="currency") if len(w["rows"]) == 3])[0]
        (whole,) = [w for w in states(client, "trading") if w["start"] == found["start"]]
    assert {row["currency"]: row["total_pnl"] for row in found["rows"]} == amounts
    (row,) = whole["rows"]
    assert (whole["currency"], row["total_trades"], row["total_pnl"]) == (None, 3, None)
    assert row["reasons"]["total_pnl"] == "mixed_currencies"

    token = instance.token("viewer", company)
    with connect(instance.addresses["read_api"].replace("http", "ws") + "/api/v1/live") as socket:
        socket.send(json.dumps({"type": "token", "token": token}))
        asked = {"live": "trading", "company": company, "params": {"by": "currency"}}
        socket.send(json.dumps({"type": "subscribe", "id": "a", **asked}))
        frames = (json.loads(socket.recv(timeout=PATIENCE)) for _ in range(1_000))
        snapshot = next(frame for frame in frames if frame["type"] == "snapshot")["answer"]
    (window,) = [w for w in snapshot["windows"] if w["start"] == found["start"]]
    assert window["rows"] == found["rows"]

    with grpc.insecure_channel(instance.addresses["grpc"]) as channel:
        by_currency, together = (_streamed(channel, token, company, by) for by in (["currency"], []))
    told = {g.dimensions["currency"]: g.metrics[0] for answer in by_currency for g in answer.groups}
    assert {code: (m.value.decimal, m.currency) for code, m in told.items()} == {c: (a, c) for c, a in amounts.items()}
    assert {(m.value.reason, m.currency) for answer in together[-1:] for m in answer.metrics} == {
        ("mixed_currencies", "")
    }

    tile = {"id": "t", "title": "T", "kind": "table", "query": "trading_totals", "params": {"by": "currency"}}
    body = json.dumps({"name": "Mixed", "tiles": [{**tile, "layout": {"x": 0, "y": 0, "w": 6, "h": 4}}]})
    made = instance.answer("command", "dashboard.create", "--company", company, "--body", body, "--json")
    instance.wait()
    with signed_in(instance, instance.token("admin", company)) as reader:
        shown = Shown(settled(reader, f"/dashboards/{made['id']}", {"company": company})).tables["t"]
    assert {row["currency"]: row["total_pnl"] for row in shown} == amounts


def _in(currency: str, line: dict[str, Any]) -> dict[str, object]:
    return {**line, "payload": {**line["payload"], "currency": currency}}


def _streamed(channel: grpc.Channel, token: str, company: str, by: list[str]) -> list[Any]:
    """What gRPC says of profit and loss once."""
    scope = ReadScope(company_id=company)
    request = GetRealTimeMetricsRequest(scope=scope, metrics=["trading.total_pnl"], by=by, once=True)
    metadata = (("authorization", f"Bearer {token}"),)
    return list(AnalyticsServiceStub(channel).GetRealTimeMetrics(request, metadata=metadata, timeout=PATIENCE))
