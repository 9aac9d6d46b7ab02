"""Commands over HTTP: one route each, answers with version and position, every refusal a problem document."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
import pytest

from app.serving.audit_middleware import AuditMiddleware
from app.serving.gate import Gate
from app.serving.routing import routes_of
from command_api.answers import document_of
from command_api.commands import MAX_COMMAND, route
from command_api.http import create_app
from domain.access.rights import EVERY_COMPANY, Principal, Role, Tier
from domain.configuration.registry import COMMANDS
from domain.errors import Unauthenticated
from eventlog.publish.audit_writer import NoTrail
from tests.support.command_handlers import ADMIN, counted, handler_on

PRINCIPALS = {
    "admin": ADMIN,
    "basic": Principal("bob", frozenset({"acme"}), frozenset({Role.ADMIN}), Tier.BASIC),
    "viewer": Principal("eve", frozenset({"acme"}), frozenset({Role.VIEWER}), Tier.ENTERPRISE),
    "other": Principal("oda", frozenset({"other"}), frozenset({Role.ADMIN}), Tier.ENTERPRISE),
    "root": Principal("root", frozenset({EVERY_COMPANY}), frozenset({Role.ADMIN}), Tier.ENTERPRISE),
}
DASHBOARDS, RULES = "/api/v1/dashboard/config", "/api/v1/alerts/config"
RULE = {
    "name": "Win rate",
    "trigger": {
        "watched": {"kind": "metric", "key": "win_rate"},
        "condition": {"kind": "threshold", "compare": "below", "value": "0.4"},
    },
}


def authenticate(token: str) -> Principal:
    """Tokens of this test are names."""
    if token not in PRINCIPALS:
        raise Unauthenticated("the token is not valid")
    return PRINCIPALS[token]


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client with an admin's token of the company acme, on an empty store."""
    unused = cast(Any, None)  # what takes events and tells health is not asked here
    async with handler_on(database_url) as command_handler:
        application = create_app(ingest=unused, command_handler=command_handler, health=unused)
        app = AuditMiddleware(application, routes_of(application), Gate(authenticate, NoTrail()), document_of)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        headers = {"Authorization": "Bearer admin"}
        async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=headers, timeout=60) as opened:
            yield opened


