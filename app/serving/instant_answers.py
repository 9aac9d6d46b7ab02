"""Answers that are there when they are asked for: kept, exact, and of bytes that were made for somebody before.

For such a request the way through a task, the middleware and the application would cost several times what is done for
it. So it is answered where its head was read. All that holds for every other request holds here: the token is judged,
what its owner may see, the tenant's rate, and the trail has its note. Whatever is not plain, or is to be refused, is
left to the long way, which begins anew with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple, Protocol

from app.serving.audit_middleware import PRIVATE, TIES, Observe, target_of
from app.serving.gate import Gate
from app.serving.routing import Match, audited_action
from domain.access.rights import Principal
from domain.audit import Action, Actor, Door, Note, tenant_of
from domain.errors import AnalyticsError
from domain.request import correlation, tracing
from domain.request.caller import Caller

ASKS = frozenset({Action.QUERY, Action.READ})
UNDER = b"/api/v1/"  # a URL that begins so and is plain is the path that it says
MOST = 200  # answers that are held, each for some milliseconds: more than that are not asked for meanwhile
_NOT_PLAIN = (b"%", b"#", b"//")
_PRIVATE = b"".join(b"%b: %b\r\n" % header for header in PRIVATE) + b"\r\n"

Headers = Mapping[bytes, bytes]


class Response(Protocol):
    """An answer of 200: its headers as lines, its body, and the position that it stands for."""

    @property
    def lines(self) -> bytes:
        """As they go over the wire."""
        ...

    @property
    def content(self) -> bytes:
        """The body."""
        ...

    @property
    def position(self) -> str:
        """For the trail."""
        ...


class AtHand(Protocol):
    """A response that is there, which was judged and counted when it was found."""

    @property
    def response(self) -> Response:
        """What is sent."""
        ...

    @property
    def company(self) -> str:
        """Whose it is."""
        ...

    def holds(self, principal: Principal) -> bool:
        """Whether the same would be found for them now."""
        ...

    def count_again(self) -> None:
        """It is given once more."""
        ...


_Key = tuple[bytes, bytes, bytes]  # URL, Authorization, Host
Find = Callable[[str, bytes, Headers, Caller], AtHand | None]  # path, query string, headers


class _Route(NamedTuple):
    """What a URL asks."""

    path: str
    query: bytes
    action: Action
    target: str


class InstantAnswers:
    """What follows the status line of the answer to a GET of a URL, in parts; None where it is not there."""

    def __init__(self, find: Find, match: Match, gate: Gate, observe: Observe) -> None:
        self._find = find
        self._gate = gate
        self._observe = observe
        self._route = lru_cache(1_000)(lambda url: _route(match, url))
        self._held: dict[_Key, AtHand] = {}

    def __call__(self, url: bytes, headers: Headers) -> tuple[bytes, ...] | None:
        """Judged, charged and noted, where it is there."""
        route = self._route(url)
        if route is None or tracing.on() or not self._gate.trail.has_room:
            return None
        began = time.perf_counter()
        authorization, host = headers.get(b"authorization", b""), headers.get(b"host", b"")
        try:
            principal = self._gate.bearer_of(authorization)
            found = self._held.get((url, authorization, host))
            if found is not None and found.holds(principal):
                found.count_again()
            elif (found := self._find(route.path, route.query, headers, Caller(principal, ""))) is None:
                return None
            else:
                self._hold((url, authorization, host), found)
            company = tenant_of(principal.companies, found.company)
            with self._gate.within_rates(principal, route.action, company):
                pass  # it takes no time
        except AnalyticsError:
            return None
        response = found.response
        own = self._note(route, headers, principal, company, response.position)
        self._observe(route.path, 200, time.perf_counter() - began)
        return response.lines, own, _PRIVATE, response.content

    def _hold(self, key: _Key, found: AtHand) -> None:
        if len(self._held) >= MOST:
            self._held.clear()
        self._held[key] = found

    def _note(self, route: _Route, headers: Headers, principal: Principal, company: str, position: str) -> bytes:
        """Note what was done; what ties the answer to the note and to the caller's trace, as headers."""
        given_id, parent, state = [headers.get(name, b"").decode("latin-1") for name in TIES]
        correlation_id = correlation.good_or_new(given_id)
        with tracing.request("", parent, state) as trace:
            who, action = Actor.of(principal), route.action
            note = Note(who, action, route.target, Door.HTTP, company, "ok", "", position, correlation_id)
            self._gate.trail.note(note)
        return f"x-correlation-id: {correlation_id}\r\ntraceresponse: {trace.parent}\r\n".encode()


def _route(match: Match, url: bytes) -> _Route | None:
    """What a URL asks; None for what is no plain question of somebody with a token."""
    raw, _, query = url.partition(b"?")
    if not (url.startswith(UNDER) and url.isascii()) or any(each in raw for each in _NOT_PLAIN) or b"#" in query:
        return None
    route = match("GET", raw.decode("ascii"))
    deed = audited_action("GET", route)
    if route.open or route.page or deed is None or deed.action not in ASKS:
        return None
    return _Route(route.path, query, deed.action, target_of(deed, query))
