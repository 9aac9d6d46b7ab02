"""What every HTTP request goes through first, in both APIs: correlation id and trace, who is asking, the audit trail.

Plain ASGI around an application, so that a request pays microseconds for it. The application answers; the edge ties
the answer to the request in headers, answers for what failed, and notes what was done. WebSocket connections get ids
and trace here; they bring their token in the first message, and read_api/live.py notes what they ask for.
"""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from app.doorway import Doorway
from domain import correlation, tracing
from domain.access import Principal
from domain.caller import Caller, bearer_token, enter
from domain.errors import AnalyticsError
from domain.problem_documents import INTERNAL, MEDIA_TYPE, Problem
from domain.tracing import Trace
from domain.trail import NOBODY, ON_RECORD_FIRST, ONLY_REFUSALS, SYSTEM, Action, Actor, Door, Note, tenant_of

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]
Observe = Callable[[str, int, float], None]  # path, status, seconds
Describe = Callable[[AnalyticsError, str, str], Problem]  # error, correlation id, path

OPEN_PATHS = frozenset({"/api/v1/health"})  # and whatever is not below /api or /metrics: no token is needed there
_COMPANY = re.compile(rb"(?:^|&)company=([^&]*)").search
_POLLED = ("health", "projections")  # by machines, and without any tenant's data

logger = logging.getLogger(__name__)


class Deed(NamedTuple):
    """What a request does, and to what."""

    action: Action
    target: str


def deed_of(method: str, path: str) -> Deed | None:
    """What a request of the APIs does; None for pages and their files."""
    if path == "/metrics":
        return Deed(Action.STATUS, "metrics")
    if not path.startswith("/api/v1/"):
        return None
    target = path[8:]
    first, _, rest = target.partition("/")
    if first in _POLLED:
        return Deed(Action.STATUS, first)
    if first == "query":
        return _query(method, rest)
    if first == "events":
        return Deed(Action.EVENTS if method == "GET" else Action.PUBLISH, target)
    if target == "analytics/export":
        return Deed(Action.EXPORT, target)
    if first == "reports" and (method == "GET" or not rest):
        return Deed(Action.REPORT, target)
    return Deed(Action.READ if method in ("GET", "HEAD") else Action.COMMAND, target)


def _query(method: str, rest: str) -> Deed:
    if rest.endswith("/explain"):
        return Deed(Action.EXPLAIN, rest.removesuffix("/explain"))
    if not rest and method == "GET":
        return Deed(Action.STATUS, "query")  # the list of queries
    return Deed(Action.QUERY, rest or "query")


