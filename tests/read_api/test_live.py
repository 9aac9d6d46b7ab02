"""The WebSocket: answers that come by themselves, to those who may have them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.support.instance import Instance, trade


class Caller:
    """One live connection."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def say(self, **message: object) -> None:
        """Send a message."""
        self.connection.send(json.dumps(message))

    def hear(self, *kinds: str) -> dict[str, Any]:
        """The next message of one of these kinds; any kind if none is named."""
        while True:
            message: dict[str, Any] = json.loads(self.connection.recv(timeout=15))
            if not kinds or message["type"] in kinds:
                return message


@pytest.fixture
def call(instance: Instance) -> Iterator[Callable[..., Caller]]:
    """Opens live connections, signed in as a role of a company."""
    opened: list[ClientConnection] = []

    def open_one(role: str = "viewer", company: str = "liveco") -> Caller:
        connection = connect(instance.addresses["read_api"].replace("http", "ws") + "/api/v1/live").__enter__()
        opened.append(connection)
        caller = Caller(connection)
        caller.say(type="token", token=instance.token(role, company))
        assert caller.hear()["type"] == "welcome"
        return caller

    yield open_one
    for connection in opened:
        connection.close()


def test_a_snapshot_comes_first_and_an_update_when_the_position_has_moved(
    instance: Instance, call: Callable[..., Caller]
) -> None:
    """Figures move without being asked for."""
    instance.take([trade("liveco", 1)])
    caller = call()
    caller.say(type="subscribe", id="a", query="trading_totals", company="liveco", params={})
    first = caller.hear("snapshot")
    assert first["id"] == "a"
    assert first["answer"]["rows"][0]["total_trades"] == 1
    instance.take([trade("liveco", n) for n in range(2, 5)])
    while (update := caller.hear("update"))["answer"]["rows"][0]["total_trades"] != 4:
        assert update["answer"]["rows"][0]["total_trades"] > 1
    assert update["answer"]["position"] != first["answer"]["position"]


def test_freshness_is_told_while_nothing_moves(instance: Instance, call: Callable[..., Caller]) -> None:
    """Whoever watches can tell a quiet market from a dead pipeline."""
    instance.take([trade("liveco", 1)])
    caller = call()
    caller.say(type="subscribe", id="a", query="trading_totals", company="liveco", params={})
    snapshot = caller.hear("snapshot")
    fresh = caller.hear("fresh")
    assert fresh["position"] == snapshot["answer"]["position"]
    assert fresh["as_of"] >= (snapshot["answer"]["as_of"] or "")  # null until every partition was looked at


def test_the_pipeline_can_be_watched_by_an_engineer(call: Callable[..., Caller]) -> None:
    """Health figures, without any tenant's data."""
    caller = call("engineer", "*")
    caller.say(type="subscribe", id="p", watch="pipeline")
    assert {p["name"] for p in caller.hear("snapshot")["answer"]["projections"]} >= {"trading"}


def test_another_company_and_wrong_messages_are_refused_and_the_connection_goes_on(call: Callable[..., Caller]) -> None:
    """An error concerns one subscription."""
    caller = call()
    refusals: list[tuple[dict[str, Any], str]] = [
        ({"type": "subscribe", "id": "a", "query": "trading_totals", "company": "webco"}, "forbidden_company"),
        ({"type": "subscribe", "id": "b", "query": "nonsense", "company": "liveco"}, "unknown_query"),
        ({"type": "subscribe", "id": "c", "watch": "the sky"}, "bad_message"),
        ({"type": "subscribe", "query": "trading_totals", "company": "liveco"}, "bad_message"),
        ({"type": "subscribe", "id": "d", "query": "trading_totals", "company": "liveco", "params": [1]},
         "bad_message"),
        ({"type": "sing"}, "bad_message"),
        ({"type": "subscribe", "id": "e", "query": "trading_totals", "company": "liveco", "params": {"x": "1"}},
         "unknown_parameter"),
    ]  # fmt: skip
    for message, code in refusals:
        caller.say(**message)
        error = caller.hear("error")
        assert error["problem"]["code"] == code
    caller.connection.send("no json")
    assert caller.hear("error")["problem"]["code"] == "bad_message"
    caller.say(type="subscribe", id="f", query="trading_totals", company="liveco")
    assert caller.hear("snapshot")["id"] == "f"


def test_unsubscribing_ends_the_messages(instance: Instance, call: Callable[..., Caller]) -> None:
    """And the id can be used again, for another question."""
    caller = call()
    caller.say(type="subscribe", id="a", query="trading_totals", company="liveco")
    caller.hear("snapshot")
    caller.say(type="unsubscribe", id="a")
    caller.say(type="subscribe", id="a", query="trades", company="liveco", params={"limit": 1})
    answer = caller.hear("snapshot")["answer"]
    assert answer["query"] == "trades"


@pytest.mark.parametrize("first", ['{"type":"token","token":"nonsense"}', '{"type":"subscribe"}', "{", "[]"])
def test_without_a_good_token_the_connection_is_closed(instance: Instance, first: str) -> None:
    """With the close code for it, after saying why."""
    with connect(instance.addresses["read_api"].replace("http", "ws") + "/api/v1/live") as connection:
        connection.send(first)
        assert json.loads(connection.recv(timeout=10))["type"] == "error"
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv(timeout=10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


def test_a_token_can_be_renewed_on_the_way(instance: Instance, call: Callable[..., Caller]) -> None:
    """The subscriptions stay, the rights are the new token's from then on."""
    caller = call()
    caller.say(type="subscribe", id="a", query="trading_totals", company="liveco")
    caller.hear("snapshot")
    caller.say(type="token", token=instance.token("viewer", "liveco", "--subject", "renewed"))
    assert caller.hear("welcome")["sub"] == "renewed"
    assert caller.hear("fresh", "update")["id"] == "a"
