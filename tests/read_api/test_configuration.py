"""The configuration read back: at once, by those who may, the same over HTTP, gRPC and on the command line."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from services import analytics_service_pb2_grpc as service
from services import dashboards_pb2 as dashboards
from services import reports_pb2 as reports

from domain.audit import SYSTEM
from tests.support.commanding import DASHBOARD, RULE, SCHEDULE, TILE, People
from tests.support.instance import Instance, trade

OpenPeople = Callable[..., People]


@pytest.fixture
def people(instance: Instance) -> Iterator[OpenPeople]:
    """Signs somebody in. Projectors that are only just starting are waited for."""
    instance.take([trade("warmco", 1)])
    opened: list[People] = []

    def sign_in(company: str, role: str = "admin", subject: str = "") -> People:
        opened.append(People(instance, company, role, subject))
        return opened[-1]

    yield sign_in
    for one in opened:
        one.close()


def test_what_was_commanded_is_read_at_once(people: OpenPeople) -> None:
    """With the command's position token every read has it, again and again; ETag is the version for If-Match."""
    admin = people("readown")
    created = admin.send("POST", DASHBOARD, {"name": "first", "tiles": [TILE]})
    path = f"{DASHBOARD}/{created.json()['id']}"
    renamed = created
    for number in range(10):
        shown = admin.read(path, since=renamed)
        assert shown.status_code == 200, shown.text
        assert shown.headers["etag"] == f'"{number + 1}"'
        renamed = admin.send(
            "POST", f"{path}/rename", {"name": f"name {number}"}, **{"If-Match": shown.headers["etag"]}
        )
    row = admin.read(path, since=renamed).json()
    assert (row["name"], row["version"], row["unread_events"]) == ("name 9", 11, 0)
    assert row["tiles"] == [TILE]
    assert row["owner"] == row["changed_by"] == "admin"


def test_a_list_shows_what_is_in_use_and_its_pages_go_on(people: OpenPeople) -> None:
    """Archived ones are shown when asked for; one of them is still found by its id."""
    admin = people("listco")
    ids = [admin.send("POST", DASHBOARD, {"name": f"d{n}"}).json()["id"] for n in range(5)]
    archived = admin.send("DELETE", f"{DASHBOARD}/{ids[0]}")
    first = admin.read(DASHBOARD, since=archived, limit="3").json()
    rest = admin.read(DASHBOARD, limit="3", cursor=first["next_cursor"]).json()
    assert [row["id"] for row in first["rows"] + rest["rows"]] == sorted(ids[1:])
    assert rest["next_cursor"] is None
    assert [row["id"] for row in admin.read(DASHBOARD, archived="true").json()["rows"]] == ids[:1]
    assert admin.read(f"{DASHBOARD}/{ids[0]}").json()["archived"] is True
    assert admin.read(DASHBOARD, colour="red").json()["code"] == "unknown_parameter"
    assert admin.read(DASHBOARD, archived="maybe").json()["code"] == "bad_parameter"
    assert admin.read(f"{DASHBOARD}/00000000-0000-0000-0000-000000000000").status_code == 404


def test_a_history_tells_every_event(people: OpenPeople) -> None:
    """What changed, by whom, version by version; another kind of thing has none under that id."""
    admin = people("tellco")
    condition = {"kind": "threshold", "compare": "below", "value": "0.4"}
    rule = {"name": "loss", "trigger": {"watched": {"kind": "metric", "key": "win_rate"}, "condition": condition}}
    created = admin.send("POST", RULE, rule)
    item = created.json()["id"]
    silenced = admin.send("POST", f"/api/v1/alerts/{item}/silence", {"for_seconds": 600, "reason": "maintenance"})
    history = admin.read(f"{RULE}/{item}/history", since=silenced).json()
    assert [(row["version"], row["topic"]) for row in history["rows"]] == [
        (1, "alert_rule.created"),
        (2, "alert_rule.silenced"),
    ]
    assert history["rows"][1]["body"]["silence"]["reason"] == "maintenance"
    assert {(row["actor"], row["role"]) for row in history["rows"]} == {("admin", "admin")}
    shown = admin.read(f"{RULE}/{item}").json()
    assert [silence["reason"] for silence in shown["silences"]] == ["maintenance"]
    assert shown["trigger"]["condition"] == condition
    assert admin.read(f"{DASHBOARD}/{item}/history").json()["code"] == "no_dashboard"


