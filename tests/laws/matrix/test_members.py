"""Two members of one company and its manager, at every door of a running instance: each sees what is theirs."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import grpc
import httpx
import pytest
from services.analytics_service_pb2_grpc import AnalyticsServiceStub
from services.dashboards_pb2 import GetDashboardDataRequest
from services.operations_pb2 import EventPlace, GetEventRequest, StreamEventsRequest
from services.queries_pb2 import ExportAnalyticsRequest
from services.reports_pb2 import GenerateReportRequest, ListReportsRequest
from websockets.sync.client import connect

from projections.engine.declare.registry import all_registered
from read_api.dashboards.documents import NAMES
from tests.laws.matrix.rights import OF_A_USER, OPEN_TO_MEMBERS
from tests.support.instance import Instance, trade
from tests.support.needed import needed_by

COMPANY = "membersco"
MINE, OTHER, WORKS = "minecanary", "othercanary", "managercanary"
PAST: tuple[dict[str, str], ...] = ({}, {"as_of": "2030-01-01"})
MISSING = grpc.StatusCode.NOT_FOUND


def events() -> Iterator[dict[str, object]]:
    """Trades, values, flows and steps of both users, with their canary in every text that is free; and a bar."""
    for number, user in enumerate((MINE, OTHER) * 4):
        texts = {"account_id": f"{user}-a", "strategy": f"{user}-s", "trade_id": f"{user}-{number}"}
        closed = trade(f"{COMPANY}-{user}", number, 10.0 + number, **texts)
        about = {"company_id": COMPANY, "user_id": user, "timestamp": closed["timestamp"]}
        yield {**closed, **about}
        step = {"name": "page_view", "session_id": f"{user}-v", "page": f"{user}-page", "feature": f"{user}-f"}
        yield {**about, "message_type": "user_event", "event_id": f"{user}-step-{number}", "payload": step}
        value = {"account_id": f"{user}-a", "equity": 1_000 + number, "balance": 1_000, "currency": "USD"}
        yield {**about, "message_type": "account_equity", "event_id": f"{user}-value-{number}", "payload": value}
    bar = {"symbol": "AAPL", "interval": "1d", "start": 1_760_000_000_000, "open": 1, "high": 1, "low": 1, "close": 1}
    head = {"company_id": COMPANY, "event_id": f"{WORKS}-bar", "timestamp": 1_760_000_000_000}
    yield {**head, "message_type": "market_bar", "payload": {**bar, "volume": 1}}


@pytest.fixture(scope="module")
def filled(instance: Instance) -> Instance:
    """The instance with the events, folded."""
    instance.take(list(events()))
    return instance


def token(instance: Instance, user: str) -> str:
    """A member's token, or an analyst's for the manager."""
    if user == WORKS:
        return instance.token("analyst", COMPANY)
    return instance.token("member", COMPANY, "--user-id", user, "--account-id", f"{user}-a")


Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def asks(filled: Instance) -> Iterator[Mapping[str, Ask]]:
    """Asks the read API as each of them."""
    with httpx.Client(base_url=filled.addresses["read_api"], timeout=60) as client:
        headers = {user: {"Authorization": f"Bearer {token(filled, user)}"} for user in (MINE, OTHER, WORKS)}

        def of(user: str) -> Ask:
            return lambda path, **params: client.get(f"/api/v1{path}", params=params, headers=headers[user])

        yield {user: of(user) for user in headers}


@pytest.mark.share(3)
@pytest.mark.parametrize("name", sorted(all_registered()))
def test_a_query_tells_a_member_of_nobody_else(asks: Mapping[str, Ask], name: str) -> None:
    """Of the present and the past; whatever is named, it is the member's own, or refused in the same words."""
    needed, answered = needed_by(all_registered()[name]), name in (*OF_A_USER, *OPEN_TO_MEMBERS)
    for past in PAST:
        people = (OTHER, WORKS, MINE) if answered and not past else (MINE,)
        answers = {user: asks[user](f"/query/{name}", **needed, **past) for user in people}
        if answered:
            assert answers[MINE].status_code in (200, 400), answers[MINE].text
            assert OTHER not in answers[MINE].text
            assert OTHER not in answers or MINE not in answers[OTHER].text
        else:
            assert answers[MINE].status_code == 403
            assert answers[MINE].json()["code"] == "forbidden_member"
    if name in OF_A_USER:
        refused = [asks[MINE](f"/query/{name}", **needed, user_id=user) for user in (OTHER, "nobody", "", "%")]
        assert {answer.status_code for answer in refused} == {403}
        assert len({answer.json()["detail"] for answer in refused}) == 1
        assert OTHER not in refused[0].text


def test_a_member_gets_its_own_figures(asks: Mapping[str, Ask]) -> None:
    """Counted from the events: four trades of each, of 10, 12, 14, 16 and 11, 13, 15, 17."""
    for user, total in ((MINE, "52"), (OTHER, "56")):
        for past in PAST:
            (row,) = asks[user]("/query/trading_totals", **past).json()["rows"]
            assert (row["total_trades"], row["total_pnl"].rstrip("0").rstrip(".")) == (4, total)
        assert len(asks[user]("/query/trades").json()["rows"]) == 4
    assert asks[WORKS]("/query/trading_totals").json()["rows"][0]["total_trades"] == 8
    assert asks[MINE]("/query/trades", account_id=f"{OTHER}-a").json()["code"] == "forbidden_user"
    assert asks[MINE]("/query/market_bars", symbol="AAPL", interval="1d").json()["rows"]


