"""Dashboards: every tile has an answer, all of them are of one moment, and what somebody may not see says so."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator, Mapping
from threading import Event, Thread
from typing import Any
from unittest.mock import AsyncMock

import httpx
import pytest
from websockets.sync.client import connect

from app.vocabulary import RegisteredVocabulary
from domain.access.rights import Tier
from domain.configuration.dashboard import problems
from domain.configuration.vocabulary import unknown_names
from read_api.dashboards.documents import NAMES, standard
from tests.support.instance import Instance, trade
from tests.support.live_documents import apply_delta, canonical
from tests.support.of_instance import OF_INSTANCE

EMPTY, BUSY = "blankboardco", "busyboardco"
FRESHNESS = frozenset({"as_of", "complete", "lag_ms"})
OF_ANSWERS = ("definition_version", "rows")
SYMBOL = {"symbol": "AAPL"}


def shown(
    instance: Instance, name: str, company: str, token: str = "", params: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The dashboard, once nothing of it is being made any more."""
    headers = {"Authorization": f"Bearer {token or instance.token('auditor', company)}"}
    deadline = time.monotonic() + 120
    with httpx.Client(base_url=instance.addresses["read_api"], headers=headers, timeout=60) as client:
        while time.monotonic() < deadline:
            answer = client.get(f"/api/v1/dashboards/{name}", params={"company": company, **(params or {})})
            assert answer.status_code == 200, answer.text
            found: dict[str, Any] = answer.json()
            if all(tile["state"] != "pending" for tile in found["tiles"]):
                return found
            time.sleep(0.5)
    raise AssertionError(f"tiles of {name} are still pending")


