"""The WebSocket: answers that come by themselves, to those who may have them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from domain.access.limits import LIMITS
from domain.access.rights import Role, Tier
from read_api.live.messages import MOST_OFTEN, pause_of
from read_api.live.sessions import MOST_ROWS
from tests.support.instance import Instance, trade
from tests.support.live_documents import apply_delta, object_of


class Caller:
    """One live connection."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.answers: dict[str, dict[str, Any]] = {}

    def say(self, **message: object) -> None:
        """Send a message."""
        self.connection.send(json.dumps(message))

    def hear(self, *kinds: str) -> dict[str, Any]:
        """The next message of one of these kinds; any kind if none is named."""
        while True:
            message = object_of(self.connection.recv(timeout=15))
            self._take(message)
            if not kinds or message["type"] in kinds:
                return message

    def _take(self, message: dict[str, Any]) -> None:
        """Keep the document of each subscription as its frames say; a delta has it beside it as `answer`."""
        if message["type"] == "delta":
            message["answer"] = apply_delta(self.answers[message["id"]], message["delta"])
        if "answer" in message:
            self.answers[message["id"]] = message["answer"]

    def closed(self) -> int:
        """The code that the connection is closed with; nothing but errors may come before."""
        try:
            while True:
                assert self.hear()["type"] == "error"
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd is not None else 1006


@pytest.fixture
def call(instance: Instance) -> Iterator[Callable[..., Caller]]:
    """Opens live connections, signed in as a role of a company."""
    opened: list[ClientConnection] = []

    def open_one(role: str = "viewer", company: str = "liveco", token: str = "") -> Caller:
        connection = connect(instance.addresses["read_api"].replace("http", "ws") + "/api/v1/live").__enter__()
        opened.append(connection)
        caller = Caller(connection)
        caller.say(type="token", token=token or instance.token(role, company))
        assert caller.hear()["type"] == "welcome"
        return caller

    yield open_one
    for connection in opened:
        connection.close()