@pytest.mark.parametrize("measure", ["total_pnl", "largest_win"])
def test_an_explanation_shows_a_members_events(asks: Mapping[str, Ask], measure: str) -> None:
    """Page by page; what had to be read for it is the company's, and not told."""
    seen, page = list[str](), {"cursor": ""}
    while page["cursor"] is not None:
        asked = {"measure": measure, "limit": 3, **({"cursor": page["cursor"]} if page["cursor"] else {})}
        found = asks[MINE]("/query/trading_totals/explain", **asked).json()
        assert OTHER not in json.dumps(found)
        assert not any(found["scanned"].values())
        seen += [event["user_id"] for event in found["events"]]
        page = {"cursor": found["next_cursor"]}
    assert seen == [MINE] * (1 if measure == "largest_win" else 4)
    assert asks[MINE]("/metrics/win_rate/explain", measure="trading_totals.total_trades").status_code in (200, 400)
    assert asks[MINE]("/query/activity_totals/explain", measure="events").json()["code"] == "forbidden_member"


def test_the_event_history_is_a_members_own(asks: Mapping[str, Ask]) -> None:
    """Searches, ids and places; neither a neighbour nor a figure tells of another."""
    own = {str(e["event_id"]) for e in events() if e.get("user_id") == MINE}
    found = asks[MINE]("/events", limit=1_000).json()
    assert {event["event_id"] for event in found["events"]} == own
    assert not any(found["scanned"].values())
    assert asks[MINE]("/events", user=OTHER).json()["code"] == "forbidden_user"
    assert asks[MINE]("/events", topic="audit-events").json()["code"] == "forbidden_member"
    for event in events():
        answer = asks[MINE](f"/events/{event['event_id']}")
        assert answer.status_code == (200 if event.get("user_id") == MINE else 404), answer.text
        assert OTHER not in answer.text.replace(str(event["event_id"]), "")
    for topic in ("trading-events", "user-behavior", "market-data"):
        for partition in range(4):
            for offset in range(6):
                assert OTHER not in asks[MINE](f"/events/{topic}:{partition}={offset}").text


def test_rpcs_are_limited_alike(filled: Instance) -> None:
    """StreamEvents, also one that follows, and GetEvent by id and place."""
    metadata = (("authorization", f"Bearer {token(filled, MINE)}"),)
    with grpc.insecure_channel(filled.addresses["grpc"]) as channel:
        stub = AnalyticsServiceStub(channel)
        asked = StreamEventsRequest(company_id=COMPANY)
        streamed = [e for page in stub.StreamEvents(asked, metadata=metadata) for e in page.events]
        assert {e.envelope.user_id for e in streamed} == {MINE}
        assert len(streamed) == len([e for e in events() if e.get("user_id") == MINE])
        for request in (
            GetEventRequest(company_id=COMPANY, event_id=f"{OTHER}-step-1"),
            GetEventRequest(company_id=COMPANY, event_id="nobody-step-1"),
            GetEventRequest(company_id=COMPANY, place=EventPlace(topic="trading-events", partition=0, offset=9_999)),
        ):
            with pytest.raises(grpc.RpcError) as refused:
                stub.GetEvent(request, metadata=metadata)
            assert refused.value.code() is MISSING
        with pytest.raises(grpc.RpcError) as refused:
            list(stub.StreamEvents(StreamEventsRequest(company_id=COMPANY, user_id=OTHER), metadata=metadata))
        assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_feeds_of_members_and_the_manager_are_apart(filled: Instance) -> None:
    """All three follow the same words, in random order, on connections of their own; what comes is each one's own."""
    people, snapshots = [MINE, OTHER, WORKS], dict[str, dict[str, Any]]()
    random.Random(9).shuffle(people)
    address, refused = filled.addresses["read_api"].replace("http", "ws") + "/api/v1/live", dict[str, str]()
    with ExitStack() as stack:
        sockets = {user: stack.enter_context(connect(address, close_timeout=1)) for user in people}
        for user, socket in sockets.items():
            socket.send(json.dumps({"type": "token", "token": token(filled, user)}))
            assert json.loads(socket.recv(timeout=60))["type"] == "welcome"
        for name in FOLLOWED:
            for socket in sockets.values():
                asked = {"query": name, "company": COMPANY, "params": needed_by(all_registered()[name])}
                socket.send(json.dumps({"type": "subscribe", "id": name, **asked}))
        for name, closed in CLOSED.items():
            sockets[MINE].send(json.dumps({"type": "subscribe", "id": name, **closed}))
        for user, socket in sockets.items():
            snapshots[user] = {}
            while len(snapshots[user]) < len(FOLLOWED) or (user == MINE and len(refused) < len(CLOSED)):
                text = str(socket.recv(timeout=60))
                assert user == WORKS or (OTHER if user == MINE else MINE) not in text
                message = json.loads(text)
                if message["type"] == "error":
                    refused[message["id"]] = message["problem"]["code"]
                elif message["type"] == "snapshot":
                    snapshots[user][message["id"]] = message["answer"]["rows"]
    assert refused == {name: name.split("-")[0] for name in CLOSED}
    assert [len(snapshots[user]["trades"]) for user in (MINE, OTHER, WORKS)] == [4, 4, 8]


