"""Answers of the command API: JSON, and failures as problem documents, which the middleware ties to the request."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from domain import problem_documents
from domain.errors import AnalyticsError, Forbidden, Invalid, LimitExceeded, NotFound, Unauthenticated
from domain.problem_documents import INTERNAL, MEDIA_TYPE, Problem
from domain.request import correlation

SERVICE = "command-api"
JSON = "application/json"

HttpRequest = Request[Any, Any, State]
_OF_FRAMEWORK: Mapping[int, type[AnalyticsError]] = MappingProxyType(
    {401: Unauthenticated, 403: Forbidden, 404: NotFound, 413: LimitExceeded}
)
_CODES: Mapping[int, str] = MappingProxyType({405: "method_not_allowed", 413: "body_too_large"})
_logger = logging.getLogger(__name__)


def as_json(
    content: object, status: int, headers: Mapping[str, str] = MappingProxyType({}), media_type: str = JSON
) -> Response[bytes]:
    """An answer in JSON."""
    return Response(msgspec.json.encode(content), status_code=status, media_type=media_type, headers=headers)


def problem(request: HttpRequest, error: AnalyticsError) -> Response[bytes]:
    """A domain error."""
    document = document_of(error, correlation.current.get(), request.url.path)
    return as_json(document, document.status, media_type=MEDIA_TYPE)


def document_of(error: AnalyticsError, correlation_id: str, instance: str) -> Problem:
    """The problem document of a domain error, as this API tells it."""
    return problem_documents.problem(error, correlation_id, instance, SERVICE)


def http_problem(request: HttpRequest, error: HTTPException) -> Response[bytes]:
    """Refusals of the framework: unknown path, wrong method, body too large, a parameter of the wrong form."""
    kind = _OF_FRAMEWORK.get(error.status_code, Invalid)
    hints = ("Send less at once; NDJSON of any length can be sent in pieces.",) if kind is LimitExceeded else ()
    detail = "the body is too large" if kind is LimitExceeded else error.detail
    answer = problem(request, kind(detail, code=_CODES.get(error.status_code), suggested_actions=hints))
    if allowed := (error.headers or {}).get("allow"):
        answer.headers["Allow"] = allowed
    return answer


def defect(request: HttpRequest, error: Exception) -> Response[bytes]:
    """What nobody expected: the caller learns that it failed, the log why."""
    _logger.error("%s failed (correlation id %s)", request.url.path, correlation.current.get(), exc_info=error)
    return problem(request, INTERNAL)