def test_a_snapshot_comes_first_and_deltas_when_the_position_has_moved(
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
    while (delta := caller.hear("delta"))["answer"]["rows"][0]["total_trades"] != 4:
        assert delta["answer"]["rows"][0]["total_trades"] >= 1
    assert delta["answer"]["position"] != first["answer"]["position"]
    assert "rows" in delta["delta"]["lists"]
    assert "query" not in delta["delta"]["set"]  # what has changed alone


def test_wide_answers_are_followed_up_to_a_bound(instance: Instance, call: Callable[..., Caller]) -> None:
    """Hundreds of rows are those of HTTP; thousands are refused, since each move would send them all again."""
    instance.take([trade("widefollowco", n) for n in range(MOST_ROWS + 1)])
    caller = call(company="widefollowco")
    caller.say(type="subscribe", id="a", query="trades", company="widefollowco", params={"limit": 300})
    with instance.client("viewer", "widefollowco") as client:
        rows = client.get("/api/v1/query/trades", params={"limit": "300"}).json()["rows"]
    assert len(rows) == 300
    assert caller.hear("snapshot")["answer"]["rows"] == rows
    caller.say(type="subscribe", id="b", query="trades", company="widefollowco", params={"limit": MOST_ROWS + 1})
    while (refused := caller.hear("error", "snapshot"))["id"] != "b":
        pass
    assert refused["problem"]["code"] == "too_many_rows"


def test_freshness_is_told_while_nothing_moves(instance: Instance, call: Callable[..., Caller]) -> None:
    """Whoever watches can tell a quiet market from a dead pipeline."""
    instance.take([trade("liveco", 1)])
    caller = call()
    caller.say(type="subscribe", id="a", query="trading_totals", company="liveco", params={})
    snapshot = caller.hear("snapshot")
    fresh = caller.hear("delta")["answer"]
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
    caller.say(type="token", token=instance.signed("viewer", "liveco", roles=(Role.ANALYST,)))
    assert caller.hear("welcome")["roles"] == ["analyst"]
    assert caller.hear("delta")["id"] == "a"


@pytest.mark.parametrize("other", [("viewer", "otherco"), ("eve", "liveco"), ("viewer", "liveco", "otherco")])
def test_a_renewal_by_somebody_else_ends_the_connection(
    instance: Instance, call: Callable[..., Caller], other: tuple[str, ...]
) -> None:
    """Another subject or other companies: nothing of the old caller continues, and the trail has the right names."""
    before = time.time_ns() // 1_000_000
    caller = call(company="liveco")
    caller.say(type="subscribe", id="a", query="trading_totals", company="liveco")
    caller.hear("snapshot")
    caller.say(type="token", token=instance.signed(*other))
    assert caller.hear("error")["problem"]["code"] == "other_caller"
    assert caller.closed() == 4403
    subject, *companies = other
    company = min(companies)
    (refused,) = noted(instance, company, before, subject=subject, action="sign_in", outcome="refused")
    assert (refused["code"], refused["door"]) == ("other_caller", "ws")
    assert noted(instance, "liveco", before, subject="viewer", action="unsubscribe")


def test_a_renewal_that_is_no_token_ends_the_connection(instance: Instance, call: Callable[..., Caller]) -> None:
    """Whoever sent it is not known to be the caller, so what they say is nobody's."""
    caller = call()
    caller.say(type="subscribe", id="a", query="trading_totals", company="liveco")
    caller.hear("snapshot")
    caller.say(type="token", token=instance.token("viewer", "liveco")[:-4] + "AAAA")
    assert caller.hear("error")["problem"]["code"] == "unauthenticated"
    assert caller.closed() == 4401


def test_a_renewed_token_judges_what_is_open_anew(instance: Instance, call: Callable[..., Caller]) -> None:
    """What role or tier no longer allow ends with the reason, what they show less of begins again, the rest goes on."""
    instance.take([trade("liveco", 1)])
    caller = call(token=instance.signed("una", "liveco", roles=(Role.VIEWER, Role.ENGINEER)))
    caller.say(type="subscribe", id="pipeline", watch="pipeline")
    caller.say(type="subscribe", id="cohorts", query="retention", company="liveco")
    caller.say(type="subscribe", id="totals", query="trading_totals", company="liveco")
    begun = {caller.hear("snapshot")["id"] for _ in range(3)}
    assert begun == {"pipeline", "cohorts", "totals"}

    caller.say(type="token", token=instance.signed("una", "liveco", tier=Tier.FREE))
    ended = caller.hear("ended")
    assert (ended["id"], ended["problem"]["code"]) == ("cohorts", "forbidden_tier")
    while (fewer := caller.hear("snapshot"))["id"] != "totals":
        assert fewer["id"] == "pipeline"  # which shows less to who is no engineer
    assert fewer["answer"]["rows"][0]["total_trades"] == 0  # the trade is older than 30 days

    caller.say(type="token", token=instance.signed("una", "liveco", roles=(Role.ENGINEER,)))
    ended = caller.hear("ended")
    assert (ended["id"], ended["problem"]["code"]) == ("totals", "forbidden_role")
    assert {caller.hear("delta")["id"] for _ in range(2)} == {"pipeline"}


@pytest.mark.ci  # it waits for tiers to be looked at again
def test_a_stored_tier_that_falls_judges_what_is_open_anew(instance: Instance, call: Callable[..., Caller]) -> None:
    """By itself: what the tier no longer has ends, what it shows less of begins again."""
    company = "fallco"
    instance.take([trade(company, 1)])
    store_tier(instance, company, "PRO")
    caller = call(token=instance.signed("una", company))
    for name, query in (("cohorts", "retention"), ("totals", "trading_totals")):
        caller.say(type="subscribe", id=name, query=query, company=company)
    begun = {message["id"]: message["answer"] for message in (caller.hear("snapshot"), caller.hear("snapshot"))}
    assert begun["totals"]["rows"][0]["total_trades"] == 1
    store_tier(instance, company, "FREE")
    ended = caller.hear("ended")
    assert (ended["id"], ended["problem"]["code"]) == ("cohorts", "forbidden_tier")
    assert caller.hear("snapshot")["answer"]["rows"][0]["total_trades"] == 0  # the trade is older than 30 days


def store_tier(instance: Instance, company: str, tier: str) -> None:
    """The company has this tier from now on."""
    body = json.dumps({"tier": tier})
    changed = instance.command("command", "company.change_tier", "--company", company, "--body", body)
    assert changed.exit_code == 0, changed.output


def test_a_token_that_ends_ends_its_feeds(instance: Instance, call: Callable[..., Caller]) -> None:
    """Nothing comes after its last second."""
    end = int(time.time()) + 3
    caller = call(token=instance.signed("vera", "liveco", seconds=end - int(time.time())))
    caller.say(type="subscribe", id="a", query="trading_totals", company="liveco")
    caller.hear("snapshot")
    while (message := caller.hear())["type"] != "error":
        assert time.time() < end + 1
    assert message["problem"]["code"] == "unauthenticated"
    assert time.time() >= end
    assert caller.closed() == 4401


def test_a_tenant_has_so_many_feeds_over_all_its_connections(instance: Instance, call: Callable[..., Caller]) -> None:
    """Whatever token opens them; another tenant is not held up, and what is closed makes room."""
    most = LIMITS[Tier.FREE].feeds
    full = call(token=instance.signed("una", "feedco", tier=Tier.FREE))
    for number in range(most):
        full.say(
            type="subscribe", id=str(number), query="trading_totals", company="feedco", params={"limit": number + 1}
        )
        full.hear("snapshot")
    for token in (instance.signed("vic", "feedco", tier=Tier.FREE),
                  instance.signed("wim", "feedco", "calmco", tier=Tier.FREE)):  # fmt: skip
        late = call(token=token)
        late.say(type="subscribe", id="a", query="trading_totals", company="feedco")
        assert late.hear("error")["problem"]["code"] == "rate_limited"
    late.say(type="subscribe", id="a", query="trading_totals", company="calmco")
    assert late.hear("snapshot", "error")["type"] == "snapshot"
    full.say(type="unsubscribe", id="0")
    full.say(type="subscribe", id="again", query="trading_totals", company="feedco")
    assert full.hear("snapshot", "error")["id"] == "again"


@pytest.mark.parametrize("frames", [b"\x81\x82\0\0\0\0\xff\xfe", b"\x01\x81\0\0\0\0\xc3\x80\x81\0\0\0\0\x28"])
def test_a_text_that_is_no_utf8_closes_with_its_code(call: Callable[..., Caller], frames: bytes) -> None:
    """1007, whether it comes in one frame or two."""
    caller = call()
    caller.connection.socket.sendall(frames)
    assert caller.closed() == 1007


def noted(instance: Instance, company: str, since: int, **filters: str) -> list[dict[str, Any]]:
    """The company's trail since a moment (ms), once it has such rows."""
    asked = [part for name, value in filters.items() for part in ("--param", f"{name}={value}")]
    moment = datetime.fromtimestamp(since / 1000, UTC).isoformat().replace("+00:00", "Z")
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        found = instance.answer("query", "audit_trail", "--company", company, "--param", f"from={moment}", *asked)
        if rows := list[dict[str, Any]](found["rows"]):
            return rows
        time.sleep(0.1)
    return []


def test_who_lost_the_connection_goes_on_with_the_token(instance: Instance, call: Callable[..., Caller]) -> None:
    """With what has changed; somebody else's token, one of another feed and nonsense begin anew, and say so."""
    instance.take([trade("awayco", 1)])
    wanted = {"query": "trading_totals", "company": "awayco", "params": {"by": "symbol"}}
    caller = call(company="awayco")
    caller.say(type="subscribe", id="a", **wanted)
    first = caller.hear("snapshot")
    assert "resume" not in first
    caller.connection.close()
    instance.take([trade("awayco", 2)])
    back = call(company="awayco")
    back.answers["b"] = first["answer"]
    back.say(type="subscribe", id="b", resume=first["token"], **wanted)
    while (delta := back.hear())["answer"]["rows"][0]["total_trades"] != 2:
        assert delta["type"] == "delta"
    epoch = delta["token"].partition(".")[0]
    assert first["token"].startswith(epoch)
    back.say(type="subscribe", id="c", query="trades", company="awayco", resume=delta["token"])
    assert next_of(back, "c")["resume"] == "new_epoch"
    for token, why in (
        (delta["token"], "other_caller"),
        (f"{epoch}.nonsense", "other_caller"),
        ("nonsense", "new_epoch"),
    ):
        other = call(token=instance.signed("somebody", "awayco"))
        other.say(type="subscribe", id="a", resume=token, **wanted)
        begun = other.hear()
        assert (begun["type"], begun["resume"]) == ("snapshot", why)


def next_of(caller: Caller, name: str) -> dict[str, Any]:
    """The next message of one subscription."""
    while (message := caller.hear())["id"] != name:
        pass
    return message


def test_a_metric_is_followed_by_its_key(instance: Instance, call: Callable[..., Caller]) -> None:
    """With the parameters that it has over HTTP."""
    instance.take([trade("keyco", 1)])
    caller = call(company="keyco")
    caller.say(type="subscribe", id="m", metric="total_trades", company="keyco", params={"by": "symbol"})
    (row,) = caller.hear("snapshot")["answer"]["rows"]
    assert (row["key"], row["symbol"], row["value"]) == ("total_trades", "AAPL", 1)


def test_a_subscription_says_how_often_it_wants_to_hear(call: Callable[..., Caller]) -> None:
    """Not more often than a screen can show; a rate that is none is refused."""
    caller = call()
    for number, rate in enumerate((-1, 10_000, "often", [])):
        caller.say(type="subscribe", id=f"x{number}", query="trades", company="liveco", max_rate=rate or "never")
        assert caller.hear("error")["problem"]["code"] == "bad_message"
    assert pause_of({"max_rate": 0.2}) == 5.0
    assert pause_of({}) == 1 / MOST_OFTEN
