"""The queries about the instance: what health, projections, limits and evidence say, and to whom."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from app.evidence import remember_rebuild
from app.settings import Settings
from domain.access.limits import LIMITS, Use
from domain.access.rights import Tier
from domain.position import Position
from projections.engine.query.instance_query import OTHERS, InstanceQuery
from projections.engine.rebuild_result import RebuildResult
from projections.queries.operations.instance import INTEGRITY, PIPELINE, TENANTS
from tests.support.instance import Instance, trade

MINE, OTHER = "instanceco", "otherinstanceco"
TRADES = "trading-events"
ALL: tuple[InstanceQuery, ...] = (PIPELINE, TENANTS, INTEGRITY)
SPLITS = [(PIPELINE, {}), (PIPELINE, {"by": "partition"}), (INTEGRITY, {}), (INTEGRITY, {"by": "partition"})]


@pytest.fixture(scope="module")
def busy(instance: Instance) -> Instance:
    """The instance with trades of two companies."""
    instance.take([trade(MINE, 1), trade(OTHER, 1)])
    return instance


@pytest.fixture(scope="module")
def platform(busy: Instance) -> Iterator[httpx.Client]:
    """Somebody who sees every company."""
    with busy.client("auditor", "*") as client:
        yield client


@pytest.fixture(scope="module")
def own(busy: Instance) -> Iterator[httpx.Client]:
    """A viewer of one company."""
    with busy.client("viewer", MINE) as client:
        yield client


def rows(client: httpx.Client, query: InstanceQuery, **params: str) -> list[dict[str, Any]]:
    """What the query answers."""
    answer = client.get(f"/api/v1/query/{query.name}", params={"company": MINE, **params})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["rows"]
    return found


def until(found: Callable[[], Any], is_right: Callable[[Any], bool]) -> Any:
    """What is found, once it is right: the instance is one that others use, too, and figures are seconds old."""
    deadline = time.monotonic() + 60
    while not is_right(value := found()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return value


def test_the_pipeline_is_what_health_and_projections_say(platform: httpx.Client) -> None:
    """Figure by figure, for who sees every company."""

    def both() -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        return rows(platform, PIPELINE)[0], platform.get("/api/v1/health").json()

    counted = ("events", "duplicates", "refused", "quarantined")
    row, health = until(
        both, lambda found: found[0]["late"] is not None and all(found[0][name] == found[1][name] for name in counted)
    )
    assert [row[name] for name in counted] == [health[name] for name in counted]
    assert row["events"] >= 2
    assert isinstance(row["late"], int)
    assert row["watermark"] is not None

    live = [each for each in platform.get("/api/v1/projections").json()["projections"] if each["live"]]
    by_projection = rows(platform, PIPELINE, by="projection")
    assert [(each["projection"], each["version"]) for each in by_projection] == [
        (each["name"], each["version"]) for each in live
    ]
    assert all(each["state"] == "running" and each["lag_events"] is not None for each in by_projection)


def test_lag_by_partition_is_what_the_log_has_beyond_the_positions(busy: Instance, platform: httpx.Client) -> None:
    """Every partition of every topic; nothing is behind once the instance is idle, and something while it is not."""
    found = until(
        lambda: rows(platform, PIPELINE, by="partition"),
        lambda each: not any(row["lag_events"] for row in each if row["topic"] != "audit-events"),
    )
    heads = Position.parse(busy.answer("log", "head", "--json")["position"]).offsets
    assert set(heads) <= {(row["topic"], row["partition"]) for row in found}
    assert all((row["behind"] == 0) is (row["lag_events"] == 0) for row in found)
    assert busy.command("projections", "pause", "trading").exit_code == 0
    path, numbers = busy.folder.parent / "behind.ndjson", count(1_000)

    def one_more() -> int:
        """What trading has not folded of its topics: a projector that is busy notices the pause later."""
        path.write_text(json.dumps(trade(OTHER, next(numbers))) + "\n")
        assert busy.command("ingest", str(path)).exit_code == 0
        return int(of_trading()["lag_events"])

    def of_trading() -> dict[str, Any]:
        (found,) = (row for row in rows(platform, PIPELINE, by="projection") if row["projection"] == "trading")
        return found

    def both() -> tuple[dict[int, int], dict[int, int]]:
        """By partition: what is shown, and what the log has beyond the position of the projection that stands."""
        shown = {
            r["partition"]: r["lag_events"] for r in rows(platform, PIPELINE, by="partition") if r["topic"] == TRADES
        }
        listed = platform.get("/api/v1/projections").json()["projections"]
        stands = Position.parse(next(each["position"] for each in listed if each["live"] and each["name"] == "trading"))
        heads = Position.parse(busy.answer("log", "head", "--json")["position"])
        return shown, {number: heads[TRADES, number] - stands[TRADES, number] for number in shown}

    try:
        assert until(one_more, lambda lag: lag > 1) > 1
        shown, recounted = until(both, lambda found: found[0] == found[1])
        assert shown == recounted
        assert sum(shown.values()) > 1
        assert of_trading()["state"] == "paused"
    finally:
        assert busy.command("projections", "resume", "trading").exit_code == 0


def test_tenants_are_those_who_asked_and_what_their_tier_gives(busy: Instance, platform: httpx.Client) -> None:
    """All of them for who sees every company; each by the table of tiers."""
    free = busy.signed("una", OTHER, tier=Tier.FREE)
    address = f"{busy.addresses['read_api']}/api/v1/query/tenants"
    answer = httpx.get(address, params={"company": OTHER}, headers={"Authorization": f"Bearer {free}"}, timeout=60)
    (told,) = answer.json()["rows"]
    found = {row["company"]: row for row in rows(platform, TENANTS)}
    assert {MINE, OTHER} <= set(found)
    limits = LIMITS[Tier.FREE]
    for row in (told, found[OTHER]):
        assert (row["company"], row["tier"]) == (OTHER, "FREE")
        assert [row[f"{use}_per_second"] for use in Use] == [limits.rates[use].per_second for use in Use]
        assert (row["most_questions"], row["most_feeds"]) == (limits.at_once, limits.feeds)
    assert (told["questions"], found[OTHER]["questions"]) == (1, 0)
    assert 0 < told["asked_per_second"] < limits.rates[Use.READS].per_second


def test_integrity_follows_sealer_and_verification(busy: Instance, platform: httpx.Client) -> None:
    """All that is there is sealed and signed in the end, and verified once somebody did."""
    row = until(lambda: rows(platform, INTEGRITY)[0], lambda each: each["signed_at"] and each["sealed"] > 0)
    assert row["sealer"] == "ok"
    assert row["checkpoint"] >= 1
    assert row["sealed"] + row["not_sealed"] == row["events"]
    verified = busy.answer("log", "verify", "--json")
    assert verified["verified"] is True
    row = until(lambda: rows(platform, INTEGRITY)[0], lambda each: each["verified"] > 0)
    assert 0 < row["verified"] <= row["events"] == row["verified"] + row["not_verified"]
    parts = until(
        lambda: rows(platform, INTEGRITY, by="partition"),
        lambda each: sum(part["verified"] for part in each) >= row["verified"],
    )
    assert sum(part["verified"] for part in parts) >= row["verified"]


def test_integrity_says_whether_a_rebuild_gave_the_live_rows(busy: Instance, platform: httpx.Client) -> None:
    """Of each projection how the last comparison ended; none of those that nobody has rebuilt here."""

    def of_acquisition() -> dict[str, Any]:
        (found,) = (r for r in rows(platform, INTEGRITY, by="projection") if r["projection"] == "acquisition")
        return found

    before, (others,) = of_acquisition(), rows(platform, INTEGRITY)
    assert (before["equal"], before["reasons"]["equal"]) == (None, "not_compared")
    told = RebuildResult(True, "business-events:0=1", before["version"], time.time())
    remember_rebuild(Settings(data=busy.folder), "acquisition", told)  # as `analytics projections verify` does
    row = until(of_acquisition, lambda each: each["equal"] is not None)
    assert (row["equal"], row["of_version"], row["position"]) == (True, row["version"], told.position)
    equal = others["rebuilt_equal"] + 1
    whole = until(lambda: rows(platform, INTEGRITY)[0], lambda each: each["rebuilt_equal"] >= equal)
    assert (whole["rebuilt_equal"], whole["rebuilt_different"]) == (equal, others["rebuilt_different"])
    assert whole["projections"] > 5
    assert platform.get("/api/v1/health").json()["accuracy"] == 1.0


@pytest.mark.parametrize(("query", "params"), SPLITS)
def test_a_company_is_shown_nothing_that_others_can_be_counted_by(
    own: httpx.Client, platform: httpx.Client, query: InstanceQuery, params: dict[str, str]
) -> None:
    """The same columns, with the reason; asked for all, it is refused; who sees all may ask as a company does."""
    for found in (rows(own, query, **params), rows(platform, query, **params, scope="company")):
        assert found
        for row in found:
            hidden = query.of_all & row.keys()
            assert hidden
            assert {row[name] for name in hidden} == {None}
            assert {row["reasons"][name] for name in hidden} == {OTHERS}
    shown = rows(platform, query, **params)[0]
    assert [name for name in query.of_all & shown.keys() if shown[name] is not None]


def test_a_companys_tenants_are_itself(own: httpx.Client) -> None:
    """Its own line alone."""
    assert [row["company"] for row in rows(own, TENANTS)] == [MINE]


@pytest.mark.parametrize("query", ALL)
def test_what_is_refused(busy: Instance, own: httpx.Client, platform: httpx.Client, query: InstanceQuery) -> None:
    """The scope of all to a company, another company, any past, and members."""

    def code(client: httpx.Client, **params: str) -> tuple[int, str]:
        answer = client.get(f"/api/v1/query/{query.name}", params={"company": MINE, **params})
        return answer.status_code, answer.json()["code"]

    assert code(own, scope="instance") == (403, "forbidden_company")
    assert code(own, company=OTHER) == (403, "forbidden_company")
    assert code(platform, scope="everything") == (400, "bad_parameter")
    for past in ({"as_of": "2026-01-01"}, {"as_known_at": "trading-events:0=1"}):
        assert code(platform, **past) == (400, "no_past")
    with busy.client("member", MINE, "--user-id", "u1") as member:
        assert code(member) == (403, "forbidden_member")


@pytest.mark.parametrize("query", ALL)
def test_no_position_is_waited_for(busy: Instance, own: httpx.Client, query: InstanceQuery) -> None:
    """They rest on no event: whatever position is asked for, the answer is that of now."""
    position = busy.answer("log", "head", "--json")["position"]
    answer = own.get(f"/api/v1/query/{query.name}", params={"company": MINE}, headers={"X-Min-Position": position})
    assert (answer.status_code, answer.json()["position"]) == (200, "")


def test_the_command_line_answers_as_who_sees_all(busy: Instance) -> None:
    """Out of a process of its own."""
    (row,) = busy.answer("query", "pipeline", "--company", MINE)["rows"]
    assert row["events"] >= 2
    assert [row["company"] for row in busy.answer("query", "tenants", "--company", MINE)["rows"]] == [MINE]


def tiles(client: httpx.Client) -> dict[str, dict[str, Any]]:
    """Tiles of the System dashboard."""
    answer = client.get("/api/v1/dashboards/system", params={"company": MINE})
    assert answer.status_code == 200, answer.text
    return {tile["id"]: tile for tile in answer.json()["tiles"]}


def test_the_system_page_shows_each_what_is_theirs_and_as_it_is_now(
    busy: Instance, own: httpx.Client, platform: httpx.Client
) -> None:
    """Whoever asked before, in the same minute; and what another company sent since is counted for who sees all."""
    before = tiles(platform)["pipeline"]["rows"][0]["events"]
    assert tiles(own)["pipeline"]["rows"][0]["events"] is None
    busy.take([trade(OTHER, number) for number in range(20, 24)])
    row = until(lambda: tiles(platform)["pipeline"]["rows"][0], lambda each: each["events"] >= before + 4)
    assert row["events"] >= before + 4
    assert row["arriving_per_second"] is not None
    assert [row["company"] for row in tiles(own)["tenants"]["rows"]] == [MINE]
    assert len(tiles(platform)["tenants"]["rows"]) > 1


def test_live_dashboards_of_a_company_are_not_those_of_who_sees_all(busy: Instance) -> None:
    """The same role and tier follow the same dashboard at the same time; one of them sees every company."""
    address = busy.addresses["read_api"].replace("http", "ws") + "/api/v1/live"
    for scopes in (("*", MINE), (MINE, "*")):
        with connect(address, max_size=None) as one, connect(address, max_size=None) as two:
            for socket, company in zip((one, two), scopes, strict=True):
                socket.send(json.dumps({"type": "token", "token": busy.signed("vera", company)}))
                socket.send(json.dumps({"type": "subscribe", "id": "d", "dashboard": "system", "company": MINE}))
                while (message := json.loads(socket.recv(timeout=30))).get("id") != "d":
                    pass
                shown = {tile["id"]: tile for tile in message["answer"]["tiles"]}
                assert (shown["pipeline"]["rows"][0]["events"] is None) is (company == MINE)
