"""The short way of a read: from the route to its handler, and from its answer to the server.

The handlers of this API are functions of a request and of what its path names. Litestar finds the route, which it does
by a table; what it would do besides for every request (models of parameters, dependencies, layers of responses) is half
of what a read costs in this process, and none of it is used here. What a request asks is remembered by its path and
query string: where the exact answer is kept, the same rights are judged and the response of the last time is sent.
Whatever is no such handler goes through Litestar:
pages, WebSockets, paths and methods that there are not.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from cachetools import LRUCache
from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler

from domain.errors import AnalyticsError
from domain.request.caller import Caller
from read_api.http.at_hand import AtHand, QueryRequest, at_hand
from read_api.http.request import QUERY, HttpRequest
from read_api.http.responses import Ready, head_of

Handler = Callable[..., Awaitable[Response[bytes]]]
_PLAIN = re.compile(rb"[0-9A-Za-z.:\-\[\]]*")  # a host that needs no second look


class ShortWay:
    """An application whose `handlers` are asked directly; `answer_error` makes answers of what they raise."""

    def __init__(
        self,
        application: Litestar,
        handlers: Sequence[HTTPRouteHandler],
        answer_error: Callable[[HttpRequest, Exception], Response[bytes]],
    ) -> None:
        self._application = application
        self._route = lru_cache(1_000)(self._routed)  # of what was asked for lately: a path can be anything
        self._handlers = {handler.fn for handler in handlers}
        self._answer_error = answer_error
        self._queries: LRUCache[tuple[str, bytes], QueryRequest] = LRUCache(1_000)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request or connection."""
        handler, named = self._handler(scope)
        if handler is None:
            await self._application(scope, receive, send)
            return
        found = self.at_hand(scope["path"], scope["query_string"], dict(scope["headers"]), scope.get("user"))
        if found is not None:
            await _send_all(found.response, send)
            return
        scope["litestar_app"] = self._application
        request: HttpRequest = Request(scope, receive, send)
        try:
            response = await handler(request=request, **named)
        except Exception as error:
            response = self._answer_error(request, error)
        if QUERY in scope:
            self._queries[scope["path"], scope["query_string"]] = scope[QUERY]
        await _send_all(response, send)

    def at_hand(self, path: str, query_string: bytes, headers: Mapping[bytes, bytes], caller: Caller) -> AtHand | None:
        """What is kept for a GET whose like was read before: the handler would give the same."""
        query = self._queries.get((path, query_string))
        if query is None or b"x-min-position" in headers or not _PLAIN.fullmatch(headers.get(b"host", b"")):
            return None
        try:
            return at_hand(self._application.state.side, caller, query)
        except AnalyticsError:
            return None  # the handler raises it, too

    def _handler(self, scope: Any) -> tuple[Handler | None, Mapping[str, Any]]:
        """What answers, and what its path names; None where the framework does."""
        if scope["type"] != "http" or not _names_plain_host(scope["headers"]):
            return None, {}
        return self._route(scope["path"], scope["method"])

    def _routed(self, path: str, method: str) -> tuple[Handler | None, Mapping[str, Any]]:
        try:
            _, handler, _, named, _ = self._application.asgi_router.handle_routing(path=path, method=method)
        except HTTPException:
            return None, {}
        function: Any = getattr(handler, "fn", None)
        return (function if function in self._handlers else None), named


def _names_plain_host(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    return all(map(_PLAIN.fullmatch, [value for name, value in headers if name == b"host"]))


async def _send_all(response: Response[bytes], send: Any) -> None:
    head = response.head if isinstance(response, Ready) else head_of(response)
    await send({"type": "http.response.start", "status": response.status_code or 200, "headers": head})
    await send({"type": "http.response.body", "body": response.content, "more_body": False})
