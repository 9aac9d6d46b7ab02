"""`POST /api/v1/events` and the health of the command API, over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from litestar import Litestar

from adapters.postgres.configuration_store.event_store import PostgresEventStore
from app.serving.audit_middleware import AuditMiddleware
from app.serving.gate import Gate
from app.serving.routing import routes_of
from command_api.answers import document_of
from command_api.command_handler import CommandHandler
from command_api.health import Health
from command_api.http import MAX_BODY, create_app
from domain.access.rights import Principal, Role
from domain.errors import Unauthenticated, Unavailable
from domain.events.problems import Code
from eventlog.intake.intake import Ingest
from eventlog.intake.quarantine import Filter
from eventlog.publish.audit_writer import NoTrail
from eventlog.publish.publisher import Publisher
from tests.eventlog.publish.samples import Door, bad_envelopes, bad_lines, framed, line, logged, trade, trade_members
from tests.eventlog.publish.test_publisher import QUICK, TroubledLog
from tests.support.command_handlers import vocabulary

PRINCIPALS = {
    "service": Principal("bot", frozenset({"acme"}), frozenset({Role.SERVICE})),
    "viewer": Principal("eve", frozenset({"acme"}), frozenset({Role.VIEWER})),
}
EVENTS = "/api/v1/events"
UNUSED = CommandHandler(PostgresEventStore("host=nowhere"), vocabulary())  # connects when first used
JSON, NDJSON, PROTOBUF = "application/json", "application/x-ndjson", "application/x-protobuf"


def authenticate(token: str) -> Principal:
    """Tokens of this test are names."""
    if token not in PRINCIPALS:
        raise Unauthenticated("the token is not valid")
    return PRINCIPALS[token]


def behind_edge(application: Litestar) -> AuditMiddleware:
    """The application as the outside sees it."""
    return AuditMiddleware(application, routes_of(application), Gate(authenticate, NoTrail()), document_of)


def client_of(ingest: Ingest, door: Door) -> httpx.AsyncClient:
    """A client of the application, with the token of a service."""

    async def log_answers() -> object:
        return await door.log.heads("trading-events")

    app = behind_edge(create_app(ingest=ingest, command_handler=UNUSED, health=Health({"log": log_answers})))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {"Authorization": "Bearer service"}
    return httpx.AsyncClient(transport=transport, base_url="http://analytics", headers=headers, timeout=60)


@pytest.fixture
async def client(door: Door) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the token of a service of the company acme."""
    async with client_of(door.ingest, door) as opened:
        yield opened


async def post(client: httpx.AsyncClient, content: bytes, kind: str, **headers: str) -> httpx.Response:
    """Send a body."""
    return await client.post(EVENTS, content=content, headers={"Content-Type": kind, **headers})


def good(*event_ids: str) -> list[dict[str, Any]]:
    """Good events with these ids."""
    return [trade_members(trade_id=event_id) | {"event_id": event_id} for event_id in event_ids]


def body_of(kind: str, *event_ids: str) -> bytes:
    """Good events in a form."""
    if kind == PROTOBUF:
        return framed(*(trade(i, event_id=i).record.value for i in event_ids))
    if kind == NDJSON:
        return b"\n".join(json.dumps(event).encode() for event in good(*event_ids))
    return json.dumps(good(*event_ids)).encode()


@pytest.mark.parametrize("kind", [JSON, NDJSON, PROTOBUF])
async def test_good_events_go_in_in_every_form(client: httpx.AsyncClient, door: Door, kind: str) -> None:
    """The answer counts them and names the position; they are in the log."""
    answer = await post(client, body_of(kind, "e1", "e2", "e1"), kind, **{"X-Correlation-Id": "mine-1"})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["accepted"], told["duplicates"], told["quarantined"], told["reasons"]) == (2, 1, 0, [])
    assert answer.headers["X-Position"] == told["position"]
    assert answer.headers["X-Correlation-Id"] == told["correlation_id"] == "mine-1"
    assert [e.event_id for e in await logged(door.log)] == ["e1", "e2"]


