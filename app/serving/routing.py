"""What a request is for, as the router that will serve it has it: no other reading of a path decides anything.

Whoever compares paths by themselves reads `//api/…`, `/api%2F…` or `/api/…/` differently from the router one day, and
then a door stands open. So the route is asked for once, before the application sees the request, and what needs no
token says so where it is declared (`opt={OPEN: True}`); everything else needs one, also what no route serves. A page
(`opt={PAGE: True}`) takes a session in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from litestar import Litestar
from litestar.exceptions import HTTPException
from litestar.utils import normalize_path

from domain.audit import Action
from domain.request.caller import ACTION, OPEN, PAGE

_NOT_ASKED = frozenset({"company", "max_staleness", "force_refresh"})  # whose, and how it is answered
_POLLED = ("health", "projections")  # by machines, and without any tenant's data


class Route(NamedTuple):
    """The path as the router reads it, whether it is served without a token, whether it is a page, and what it does
    where it says so.
    """

    path: str
    open: bool
    page: bool = False
    action: Action | None = None


Match = Callable[[str | None, str], Route]  # method (None: a WebSocket), path as it was decoded


def routes_of(application: Litestar) -> Match:
    """What tells the route of a request to this application."""

    @lru_cache(1_000)  # of what was asked for lately: a path of a route can be anything
    def match(method: str | None, path: str) -> Route:
        normal = normalize_path(path)
        try:
            _, handler, *_ = application.asgi_router.handle_routing(path=normal, method=method)
        except HTTPException:  # served by nobody, or not with this method
            return Route(normal, open=False)
        opt = handler.opt
        return Route(normal, opt.get(OPEN) is True, opt.get(PAGE) is True, opt.get(ACTION))

    return match


def with_parameters(target: str, query: bytes) -> str:
    """A target with what was asked of it; the company is told beside it."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    told = sorted((name, value) for name, value in pairs if name not in _NOT_ASKED)
    return f"{target}?{urlencode(told)}" if told else target


class AuditedAction(NamedTuple):
    """What a request does, and to what."""

    action: Action
    target: str


_OTHERS = {
    "/metrics": AuditedAction(Action.STATUS, "metrics"),
    "/pipeline": AuditedAction(Action.STATUS, "pipeline"),  # shown anew every few seconds while somebody looks
    "/sign-out": AuditedAction(Action.SIGN_OUT, "pages"),
}


def audited_action(method: str | None, route: Route) -> AuditedAction | None:
    """What a request does; None only where no token is needed: for pages, and a WebSocket, which notes by itself."""
    if method is None and route.open:
        return None
    if route.action is not None:
        return AuditedAction(route.action, route.path)
    if not route.path.startswith("/api/v1/"):
        return _OTHERS.get(route.path) or (None if route.open else _of_page(method, route.path))
    target = route.path[8:]
    first, _, rest = target.partition("/")
    if first in _POLLED:
        return AuditedAction(Action.STATUS, first)
    if first == "query":
        return _query(method, rest)
    if first == "events":
        return AuditedAction(Action.EVENTS if method == "GET" else Action.PUBLISH, target)
    if first == "log":
        return AuditedAction(Action.VERIFY, target)
    if target == "analytics/export":
        return AuditedAction(Action.EXPORT, target)
    if first == "reports" and (method == "GET" or not rest):
        return AuditedAction(Action.REPORT, target)
    return AuditedAction(Action.READ if method in ("GET", "HEAD", None) else Action.COMMAND, target)


def _of_page(method: str | None, path: str) -> AuditedAction:
    """Pages are read, and what they send is a command."""
    return AuditedAction(Action.COMMAND, path[1:]) if method == "POST" else AuditedAction(Action.READ, path)


def _query(method: str | None, rest: str) -> AuditedAction:
    if rest.endswith("/explain"):
        return AuditedAction(Action.EXPLAIN, rest.removesuffix("/explain"))
    if not rest and method == "GET":
        return AuditedAction(Action.STATUS, "query")  # the list of queries
    return AuditedAction(Action.QUERY, rest or "query")