def test_a_company_has_defaults_until_it_says_something(people: OpenPeople) -> None:
    """Version 0 is what If-Match takes before the first command."""
    admin = people("selfco")
    before = admin.read("/api/v1/company")
    assert (before.headers["etag"], before.json()["version"], before.json()["currency"]) == ('"0"', 0, "USD")
    changed = admin.send("POST", "/api/v1/company/currency", {"currency": "CHF"}, **{"If-Match": '"0"'})
    after = admin.read("/api/v1/company", since=changed)
    assert (after.headers["etag"], after.json()["currency"]) == ('"1"', "CHF")
    assert after.json().keys() == before.json().keys()


def test_totals_are_in_the_currency_that_a_company_has_set(people: OpenPeople, instance: Instance) -> None:
    """Of several currencies they are none before; after it at the rates for everybody, until its own are reported."""
    admin = people("currencyco")

    def total() -> tuple[Any, ...]:
        answer = admin.read("/api/v1/query/trading_totals").json()
        (row,) = answer["rows"]
        return answer["currency"], row["total_pnl"], row.get("reasons", {}).get("total_pnl")

    earned = enumerate((("USD", 10.0), ("JPY", -3_000.0), ("EUR", 5.0)))
    trades = [trade("currencyco", number, pnl=pnl, currency=currency) for number, (currency, pnl) in earned]
    instance.take(trades)
    assert total() == (None, None, "no_reporting_currency")
    changed = admin.send("POST", "/api/v1/company/currency", {"currency": "EUR"})
    assert admin.read("/api/v1/company", since=changed).json()["currency_set"] is True
    assert total() == ("EUR", None, "no_rate")
    when = trades[0]["timestamp"]
    rates = [
        {"base": "EUR", "quote": quote, "rate": rate, "source": "ecb"} for quote, rate in (("USD", 1.25), ("JPY", 150))
    ]
    reported = {"message_type": "exchange_rate_batch", "event_id": "ecb-1", "timestamp": when, "payload": rates}
    instance.take([{**reported, "company_id": SYSTEM}])
    assert total() == ("EUR", "-7", None)
    own = {"message_type": "exchange_rate", "event_id": "own-1", "timestamp": when, "payload": {**rates[0], "rate": 2}}
    instance.take([{**own, "company_id": "currencyco"}])
    assert total() == ("EUR", "-10", None)
    instance.take([{**own, "event_id": "own-2", "company_id": "currencyco", "payload": {**rates[1], "rate": 300}}])
    assert total() == ("EUR", "0", None)


def test_a_dashboard_is_seen_by_those_it_is_shared_with_and_by_admins(people: OpenPeople) -> None:
    """Whatever door is asked: item, list, history and the bare queries hide it from everybody else."""
    admin = people("wallco", subject="olga")
    ann, ben = (people("wallco", "viewer", name) for name in ("ann", "ben"))
    private = admin.send("POST", DASHBOARD, {"name": "private"}).json()["id"]
    listed = {"audience": "users", "users": ["ann"]}
    shared = admin.send("POST", DASHBOARD, {"name": "for ann", "sharing": listed})
    everybody = admin.send("POST", DASHBOARD, {"name": "all", "sharing": {"audience": "company"}})
    ids = {"private": private, "ann": shared.json()["id"], "all": everybody.json()["id"]}
    assert _seen(admin, everybody.json()["position"], ids) == {"private", "ann", "all"}
    assert _seen(ann, everybody.json()["position"], ids) == {"ann", "all"}
    assert _seen(ben, everybody.json()["position"], ids) == {"all"}
    asked = ben.read("/api/v1/query/dashboards", viewer="ann")
    assert (asked.status_code, asked.json()["code"]) == (403, "forbidden_viewer")
    taken_back = admin.send("POST", f"{DASHBOARD}/{ids['ann']}/share", {"sharing": {"audience": "private"}})
    assert _seen(ann, taken_back.json()["position"], ids) == {"all"}