class Edge:
    """The application as the outside sees it."""

    def __init__(
        self,
        inner: Application,
        doorway: Doorway,
        problem: Describe,
        observe: Observe = lambda _path, _status, _seconds: None,
    ) -> None:
        self._inner = inner
        self._doorway = doorway
        self._trail = doorway.trail
        self._problem = problem
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or connection."""
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        correlation_id = correlation.accepted(_text(headers, b"x-correlation-id"))
        parent, state = _text(headers, b"traceparent"), _text(headers, b"tracestate")
        if scope["type"] != "http":
            with tracing.request("websocket", parent, state, path=scope["path"]) as trace:
                await self._inner(scope, receive, _Answer(send, correlation_id, trace).send)
            return
        deed = deed_of(scope["method"], scope["path"])
        name = f"http {deed.action if deed else 'page'}"
        with tracing.request(name, parent, state, path=scope["path"], method=scope["method"]) as trace:
            answer = _Answer(send, correlation_id, trace)
            await self._serve(scope, receive, headers, _Exchange(deed, scope["query_string"], answer))
            tracing.tell(status=answer.status, correlation_id=correlation_id)

    async def _serve(self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], exchange: _Exchange) -> None:
        started, path, answer = time.perf_counter(), scope["path"], exchange.answer
        try:
            if exchange.noted:
                await self._trail.admit()
            if exchange.deed is not None and exchange.deed.action in ON_RECORD_FIRST:
                answer.hold(lambda: self._trail.record(exchange.note()))
            with self._let_in(path, headers, exchange):
                await self._inner(scope, receive, answer.send)
        except AnalyticsError as error:
            await self._refuse(answer, error, path)
        except Exception:
            logger.exception("%s failed (correlation id %s)", path, answer.correlation_id)
            await self._refuse(answer, INTERNAL, path)
        finally:
            if not answer.on_record and (exchange.noted or exchange.refused):
                self._trail.note(exchange.note())
            self._observe(path, answer.status, time.perf_counter() - started)

    @contextmanager
    def _let_in(self, path: str, headers: dict[bytes, bytes], exchange: _Exchange) -> Iterator[None]:
        """Who it is, where that must be known, and whether their tenant asks too often."""
        if not _needs_token(path):
            yield
            return
        exchange.principal = self._doorway.authenticate(bearer_token(_text(headers, b"authorization")))
        enter(Caller(exchange.principal, exchange.answer.correlation_id))
        with self._doorway.within_rates(exchange.principal, exchange.deed.action if exchange.deed else Action.READ):
            yield

    async def _refuse(self, answer: _Answer, error: AnalyticsError, path: str) -> None:
        if not answer.begun:
            await answer.problem(self._problem(error, answer.correlation_id, path), error.retry_after)


@dataclass
class _Exchange:
    """One request with its answer: what is done, and by whom as soon as that is known."""

    deed: Deed | None
    query: bytes
    answer: _Answer
    principal: Principal | None = None

    @property
    def noted(self) -> bool:
        """Whether it belongs into the trail however it ends."""
        return self.deed is not None and self.deed.action not in ONLY_REFUSALS

    @property
    def refused(self) -> bool:
        """Whether the caller is the reason that it came to nothing."""
        return self.deed is not None and 400 <= self.answer.status < 500

    def note(self) -> Note:
        """Who did it, for whom, and how it ended."""
        assert self.deed is not None
        actor, company, answer = NOBODY, SYSTEM, self.answer
        if self.principal is not None:
            asked = _company_asked(self.query)
            actor, company = Actor.of(self.principal), tenant_of(self.principal.companies, asked)
        outcome = "ok" if 0 < answer.status < 400 else "refused" if self.refused else "failed"
        done, target = self.deed
        return Note(
            actor,
            done,
            target,
            Door.HTTP,
            company,
            outcome,
            answer.code,
            answer.position,
            answer.correlation_id,
        )


class _Answer:
    """One answer on its way out: headers added, status, position and error code read as they pass."""

    def __init__(self, send: Send, correlation_id: str, trace: Trace) -> None:
        self._send = send
        self.correlation_id = correlation_id
        self._headers = [
            (b"x-correlation-id", correlation_id.encode()),
            (b"traceresponse", trace.parent.encode()),
        ]
        self._record: Callable[[], Awaitable[None]] | None = None
        self._held: Message | None = None
        self.begun = False
        self.on_record = False
        self.status = 0
        self.code = ""
        self.position = ""

    def hold(self, record: Callable[[], Awaitable[None]]) -> None:
        """Give out nothing of the answer before this has returned."""
        self._record = record

    async def send(self, message: Message) -> None:
        """Pass on one message of the application."""
        kind = message["type"]
        if kind == "websocket.accept":
            message["headers"] = [*message.get("headers", ()), *self._headers]
        elif kind == "http.response.start":
            self._begin(message)
            if self._record is not None:
                self._held = message
                return
        elif kind == "http.response.body" and self.status >= 400:
            self._read_code(message.get("body", b""))
        if self._held is not None:
            await self._release(self._held)
        await self._send(message)

    async def problem(self, document: Problem, retry_after: float | None) -> None:
        """Answer with a problem document, at once: what is refused need not be on record first."""
        self._held = self._record = None
        body = msgspec.json.encode(document)
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
        if document.status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        if retry_after is not None:
            headers.append((b"retry-after", str(math.ceil(retry_after)).encode()))
        await self.send({"type": "http.response.start", "status": document.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body, "more_body": False})

    def _begin(self, message: Message) -> None:
        self.status = message["status"]
        for name, value in message["headers"]:
            if name.lower() == b"x-position":
                self.position = value.decode("latin-1")
        message["headers"] = [*message["headers"], *self._headers]
        self.begun = self._record is None

    def _read_code(self, body: bytes) -> None:
        try:
            self.code = str(msgspec.json.decode(body)["code"])
        except (msgspec.DecodeError, KeyError, TypeError):
            self.code = self.code or f"status_{self.status}"

    async def _release(self, start: Message) -> None:
        """Put what was done on record, then begin the answer; where that fails, the failure is the answer."""
        record, self._held, self._record = self._record, None, None
        if record is not None:
            self.on_record = True
            await record()
        self.begun = True
        await self._send(start)


def _needs_token(path: str) -> bool:
    return (path.startswith("/api/") or path == "/metrics") and path not in OPEN_PATHS


def _company_asked(query: bytes) -> str:
    """The parameter `company`; what has to be unquoted is no company id."""
    found = _COMPANY(query)
    return found[1].decode("latin-1") if found else ""


def _text(headers: dict[bytes, bytes], name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1")
