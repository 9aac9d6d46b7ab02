"""The middleware before both HTTP APIs: what a request does, and that nothing is answered off the record."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from litestar import Litestar, post

from app.serving.audit_middleware import AuditMiddleware
from app.serving.gate import Gate
from app.serving.routing import AuditedAction, Route, audited_action
from command_api.answers import document_of as problem
from domain.access.rights import Principal, Role
from domain.audit import Action, Note
from domain.errors import Conflict, Unauthenticated, Unavailable
from eventlog.publish.audit_writer import NoTrail

ANN = Principal("ann", frozenset({"acme", "bolt"}), frozenset({Role.ADMIN, Role.VIEWER}))
COMMAND = "/api/v1/alerts/config"


class Book(NoTrail):
    """A trail that remembers, and that can be away."""

    def __init__(self) -> None:
        self.noted: list[Note] = []
        self.recorded: list[Note] = []
        self.away = self.full = False

    @property
    def has_room(self) -> bool:
        """Not while it is full."""
        return not self.full

    async def admit(self) -> None:
        """No room while it is full."""
        if self.full:
            raise Unavailable("no room", code="trail_unavailable")

    def note(self, note: Note) -> None:
        """Remember it."""
        self.noted.append(note)

    async def record(self, note: Note) -> None:
        """Remember it, or fail."""
        if self.away:
            raise Unavailable("it is not known whether this is on record")
        self.recorded.append(note)


class Application:
    """Answers 200 with a position, or fails; remembers what was on record when it had answered."""

    def __init__(self, book: Book, error: Exception | None = None) -> None:
        self.book = book
        self.error = error
        self.seen: list[int] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        if self.error is not None:
            raise self.error
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-position", b"config-store:0=7")]})
        self.seen.append(len(self.book.recorded))
        await send({"type": "http.response.body", "body": b"{}", "more_body": False})
        self.seen.append(len(self.book.recorded))


def authenticate(token: str) -> Principal:
    """Only Ann is known."""
    if token != "ann":
        raise Unauthenticated("the token is not valid", code="bad_token")
    return ANN


def match(method: str | None, path: str) -> Route:
    """Only health is open, as in both APIs."""
    return Route(path, open=path == "/api/v1/health")


async def ask(
    book: Book,
    method: str,
    path: str,
    *,
    token: str = "ann",
    error: Exception | None = None,
    inner: Any = None,
) -> tuple[httpx.Response, Application]:
    """The answer to one request."""
    application = Application(book, error)
    edge = AuditMiddleware(inner or application, match, Gate(authenticate, book), problem)
    transport = httpx.ASGITransport(app=edge)
    async with httpx.AsyncClient(transport=transport, base_url="http://analytics") as client:
        headers = {"Authorization": f"Bearer {token}", "X-Correlation-Id": "c-1"}
        return await client.request(method, path, headers=headers), application


async def test_a_command_is_on_record_before_its_answer_begins() -> None:
    """Once, with the position of its effect."""
    book = Book()
    answer, application = await ask(book, "POST", f"{COMMAND}?company=bolt")
    assert (answer.status_code, application.seen, book.noted) == (200, [0, 1], [])
    (note,) = book.recorded
    assert (note.actor.subject, note.actor.role, note.company) == ("ann", "admin+viewer", "bolt")
    assert (note.action, note.target, note.outcome) == ("command", "alerts/config", "ok")
    assert (note.position, note.correlation_id) == ("config-store:0=7", "c-1")


async def test_a_command_that_cannot_be_put_on_record_is_not_answered_as_done() -> None:
    """503 instead of the answer; nothing of the answer goes out."""
    book = Book()
    book.away = True
    answer, _ = await ask(book, "POST", COMMAND)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


async def test_nor_where_the_framework_wraps_what_its_answer_runs_into() -> None:
    """Litestar thinks that the answer has begun, and raises an error of its own instead of the trail's."""

    @post(COMMAND)
    async def command() -> dict[str, str]:
        return {"id": "a1"}

    book = Book()
    book.away = True
    answer, _ = await ask(book, "POST", COMMAND, inner=Litestar([command], openapi_config=None, logging_config=None))
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