async def test_one_event_is_an_object(client: httpx.AsyncClient) -> None:
    """A single event needs no array."""
    assert (await post(client, line(), JSON)).json()["accepted"] == 1


async def test_every_bad_line_is_answered_with_its_line_and_reason(client: httpx.AsyncClient, door: Door) -> None:
    """NDJSON of every bad kind but the largest: good neighbours go in, the others are in quarantine."""
    bad = [(text, code) for text, code in bad_lines() if code != Code.TOO_LARGE]
    body = b"".join(text + b"\n" + json.dumps(good(f"e{n}")[0]).encode() + b"\n" for n, (text, _) in enumerate(bad))
    answer = await post(client, body, NDJSON)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["accepted"], told["quarantined"]) == (len(bad), len(bad))
    assert [(r["line"], r["code"]) for r in told["reasons"]] == [(2 * n + 1, code) for n, (_, code) in enumerate(bad)]
    entries = await door.quarantine.entries(Filter(door="http", limit=1000))
    assert [e.code for e in reversed(entries)] == [code for _, code in bad]


async def test_a_line_of_ten_megabytes_is_set_aside(client: httpx.AsyncClient) -> None:
    """One event that is too large harms no other."""
    body = line(trade_id="a") + b"\n" + b"x" * 10_000_000 + b"\n" + json.dumps(good("e2")[0]).encode()
    told = (await post(client, body, NDJSON)).json()
    assert (told["accepted"], [(r["line"], r["code"]) for r in told["reasons"]]) == (2, [(2, "too_large")])


async def test_every_bad_envelope_is_answered_with_its_index_and_reason(client: httpx.AsyncClient) -> None:
    """Length-delimited protobuf of every bad kind, and a stream that is cut off."""
    bad = bad_envelopes()
    body = framed(*(data for data, _ in bad), trade("e1").record.value, trade("cut").record.value)[:-3]
    told = (await post(client, body, PROTOBUF)).json()
    expected = [*((n, code) for n, (_, code) in enumerate(bad)), (len(bad) + 1, Code.TRUNCATED)]
    assert (told["accepted"], [(r["line"], r["code"]) for r in told["reasons"]]) == (1, expected)


async def test_elements_of_an_array_stand_alone(client: httpx.AsyncClient) -> None:
    """NaN, bad UTF-8 and wrong types in one element leave the others; a cut-off array loses only its tail."""
    elements = [
        line(trade_id="a"),
        line(quantity=float("nan")),
        line().replace(b"AAPL", b"AA\xffL"),
        b"7",
        json.dumps(trade_members() | {"payload": [7]}).encode(),
        json.dumps(good("e2")[0]).encode(),
    ]
    told = (await post(client, b"[" + b", ".join(elements) + b"]", JSON)).json()
    codes = [(1, Code.NOT_FINITE), (2, Code.BAD_TEXT), (3, Code.WRONG_TYPE), (4, Code.WRONG_TYPE)]
    assert (told["accepted"], [(r["line"], r["code"]) for r in told["reasons"]]) == (2, codes)
    cut = b"[" + b",".join(json.dumps(event).encode() for event in good("e3", "e4"))[:-5]
    told = (await post(client, cut, JSON)).json()
    assert (told["accepted"], [(r["line"], r["code"]) for r in told["reasons"]]) == (1, [(1, Code.BAD_JSON)])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"\x00garbage" * 1_250_000, Code.TOO_LARGE),
        (b"not json", Code.BAD_JSON),
        (b"", Code.BAD_JSON),
        (b"[" * 1_000_000, Code.TOO_DEEP),
        (b"\xff\xfe", Code.BAD_TEXT),
        (b"7", Code.WRONG_TYPE),
    ],
    ids=["10 MB", "text", "empty", "deep", "bytes", "number"],
)
async def test_an_unusable_body_is_a_clear_problem(
    client: httpx.AsyncClient, door: Door, body: bytes, code: Code
) -> None:
    """400 with the reason, as a problem document; what came is kept in quarantine."""
    answer = await post(client, body, JSON)
    told = answer.json()
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert told["code"] in (code, Code.TOO_LARGE)
    assert told["correlation_id"] == answer.headers["X-Correlation-Id"]
    assert {"type", "title", "status", "detail", "service", "suggested_actions"} <= told.keys()
    assert len(await door.quarantine.entries(Filter())) == 1


