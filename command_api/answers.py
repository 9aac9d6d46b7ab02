"""Answers of the command API: JSON with a correlation id, and every failure as a problem document."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from domain import correlation, problem_documents
from domain.errors import AnalyticsError, Forbidden, Invalid, LimitExceeded, NotFound, Unauthenticated
from domain.problem_documents import INTERNAL, MEDIA_TYPE, status_of

SERVICE = "command-api"
JSON = "application/json"

HttpRequest = Request[Any, Any, State]
_OF_FRAMEWORK: Mapping[int, type[AnalyticsError]] = MappingProxyType(
    {401: Unauthenticated, 403: Forbidden, 404: NotFound, 413: LimitExceeded}
)
_CODES: Mapping[int, str] = MappingProxyType({405: "method_not_allowed", 413: "body_too_large"})
_logger = logging.getLogger(__name__)


def correlation_id(connection: ASGIConnection[Any, Any, Any, State]) -> str:
    """The request's correlation id: the caller's, or one that is made once."""
    if "correlation_id" not in connection.state:
        connection.state["correlation_id"] = correlation.accepted(connection.headers.get("x-correlation-id"))
    return str(connection.state["correlation_id"])


def as_json(
    request: HttpRequest, content: object, status: int, headers: Mapping[str, str] = MappingProxyType({})
) -> Response[bytes]:
    """An answer in JSON."""
    return _response(request, content, status, JSON, headers)


def problem(request: HttpRequest, error: AnalyticsError) -> Response[bytes]:
    """A domain error."""
    document = problem_documents.problem(error, correlation_id(request), request.url.path, SERVICE)
    headers = {"WWW-Authenticate": "Bearer"} if status_of(error) == 401 else {}
    return _response(request, document, status_of(error), MEDIA_TYPE, headers)


def http_problem(request: HttpRequest, error: HTTPException) -> Response[bytes]:
    """Refusals of the framework: unknown path, wrong method, body too large, a parameter of the wrong form."""
    kind = _OF_FRAMEWORK.get(error.status_code, Invalid)
    hints = ("Send less at once; NDJSON of any length can be sent in pieces.",) if kind is LimitExceeded else ()
    detail = "the body is too large" if kind is LimitExceeded else error.detail
    return problem(request, kind(detail, code=_CODES.get(error.status_code), suggested_actions=hints))


def defect(request: HttpRequest, error: Exception) -> Response[bytes]:
    """What nobody expected: the caller learns that it failed, the log why."""
    _logger.error("%s failed (correlation id %s)", request.url.path, correlation_id(request), exc_info=error)
    return problem(request, INTERNAL)


def _response(
    request: HttpRequest, content: object, status: int, media_type: str, headers: Mapping[str, str]
) -> Response[bytes]:
    every = {"X-Correlation-Id": correlation_id(request), **headers}
    return Response(msgspec.json.encode(content), status_code=status, media_type=media_type, headers=every)
