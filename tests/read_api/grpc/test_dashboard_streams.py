"""Dashboards over gRPC: what HTTP answers, what has changed of it, and several on one stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from queue import Queue
from typing import Any

import grpc
import msgspec
import pytest
from analytics.report_generation_pb2 import DashboardData
from analytics.values_pb2 import Value
from common.read_scope_pb2 import ReadScope
from services import dashboards_pb2 as dashboards
from services.analytics_service_pb2_grpc import AnalyticsServiceStub
from services.queries_pb2 import RunAnalyticsQueryRequest

from tests.read_api.dashboards.test_dashboards import FRESHNESS, shown
from tests.read_api.grpc.twins import plain
from tests.support.instance import Instance, trade

COMPANY = "streamco"
Metadata = tuple[tuple[str, str], ...]


@pytest.fixture(scope="module")
def traded(instance: Instance) -> Instance:
    """An instance with trades of the company."""
    symbols = "AAPL", "MSFT"
    instance.take([trade(COMPANY, number, symbol=symbols[number % 2], account_id="42") for number in range(8)])
    return instance


@pytest.fixture
def stub(traded: Instance) -> Iterator[AnalyticsServiceStub]:
    """The service."""
    with grpc.insecure_channel(traded.addresses["grpc"]) as channel:
        yield AnalyticsServiceStub(channel)


def metadata(token: str) -> Metadata:
    """As a caller sends a token."""
    return (("authorization", f"Bearer {token}"),)


def asked(dashboard: str = "trading", **members: Any) -> dashboards.GetDashboardDataRequest:
    """A request for a dashboard of the company."""
    return dashboards.GetDashboardDataRequest(dashboard_id=dashboard, scope={"company_id": COMPANY}, **members)


def tile_of(data: DashboardData, name: str) -> DashboardData.Tile:
    """One tile."""
    (found,) = [tile for tile in data.tiles if tile.tile_id == name]
    return found


def said(value: Value, shown_as: Any) -> Any:
    """A value as HTTP says it; what is no plain value there is compared as JSON."""
    kind = value.WhichOneof("kind")
    if kind is None:
        return None
    found = getattr(value, kind)
    return msgspec.json.decode(found) if isinstance(shown_as, list | dict) else plain(found)


def rows_of(tile: DashboardData.Tile, over_http: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each row of a tile, and the one over HTTP."""
    columns = [column.name for column in tile.table.columns]
    for row, there in zip(tile.table.rows, over_http["rows"], strict=True):
        found = {
            column: said(value, there.get(column))
            for column, value in zip(columns, row.values, strict=True)
            if value.reason != "absent" and column not in FRESHNESS
        }
        yield (
            found,
            {
                column: value if value is None or isinstance(value, list | dict) else plain(value)
                for column, value in there.items()
                if column not in FRESHNESS
            },
        )


@pytest.mark.parametrize("name", ["trading", "users"])
def test_it_is_what_http_answers(traded: Instance, stub: AnalyticsServiceStub, name: str) -> None:
    """Tile by tile, value by value, with what is closed and why."""
    token = traded.token("viewer", COMPANY, "--tier", "FREE")
    http = shown(traded, name, COMPANY, token)
    (answer,) = stub.GetDashboardData(asked(name, once=True), metadata=metadata(token), timeout=60)
    data = answer.data
    assert (data.title, data.currency, data.time_zone) == (http["title"], http["currency"], http["time_zone"])
    assert [tile.tile_id for tile in data.tiles] == [tile["id"] for tile in http["tiles"]]
    for one, other in zip(data.tiles, http["tiles"], strict=True):
        assert (one.state, one.query, dict(one.params)) == (other["state"], other["query"], other["params"])
        assert (one.code, one.reason) == (
            (other["problem"] or {}).get("code", ""),
            (other["problem"] or {}).get("detail", ""),
        )
        assert one.provenance.position == (other["position"] or "")
        for found, there in rows_of(one, other):
            assert found == there


