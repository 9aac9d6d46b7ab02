"""Every tile of every standard dashboard shows something of a company that has everything, and the same at every door.

What it shows is the answer of the query that it names, at the dashboard's position. A new tile comes in by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import grpc
import httpx
import pytest
from analytics.business_intelligence_pb2 import KPIMetrics
from common.read_scope_pb2 import ReadScope
from services.analytics_service_pb2_grpc import AnalyticsServiceStub
from services.dashboards_pb2 import GetDashboardDataRequest
from websockets.sync.client import connect

from domain.access.rights import Role
from projections.engine.query.ask import answerable
from projections.engine.query.composed import Composed
from read_api.dashboards.documents import NAMES
from tests.read_api.dashboards.test_dashboards import OF_ANSWERS, lasting, shown
from tests.read_api.grpc.test_dashboard_streams import rows_of
from tests.support.instance import Instance
from tests.support.of_instance import OF_INSTANCE
from tests.support.two_months import COMPANY, END

BEGIN = END - 30 * 86_400_000  # November 2025
PERIOD = {"from": "2025-11-01", "to": "2025-12-01"}
FILTERS = {"trading": {"symbol": "AAPL"}}
OF_NOW = {"audit_totals", *OF_INSTANCE}  # counts what is asked here, and goes on by itself
NO_CUSTOMERS_BEFORE = "nobody was a customer when October began, so that the figure of before is undefined"
NOTHING_TO_SHOW: Mapping[str, str] = {  # tiles without content, and why
    "executive.nrr": NO_CUSTOMERS_BEFORE,
    "executive.grr": NO_CUSTOMERS_BEFORE,
    "users.churn": NO_CUSTOMERS_BEFORE,
    "executive.cohorts": "everybody came first in October",
    "users.cohorts": "everybody came first in October",
    "users.activation": "nobody signed up in November",
    "users.csat": "the surveys ask for the NPS alone",
    "trading.sharpe": "returns need what accounts are worth, which is not known of one symbol",
    "trading.rolling": "a window is of 63 returns, and a month has fewer",
    "system.access": "what is read here is noted now, not in November 2025",
}
ALERT = {
    "name": "few wins",
    "trigger": {
        "watched": {"kind": "metric", "key": "win_rate"},
        "condition": {"kind": "threshold", "compare": "below", "value": "0.4"},
    },
}


@pytest.fixture(scope="module")
def token(filled: Instance) -> str:
    """Somebody who may see all of it, of a company that has an alert rule."""
    made = filled.signed("dora", COMPANY, roles=[Role.ADMIN, Role.AUDITOR])
    address = f"{filled.addresses['command_api']}/api/v1/alerts/config"
    headers = {"Authorization": f"Bearer {made}", "Idempotency-Key": "rule-of-dashboards"}
    answer = httpx.post(address, json=ALERT, headers=headers)
    assert answer.is_success, answer.text
    filled.wait(answer.json()["position"])
    return made


@pytest.fixture(scope="module")
def dashboards(filled: Instance, token: str) -> Mapping[str, dict[str, Any]]:
    """All of them over HTTP, of November."""
    return {name: shown(filled, name, COMPANY, token, {**PERIOD, **FILTERS.get(name, {})}) for name in NAMES}


def values(tile: Mapping[str, Any]) -> Iterator[Any]:
    """All that its rows say beside what they are told apart by and what was asked."""
    beside = {*tile["params"].get("by", "").split(","), *tile["params"], "metric", "key", "unit", "title", "reasons"}
    return (value for row in tile["rows"] for name, value in row.items() if name not in beside)


@pytest.mark.parametrize("name", NAMES)
def test_every_tile_shows_something(dashboards: Mapping[str, dict[str, Any]], name: str) -> None:
    """A number has a change and a spark line, everything else rows that say something."""
    silent = set[str]()
    for tile in dashboards[name]["tiles"]:
        assert tile["state"] == "open", tile
        if not any(value not in (None, "", [], {}) for value in values(tile)):
            silent.add(f"{name}.{tile['id']}")
        elif tile["kind"] == "number":
            (figure,) = tile["rows"]
            history = [point["value"] for point in figure["history"]]
            assert (history[-1], history[-2]) == (figure["value"], figure["previous"])
            if None in (figure["value"], figure["previous"]) or len(history) < 3:
                silent.add(f"{name}.{tile['id']}")
    assert silent == {tile for tile in NOTHING_TO_SHOW if tile.startswith(f"{name}.")}


@pytest.mark.parametrize("name", NAMES)
def test_every_tile_is_the_answer_of_its_query(
    filled: Instance, token: str, dashboards: Mapping[str, dict[str, Any]], name: str
) -> None:
    """At the dashboard's position."""
    dashboard = dashboards[name]
    signed = {"Authorization": f"Bearer {token}", "X-Min-Position": dashboard["position"]}
    with httpx.Client(base_url=filled.addresses["read_api"], headers=signed, timeout=120) as client:
        for tile in dashboard["tiles"]:
            if tile["query"] not in OF_NOW:
                params = {"company": COMPANY, **tile["params"], "max_staleness": "600"}
                answer = client.get(f"/api/v1/query/{tile['query']}", params=params).json()
                assert [lasting(tile[part]) for part in OF_ANSWERS] == [lasting(answer[part]) for part in OF_ANSWERS]


