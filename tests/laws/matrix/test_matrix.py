"""Endpoint × role × tenant, at every door: 0 wrong answers, and nothing that has no rule."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import reduce
from typing import Any
from uuid import UUID

import click
import grpc
import httpx
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from services.analytics_service_pb2_grpc import AnalyticsServiceStub
from services.dashboards_pb2 import WatchDashboardsRequest
from services.operations_pb2 import PublishRequest
from websockets.sync.client import connect

from app.cli.main import main
from app.docs.openapi import document
from app.serving.grpc_server import SERVICE
from domain.access.rights import Right
from projections.engine.declare.registry import all_registered
from tests.eventlog.publish.samples import trade
from tests.laws.matrix.rights import ANY, COMMANDS, GRPC, HTTP, LIVE, OPEN, ROLES, Rule
from tests.support.instance import Instance
from tests.support.instance import trade as trade_line
from tests.support.needed import needed_by

ASKED = "askedco"
SCOPES = {"own": ASKED, "other": "otherco", "every": "*"}
PEOPLE = [(role, scope) for role in ROLES for scope in SCOPES if (role, scope) != ("member", "every")]  # there is none
UNKNOWN, REFUSED = (401,), (403,)


def operations() -> Iterator[tuple[str, str]]:
    """Every operation of the OpenAPI document: its rule's name, and its own path."""
    for path, item in document()["paths"].items():
        query = path.removeprefix("/api/v1/query/")
        name = "/api/v1/query/{name}" if query in all_registered() and f"GET {path}" not in HTTP else path
        yield from (
            (f"{verb.upper()} {name}", path) for verb in item if verb in ("get", "post", "put", "patch", "delete")
        )


OPERATIONS = sorted(operations())


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """One for all: each makes a TLS context, which takes longer than what is asked here."""
    with httpx.Client(timeout=30) as opened:
        yield opened


@pytest.fixture(scope="module")
def tokens(instance: Instance) -> dict[tuple[str, str], str]:
    """A token of each role for each scope; the company that is asked about has an event."""
    instance.take([trade_line(ASKED, 0)])
    users = {"member": ("--user-id", "u1")}
    return {(role, scope): instance.token(role, SCOPES[scope], *users.get(role, ())) for role, scope in PEOPLE}


def test_every_operation_of_the_openapi_document_has_a_rule() -> None:
    """A new endpoint needs a line in tests/laws/matrix/rights.py, and a line needs an endpoint."""
    assert {name for name, _ in OPERATIONS} == set(HTTP)


def ask(client: httpx.Client, instance: Instance, name: str, path: str, token: str | None) -> httpx.Response:
    """Ask for what belongs to ASKED; again where the log took longer than a request waits, on a busy machine."""
    verb = name.split()[0]
    api = instance.addresses["command_api" if verb != "GET" and name not in READ_BY_POST else "read_api"]
    named = {
        "{dashboard}": "trading",
        "{name}": "trading_totals",
        "{event}": "no-such-event",
        "{id}": str(UUID(int=1)),
        "{key}": "win_rate",
    }
    address = api + reduce(lambda whole, part: whole.replace(*part), named.items(), path)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    params = {} if HTTP[name].scopes == ANY or name == PUBLISH else {"company": ASKED, **_needed(name, path)}
    body = {"json": trade_line(ASKED, 1) if name == PUBLISH else BODIES.get(name, {})} if verb != "GET" else {}
    for _ in range(3):
        answer = client.request(verb, address, headers=headers, params=params, **body)  # type: ignore[arg-type]  # its keywords
        if answer.status_code != 503:
            break
    return answer


PUBLISH = "POST /api/v1/events"
READ_BY_POST = ("POST /api/v1/query", "POST /api/v1/reports")  # what they take is too long for an address
# Where who may depends on a command that is good; it stores the tier that everybody here has anyway.
BODIES = {"POST /api/v1/company/tier": {"tier": "ENTERPRISE"}}