def tiles(dashboard: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Its tiles by their ids."""
    return {tile["id"]: tile for tile in dashboard["tiles"]}


def lasting(value: Any) -> Any:
    """An answer without how fresh it is, which goes on by itself."""
    if isinstance(value, dict):
        return {name: lasting(each) for name, each in value.items() if name not in FRESHNESS}
    return [lasting(each) for each in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def busy(instance: Instance) -> Instance:
    """An instance with a company that has events of every type, and one that has none."""
    lines = [trade(BUSY, number, symbol=("AAPL", "MSFT")[number % 2]) for number in range(30)]
    bar = {"symbol": "AAPL", "interval": "1d", "open": 1.0, "high": 3.0, "low": 1.0, "close": 2.0, "volume": 9.0}
    lines.append(
        {"message_type": "market_bar", "event_id": f"{BUSY}-bar", "company_id": BUSY, "timestamp": 1_760_000_000_000,
         "payload": {**bar, "start": 1_759_968_000_000}}
    )  # fmt: skip
    for number, name in enumerate(("page_view", "signup", "activated", "conversion") * 5):
        at = 1_760_000_000_000 + 1_000 * number
        lines.append(
            {"message_type": "user_event", "event_id": f"{BUSY}-u{number}", "company_id": BUSY,
             "user_id": f"u{number % 3}", "timestamp": at, "payload": {"name": name, "session_id": "s", "page": "/"}}
        )  # fmt: skip
    instance.take(lines)
    return instance


def test_standard_dashboards_are_documents_like_others() -> None:
    """They could be commanded as they are, also with tiles that leave open what filters give."""
    words = RegisteredVocabulary((), AsyncMock())
    for document in standard().values():
        assert list(problems(document.contents)) == []
        assert list(unknown_names(document.contents, BUSY, words)) == []
        assert document.contents.tiles


@pytest.mark.share(2)
@pytest.mark.parametrize("company", [EMPTY, BUSY])
@pytest.mark.parametrize("name", NAMES)
def test_every_tile_has_an_answer(busy: Instance, name: str, company: str) -> None:
    """Whether the company has events or none: that of its query. Events of others may come between the two."""
    found = shown(busy, name, company, params=SYMBOL if name == "trading" else {})
    assert {tile["id"]: tile["problem"] for tile in found["tiles"] if tile["state"] != "open"} == {}
    assert (found["currency"], found["time_zone"], found["company"]) == ("USD", "UTC", company)
    token = busy.token("auditor", company)
    with httpx.Client(
        base_url=busy.addresses["read_api"], headers={"Authorization": f"Bearer {token}"}, timeout=60
    ) as c:
        for tile in found["tiles"]:
            if tile["query"] in ("audit_totals", *OF_INSTANCE):
                continue  # which count what is asked here, or go on by themselves
            answer = c.get(f"/api/v1/query/{tile['query']}", params={"company": company, **tile["params"]}).json()
            assert [lasting(tile[part]) for part in OF_ANSWERS] == [lasting(answer[part]) for part in OF_ANSWERS]


def test_a_tile_that_lacks_a_parameter_says_so(busy: Instance) -> None:
    """The others have their answers; with the parameter it has one, too, and those that do not know it say so."""
    found = tiles(shown(busy, "trading", BUSY))
    assert (found["price"]["state"], found["price"]["problem"]["code"]) == ("needs", "missing_parameter")
    chosen = tiles(shown(busy, "trading", BUSY, params=SYMBOL))
    assert chosen["price"]["rows"][0]["close"] == "2"
    alone = tiles(shown(busy, "trading", BUSY, params={"price.symbol": "AAPL", "price.interval": "1d"}))
    assert alone["price"]["rows"] == chosen["price"]["rows"]
    assert (alone["indicator"]["state"], alone["blotter"]["rows"]) == ("needs", found["blotter"]["rows"])
    assert chosen["blotter"]["rows"] == [row for row in found["blotter"]["rows"] if row["symbol"] == "AAPL"]
    assert (chosen["traders"]["left_out"], chosen["blotter"]["left_out"]) == (["symbol"], [])
    newest = [row["closed_at"] for row in found["blotter"]["rows"]]
    assert newest == sorted(newest, reverse=True)


def test_what_tier_or_role_close_is_shown_as_closed(busy: Instance) -> None:
    """With the reason, beside what is open."""
    free = busy.signed("una", BUSY, tier=Tier.FREE)
    executive = tiles(shown(busy, "executive", BUSY, free))
    assert {name for name, tile in executive.items() if tile["state"] == "closed"} == {
        *("cohorts", "at_risk", "funnel", "forecast"),
    }
    assert executive["forecast"]["problem"]["code"] == "forbidden_tier"
    assert "'predictive'" in executive["forecast"]["problem"]["detail"]
    assert executive["forecast"]["problem"]["suggested_actions"]
    viewer = tiles(shown(busy, "system", BUSY, busy.token("viewer", BUSY)))
    assert (viewer["access"]["state"], viewer["access"]["problem"]["code"]) == ("closed", "forbidden_role")
    member = busy.token("member", BUSY, "--user-id", "u1")
    own = tiles(shown(busy, "trading", BUSY, member))
    assert own["blotter"]["state"] == "open"
    assert own["traders"]["problem"]["code"] == "forbidden_member"


def test_who_may_not_and_what_is_not_there(busy: Instance) -> None:
    """Refused as a whole."""
    with busy.client("viewer", BUSY) as client:

        def code(path: str, **params: str) -> tuple[int, str]:
            answer = client.get(f"/api/v1/dashboards/{path}", params=params)
            return answer.status_code, answer.json()["code"]

        assert code("trading", company=EMPTY) == (403, "forbidden_company")
        assert code("sales") == (404, "no_dashboard")
        assert code("00000000-0000-0000-0000-000000000001") == (404, "no_dashboard")
        assert code("trading", colour="red") == (400, "unknown_parameter")
        assert code("trading", viewer="somebody") == (400, "unknown_parameter")
        assert code("trading", **{"from": "2025-01-01"}) == (400, "bad_parameter")


def test_a_standard_dashboard_is_a_beginning_for_ones_own(busy: Instance) -> None:
    """Its document is what the command takes, and the new dashboard shows what the standard one does."""
    with busy.client("admin", BUSY) as client:
        document = client.get("/api/v1/dashboards/users/config", params={"company": BUSY}).json()
        headers = {**client.headers, "Idempotency-Key": "copy"}
        made = httpx.post(
            f"{busy.addresses['command_api']}/api/v1/dashboard/config",
            json={**document, "name": "Ours"},
            headers=headers,
        ).json()
        at_least = {"X-Min-Position": made["position"]}
        again = client.get(f"/api/v1/dashboards/{made['id']}/config", params={"company": BUSY}, headers=at_least)
        assert again.json() == {**document, "name": "Ours"}
    token = busy.token("admin", BUSY)
    ours, theirs = (shown(busy, name, BUSY, token) for name in (made["id"], "users"))
    assert ours["version"] == 1
    assert lasting(ours["tiles"]) == lasting(theirs["tiles"])


@pytest.fixture
def publishing(busy: Instance) -> Iterator[Instance]:
    """While trades of a company come in."""
    stop = Event()

    def publish() -> None:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
        with httpx.Client(base_url=busy.addresses["command_api"], headers=headers, timeout=60) as client:
            for number in itertools.takewhile(lambda _: not stop.is_set(), itertools.count()):
                event = trade("movingco", number, symbol=f"S{number % 7}", strategy=f"s{number % 3}")
                client.post("/api/v1/events", content=json.dumps(event)).raise_for_status()
                stop.wait(0.1)

    token = busy.token("service", "movingco")

    working = Thread(target=publish)
    working.start()
    yield busy
    stop.set()
    working.join()


def test_all_tiles_are_of_one_moment(publishing: Instance) -> None:
    """While events come in, the parts of each answer add up to the whole beside them."""
    token, seen = publishing.token("viewer", "movingco"), set[int]()
    deadline = time.monotonic() + 60
    while len(seen) < 4 and time.monotonic() < deadline:
        found = tiles(shown(publishing, "trading", "movingco", token))
        sums = {
            name: sum(row["total_trades"] for row in found[name]["rows"])
            for name in ("strategies", "symbols", "sides", "users", "months")
        }
        assert len(set(sums.values())) == 1, sums
        assert len(found["blotter"]["rows"]) == min(sums["sides"], 50)
        assert len({found[name]["position"] for name in sums}) == 1
        seen.add(sums["sides"])
    assert len(seen) == 4


def test_a_dashboard_is_followed_as_it_is_shown(busy: Instance) -> None:
    """Snapshot and deltas over the WebSocket are what HTTP answers then."""
    token, document = busy.token("viewer", BUSY), dict[str, Any]()
    with connect(busy.addresses["read_api"].replace("http", "ws") + "/api/v1/live", max_size=None) as socket:
        socket.send(json.dumps({"type": "token", "token": token}))
        socket.send(json.dumps({"type": "subscribe", "id": "a", "dashboard": "trading", "company": BUSY}))

        def until(trades: int) -> dict[str, Any]:
            nonlocal document
            while not document or tiles(document)["sides"]["rows"][0]["total_trades"] < trades:
                message = json.loads(socket.recv(timeout=30))
                if message["type"] == "snapshot":
                    document = message["answer"]
                elif message["type"] == "delta":
                    document = apply_delta(document, message["delta"])
            return document

        before = tiles(until(30))
        busy.take([trade(BUSY, 1_000 + number) for number in range(3)])
        after = tiles(until(33))
        assert before["users"]["rows"] != after["users"]["rows"]
        by_http = shown(busy, "trading", BUSY, token)
        while lasting(document) != lasting(by_http):  # a tile that costs much may follow a moment later
            message = json.loads(socket.recv(timeout=30))
            document = apply_delta(document, message["delta"])
        assert canonical(lasting(document)) == canonical(lasting(by_http))


def test_where_projections_disagree_the_dashboard_says_so(busy: Instance) -> None:
    """Each tile has its own position, and the whole is not complete; it does not wait for long."""

    def positions(dashboard: Mapping[str, Any]) -> set[str]:
        return {tiles(dashboard)[name]["position"] for name in ("lifecycle", "person")}

    path, deadline = busy.folder.parent / "apart.ndjson", time.monotonic() + 60
    assert busy.command("projections", "pause", "user_activity").exit_code == 0
    try:
        for number in itertools.count():  # a projector takes notice of the pause in its own time
            event = {
                "message_type": "user_event",
                "event_id": f"apart-{number}",
                "company_id": BUSY,
                "user_id": "u1",
                "timestamp": 1_760_000_900_000,
                "payload": {"name": "page_view", "session_id": "s", "page": "/"},
            }
            path.write_text(json.dumps(event) + "\n")
            busy.answer("ingest", str(path), "--json")
            found = shown(busy, "users", BUSY)
            if len(positions(found)) == 2:
                break
            assert time.monotonic() < deadline
        assert found["complete"] is False
    finally:
        assert busy.command("projections", "resume", "user_activity").exit_code == 0
    while not (found := shown(busy, "users", BUSY))["complete"]:
        assert time.monotonic() < deadline
    assert len(positions(found)) == 1