def test_its_tables_are_those_of_ad_hoc_answers(traded: Instance, stub: AnalyticsServiceStub) -> None:
    """Value by value, money as decimals and names as texts: there is one way to say a row."""
    signed = metadata(traded.token("analyst", COMPANY))
    period = {"from_time": 1_759_276_800_000, "to_time": 1_761_955_200_000}  # October 2025
    scope = ReadScope(company_id=COMPANY, filters={"symbol": "AAPL"}, **period)  # type: ignore[arg-type]  # whole times
    (answer,) = stub.GetDashboardData(
        dashboards.GetDashboardDataRequest(dashboard_id="trading", scope=scope, once=True), metadata=signed, timeout=60
    )
    compared = 0
    for tile in answer.data.tiles:
        params = dict(tile.params)
        by = [name for name in params.pop("by", "").split(",") if name]
        asked = RunAnalyticsQueryRequest(
            scope={"company_id": COMPANY},
            query=tile.query,
            by=by,
            params=params,
        )
        if tile.state == "open" and "complete" not in [column.name for column in tile.table.columns]:
            parts = list(stub.RunAnalyticsQuery(asked, metadata=signed, timeout=60))
            assert [row for part in parts for row in part.table.rows] == list(tile.table.rows), tile.tile_id
            assert list(parts[0].table.columns) == list(tile.table.columns)
            compared += len(tile.table.rows)
    assert compared > 20
    first, names = tile_of(answer.data, "blotter").table, ("account_id", "user_id", "pnl")
    columns = [column.name for column in first.columns]
    kinds = {name: first.rows[0].values[columns.index(name)].WhichOneof("kind") for name in names}
    assert kinds == {"account_id": "text", "user_id": "text", "pnl": "decimal"}


def test_a_stream_sends_tiles_that_changed_and_goes_on_where_it_was(
    traded: Instance, stub: AnalyticsServiceStub
) -> None:
    """A token of somebody else begins anew, and says so."""
    mine, other = metadata(traded.token("viewer", COMPANY)), metadata(traded.signed("somebody", COMPANY))
    stream = stub.GetDashboardData(asked(), metadata=mine, timeout=120)
    first = next(stream)
    assert first.snapshot
    before = tile_of(first.data, "sides").table
    traded.take([trade(COMPANY, 100 + number) for number in range(2)])
    changed = next(update for update in stream if any(tile.tile_id == "sides" for tile in update.data.tiles))
    assert not changed.snapshot
    assert tile_of(changed.data, "sides").table != before
    assert "price" not in [tile.tile_id for tile in changed.data.tiles]
    stream.cancel()
    again = stub.GetDashboardData(asked(resume_token=changed.resume_token), metadata=mine, timeout=120)
    assert not next(again).snapshot
    again.cancel()
    for token, why in ((changed.resume_token, "other_caller"), ("nonsense", "new_epoch")):
        anew = stub.GetDashboardData(asked(resume_token=token), metadata=other, timeout=120)
        begun = next(anew)
        assert (begun.snapshot, begun.restarted) == (True, why)
        anew.cancel()


def test_several_are_watched_on_one_stream(traded: Instance, stub: AnalyticsServiceStub) -> None:
    """Each is answered, refused and ended for itself."""
    said: Queue[dashboards.WatchDashboardsRequest | None] = Queue()
    stream = stub.WatchDashboards(iter(said.get, None), metadata=metadata(traded.token("viewer", COMPANY)), timeout=120)

    def subscribe(name: str, dashboard: dashboards.GetDashboardDataRequest) -> None:
        said.put(dashboards.WatchDashboardsRequest(subscribe={"subscription_id": name, "dashboard": dashboard}))

    def news(name: str) -> dashboards.WatchDashboardsResponse:
        return next(one for one in stream if one.subscription_id == name)

    subscribe("t", asked())
    assert news("t").update.data.dashboard_id == "trading"
    subscribe("s", asked("system"))
    assert news("s").update.snapshot
    subscribe("x", dashboards.GetDashboardDataRequest(dashboard_id="trading", scope={"company_id": "otherco"}))
    assert news("x").ended.startswith("forbidden_company")
    said.put(dashboards.WatchDashboardsRequest(unsubscribe={"subscription_id": "t"}))
    said.put(dashboards.WatchDashboardsRequest(unsubscribe={"subscription_id": "s"}))
    said.put(None)
    assert {one.subscription_id for one in stream} <= {"s", "t"}  # and then it ends
