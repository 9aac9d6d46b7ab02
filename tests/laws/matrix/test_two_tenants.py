"""Two tenants, each with a canary in every text: whatever is asked as one, nothing of the other is in the answer."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import grpc
import httpx
import pytest
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from services.analytics_service_pb2_grpc import AnalyticsServiceStub
from services.operations_pb2 import EventPlace, GetEventRequest, PublishRequest, StreamEventsRequest
from websockets.sync.client import connect

from app.settings import Settings
from app.wiring import token_issuer
from domain.access.rights import Right, Role, Tier
from domain.events.catalogue import BY_NAME, CATALOGUE, EventType
from domain.events.validation import RESERVED_STREAMS
from projections.engine.declare.registry import all_projections, all_registered
from projections.engine.declare.rows import hidden_columns
from projections.engine.query.request import Answerable
from read_api.live.sessions import MOST_SUBSCRIPTIONS
from tests.support.instance import Instance
from tests.support.needed import needed_by

NOON, APART = 1_760_000_000_000, 36_000_000
MINE, OTHER = "minecanary", "othercanary"
TRIES = 4  # for each query and each way of asking
TARGET = re.compile(r'"target":"[^"]*"')  # of an event of one's own trail: what one asked
UNKNOWN = re.compile(r'"unknown":\{[^}]*\}')  # parameters, as they were asked for, of which nothing is known
# what no door takes, what wants more than six trades, and whom six facts leave without a subscription
SILENT = (
    *(
        "schedule_runs",
        "alerts",
        "alert_history",
        "predictions",
        "recommendations",
        "trading_rolling",
        "customer_mrr",
        "mrr_mix",
        "mrr_bridge",
    ),
    "market_insights",  # says what was found in many bars
)


def filled(kind: EventType, company: str, number: int) -> Message:
    """A payload with the company's canary in every text that is free."""
    fact, fields = kind.message(), kind.message.DESCRIPTOR.fields_by_name
    for field in kind.message.DESCRIPTOR.fields:
        exact = field.name.endswith("_text") and field.name[:-5] in fields  # it would have to say what its double says
        if not (field.is_repeated or exact):
            setattr(fact, field.name, _value(kind, cast(FieldDescriptor, field), company, number))
    return fact


def _value(kind: EventType, field: FieldDescriptor, company: str, number: int) -> object:
    if field.name in kind.currencies:
        return "EUR" if field.name == "quote" else "USD"
    if field.name == "currency":
        return f"{company}-currency"  # one: amounts of several are no one amount
    if field.name in kind.times:
        return NOON + APART * number
    if field.type == FieldDescriptor.TYPE_STRING:
        identity = "taken-back" if kind.takes_back and field.name in kind.identity else field.name
        known = dict(kind.choices).get(field.name) or [f"{company}-{identity}-{number % 3}"]
        return known[number % len(known)]
    if field.enum_type is not None:
        return sorted(field.enum_type.values_by_number)[1]
    if field.type == FieldDescriptor.TYPE_BOOL:
        return True
    scale = next((s for s in kind.scales if s.field == field.name and not s.of), None)
    return min(max(1 + number, scale.low), scale.high) if scale else 1 + number


def envelopes(company: str) -> Iterator[AnalyticsProcessingEnvelope]:
    """Events of every type that doors take."""
    for kind in CATALOGUE:
        for number in range(6 if kind.stream not in RESERVED_STREAMS else 0):
            yield AnalyticsProcessingEnvelope(
                message_type=kind.name,
                company_id=company,
                user_id=f"{company}-user-{number % 2}",
                event_id=f"{company}-{kind.name}-{number}",
                correlation_id=f"{company}-correlation",
                timestamp=NOON + APART * number,
                payload=filled(kind, company, number).SerializeToString(),
            )


def one_of_each(company: str) -> list[AnalyticsProcessingEnvelope]:
    """One event of every type: who looks for what is not there reads the whole log, so not for all six."""
    return list(envelopes(company))[::6]


