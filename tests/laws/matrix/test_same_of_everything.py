"""Two tenants with the same of everything, through every door: each is answered as one that is alone.

Two companies publish events of every type with the same ids, users, accounts, producers and sequences; a third one does
so with ids that nobody else has. But for its own name each must be answered the same, by every query and door.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from common.read_scope_pb2 import ReadScope
from google.protobuf import json_format
from google.protobuf.message import Message
from services import operations_pb2 as operations
from services.analytics_service_pb2_grpc import AnalyticsServiceStub
from services.dashboards_pb2 import GetDashboardConfigRequest, ListDashboardsRequest
from services.insights_pb2 import GetCompetitiveAnalysisRequest
from services.reports_pb2 import ListReportSchedulesRequest
from websockets.sync.client import connect

from command_api.commands import COLLECTIONS, route
from domain.access.rights import Right
from domain.configuration.registry import COMMANDS
from domain.events.catalogue import STREAMS
from domain.events.validation import RESERVED_STREAMS
from projections.engine.declare.registry import all_projections, all_registered
from projections.engine.query.request import Question, read_request
from read_api.live.sessions import MOST_SUBSCRIPTIONS
from tests.laws.matrix.test_two_tenants import FEEDS, everybody
from tests.laws.matrix.test_two_tenants import envelopes as events_of
from tests.support.instance import Instance, trade
from tests.support.needed import needed_by

# of one length, and alike in order: what is sorted by them is sorted alike
COMPANIES = {"twintwo": "same", "twinone": "same", "lonelyo": "solo"}
OWN_TRAIL = ("audit_trail", "audit_totals")  # what each of them asked here
# where something lies in the log, how new an answer is, and what is made anew for each
SHARED = frozenset(
    (
        *("position", "as_of", "complete", "lag_ms", "cursor", "topic", "partition", "offset", "scanned"),
        *("correlation_id", "correlationId", "trace_context", "traceContext"),
    )
)
# ids that were made, and moments of this test: the events are of 2025
MADE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|\bquarantine-\d+|20(?:2[6-9]|[3-9]\d)-\d\d-\d\dT[\d:.]+Z|\b1(?:7[7-9]|[89]\d)\d{10}\b"
)
TOPICS = sorted(set(STREAMS) - RESERVED_STREAMS)
PERIOD = {"from": "2025-10-01", "to": "2025-11-01"}
PERIOD_MS = 1_759_276_800_000, 1_761_955_200_000
BODIES: Mapping[str, dict[str, object]] = {
    "dashboard/config": {"name": "the same", "sharing": {"audience": "company"}},
    "company/profile": {"name": "the same"},
    "alerts/config": {
        "name": "the same",
        "trigger": {
            "watched": {"kind": "metric", "key": "win_rate"},
            "condition": {"kind": "threshold", "compare": "below", "value": "0.4"},
        },
    },
    "reports/schedule": {
        "name": "the same", "report": {"kind": "executive"}, "timing": {"cron": "0 7 * * mon"},
    },
}  # fmt: skip
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


def events(company: str) -> list[AnalyticsProcessingEnvelope]:
    """Its events, stamped by a producer that calls itself the same."""
    found = list(events_of(COMPANIES[company]))
    for number, event in enumerate(found, 1):
        event.company_id = company
        event.producer_id, event.producer_seq = f"{COMPANIES[company]}-bot", number
    return found


def published(instance: Instance, company: str) -> Iterator[str]:
    """By gRPC with stamps, by HTTP and out of a file; some of it again. The position of each."""
    token = instance.token("service", company)
    first, second, third = (events(company)[part::3] for part in range(3))
    with grpc.insecure_channel(instance.addresses["grpc"]) as channel:
        for some in (first, first[-4:]):
            answer = AnalyticsServiceStub(channel).Publish(
                iter([operations.PublishRequest(events=some)]), metadata=(("authorization", f"Bearer {token}"),)
            )
            assert answer.quarantined == 0, answer.rejects
            yield answer.position
    lines = "".join(json.dumps(json_format.MessageToDict(event)) + "\n" for event in second)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    for _ in range(2):
        told = httpx.post(f"{instance.addresses['command_api']}/api/v1/events", content=lines, headers=headers)
        assert told.json()["accepted"] + told.json()["duplicates"] == len(second), told.text
        yield told.json()["position"]
    path = Path(instance.folder.parent) / f"{company}.ndjson"
    path.write_text("".join(json.dumps(json_format.MessageToDict(event)) + "\n" for event in third))
    answered = instance.answer("ingest", str(path), "--json")
    assert (answered["accepted"], answered["duplicates"], answered["quarantined"]) == (len(third), 0, 0)
    yield answered["position"]
    for where, body in BODIES.items():
        keyed = {**everybody(instance, company), "Idempotency-Key": f"same-{where[:7]}"}
        address = f"{instance.addresses['command_api']}/api/v1/{where}"
        made = [httpx.post(address, json=body, headers=keyed) for _ in range(2)]
        assert [each.is_success for each in made] == [True, True], made[0].text
        yield str(made[0].json()["position"])


@pytest.fixture(scope="module")
def companies(instance: Instance) -> Iterator[dict[str, httpx.Client]]:
    """A client of each, as its admin and auditor; everything is folded."""
    for company in COMPANIES:
        position = ";".join(filter(None, published(instance, company)))
        waited = instance.command("projections", "wait", "--position", position)
        assert waited.exit_code == 0, waited.output
    clients = {
        company: httpx.Client(base_url=instance.addresses["read_api"], headers=everybody(instance, company), timeout=60)
        for company in COMPANIES
    }
    yield clients
    for client in clients.values():
        client.close()


def masked(text: str, company: str) -> Any:
    """An answer without names, places and what is new in each."""
    named = text.replace(company, "COMPANY").replace(f"{COMPANIES[company]}-", "IDS-")
    return _plain(json.loads(MADE.sub(lambda found: "0" if found[0].isdigit() else "MADE", named)))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in sorted(value.items()) if name not in SHARED}
    if isinstance(value, list):
        plain = [_plain(inner) for inner in value]
        # events come by partition, and the hash of a key has the company in it
        of_events = bool(plain) and isinstance(plain[0], dict) and "event_id" in str(plain[0])
        return sorted(plain, key=json.dumps) if of_events else plain
    return value


def asked(name: str, company: str) -> dict[str, str]:
    """Parameters of a query, with the company's ids."""
    query = all_registered()[name]
    names, needed = {param.name for param in query.params}, needed_by(query)
    if "symbol" in needed:
        needed |= {"symbol": f"{COMPANIES[company]}-symbol-0", "interval": "1m"}
    return needed | {name: value for name, value in PERIOD.items() if name in names}


