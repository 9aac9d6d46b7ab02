"""Problem documents of the read API, and which of our errors those of the framework are."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from litestar.exceptions import HTTPException

from domain import problem_documents
from domain.errors import AnalyticsError, Forbidden, Invalid, LimitExceeded, NotFound
from domain.problem_documents import Problem

SERVICE = "read-api"
CODES: Mapping[int, str] = MappingProxyType({405: "method_not_allowed"})
_OF_FRAMEWORK: Mapping[int, type[AnalyticsError]] = MappingProxyType(
    {400: Invalid, 403: Forbidden, 404: NotFound, 405: Invalid, 413: LimitExceeded, 429: LimitExceeded}
)


def problem(error: AnalyticsError, correlation_id: str, instance: str) -> Problem:
    """The problem document of a domain error, as this API tells it."""
    return problem_documents.problem(error, correlation_id, instance, SERVICE)


def of_framework(error: Exception, request: str) -> Exception:
    """Our error for one of the framework's about a request (method and path); any other one as it is."""
    if isinstance(error, HTTPException) and error.status_code in _OF_FRAMEWORK:
        kind = _OF_FRAMEWORK[error.status_code]
        return kind(f"{request}: {error.detail}", code=CODES.get(error.status_code))
    return error