def _seen(somebody: People, token: str, ids: dict[str, str]) -> set[str]:
    """Which of the dashboards they see; every door must say the same."""
    names = {item: name for name, item in ids.items()}
    lists = [somebody.read(path, since=token).json()["rows"] for path in (DASHBOARD, "/api/v1/query/dashboards")]
    history = somebody.read("/api/v1/query/configuration_history", since=token).json()["rows"]
    found = [{names[row["id"]] for row in rows} for rows in (*lists, history)]
    for tail in ("", "/history"):
        answers = {name: somebody.read(f"{DASHBOARD}/{item}{tail}", since=token) for name, item in ids.items()}
        assert {answer.status_code for answer in answers.values()} <= {200, 404}
        found.append({name for name, answer in answers.items() if answer.status_code == 200})
    assert all(one == found[0] for one in found), found
    return found[0]


def test_http_grpc_and_the_command_line_answer_alike(people: OpenPeople, instance: Instance) -> None:
    """One query function behind all of them."""
    admin = people("alikeco")
    admin.send("POST", DASHBOARD, {"name": "d", "tiles": [TILE], "sharing": {"audience": "company"}})
    report = {"kind": "custom", "sections": [{"title": "s", "query": "trades", "params": {"limit": "5"}}]}
    schedule = {
        "name": "weekly",
        "report": report,
        "timing": {"cron": "0 7 * * mon", "time_zone": "Europe/Zurich"},
        "recipients": [{"kind": "email", "to": "a@example.com"}],
    }
    token = admin.send("POST", SCHEDULE, schedule).json()["position"]
    [dashboard], [weekly] = (admin.read(path, since=token).json()["rows"] for path in (DASHBOARD, SCHEDULE))
    for name, row in (("dashboards", dashboard), ("report_schedules", weekly)):
        asked = ("query", name, "--company", "alikeco", "--param", "archived=false", "--min-position", token)
        assert instance.answer(*asked)["rows"] == [row]
    with grpc.insecure_channel(instance.addresses["grpc"]) as channel:
        stub = service.AnalyticsServiceStub(channel)
        wanted = dashboards.ListDashboardsRequest(company_id="alikeco", min_position=token)
        listed = stub.ListDashboards(wanted, metadata=admin.metadata)
        one = dashboards.GetDashboardConfigRequest(company_id="alikeco", dashboard_id=dashboard["id"])
        shown = stub.GetDashboardConfig(one, metadata=admin.metadata)
        schedules = stub.ListReportSchedules(reports.ListReportSchedulesRequest(), metadata=admin.metadata)
        with pytest.raises(grpc.RpcError) as missing:
            stub.GetDashboardConfig(dashboards.GetDashboardConfigRequest(dashboard_id="no"), metadata=admin.metadata)
    assert missing.value.code() == grpc.StatusCode.NOT_FOUND
    assert list(listed.dashboards) == [shown.dashboard]
    assert listed.provenance.query == "dashboards"
    _is_the_dashboard(shown.dashboard, dashboard)
    _is_the_schedule(schedules.schedules[0], weekly)


def _is_the_dashboard(message: dashboards.DashboardConfig, row: dict[str, object]) -> None:
    told = MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    tiles = [{"id": tile.pop("tile_id"), **tile} for tile in told["tiles"]]
    assert tiles == row["tiles"]
    assert (told["dashboard_id"], told["title"], int(told["version"])) == (row["id"], row["name"], row["version"])
    for name in ("owner", "sharing", "description", "archived", "changed_by", "unread_events"):
        assert told[name] == row[name]