def as_(name: str) -> dict[str, str]:
    """The token of somebody else."""
    return {"Authorization": f"Bearer {name}"}


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document, which is whole and of this status and code."""
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert (answer.status_code, told["status"], told["code"]) == (status, status, code)
    assert told["service"] == "command-api"
    assert told["correlation_id"] == answer.headers["X-Correlation-Id"]
    assert told["instance"] == answer.request.url.path
    return told


async def created(client: httpx.AsyncClient, path: str = DASHBOARDS, body: Any = None) -> dict[str, Any]:
    """The answer of a creation."""
    answer = await client.post(path, json=body or {"name": "Desk"})
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_dashboard_lives_from_create_to_restore(client: httpx.AsyncClient) -> None:
    """Each command answers with the version that it made and the events that it decided."""
    answer = await client.post(DASHBOARDS, json={"name": "Desk"}, headers={"X-Correlation-Id": "mine"})
    made = answer.json()
    assert (answer.status_code, answer.headers["ETag"], answer.headers["X-Correlation-Id"]) == (201, '"1"', "mine")
    assert answer.headers["X-Position"] == made["position"]
    assert answer.headers["Location"] == f"{DASHBOARDS}/{made['id']}"
    path = answer.headers["Location"]
    tile = {"id": "a", "title": "A", "kind": "bar", "query": "trades", "layout": {"x": 0, "y": 0, "w": 6, "h": 2}}
    steps = [
        ("POST", f"{path}/add-tile", {"tile": tile}, ["dashboard.tile_added"]),
        ("POST", f"{path}/rename", {"name": "Trading desk"}, ["dashboard.renamed"]),
        ("PUT", path, {"name": "Whole", "tiles": []}, ["dashboard.renamed", "dashboard.tile_removed"]),
        ("DELETE", path, None, ["dashboard.archived"]),
        ("DELETE", path, None, []),
        ("POST", f"{path}/restore", None, ["dashboard.restored"]),
    ]
    version = 1
    for method, where, body, topics in steps:
        answer = await client.request(method, where, json=body, headers={"If-Match": f'"{version}"'})
        assert answer.status_code == 200, answer.text
        told = answer.json()
        version += len(topics)
        assert ([e["topic"] for e in told["events"]], told["version"]) == (topics, version)
        assert answer.headers["ETag"] == f'"{version}"'


@pytest.mark.parametrize("if_match", [None, '"1"', '"7"', '"0"', "*"])
async def test_whether_an_id_is_somebody_elses_is_told_by_nothing(
    client: httpx.AsyncClient, if_match: str | None
) -> None:
    """An id of another company answers as one that does not exist, whatever version is expected, by every command."""
    theirs = (await client.post(DASHBOARDS, json={"name": "Theirs"}, headers=as_("other"))).json()["id"]
    headers = {} if if_match is None else {"If-Match": if_match}
    asked: list[tuple[str, str, Any]] = [
        ("DELETE", "", None),
        ("POST", "/rename", {"name": "n"}),
        ("POST", "/restore", {}),
    ]
    for method, verb, body in asked:
        told = []
        for id in (theirs, str(UUID(int=7))):
            answer = await client.request(method, f"{DASHBOARDS}/{id}{verb}", json=body, headers=headers)
            document = refused(answer, 404, "no_dashboard")
            told.append({name: document[name] for name in ("detail", "title", "type", "suggested_actions")})
        assert told[0] == told[1]


async def test_parameters_that_are_unknown_or_given_twice_are_refused(client: httpx.AsyncClient) -> None:
    """A dry run that is misspelt would be a real one."""
    body = {"name": "Desk"}
    refused(await client.post(f"{DASHBOARDS}?dryrun=true", json=body), 400, "unknown_parameter")
    refused(await client.post(f"{DASHBOARDS}?company=acme&company=other", json=body), 400, "bad_parameter")


async def test_if_match_of_another_version_is_a_412(client: httpx.AsyncClient) -> None:
    """Nothing is stored; `*` is any version; what is no version is a 400."""
    made = await created(client)
    path = f"{DASHBOARDS}/{made['id']}"
    refused(await client.delete(path, headers={"If-Match": '"7"'}), 412, "stale_version")
    refused(await client.delete(path, headers={"If-Match": 'W/"1"'}), 400, "bad_version")
    assert (await client.delete(path, headers={"If-Match": "*"})).status_code == 200
    refused(await client.put(path, json={"name": "x"}), 409, "archived")


async def test_the_same_request_twenty_times_at_once(client: httpx.AsyncClient, database_url: str) -> None:
    """One effect, one answer; the same key with another body is a 409."""
    key = {"Idempotency-Key": str(uuid4())}
    answers = await asyncio.gather(*(client.post(DASHBOARDS, json={"name": "Desk"}, headers=key) for _ in range(20)))
    assert {(a.status_code, a.content, a.headers["ETag"], a.headers["X-Position"]) for a in answers} == {
        (201, answers[0].content, '"1"', answers[0].json()["position"])
    }
    refused(await client.post(DASHBOARDS, json={"name": "Other"}, headers=key), 409, "idempotency_key_reused")
    assert (await client.post(f"{DASHBOARDS}?company=other", json={"name": "x"}, headers=key | as_("other"))).is_success
    assert counted(database_url) == 2
    refused(
        await client.post(DASHBOARDS, json={"name": "x"}, headers={"Idempotency-Key": "a b"}),
        400,
        "bad_idempotency_key",
    )


async def test_a_dry_run_answers_the_events_and_stores_nothing(client: httpx.AsyncClient, database_url: str) -> None:
    """A 200, without a position: there is nothing to wait for."""
    answer = await client.post(f"{RULES}?dry_run=true", json=RULE)
    told = answer.json()
    assert (answer.status_code, told["dry_run"], told["version"], told["position"]) == (200, True, 1, "")
    assert [event["topic"] for event in told["events"]] == ["alert_rule.created"]
    assert told["events"][0]["body"]["name"] == "Win rate"
    assert not {"ETag", "X-Position", "Location"} & set(answer.headers)
    assert counted(database_url) == 0


async def test_an_alert_rule_is_silenced_and_unsilenced(client: httpx.AsyncClient) -> None:
    """At the published path; the silence's id comes with the event."""
    made = await created(client, RULES, RULE)
    body = {"for_seconds": 600, "reason": "maintenance"}
    silenced = (await client.post(f"/api/v1/alerts/{made['id']}/silence", json=body)).json()
    silence = silenced["events"][0]["body"]["silence"]
    assert (silence["by"], silence["until"] - silence["starts_at"]) == ("ann", 600_000)
    path = f"/api/v1/alerts/{made['id']}/unsilence"
    assert (await client.post(path, json={"silence_id": silence["id"]})).json()["version"] == 3
    refused(await client.post(path, json={"silence_id": silence["id"]}), 404, "no_silence")


async def test_a_company_is_named_where_the_token_is_for_several(client: httpx.AsyncClient) -> None:
    """Its configuration begins with its first command."""
    body = {"primary_color": "#112233"}
    refused(await client.post("/api/v1/company/branding", json=body, headers=as_("root")), 400, "missing_parameter")
    answer = await client.post("/api/v1/company/branding?company=new", json=body, headers=as_("root"))
    assert (answer.status_code, answer.json()["version"]) == (200, 1)
    refused(await client.post("/api/v1/company/tier", json={"tier": "PRO"}), 403, "forbidden_company")