@pytest.fixture(scope="module")
def tenants(instance: Instance) -> Instance:
    """The instance with events of both, folded."""
    for company in (MINE, OTHER):
        with grpc.insecure_channel(instance.addresses["grpc"]) as channel:
            answer = AnalyticsServiceStub(channel).Publish(
                iter([PublishRequest(events=list(envelopes(company)))]),
                metadata=(("authorization", f"Bearer {instance.token('service', company)}"),),
            )
        assert answer.quarantined == 0, answer.rejects
        position = ";".join((answer.position, *configured(instance, company)))
        instance.wait(position)
    return instance


def configured(instance: Instance, company: str) -> Iterator[str]:
    """Make one thing of each kind that can be configured; the position of each."""
    commands: dict[str, dict[str, object]] = {
        "dashboard/config": {"name": f"{company}-dashboard", "sharing": {"audience": "company"}},
        "alerts/config": {
            "name": f"{company}-rule",
            "trigger": {
                "watched": {"kind": "metric", "key": "win_rate"},
                "condition": {"kind": "threshold", "compare": "below", "value": "0.4"},
            },
        },
        "reports/schedule": {
            "name": f"{company}-report", "report": {"kind": "executive"}, "timing": {"cron": "0 7 * * mon"},
        },
        "company/profile": {"name": f"{company}-name"},
    }  # fmt: skip
    with httpx.Client(base_url=instance.addresses["command_api"], headers=everybody(instance, company)) as client:
        for path, body in commands.items():
            answer = client.post(f"/api/v1/{path}", json=body)
            assert answer.is_success, answer.text
            yield str(answer.json()["position"])


def everybody(instance: Instance, company: str) -> dict[str, str]:
    """Headers of somebody who is admin and auditor of a company."""
    issuer = token_issuer(Settings(data=instance.folder))
    token = issuer.issue(f"{company}-everybody", [Role.ADMIN, Role.AUDITOR], company, Tier.ENTERPRISE, 3_600)
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def ask(tenants: Instance) -> Iterator[Callable[..., httpx.Response]]:
    """Asks the read API as admin and auditor of MINE."""
    headers = everybody(tenants, MINE)
    with httpx.Client(base_url=tenants.addresses["read_api"], headers=headers, timeout=60) as client:
        yield lambda path, **params: client.get(f"/api/v1{path}", params=params)


def required(query: Answerable) -> dict[str, str]:
    """Parameters without which it has no answer."""
    needed = needed_by(query)
    return needed | ({"symbol": f"{OTHER}-symbol-0", "interval": "1m"} if "symbol" in needed else {})


def attempts(query: Answerable, rng: random.Random) -> Iterator[dict[str, str]]:
    """Parameters that somebody could try: of one's own, of the other, and of no sense."""
    words = [f"{MINE}-symbol-0", f"{OTHER}-symbol-0", f"{OTHER}-user-0", OTHER, "%", "' OR 'a'='a", "*", "", "AAPL"]
    grouped = [
        "",
        "user_id",
        "symbol",
        "month",
        "day,user_id",
        "company_id",
        "strategy,symbol",
        "plan",
        "metric,service",
    ]
    known: dict[str, list[str]] = {
        "by": grouped, "from": ["2020-01-01", "2025-10-09"], "to": ["2030-01-01", "2025-10-10"], "limit": ["1", "1000"],
        "interval": ["1m", "1h"], "key": ["total_pnl", "mrr", "active_users", "mtta", "retention"],
    }  # fmt: skip
    for number in range(TRIES):
        some = [p for p in query.params if number and rng.random() < 0.4]
        yield required(query) | {p.name: rng.choice(known.get(p.name, words)) for p in some}


def clean(answer: httpx.Response) -> bool:
    """Whether an answer with rows has none of the other; a refusal, and what is unknown, may repeat what was asked.

    One's own trail repeats it, too: there the other would be seen by who asked.
    """
    own_trail = answer.url.path.startswith("/api/v1/query/audit_")
    repeats = TARGET if answer.url.path.startswith("/api/v1/events") else UNKNOWN
    text = repeats.sub("", answer.text)
    return answer.status_code >= 400 or (f"{OTHER}-everybody" if own_trail else OTHER) not in text