def _needed(name: str, path: str) -> dict[str, str]:
    if name.endswith("/explain"):
        return {} if "/metrics/" in name else {"measure": "pnl"}
    query = all_registered().get(path.removeprefix("/api/v1/query/"))
    return needed_by(query) if query else {}


def _went_in(answer: httpx.Response) -> bool:
    """Of ingest: an event of a company that the caller may not publish for is set aside, the request is not refused."""
    return answer.status_code == 200 and not answer.json()["quarantined"]


def people(name: str, path: str) -> Iterator[tuple[str, str]]:
    """All; of queries that have one rule together, each is asked by every role and from every scope, not by all pairs.

    What stands beside it in the list is asked by the others, so that the rule itself is tried with every pair.
    """
    for number, (role, scope) in enumerate(PEOPLE):
        turn = (OPERATIONS.index((name, path)) + number // len(SCOPES) + number) % len(SCOPES)
        if name != SHARED_RULE or turn == 0:
            yield role, scope


SHARED_RULE = "GET /api/v1/query/{name}"


@pytest.mark.share(3)
@pytest.mark.parametrize(("name", "path"), OPERATIONS)
def test_nobody_gets_a_wrong_answer_over_http(
    client: httpx.Client, instance: Instance, tokens: dict[tuple[str, str], str], name: str, path: str
) -> None:
    """Who may is answered, who may not is told so, and who is nobody is asked who they are."""
    wrong = []
    for person in people(name, path):
        answer = ask(client, instance, name, path, tokens[person])
        may = _went_in(answer) if name == PUBLISH else answer.status_code not in UNKNOWN + REFUSED
        if may is not HTTP[name].allows(*person) or answer.status_code >= 500:
            wrong.append((person, answer.status_code, answer.text[:200]))
    assert wrong == []
    assert (ask(client, instance, name, path, None).status_code == 401) is (HTTP[name] is not OPEN)
    assert ask(client, instance, name, path, "x.y.z").status_code == 401


@pytest.mark.share(3)
@pytest.mark.parametrize("rpc", list(SERVICE.methods), ids=lambda rpc: rpc.name)
def test_nobody_gets_a_wrong_answer_over_grpc(
    instance: Instance, tokens: dict[tuple[str, str], str], rpc: MethodDescriptor
) -> None:
    """As over HTTP. An RPC without a line in the table must be one that is declared and not served."""
    rule, wrong = GRPC.get(rpc.name), []
    with grpc.insecure_channel(instance.addresses["grpc"]) as channel:
        for person in PEOPLE:
            code = called(channel, rpc, tokens[person])
            if rule is None:
                expected = code is grpc.StatusCode.UNIMPLEMENTED
            else:
                refused = code in (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED)
                expected = refused is not rule.allows(*person) and code is not grpc.StatusCode.UNIMPLEMENTED
            if not expected:
                wrong.append((person, code))
        assert wrong == [], f"give {rpc.name} a line in tests/laws/matrix/rights.py" if rule is None else ""
        assert called(channel, rpc, "x.y.z") is grpc.StatusCode.UNAUTHENTICATED


MEMBERS_OWN: dict[str, dict[str, str]] = {  # of RPCs that are about all users where none is named
    "GetUserAnalytics": {"user_id": "u1"},
    "GetUserJourney": {"user_id": "u1"},
    "GetDashboardData": {"dashboard_id": "trading"},
    "GetDashboardConfig": {"dashboard_id": "trading"},
}
FILTERS = {  # likewise; and what is right is followed without an end
    "GetFeatureUsage": {"user_id": "u1"},
    "GetMarketInsightStream": {"none": "such"},
}


def request_of(rpc: MethodDescriptor) -> Any:
    """A request for what belongs to ASKED."""
    if rpc.name == "Publish":
        return PublishRequest(events=[trade("m1", company_id=ASKED).envelope])
    if rpc.name == "WatchDashboards":
        watched = {"dashboard_id": "trading", "scope": {"company_id": ASKED}, "once": True}
        return WatchDashboardsRequest(subscribe={"subscription_id": "a", "dashboard": watched})
    request: Any = GetMessageClass(rpc.input_type)()
    names = {field.name for field in rpc.input_type.fields}
    own = MEMBERS_OWN.get(rpc.name, {})
    for name, value in {"company_id": ASKED, "event_id": "no-such-event", "limit": 1, "once": True, **own}.items():
        if name in names:
            setattr(request, name, value)
    for name in names & {"scope", "question", "report"}:
        inner = getattr(request, name)
        scope = inner if name == "scope" else inner.scope
        scope.company_id = ASKED
        scope.filters.update(FILTERS.get(rpc.name, {}))
    if "metrics" in names and rpc.name != "GetRealTimeMetrics":
        request.metrics.append("total_pnl")  # which a member has, too
    return request


def called(channel: grpc.Channel, rpc: MethodDescriptor, token: str) -> grpc.StatusCode:
    """How a call for what belongs to ASKED ends."""
    request = request_of(rpc)
    argument = iter([request]) if rpc.client_streaming else request
    try:
        answer = getattr(AnalyticsServiceStub(channel), rpc.name)(
            argument, metadata=(("authorization", f"Bearer {token}"),), timeout=30
        )
        answers = list(answer) if rpc.server_streaming else [answer]
    except grpc.RpcError as error:
        return error.code()
    if rpc.name == "WatchDashboards" and answers[0].ended.startswith("forbidden"):
        return grpc.StatusCode.PERMISSION_DENIED  # each subscription is refused for itself
    if rpc.name == "Publish" and answers[0].quarantined:
        return grpc.StatusCode.PERMISSION_DENIED  # the event was set aside: its company is another one
    return grpc.StatusCode.OK


SUBSCRIPTIONS: dict[str, dict[str, object]] = {
    "query": {"query": "trading_totals", "company": ASKED, "params": {}},
    "metric": {"metric": "win_rate", "company": ASKED},
    "dashboard": {"dashboard": "trading", "company": ASKED},
    "live": {"live": "market_bars", "company": ASKED, "params": {"symbol": "AAPL", "interval": "1m"}},
    "watch": {"watch": "pipeline"},
}


@pytest.mark.parametrize("kind", LIVE)
def test_nobody_gets_a_wrong_answer_over_the_websocket(
    instance: Instance, tokens: dict[tuple[str, str], str], kind: str
) -> None:
    """A subscription is answered with a snapshot, or refused with the connection going on."""
    assert set(SUBSCRIPTIONS) == set(LIVE)
    address = instance.addresses["read_api"].replace("http", "ws") + "/api/v1/live"
    wrong = []
    for person in PEOPLE:
        with connect(address) as socket:
            socket.send(json.dumps({"type": "token", "token": tokens[person]}))
            assert json.loads(socket.recv(timeout=60))["type"] == "welcome"
            socket.send(json.dumps({"type": "subscribe", "id": "a", **SUBSCRIPTIONS[kind]}))
            answer = json.loads(socket.recv(timeout=60))
            refused = answer["type"] == "error" and answer["problem"]["status"] == 403
            if (answer["type"] == "snapshot") is not LIVE[kind].allows(*person) or refused is LIVE[kind].allows(
                *person
            ):
                wrong.append((person, answer))
    assert wrong == []


def leaves(command: click.Command, name: str = "") -> Iterator[str]:
    """Every command that does something, by its words."""
    if isinstance(command, click.Group):
        for word, inner in command.commands.items():
            yield from leaves(inner, f"{name} {word}".strip())
    else:
        yield name


def test_every_command_has_a_rule() -> None:
    """A new command needs a line in tests/laws/matrix/rights.py, with a right that there is."""
    assert set(leaves(main)) == set(COMMANDS)
    assert set(COMMANDS.values()) <= {*Right, ""}


def test_a_rule_tells_own_from_other() -> None:
    """The table itself is read as it is meant."""
    rule = Rule(frozenset({"viewer"}))
    assert [rule.allows("viewer", scope) for scope in SCOPES] == [True, False, True]
    assert not rule.allows("admin", "own")
