"""Two tenants with the same of everything, over HTTP and the command line: each is answered as one that is alone.

The RPCs and feeds are compared beside this, in test_same_rpcs_and_feeds.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from command_api.commands import COLLECTIONS, route
from domain.access.rights import Right
from domain.configuration.registry import COMMANDS
from domain.events.catalogue import STREAMS
from domain.events.validation import RESERVED_STREAMS
from projections.engine.declare.registry import all_projections, all_registered
from projections.engine.query.request import Question, read_request
from tests.laws.matrix.same import COMPANIES, answers, asked, masked, same
from tests.laws.matrix.test_two_tenants import FEEDS, everybody
from tests.support.instance import Instance, trade
from tests.support.of_instance import OF_INSTANCE

OWN_TRAIL = ("audit_trail", "audit_totals")  # what each of them asked here
PARTS = 3  # of all queries; one is asked in `make test`
TOPICS = sorted(set(STREAMS) - RESERVED_STREAMS)
SAVED: Mapping[str, Sequence[str]] = {  # what may be saved, and commands on it, in an order in which each is possible
    "dashboard": ("rename", "describe", "share", "archive", "restore"),
    "alert_rule": ("rename", "describe", "change_severity", "silence", "disable", "enable", "archive", "restore"),
    "report_schedule": ("rename", "describe", "disable", "enable", "archive", "restore"),
}
MEMBERS: Mapping[str, dict[str, object]] = {
    "rename": {"name": "the same again"},
    "describe": {"description": "the same"},
    "share": {"sharing": {"audience": "company"}},
    "change_severity": {"severity": "critical"},
    "silence": {"for_seconds": 3_600, "reason": "the same"},
}


@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.ci) for part in range(1, PARTS))])
def test_every_query_answers_as_if_one_were_alone(companies: dict[str, httpx.Client], part: int) -> None:
    """And one query of each projection as of a moment. A new query comes in by itself."""
    past = {projection.queries[0].name for projection in all_projections().values() if projection.queries}
    names = sorted(set(all_registered()) - set(OWN_TRAIL) - OF_INSTANCE)[part::PARTS]
    answered, wrong = 0, []
    for name in names:
        now = {company: asked(name, company) for company in COMPANIES}
        then = {company: {**each, "as_of": "2025-10-11"} for company, each in now.items()}
        for params in (now, then) if name in past else (now,):
            found = answers(companies, f"/query/{name}", params)
            answered += bool(found["lonelyo"].get("rows"))
            if not found["twintwo"] == found["twinone"] == found["lonelyo"]:
                wrong.append((name, found))
    assert wrong == []
    assert answered > len(names) / 2


def test_every_event_is_found_and_shown_as_if_one_were_alone(companies: dict[str, httpx.Client]) -> None:
    """All of them, those of a user, a correlation, and one by its id with its decision and neighbours."""
    for search in ({}, {"user": "IDS-user-0"}, {"correlation_id": "IDS-correlation"}):
        params = {
            company: {
                "topic": TOPICS,
                "limit": 1_000,
                **{name: text.replace("IDS-", f"{ids}-") for name, text in search.items()},
            }
            for company, ids in COMPANIES.items()
        }
        assert same(answers(companies, "/events", params))["events"]
    empty: dict[str, dict[str, Any]] = {company: {} for company in COMPANIES}
    for kind in ("trading_result", "user_event", "payment"):
        assert same(answers(companies, f"/events/IDS-{kind}-1", empty))["decision"]["outcome"] == "admitted"


def test_what_is_commanded_is_read_as_if_one_were_alone(companies: dict[str, httpx.Client]) -> None:
    """With the same keys of repetition, each has its own."""
    empty: dict[str, dict[str, Any]] = {company: {} for company in COMPANIES}
    (dashboard,) = same(answers(companies, "/query/dashboards", empty))["rows"]
    assert dashboard["name"] in ("the same", "the same again")  # another test renames it
    assert "the same" in str(same(answers(companies, "/company", empty)))


@pytest.mark.parametrize("kind", SAVED)
def test_what_is_saved_is_listed_shown_and_changed_as_if_one_were_alone(
    instance: Instance, companies: dict[str, httpx.Client], kind: str
) -> None:
    """By every command on it, with the same keys; nobody's id leads anybody else to it."""
    path = COLLECTIONS[kind]
    ids = {company: client.get(path).json()["rows"][0]["id"] for company, client in companies.items()}
    for verb in SAVED[kind]:
        method, where = route(COMMANDS[f"{kind}.{verb}"])
        found = {}
        for company, own in ids.items():
            address = f"{instance.addresses['command_api']}{where.format(id=own)}"
            keyed = {**everybody(instance, company), "Idempotency-Key": f"same-{kind}-{verb}"}
            twice = [httpx.request(method, address, json=MEMBERS.get(verb, {}), headers=keyed) for _ in range(2)]
            assert [answer.status_code for answer in twice] == [200, 200], twice[0].text
            assert twice[0].json()["version"] == twice[1].json()["version"]
            found[company] = masked(twice[0].text, company)
            companies[company].headers["X-Min-Position"] = twice[0].json()["position"]
        same(found)
    for suffix in ("", "/{id}", "/{id}/history"):
        found = {c: masked(client.get(path + suffix.format(id=ids[c])).text, c) for c, client in companies.items()}
        assert "the same again" in str(same(found))
    for company, client in companies.items():
        del client.headers["X-Min-Position"]
        for own in set(ids.values()) - {ids[company]}:
            assert [client.get(f"{path}/{own}{suffix}").status_code for suffix in ("", "/history")] == [404, 404]