@pytest.mark.parametrize("name", sorted(all_registered()))
def test_no_query_answers_with_rows_of_the_other(ask: Callable[..., httpx.Response], name: str) -> None:
    """With whatever parameters; and there is something to be found."""
    rng, answered, mine = random.Random(name), 0, 0
    for params in attempts(all_registered()[name], rng):
        answer = ask(f"/query/{name}", company=MINE, **params)
        assert answer.status_code < 500, answer.text
        assert clean(answer), (params, answer.text)
        answered += answer.status_code == 200
        mine += answer.status_code == 200 and bool(answer.json()["rows"])
    assert ask(f"/query/{name}", company=OTHER, **params).status_code == 403
    assert answered
    assert mine or name in SILENT or all_registered()[name].params[0].required


def share_of(found: Sequence[Any], name: str, share: int) -> Sequence[Any]:
    """One in `share` of what is found: of the queries that stand side by side each takes others."""
    return found[sorted(all_registered()).index(name) % share :: share]


@pytest.mark.share(3)
@pytest.mark.parametrize(
    "share", [30, pytest.param(10, marks=pytest.mark.ci), pytest.param(1, marks=pytest.mark.check)]
)
@pytest.mark.parametrize("name", sorted(all_registered()))
def test_no_past_and_no_explanation_tells_of_the_other(
    ask: Callable[..., httpx.Response], name: str, share: int
) -> None:
    """As of a time, as known at a position, and the events behind each measure.

    Queries of one projection share tables and explanations, and those of all share the past. So of thirty that stand
    side by side each asks a part, of ten in CI; `make check` asks each query all of it, a thousand questions about the
    past.
    """
    needed = next(iter(attempts(all_registered()[name], random.Random(name))))
    tables = [t for p in all_projections().values() if name in {q.name for q in p.queries} for t in p.tables]
    measures = {c.name for t in tables for c in t.values if c.name not in hidden_columns(t)} | {"total_pnl"}
    asked = [{"as_of": "2030-01-01"}, {"as_known_at": "trading-events:0=99999999"}, {"as_of": "2025-10-09T08:58:00Z"}]
    for params in share_of(asked, name, share):
        answer = ask(f"/query/{name}", company=MINE, **needed, **params)
        assert answer.status_code < 500, answer.text
        assert clean(answer), answer.text
        assert ask(f"/query/{name}", company=OTHER, **needed, **params).status_code == 403
    for measure in share_of(sorted(measures), name, share):
        answer = ask(f"/query/{name}/explain", company=MINE, **needed, measure=measure, limit=1_000)
        assert answer.status_code < 500, answer.text
        assert clean(answer), answer.text
    assert ask(f"/query/{name}/explain", company=OTHER, measure="pnl").status_code == 403


@pytest.mark.ci  # every event of two companies
def test_the_event_history_holds_nothing_of_the_other(tenants: Instance, ask: Callable[..., httpx.Response]) -> None:
    """Searches by every criterion, by the id of an event of every type, and by every place in the log."""
    searches: list[dict[str, object]] = [{}, {"user": f"{OTHER}-user-0"}, {"correlation_id": f"{OTHER}-correlation"}]
    searches += [{"topic": "trading-events"}, {"type": "trading_result"}]
    searches += [dict[str, object](event_id=event.event_id) for event in one_of_each(OTHER)]
    for params in searches:
        answer = ask("/events", company=MINE, limit=1_000, **params)
        assert answer.status_code == 200, answer.text
        assert clean(answer), (params, answer.text[:500])
        assert ask("/events", company=OTHER, **params).status_code == 403
    topics = sorted({BY_NAME[event.message_type].stream for event in envelopes(MINE)})
    assert len(ask("/events", limit=1_000, topic=topics).json()["events"]) == len(list(envelopes(MINE)))
    for event in one_of_each(OTHER):
        for company in ({}, {"company": MINE}):
            assert ask(f"/events/{event.event_id}", **company).status_code == 404
    for topic in topics:
        for partition in range(4):
            for offset in range(5):
                assert clean(ask(f"/events/{topic}:{partition}={offset}", company=MINE))
    assert ask("/events", company="*").status_code == 403