async def test_a_body_beyond_the_limit_is_refused(client: httpx.AsyncClient) -> None:
    """413, whether the length is announced or found out."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY // 65_536 + 2):
            yield b" " * 65_536

    for content in (b" " * (MAX_BODY + 1), pieces()):
        answer = await client.post(EVENTS, content=content, headers={"Content-Type": NDJSON})
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": ""}, 401, "unauthenticated"),
        ({"Authorization": "Bearer nobody"}, 401, "unauthenticated"),
        ({"Authorization": "Bearer viewer"}, 403, "forbidden_role"),
        ({"Content-Type": "text/html"}, 415, "unsupported_media_type"),
    ],
)
async def test_who_may_not_and_what_is_not_taken(
    client: httpx.AsyncClient, door: Door, headers: dict[str, str], status: int, code: str
) -> None:
    """Refused before anything is read."""
    answer = await client.post(EVENTS, content=line(), headers={"Content-Type": JSON} | headers)
    assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (status, status, code)
    assert await logged(door.log) == []


async def test_events_of_other_companies_are_refused_in_place(client: httpx.AsyncClient, door: Door) -> None:
    """Each with its line and code, in quarantine, while the caller's own go in."""
    theirs = trade_members() | {"company_id": "other"}
    told = (await post(client, json.dumps([theirs, *good("e1")]).encode(), JSON)).json()
    assert (told["accepted"], [(r["line"], r["code"]) for r in told["reasons"]]) == (1, [(0, Code.FORBIDDEN_COMPANY)])
    (entry,) = await door.quarantine.entries(Filter())
    assert (entry.company_id, entry.code) == ("other", Code.FORBIDDEN_COMPANY)


async def test_a_log_without_answers_is_503(door: Door) -> None:
    """The caller learns that it is not known whether the events are in, and that repeating is safe."""
    log = TroubledLog(door.database_url)
    publisher = Publisher(log, limits=QUICK, stamp=False)
    async with client_of(Ingest(publisher, door.quarantine, door.seen), door) as client:
        log.before = True
        answer = await post(client, line(), JSON)
        log.before = False
    await publisher.close()
    await log.close()
    assert (answer.status_code, answer.json()["code"]) == (503, "log_unavailable")
    assert "same event ids" in answer.json()["suggested_actions"][0]


async def test_unknown_paths_and_methods_are_problems(client: httpx.AsyncClient) -> None:
    """The framework's refusals have the same form."""
    assert ((await client.get("/nothing")).json()["status"], (await client.put(EVENTS)).json()["status"]) == (404, 405)


async def test_health_needs_no_token_and_tells_of_each_component(door: Door) -> None:
    """Ready while log and store answer, 503 with the reason while one does not."""

    async def answers() -> object:
        return None

    async def fails() -> object:
        raise Unavailable("the log is away")

    for check, status in ((answers, 200), (fails, 503)):
        app = behind_edge(
            create_app(ingest=door.ingest, command_handler=UNUSED, health=Health({"log": check, "bus": fails}))
        )
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://analytics") as client:
            answer = await client.get("/api/v1/health")
        told = answer.json()
        assert (answer.status_code, told["live"], told["ready"]) == (status, True, status == 200)
        assert told["components"][1] == {"name": "bus", "status": "down", "detail": "the log is away"}