@pytest.mark.ci
def test_every_measure_is_explained_as_if_one_were_alone(companies: dict[str, httpx.Client]) -> None:
    """One of each projection: value, events and shares."""
    explained = 0
    for projection in all_projections().values():
        query = next((query for query in projection.queries if query.selects and query.name not in OWN_TRAIL), None)
        if query is None or query.selects is None:
            continue
        needed = {company: asked(query.name, company) for company in COMPANIES}
        question = Question(query.name, "lonelyo", needed["lonelyo"], datetime(2026, 1, 1, tzinfo=UTC))
        measure = query.selects(read_request(query, question)).table.values[0].name
        params = {company: {**each, "measure": measure, "limit": 50} for company, each in needed.items()}
        explained += bool(same(answers(companies, f"/query/{query.name}/explain", params)).get("events"))
    assert explained > len(all_projections()) / 2


def test_every_bad_event_waits_and_is_replayed_as_if_one_were_alone(
    instance: Instance, companies: dict[str, httpx.Client]
) -> None:
    """With the same bytes but for the name; who replays theirs replays nobody else's."""

    def waiting(company: str) -> list[dict[str, Any]]:
        found = instance.answer("quarantine", "list", "--company", company, "--json")
        return [{name: value for name, value in entry.items() if name != "id"} for entry in found]

    for company, ids in COMPANIES.items():
        path = Path(instance.folder.parent) / f"{company}-bad.json"
        bad = trade(company, 77, quantity="much", currency=f"{ids}-currency")  # as all that it earned
        path.write_text(json.dumps({**bad, "event_id": f"{ids}-bad"}))
        for _ in range(2):
            assert instance.command("ingest", str(path)).exit_code == 3
    entries = {company: masked(json.dumps(waiting(company)), company) for company in COMPANIES}
    assert len(same(entries)) == 1
    for number, company in enumerate(COMPANIES):
        replay = ("quarantine", "replay", "--all", "--company", company, "--set", "payload.quantity=1.5", "--json")
        assert instance.answer(*replay)["replayed"] == 1
        assert [len(waiting(each)) for each in COMPANIES] == [0] * (number + 1) + [1] * (2 - number)
    instance.wait()
    empty: dict[str, dict[str, Any]] = {company: {} for company in COMPANIES}
    found = answers(companies, "/events/IDS-bad", empty)
    # what it led to is the note of who replayed it, which numbers the entries of the instance
    replayed = {company: {**answer, "effects": len(answer["effects"])} for company, answer in found.items()}
    assert same(replayed)["decision"]["outcome"] == "admitted"


@pytest.mark.ci
def test_cursors_and_positions_of_the_other_lead_nowhere(companies: dict[str, httpx.Client]) -> None:
    """Refused, or they go on in what is one's own; a position that both have passed is passed."""
    mine, other = companies["twintwo"], companies["twinone"]
    for path, params, name in (
        ("/api/v1/events", {"limit": "2"}, "cursor"),
        ("/api/v1/query/trades", {"limit": "2"}, "next_cursor"),
        ("/api/v1/query/trading_totals/explain", {"measure": "total_pnl", "limit": "2"}, "next_cursor"),
        ("/api/v1/query/trading_totals/explain", {"measure": "total_pnl", "limit": "2", "as_of": "2025-12-01"},
         "next_cursor"),
    ):  # fmt: skip
        begun = other.get(path, params=params).json()
        assert begun[name]
        answer = mine.get(path, params={**params, "cursor": begun[name]})
        assert answer.status_code in (200, 400), answer.text
        assert "twinone" not in answer.text
        expected = other.get(path, params={**params, "cursor": begun[name]}).text
        if name == "next_cursor":  # the other one is a place in the log, where each has others of theirs
            assert masked(answer.text, "twintwo") == masked(expected, "twinone")
    token = other.get("/api/v1/query/trading_totals").json()["position"]
    told = mine.get("/api/v1/query/trading_totals", headers={"X-Min-Position": token})
    assert (told.status_code, told.json()["rows"]) == (200, mine.get("/api/v1/query/trading_totals").json()["rows"])


def test_dashboards_are_what_is_asked_live() -> None:
    """Every query that may be followed is among the feeds."""
    assert set(FEEDS) == {name for name, query in all_registered().items() if query.right is Right.DASHBOARDS}