def answers(companies: dict[str, httpx.Client], path: str, params: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What each of them is answered, by company."""
    found = {}
    for company, client in companies.items():
        own = path.replace("IDS-", f"{COMPANIES[company]}-")
        answer = client.get(f"/api/v1{own}", params={**params[company], "company": company})
        assert answer.status_code < 500, answer.text
        found[company] = masked(answer.text, company)
    return found


def same(found: Mapping[str, Any]) -> Any:
    """The answer that all of them got; fails where one got another."""
    assert found["twintwo"] == found["lonelyo"]
    assert found["twinone"] == found["lonelyo"]
    return found["lonelyo"]


def test_every_query_answers_as_if_one_were_alone(companies: dict[str, httpx.Client]) -> None:
    """And one query of each projection as of a moment. A new query comes in by itself."""
    past = {projection.queries[0].name for projection in all_projections().values() if projection.queries}
    answered, wrong = 0, []
    for name in sorted(set(all_registered()) - set(OWN_TRAIL)):
        now = {company: asked(name, company) for company in COMPANIES}
        then = {company: {**each, "as_of": "2025-10-11"} for company, each in now.items()}
        for params in (now, then) if name in past else (now,):
            found = answers(companies, f"/query/{name}", params)
            answered += bool(found["lonelyo"].get("rows"))
            if not found["twintwo"] == found["twinone"] == found["lonelyo"]:
                wrong.append((name, found))
    assert wrong == []
    assert answered > len(all_registered()) / 2


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


def test_every_feed_tells_as_if_one_were_alone(instance: Instance, companies: dict[str, httpx.Client]) -> None:
    """With the same ids of subscriptions, at the same time."""
    address = instance.addresses["read_api"].replace("http", "ws") + "/api/v1/live"
    for at in range(0, len(FEEDS), MOST_SUBSCRIPTIONS):
        names, found = FEEDS[at : at + MOST_SUBSCRIPTIONS], dict[str, dict[str, Any]]()
        for company in COMPANIES:
            with connect(address, close_timeout=1) as socket:
                socket.send(json.dumps({"type": "token", "token": instance.token("viewer", company)}))
                for name in names:
                    wanted = {"query": name, "company": company, "params": asked(name, company)}
                    socket.send(json.dumps({"type": "subscribe", "id": name, **wanted}))
                told = dict[str, Any]()
                while len(told) < len(names):
                    message = masked(str(socket.recv(timeout=60)), company)
                    told.setdefault(message["id"], message) if message.get("id") else None
            found[company] = told
        same(found)


def test_every_rpc_answers_as_if_one_were_alone(instance: Instance, companies: dict[str, httpx.Client]) -> None:
    """The events as a stream and one by its id; lists of what is configured."""
    found = {}
    with grpc.insecure_channel(instance.addresses["grpc"]) as channel:
        stub = AnalyticsServiceStub(channel)
        for company, ids in COMPANIES.items():
            metadata = (("authorization", everybody(instance, company)["Authorization"]),)
            pages = stub.StreamEvents(
                operations.StreamEventsRequest(company_id=company, streams=TOPICS), metadata=metadata
            )
            one = stub.GetEvent(
                operations.GetEventRequest(company_id=company, event_id=f"{ids}-trading_result-1"), metadata=metadata
            )
            streamed = [shown(event, company) for page in pages for event in page.events]
            listed = stub.ListDashboards(ListDashboardsRequest(company_id=company), metadata=metadata)
            own = GetDashboardConfigRequest(company_id=company, dashboard_id=listed.dashboards[0].dashboard_id)
            compared = GetCompetitiveAnalysisRequest(
                scope=ReadScope(company_id=company, from_time=PERIOD_MS[0], to_time=PERIOD_MS[1]), metrics=["total_pnl"]
            )
            lists = (
                listed,
                stub.GetDashboardConfig(own, metadata=metadata),
                stub.ListReportSchedules(ListReportSchedulesRequest(company_id=company), metadata=metadata),
                stub.GetCompetitiveAnalysis(compared, metadata=metadata),
            )
            read = [masked(json_format.MessageToJson(answer), company) for answer in lists]
            found[company] = (sorted(streamed, key=json.dumps), shown(one.event, company), read)
    assert len(same(found)[0]) >= len(events("lonelyo"))


def shown(event: operations.LoggedEvent, company: str) -> Any:
    """An event of a stream, without its place and payload (bytes hold the ids)."""
    envelope = AnalyticsProcessingEnvelope.FromString(event.envelope.SerializeToString())
    envelope.ClearField("payload")
    members: Message = envelope
    return masked(json_format.MessageToJson(members), company)


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
        path.write_text(json.dumps({**trade(company, 77, quantity="much"), "event_id": f"{ids}-bad"}))
        for _ in range(2):
            assert instance.command("ingest", str(path)).exit_code == 3
    entries = {company: masked(json.dumps(waiting(company)), company) for company in COMPANIES}
    assert len(same(entries)) == 1
    for number, company in enumerate(COMPANIES):
        replay = ("quarantine", "replay", "--all", "--company", company, "--set", "payload.quantity=1.5", "--json")
        assert instance.answer(*replay)["replayed"] == 1
        assert [len(waiting(each)) for each in COMPANIES] == [0] * (number + 1) + [1] * (2 - number)
    assert instance.command("projections", "wait").exit_code == 0
    empty: dict[str, dict[str, Any]] = {company: {} for company in COMPANIES}
    found = answers(companies, "/events/IDS-bad", empty)
    # what it led to is the note of who replayed it, which numbers the entries of the instance
    replayed = {company: {**answer, "effects": len(answer["effects"])} for company, answer in found.items()}
    assert same(replayed)["decision"]["outcome"] == "admitted"


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