async def test_while_the_trail_is_full_nothing_of_a_tenant_is_answered() -> None:
    """Health still is, for whoever restarts things."""
    book = Book()
    book.full = True
    refused, _ = await ask(book, "GET", "/api/v1/query/trades")
    assert (refused.status_code, refused.json()["code"]) == (503, "trail_unavailable")
    assert (await ask(book, "GET", "/api/v1/health"))[0].status_code == 200


@pytest.mark.parametrize(
    ("error", "outcome", "code", "status"),
    [
        (Conflict("another version is current"), "refused", "conflict", 409),
        (Unavailable("the store is away"), "failed", "unavailable", 503),
        (KeyError("inside"), "failed", "defect", 500),
    ],
)
async def test_what_fails_is_noted_with_its_code(error: Exception, outcome: str, code: str, status: int) -> None:
    """Refused where the caller is the reason, failed where the service is."""
    for method, path in (("GET", "/api/v1/query/trades"), ("POST", COMMAND)):
        book = Book()
        answer, _ = await ask(book, method, path, error=error)
        assert (answer.status_code, answer.headers["x-correlation-id"]) == (status, "c-1")
        (note,) = book.noted
        assert (note.outcome, note.code) == (outcome, code)


async def test_a_stranger_is_nobody_in_no_tenants_trail() -> None:
    """Whatever company was asked for."""
    book = Book()
    answer, _ = await ask(book, "GET", "/api/v1/projections?company=acme", token="eve")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    (note,) = book.noted
    assert (note.actor.subject, note.company, note.code) == ("nobody", "_system", "bad_token")


@pytest.mark.parametrize(
    ("method", "path", "deed"),
    [
        ("GET", "/api/v1/query/trades", AuditedAction(Action.QUERY, "trades")),
        ("GET", "/api/v1/query/trades/explain", AuditedAction(Action.EXPLAIN, "trades")),
        ("POST", "/api/v1/query", AuditedAction(Action.QUERY, "query")),
        ("GET", "/api/v1/query", AuditedAction(Action.STATUS, "query")),
        ("GET", "/api/v1/events/e1", AuditedAction(Action.EVENTS, "events/e1")),
        ("POST", "/api/v1/events", AuditedAction(Action.PUBLISH, "events")),
        ("GET", "/api/v1/analytics/export", AuditedAction(Action.EXPORT, "analytics/export")),
        ("POST", "/api/v1/reports", AuditedAction(Action.REPORT, "reports")),
        ("POST", "/api/v1/reports/schedule", AuditedAction(Action.COMMAND, "reports/schedule")),
        ("DELETE", "/api/v1/dashboard/config/d1", AuditedAction(Action.COMMAND, "dashboard/config/d1")),
        ("GET", "/api/v1/dashboards/executive", AuditedAction(Action.READ, "dashboards/executive")),
        ("GET", "/metrics", AuditedAction(Action.STATUS, "metrics")),
        ("GET", "/nowhere", AuditedAction(Action.READ, "/nowhere")),
        ("GET", "/dashboards/trading", AuditedAction(Action.READ, "/dashboards/trading")),
        ("GET", "/pipeline", AuditedAction(Action.STATUS, "pipeline")),
        ("POST", "/commands/dashboard.archive", AuditedAction(Action.COMMAND, "commands/dashboard.archive")),
        ("POST", "/sign-out", AuditedAction(Action.SIGN_OUT, "pages")),
        ("POST", "/sign-in", None),
        ("GET", "/static/x/frame.js", None),
    ],
)
def test_every_request_is_some_deed(method: str, path: str, deed: AuditedAction | None) -> None:
    """Files of pages are none, and signing in notes itself, because nobody is known before it."""
    assert audited_action(method, Route(path, open=deed is None)) == deed