@pytest.mark.parametrize("name", NAMES)
def test_a_dashboard_shows_members_what_is_theirs(filled: Instance, asks: Mapping[str, Ask], name: str) -> None:
    """By HTTP, gRPC and WebSocket: their own rows, and of what is the company's that it is closed; also on resuming."""
    answer = asks[MINE](f"/dashboards/{name}")
    assert answer.status_code == 200
    assert OTHER not in answer.text
    tiles = {tile["id"]: tile for tile in answer.json()["tiles"]}
    closed = {tile["problem"]["code"] for tile in tiles.values() if tile["state"] == "closed"}
    assert closed == {"forbidden_member"}
    if name == "trading":
        assert [len(tiles[tile]["rows"]) for tile in ("blotter", "users", "sides")] == [4, 1, 1]
        others = asks[MINE]("/dashboards/trading", user_id=OTHER).json()["tiles"]
        assert {tile["problem"]["code"] for tile in others if tile["params"].get("user_id")} == {"forbidden_user"}
    with grpc.insecure_channel(filled.addresses["grpc"]) as channel:
        request = GetDashboardDataRequest(dashboard_id=name, scope={"company_id": COMPANY}, once=True)
        metadata = (("authorization", f"Bearer {token(filled, MINE)}"),)
        (message,) = AnalyticsServiceStub(channel).GetDashboardData(request, metadata=metadata, timeout=60)
        assert OTHER not in str(message)
        assert {tile.tile_id for tile in message.data.tiles if tile.state == "closed"} == {
            tile for tile, shown in tiles.items() if shown["state"] == "closed"
        }
    first = dashboard_over_websocket(filled, MINE, name)
    assert OTHER not in json.dumps(first)
    assert dashboard_over_websocket(filled, MINE, name, str(first["token"]))["type"] == "delta"
    strange = dashboard_over_websocket(filled, OTHER, name, str(first["token"]))
    assert (strange["type"], strange["resume"]) == ("snapshot", "new_epoch")
    assert MINE not in json.dumps(strange)


def dashboard_over_websocket(instance: Instance, user: str, name: str, resume: str = "") -> dict[str, Any]:
    """The first message about it on a connection of its own."""
    address = instance.addresses["read_api"].replace("http", "ws") + "/api/v1/live"
    with connect(address, close_timeout=1, max_size=None) as socket:
        socket.send(json.dumps({"type": "token", "token": token(instance, user)}))
        wanted = {"type": "subscribe", "id": "d", "dashboard": name, "company": COMPANY, "resume": resume}
        socket.send(json.dumps(wanted))
        while (message := json.loads(socket.recv(timeout=30))).get("id") != "d":
            pass
        return dict(message)


def test_files_of_the_company_are_closed_to_members(asks: Mapping[str, Ask], filled: Instance) -> None:
    """Exports and reports, by HTTP and gRPC."""
    assert asks[MINE]("/analytics/export", query="trades").status_code == 403
    assert asks[MINE]("/reports").status_code == 403
    with grpc.insecure_channel(filled.addresses["grpc"]) as channel:
        stub, metadata = AnalyticsServiceStub(channel), (("authorization", f"Bearer {token(filled, MINE)}"),)
        export = ExportAnalyticsRequest(question={"scope": {"company_id": COMPANY}, "query": "trades"})
        report = GenerateReportRequest(report={"kind": "trading", "scope": {"company_id": COMPANY}})
        for call in (
            lambda: list(stub.ExportAnalytics(export, metadata=metadata)),
            lambda: stub.GenerateReport(report, metadata=metadata),
            lambda: stub.ListReports(ListReportsRequest(company_id=COMPANY), metadata=metadata),
        ):
            with pytest.raises(grpc.RpcError) as refused:
                call()
            assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


FOLLOWED = ("trading_totals", "trades", "user_activity", "metric")
CLOSED: Mapping[str, Mapping[str, object]] = {  # by the code of the refusal
    "forbidden_member-kpis": {"query": "kpis", "company": COMPANY},
    "forbidden_member-watch": {"watch": "pipeline"},
    "forbidden_user-other": {"query": "trades", "company": COMPANY, "params": {"user_id": OTHER}},
}


def test_what_a_member_asks_for_predicts_nothing_of_the_company(asks: Mapping[str, Ask]) -> None:
    """A forecast of one's own trades is answered, or too short, and never stored as the company's."""
    assert asks[MINE]("/query/forecast", metric="total_pnl").status_code in (200, 400)
    assert asks[WORKS]("/query/predictions").json()["rows"] == []
