"""What every HTTP request goes through first, in both APIs: correlation id and trace, who is asking, the audit trail.

Plain ASGI around an application, so that a request pays microseconds for it. The application answers; the edge ties
the answer to the request in headers, answers for what failed, and notes what was done. A page's request brings the
cookie of a session, and is refused with a page. A WebSocket of an open route brings its token in the first message, and
read_api/live/websocket.py notes what it asks for.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from app.serving.gate import Gate
from app.serving.routing import AuditedAction, Match, Route, audited_action, with_parameters
from domain.audit import NOBODY, ON_RECORD_FIRST, ONLY_REFUSALS, SYSTEM, Action, Actor, Door, Note, tenant_of
from domain.clean_text import clean
from domain.errors import AnalyticsError
from domain.problem_documents import INTERNAL, MEDIA_TYPE, Problem
from domain.request import correlation, tracing
from domain.request.caller import Caller
from domain.request.session_cookie import check_own_page
from domain.request.tracing import Trace

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]
Observe = Callable[[str, int, float], None]  # path, status, seconds
Describe = Callable[[AnalyticsError, str, str], Problem]  # error, correlation id, path
Draw = Callable[[Problem, str], tuple[Mapping[str, str], bytes]]  # headers and page of a problem, and the way back

SAFE = frozenset({"GET", "HEAD"})  # methods that change nothing
TIES = (b"x-correlation-id", b"traceparent", b"tracestate")  # headers by which a request is one of several
PRIVATE = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))

_NOTHING: AbstractContextManager[None] = nullcontext()

logger = logging.getLogger(__name__)


class AuditMiddleware:
    """The application as the outside sees it."""

    def __init__(
        self,
        inner: Application,
        match: Match,
        gate: Gate,
        problem: Describe,
        observe: Observe = lambda _path, _status, _seconds: None,
        draw: Draw | None = None,
    ) -> None:
        self._inner = inner
        self._match = match
        self._route = lru_cache(1_000)(self._routed)  # of what was asked for lately
        self._gate = gate
        self._trail = gate.trail
        self._problem = problem
        self._observe = observe
        self._draw = draw

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or connection."""
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, send)
            return
        method = scope.get("method")
        route, deed, name = self._route(method, scope["path"])
        scope["path"] = route.path  # so that nobody further in reads another one
        headers: dict[bytes, bytes] = dict(scope["headers"])
        given_id, parent, state = [headers.get(name, b"").decode("latin-1") for name in TIES]
        correlation.current.set(correlation_id := correlation.good_or_new(given_id))
        with tracing.request(name, parent, state, path=route.path, method=method or "") as trace:
            answer = _Answer(send, correlation_id, trace, "" if method else "websocket.")
            noted = deed is not None and deed.action not in ONLY_REFUSALS
            exchange = _Exchange(route, deed, scope, answer, noted, Door.HTTP if method else Door.WS)
            await self._serve(receive, exchange)
            if tracing.on():
                tracing.add_attributes(status=exchange.answer.status, correlation_id=correlation_id)

    def _routed(self, method: str | None, path: str) -> tuple[Route, AuditedAction | None, str]:
        """The route of a request, what it does, and what its span is called."""
        route = self._match(method, path)
        deed = audited_action(method, route)
        return route, deed, f"http {deed.action if deed else 'page'}" if method else "websocket"

    async def _serve(self, receive: Receive, exchange: _Exchange) -> None:
        started, path, answer = time.perf_counter(), exchange.route.path, exchange.answer
        try:
            if exchange.noted:
                await self._trail.admit()
            if exchange.deed is not None and exchange.deed.action in ON_RECORD_FIRST:
                answer.hold(lambda: self._trail.record(exchange.note()))
            with await self._let_in(exchange):
                await self._inner(exchange.scope, receive, answer.send)
        except Exception as raised:
            error = answer.unrecorded or raised  # it went through the application, which may have wrapped it
            if not isinstance(error, AnalyticsError):
                about = {"company": exchange.company}
                logger.exception("%s failed (correlation id %s)", path, answer.correlation_id, extra=about)
                error = INTERNAL
            await self._refuse(exchange, error)
        finally:
            if not answer.on_record and (exchange.noted or exchange.refused):
                self._trail.note(exchange.note())
            if exchange.door is Door.HTTP:
                self._observe(path, answer.status, time.perf_counter() - started)

    async def _let_in(self, exchange: _Exchange) -> AbstractContextManager[None]:
        """Who it is, where that must be known; within what is returned, their tenant is asking."""
        scope, route = exchange.scope, exchange.route
        if not route.open:
            principal = await self._gate.signed_in(scope) if route.page else self._gate.bearer(scope)
            exchange.caller = scope["user"] = Caller(principal, exchange.answer.correlation_id)
        if route.page and scope["method"] not in SAFE:
            check_own_page(scope["headers"])
        if exchange.caller is None:
            return _NOTHING
        action = exchange.deed.action if exchange.deed else Action.READ
        return self._gate.within_rates(exchange.caller.principal, action, exchange.company)

    async def _refuse(self, exchange: _Exchange, error: AnalyticsError) -> None:
        answer, route = exchange.answer, exchange.route
        if answer.begun:
            return
        document = self._problem(error, answer.correlation_id, route.path)
        headers: Mapping[str, str] = {"content-type": MEDIA_TYPE}
        body = msgspec.json.encode(document)
        if route.page and self._draw is not None:
            answer.code = document.code  # which is read of problem documents only
            headers, body = self._draw(document, _page_before(exchange.scope))
        await answer.refuse(document.status, headers, body, error.retry_after)


