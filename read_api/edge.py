"""What every HTTP request goes through first: correlation id, who is asking, time measured, failures answered.

Plain ASGI around the application, so that a read pays microseconds for it. WebSocket connections pass through: they
bring their token in the first message.
"""

from __future__ import annotations

import logging
import math
import time

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

from domain import correlation
from domain.access import Authenticate
from domain.caller import Caller, enter
from domain.errors import AnalyticsError, Unauthenticated
from domain.rates import Rates
from read_api.metric_defs import Metric, Metrics
from read_api.problems import INTERNAL, MEDIA_TYPE, problem, status_of

ROUTES = ("/api/v1/query", "/api/v1/events", "/api/v1/health", "/api/v1/projections", "/metrics", "/static", "/")

logger = logging.getLogger(__name__)


class Edge:
    """The application as the outside sees it. `open_paths` and what is not below /api or /metrics need no token."""

    def __init__(
        self, inner: ASGIApp, authenticate: Authenticate, rates: Rates, metrics: Metrics, open_paths: frozenset[str]
    ) -> None:
        self._inner = inner
        self._authenticate = authenticate
        self._rates = rates
        self._metrics = metrics
        self._open = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != ScopeType.HTTP:
            await self._inner(scope, receive, send)
            return
        started = time.perf_counter()
        headers = dict(scope["headers"])
        correlation_id = correlation.accepted(headers.get(b"x-correlation-id", b"").decode("latin-1"))
        answered = 0

        async def send_with_id(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = message["status"]
                message["headers"] = [*message["headers"], (b"x-correlation-id", correlation_id.encode())]
            await send(message)

        try:
            if self._needs_token(scope["path"]):
                principal = self._authenticate(bearer_token(headers.get(b"authorization", b"")))
                enter(Caller(principal, correlation_id))
                with self._rates.question(principal, started):
                    await self._inner(scope, receive, send_with_id)
            else:
                await self._inner(scope, receive, send_with_id)
        except AnalyticsError as error:
            await send_problem(error, scope["path"], correlation_id, send_with_id)
        except Exception:
            logger.exception("%s failed", scope["path"])
            if not answered:
                await send_problem(INTERNAL, scope["path"], correlation_id, send_with_id)
        finally:
            route = _route(scope["path"])
            self._metrics.add(Metric.REQUESTS, 1, route, str(answered))
            self._metrics.observe(Metric.SECONDS, time.perf_counter() - started, route)

    def _needs_token(self, path: str) -> bool:
        return (path.startswith("/api/") or path == "/metrics") and path not in self._open


def bearer_token(header: bytes) -> str:
    """The token of an Authorization header. Raises Unauthenticated where there is none."""
    scheme, _, token = header.decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated(
            "the request has no bearer token", suggested_actions=("Send `Authorization: Bearer <token>`.",)
        )
    return token.strip()


async def send_problem(error: AnalyticsError, path: str, correlation_id: str, send: Send) -> None:
    """Answer with the error's problem document."""
    body = msgspec.json.encode(problem(error, correlation_id, path))
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    if status_of(error) == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if error.retry_after is not None:
        headers.append((b"retry-after", str(math.ceil(error.retry_after)).encode()))
    start: HTTPResponseStartEvent = {"type": "http.response.start", "status": status_of(error), "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _route(path: str) -> str:
    """The path without what varies, out of a closed set: a label for each path asked for would never end."""
    for route in ROUTES:
        if path == route or (route != "/" and path.startswith(f"{route}/")):
            return route
    return "other"