def _is_the_schedule(message: reports.ReportSchedule, row: dict[str, object]) -> None:
    told = MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    report = told["report"]
    sections = [{n: s[n] for n in ("title", "query", "params")} for s in report["sections"]]
    said = {"kind": report["kind"], "format": report["format"].lower(), "params": told["params"], "sections": sections}
    assert row["report"] == said | {"failures": "fail", "period": ""}  # which gRPC does not say
    assert row["timing"] == {"cron": told["cron"], "time_zone": told["time_zone"], "late": "make"}
    assert told["deliveries"] == [{"channel": "email", "target": "a@example.com"}]
    assert (told["schedule_id"], told["name"], told["enabled"]) == (row["id"], row["name"], row["enabled"])


def test_a_token_from_the_future_is_refused_at_once(people: OpenPeople) -> None:
    """Nothing that is waited for could ever reach it, and the problem says so."""
    admin = people("futureco")
    token = admin.send("POST", DASHBOARD, {"name": "d"}).json()["position"]
    number = int(token.partition("=")[2])
    began = time.monotonic()
    answer = admin.read(DASHBOARD, since=f"config-store:0={number + 1_000_000}")
    assert (answer.status_code, answer.json()["code"]) == (412, "position_beyond_end")
    assert "beyond the event store" in answer.json()["detail"]
    answer = admin.read(DASHBOARD, since="config-events:0=99999999")
    assert (answer.status_code, answer.json()["code"]) == (412, "position_beyond_end")
    assert time.monotonic() - began < 1
    assert admin.read(DASHBOARD, since="nonsense:0=1").json()["code"] == "bad_position"
    beyond = admin.read("/api/v1/query/trades", since=f"config-store:0={number + 1_000_000}")
    assert (beyond.status_code, beyond.json()["code"]) == (412, "position_beyond_end")  # its calendar is a setting


def test_while_the_relay_rests_a_read_of_what_was_commanded_is_a_412(people: OpenPeople, instance: Instance) -> None:
    """Within the bound, and never the older answer; `projections wait` fails as well. Then all of it is there."""
    admin = people("restco")
    [relay] = [child for child in instance.children() if "relay" in child.cmdline()]
    relay.send_signal(signal.SIGSTOP)
    try:
        created = admin.send("POST", DASHBOARD, {"name": "d"})
        token = created.json()["position"]
        began = time.monotonic()
        answer = admin.read_once(DASHBOARD, since=created)
        assert (answer.status_code, answer.json()["code"]) == (412, "not_yet")
        assert "relay" in answer.json()["detail"]
        assert 1.5 < time.monotonic() - began < 6
        waited = instance.command("projections", "wait", "--position", token, "--timeout", "0.5")
        assert waited.exit_code != 0
    finally:
        relay.send_signal(signal.SIGCONT)
    instance.wait(token)
    assert [row["name"] for row in admin.read(DASHBOARD, since=created).json()["rows"]] == ["d"]


def test_tokens_mix(people: OpenPeople, instance: Instance) -> None:
    """One of a command and one of an ingest, in one text."""
    admin = people("mixco")
    path = instance.folder.parent / "mix.ndjson"
    path.write_text(json.dumps(trade("mixco", 1)))
    ingested = instance.answer("ingest", str(path), "--json")["position"]
    commanded = admin.send("POST", DASHBOARD, {"name": "d"}).json()["position"]
    token = f"{commanded};{ingested}"
    assert len(admin.read("/api/v1/query/trades", since=token).json()["rows"]) == 1
    assert len(admin.read(DASHBOARD, since=token).json()["rows"]) == 1
    instance.wait(token)


