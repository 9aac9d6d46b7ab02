"""The short way of a read: from the route to its handler, and from its answer to the server.

The handlers of this API are functions of a request and of what its path names. Litestar finds the route, which it does
by a table; what it would do besides for every request (models of parameters, dependencies, layers of responses) is half
of what a read costs in this process, and none of it is used here. Whatever is no such handler goes through Litestar:
pages, WebSockets, paths and methods that there are not.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler

from read_api.http.request import HttpRequest

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
        self._route = application.asgi_router.handle_routing
        self._handlers = {handler.fn for handler in handlers}
        self._answer_error = answer_error

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request or connection."""
        handler, named = self._handler(scope)
        if handler is None:
            await self._application(scope, receive, send)
            return
        scope["litestar_app"] = self._application
        request: HttpRequest = Request(scope, receive, send)
        try:
            response = await handler(request=request, **named)
        except Exception as error:
            response = self._answer_error(request, error)
        await _send_all(response, send)

    def _handler(self, scope: Any) -> tuple[Handler | None, dict[str, Any]]:
        """What answers, and what its path names; None where the framework does."""
        if scope["type"] != "http" or not _names_plain_host(scope["headers"]):
            return None, {}
        try:
            _, handler, _, named, _ = self._route(path=scope["path"], method=scope["method"])
        except HTTPException:
            return None, {}
        function: Any = getattr(handler, "fn", None)
        return (function if function in self._handlers else None), named


def _names_plain_host(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    return all(_PLAIN.fullmatch(value) for name, value in headers if name == b"host")


async def _send_all(response: Response[bytes], send: Any) -> None:
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.headers.items()]
    headers.append((b"content-type", str(response.media_type).encode()))
    headers.append((b"content-length", b"%d" % len(response.content)))
    await send({"type": "http.response.start", "status": response.status_code or 200, "headers": headers})
    await send({"type": "http.response.body", "body": response.content, "more_body": False})