@dataclass(slots=True)
class _Exchange:
    """One request with its answer: what is done, and by whom as soon as that is known.

    `noted`: whether it belongs into the trail however it ends. `door`: through which it came in.
    """

    route: Route
    deed: AuditedAction | None
    scope: Scope
    answer: _Answer
    noted: bool
    door: Door
    caller: Caller | None = None

    @property
    def refused(self) -> bool:
        """Whether the caller is the reason that it came to nothing."""
        return self.deed is not None and 400 <= self.answer.status < 500

    @property
    def company(self) -> str:
        """The tenant that it concerns: of what was answered, else of what would have been, had it not been refused."""
        if self.caller is None:
            return SYSTEM
        asked = self.caller.asked or _company_named(self.scope["query_string"])
        return tenant_of(self.caller.principal.companies, asked)

    def note(self) -> Note:
        """Who did it, for whom, and how it ended."""
        assert self.deed is not None
        actor = NOBODY if self.caller is None else Actor.of(self.caller.principal)
        answer = self.answer
        outcome = "ok" if 0 < answer.status < 400 else "refused" if self.refused else "failed"
        done = self.deed.action
        return Note(
            actor,
            done,
            target_of(self.deed, self.scope["query_string"], "" if self.caller is None else self.caller.about),
            self.door,
            self.company,
            outcome,
            answer.code,
            answer.position,
            answer.correlation_id,
        )


class _Answer:
    """One answer on its way out: headers added, status, position and error code read as they pass."""

    def __init__(self, send: Send, correlation_id: str, trace: Trace, prefix: str) -> None:
        self._send = send
        self._prefix = prefix  # of the messages' types: a WebSocket's refusal is an HTTP answer, too
        self.correlation_id = correlation_id
        self._headers = [
            (b"x-correlation-id", correlation_id.encode()),
            (b"traceresponse", trace.parent.encode()),
        ]
        self._record: Callable[[], Awaitable[None]] | None = None
        self._held: Message | None = None
        self.unrecorded: Exception | None = None  # why it could not be put on record
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
        kind = message["type"].removeprefix(self._prefix)
        if kind == "accept":
            message["headers"] = [*message.get("headers", ()), *self._headers]
            self.begun = True
        elif kind == "close" and not self.begun:
            self.status = 403  # what a WebSocket that is not accepted is answered with
        elif kind == "http.response.start":
            self.status, headers = message["status"], message["headers"]
            named = {name.lower(): value for name, value in headers}
            self.position = named.get(b"x-position", b"").decode("latin-1")
            private = [header for header in PRIVATE if header[0] not in named]  # pages have their own
            message["headers"] = [*headers, *self._headers, *private]
            self.begun = self._record is None
            if self._record is not None:
                self._held = message
                return
        elif kind == "http.response.body" and self.status >= 400:
            self._read_code(message.get("body", b""))
        if self._held is not None:
            await self._release(self._held)
        await self._send(message)

    async def refuse(self, status: int, named: Mapping[str, str], body: bytes, retry_after: float | None) -> None:
        """Answer with what is wrong, at once: what is refused need not be on record first."""
        self._held = self._record = None
        headers = [(name.lower().encode(), value.encode()) for name, value in named.items()]
        headers.append((b"content-length", str(len(body)).encode()))
        if status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        if retry_after is not None:
            headers.append((b"retry-after", str(math.ceil(retry_after)).encode()))
        start = {"type": f"{self._prefix}http.response.start", "status": status, "headers": headers}
        await self.send(start)
        await self.send({"type": f"{self._prefix}http.response.body", "body": body, "more_body": False})

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
            try:
                await record()
            except Exception as error:
                self.unrecorded = error
                raise
        self.begun = True
        await self._send(start)


@lru_cache(1_000)
def target_of(deed: AuditedAction, query: bytes, about: str = "") -> str:
    """To what it was done, as the trail has it: a question with its parameters, a command with what it is about."""
    asks = deed.action in (Action.QUERY, Action.READ)
    target = with_parameters(deed.target, query) if asks else deed.target
    return clean(f"{target}: {about}" if about else target)


@lru_cache(1_000)
def _company_named(query: bytes) -> str:
    """The company of a query string that names one."""
    named = {value for name, value in parse_qsl(query.decode("latin-1")) if name == "company"}
    return named.pop() if len(named) == 1 else ""


def _page_before(scope: Scope) -> str:
    """The page that a form stands on, as browsers say it; empty for what is no form."""
    if scope["method"] in SAFE:
        return ""
    parts = urlsplit(dict(scope["headers"]).get(b"referer", b"").decode("latin-1"))
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