def test_the_past_of_the_configuration_is_told(people: OpenPeople) -> None:
    """As known at a command's position, and the event behind a member."""
    admin = people("pastco")
    created = admin.send("POST", DASHBOARD, {"name": "before"})
    item = created.json()["id"]
    renamed = admin.send("POST", f"{DASHBOARD}/{item}/rename", {"name": "after"})
    then = admin.read("/api/v1/query/dashboards", since=renamed, id=item, as_known_at=created.json()["position"])
    assert [row["name"] for row in then.json()["rows"]] == ["before"], then.text
    why = admin.read("/api/v1/query/dashboards/explain", since=renamed, id=item, measure="name")
    assert [event["share"] for event in why.json()["events"]] == ["after"], why.text


def test_a_stored_tier_counts_and_a_token_s_only_where_none_is_stored(people: OpenPeople) -> None:
    """Also while the token lives that says another one; who may see all companies is not bound by it."""
    admin, everywhere = people("tierco"), people("*")
    predictive, profile = "/api/v1/query/forecast", "/api/v1/company"
    created = admin.send("POST", DASHBOARD, {"name": "first"})
    assert admin.read(profile, since=created).json()["tier"] is None
    assert admin.read(predictive, metric="mrr").status_code != 403
    everywhere.send("POST", "/api/v1/company/profile?company=tierco", {"name": "T"})
    stored = everywhere.send("POST", "/api/v1/company/tier?company=tierco", {"tier": "FREE"})
    assert admin.read(profile, since=stored).json()["tier"] == "FREE"
    deadline = time.monotonic() + 20
    while (answer := admin.read(predictive, metric="mrr")).status_code != 403:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.1)
    assert answer.json()["code"] == "forbidden_tier"
    assert "tier FREE" in answer.json()["detail"]
    refused = admin.commands.post(RULE, json={"name": "r"})
    assert refused.status_code in (400, 403)
    assert everywhere.read(predictive, metric="mrr", company="tierco").status_code != 403


def test_a_calendar_cuts_every_answer_from_then_on(people: OpenPeople, instance: Instance) -> None:
    """Kept ones are made anew, explanations and the past say it too; another company's is another."""
    admin, other = people("calco"), people("nocalco")
    own = {"time_zone": "Asia/Kolkata", "week_starts_on": "sunday", "fiscal_year_starts": 4, "trading_days": "all"}
    ingested = instance.take([trade(company, 1) for company in ("calco", "nocalco")])
    asked = {"period": "month", "keys": "total_trades"}
    before = admin.read("/api/v1/kpis", since=ingested, **asked).json()
    assert before["calendar"]["time_zone"] == "UTC"
    assert admin.read("/api/v1/kpis", **asked).json()["rows"] == before["rows"]
    by_utc = admin.read("/api/v1/query/trading_totals", by="day").json()
    changed = admin.send("POST", "/api/v1/company/calendar", own)
    assert admin.read("/api/v1/kpis", since=changed, **asked).json()["calendar"] == own
    after = admin.read("/api/v1/kpis", **asked).json()
    assert (after["calendar"], after["rows"][0]["from"][10:]) == (own, "T18:30:00Z")
    for then in (by_utc["position"], before["position"], ingested):  # that of an event does not name the settings
        told = admin.read("/api/v1/query/trading_totals", by="day", as_known_at=then).json()
        assert (told["rows"], told["calendar"]) == (by_utc["rows"], before["calendar"])
    behind = admin.read("/api/v1/query/trading_totals/explain", measure="total_pnl").json()
    assert (behind["calendar"], behind["currency"], behind["reasons"]) == (own, "USD", {})
    past = admin.read("/api/v1/query/trading_totals", by="day", as_of="2026-01-01").json()
    assert past["calendar"]["time_zone"] == "UTC"  # it was set later
    assert admin.read("/api/v1/query/trading_totals", zone="Asia/Tokyo").json()["calendar"]["time_zone"] == "Asia/Tokyo"
    assert other.read("/api/v1/kpis", **asked).json()["calendar"]["time_zone"] == "UTC"