async def test_every_refusal_is_a_problem_document(client: httpx.AsyncClient) -> None:
    """Wrong tokens, rights, tiers, tenants, bodies, paths, parameters, sizes."""
    made = await created(client)
    path, name = f"{DASHBOARDS}/{made['id']}", {"name": "x"}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    refused(await client.post(DASHBOARDS, json=name, headers=as_("nobody")), 401, "unauthenticated")
    refused(await client.post(DASHBOARDS, json=name, headers={"Authorization": ""}), 401, "unauthenticated")
    refused(await client.post(DASHBOARDS, json=name, headers=as_("viewer")), 403, "forbidden_role")
    refused(await client.post(RULES, json=RULE, headers=as_("basic")), 403, "forbidden_tier")
    refused(await client.post(f"{DASHBOARDS}?company=other", json=name), 403, "forbidden_company")
    refused(await client.delete(path, headers=as_("other")), 404, "no_dashboard")
    refused(await client.delete(f"{RULES}/{made['id']}"), 404, "no_alert_rule")
    refused(await client.delete(f"{DASHBOARDS}/{uuid4()}"), 404, "no_dashboard")
    refused(await client.delete(f"{DASHBOARDS}/1"), 404, "not_found")
    refused(await client.patch(path, json=name), 405, "method_not_allowed")
    refused(await client.post(DASHBOARDS, content=b'{"name":"x"}', headers=form), 415, "unsupported_media_type")
    refused(await client.post(DASHBOARDS, content=b"{", headers={"Content-Type": "application/json"}), 400, "bad_json")
    refused(await client.post(f"{DASHBOARDS}?dry_run=perhaps", json=name), 400, "invalid")
    refused(await client.post(DASHBOARDS, json={"name": "x" * MAX_COMMAND}), 413, "body_too_large")
    told = refused(await client.post(DASHBOARDS, json={"name": "x", "tiles": [{"id": "a"}]}), 400, "invalid_field")
    assert told["detail"] == "tiles[0].title: is missing"


async def test_every_command_is_reached_at_its_route(client: httpx.AsyncClient) -> None:
    """No two commands share a route, and none is only declared: each answers its own problem or decision."""
    routes = {name: route(command) for name, command in COMMANDS.items()}
    assert len(set(routes.values())) == len(COMMANDS)
    for name, (method, path) in routes.items():
        answer = await client.request(method, path.replace("{id}", str(uuid4())), json={"nonsense": 1})
        assert refused(answer, 400, "invalid_field")["detail"] == "nonsense: there is no such field", name


async def test_what_a_command_names_must_exist(client: httpx.AsyncClient, database_url: str) -> None:
    """The problem names the field and the nearest right name, and nothing is stored; a dry run tells the same."""
    tile = {"id": "a", "title": "A", "kind": "bar", "query": "trade", "layout": {"x": 0, "y": 0, "w": 6, "h": 2}}
    for params in ({}, {"dry_run": "true"}):
        answer = await client.post(DASHBOARDS, json={"name": "Desk", "tiles": [tile]}, params=params)
        told = refused(answer, 400, "invalid_field")
        assert "tiles[0].query: no query is called 'trade'; did you mean 'trades'?" in told["detail"]
    rule = RULE | {"notification": {"channels": [{"kind": "webhook", "url": "https://0x7f.1/hook"}]}}
    told = refused(await client.post(RULES, json=rule), 400, "invalid_field")
    assert "notification.channels[0].url: leads to 127.0.0.1" in told["detail"]
    assert counted(database_url) == 0


async def test_names_are_for_people_and_channels_for_who_wants_to_be_told(client: httpx.AsyncClient) -> None:
    """Two of one name are two; a rule that tells nobody is a rule."""
    for path, body in ((DASHBOARDS, {"name": "Desk"}), (RULES, {**RULE, "notification": {"channels": []}})):
        made = [await client.post(path, json=body) for _ in range(2)]
        assert [answer.status_code for answer in made] == [201, 201], made[0].text
        assert len({answer.json()["id"] for answer in made}) == 2


async def test_a_tier_is_of_a_company_that_exists(client: httpx.AsyncClient) -> None:
    """One that was never heard of is a mistake in its name."""
    tier, of_root = {"tier": "PRO"}, as_("root")
    path = "/api/v1/company/tier?company=acmee"
    refused(await client.post(path, json=tier, headers=of_root), 404, "unknown_company")
    answer = await client.post("/api/v1/company/profile?company=acmee", json={"name": "New"}, headers=of_root)
    assert answer.status_code == 200
    assert (await client.post(path, json=tier, headers=of_root)).status_code == 200