def is_there_at_once(tile: Mapping[str, Any]) -> bool:
    """Whether it is made of rows alone; models are fitted apart, in each process for itself."""
    query = answerable(tile["query"])
    return not (isinstance(query, Composed) and query.apart) and tile["query"] not in OF_NOW


@pytest.mark.parametrize("name", NAMES)
def test_every_door_shows_the_same(
    filled: Instance, token: str, dashboards: Mapping[str, dict[str, Any]], name: str
) -> None:
    """WebSocket as it is, gRPC value by value, with the key figures as messages."""
    expected = {tile["id"]: tile for tile in dashboards[name]["tiles"] if is_there_at_once(tile)}
    filters = FILTERS.get(name, {})
    address = filled.addresses["read_api"].replace("http", "ws") + "/api/v1/live"
    with connect(address, max_size=None) as socket:
        socket.send(json.dumps({"type": "token", "token": token}))
        wanted = {"id": "d", "dashboard": name, "company": COMPANY, "params": {**PERIOD, **filters}}
        socket.send(json.dumps({"type": "subscribe", **wanted}))
        while (message := json.loads(socket.recv(timeout=60))).get("id") != "d":
            pass
    followed = {tile["id"]: tile for tile in message["answer"]["tiles"]}
    assert {name: lasting(followed[name]) for name in expected} == {name: lasting(expected[name]) for name in expected}
    scope = ReadScope(company_id=COMPANY, filters=filters, from_time=BEGIN, to_time=END)
    with grpc.insecure_channel(filled.addresses["grpc"]) as channel:
        request = GetDashboardDataRequest(dashboard_id=name, scope=scope, once=True)
        metadata = (("authorization", f"Bearer {token}"),)
        (answer,) = AnalyticsServiceStub(channel).GetDashboardData(request, metadata=metadata, timeout=120)
    told = {tile.tile_id: tile for tile in answer.data.tiles}
    for tile_id, tile in expected.items():
        assert told[tile_id].provenance.position == tile["position"]
        for found, there in rows_of(told[tile_id], tile):
            assert found == there, tile_id
        assert [figure(kpi) for kpi in told[tile_id].kpis] == [
            (row["key"], row["change_rate"], len(row.get("history", ())))
            for row in tile["rows"]
            if tile["query"] in ("kpis", "key_figure")
        ]


def figure(kpi: KPIMetrics) -> tuple[str, float | None, int]:
    """What a key figure says."""
    return kpi.current.key, kpi.change if kpi.HasField("change") else None, len(kpi.history.points)