def test_no_rpc_gives_an_event_of_the_other(tenants: Instance) -> None:
    """StreamEvents and GetEvent by id and by place, for MINE and for OTHER."""
    metadata = (("authorization", f"Bearer {tenants.token('auditor', MINE)}"),)
    with grpc.insecure_channel(tenants.addresses["grpc"]) as channel:
        stub = AnalyticsServiceStub(channel)

        def refusal(call: Callable[[], Any]) -> grpc.StatusCode:
            with pytest.raises(grpc.RpcError) as refused:
                call()
            return refused.value.code()

        mine = StreamEventsRequest(company_id=MINE)
        found = [event for page in stub.StreamEvents(mine, metadata=metadata) for event in page.events]
        # the trail is left out: in its own people's questions a tenant may read whatever they asked for
        seen = [event.envelope for event in found if event.place.topic != "audit-events"]
        assert {e.company_id for e in seen} == {MINE}
        assert OTHER.encode() not in b"".join(e.SerializeToString() for e in seen)
        for company in (OTHER, "*", ""):
            asked = StreamEventsRequest(company_id=company)
            assert refusal(lambda: list(stub.StreamEvents(asked, metadata=metadata))) in DENIED  # noqa: B023  # called now
        for event in one_of_each(OTHER):
            asked_id = GetEventRequest(company_id=MINE, event_id=event.event_id)
            assert refusal(lambda: stub.GetEvent(asked_id, metadata=metadata)) is MISSING  # noqa: B023  # called now
        for offset in range(40):
            place = GetEventRequest(
                company_id=MINE, place=EventPlace(topic="trading-events", partition=0, offset=offset)
            )
            if ("trading-events", 0, offset) not in [(e.place.topic, e.place.partition, e.place.offset) for e in found]:
                assert refusal(lambda: stub.GetEvent(place, metadata=metadata)) is MISSING  # noqa: B023  # called now


MISSING = grpc.StatusCode.NOT_FOUND
DENIED = (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.INVALID_ARGUMENT)


FEEDS = sorted(name for name, query in all_registered().items() if query.right is Right.DASHBOARDS)
AT_ONCE = MOST_SUBSCRIPTIONS // 2  # feeds of one connection


@pytest.mark.parametrize("names", [FEEDS[at : at + AT_ONCE] for at in range(0, len(FEEDS), AT_ONCE)])
def test_nothing_of_the_other_comes_over_the_websocket(tenants: Instance, names: Sequence[str]) -> None:
    """While both ask for the same at the same time: feeds are shared by those who ask the same of the same company."""
    address = tenants.addresses["read_api"].replace("http", "ws") + "/api/v1/live"
    with connect(address, close_timeout=1) as mine, connect(address, close_timeout=1) as others:
        for socket, company in ((mine, MINE), (others, OTHER)):
            socket.send(json.dumps({"type": "token", "token": tenants.token("viewer", company)}))
            assert json.loads(socket.recv(timeout=60))["type"] == "welcome"
        for name in names:
            for socket, company in ((others, OTHER), (mine, MINE)):
                asked = {"query": name, "company": company, "params": required(all_registered()[name])}
                socket.send(json.dumps({"type": "subscribe", "id": name, **asked}))
            mine.send(json.dumps({"type": "subscribe", "id": f"not-mine-{name}", "query": name, "company": OTHER}))
        told, refused = set[str](), set[str]()
        while told < set(names) or len(refused) < len(names):
            text = str(mine.recv(timeout=60))
            message = json.loads(text)
            if message["type"] == "error":
                assert message["problem"]["code"] == "forbidden_company"
                refused.add(message["id"])
                continue
            assert OTHER not in UNKNOWN.sub("", text)
            told.add(message["id"])
