"""Problem documents (RFC 9457) of the command API: the one table from domain errors to HTTP status codes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain.errors import (
    AnalyticsError,
    Conflict,
    Defect,
    Fenced,
    Forbidden,
    Invalid,
    LimitExceeded,
    NotFound,
    NotYet,
    Unauthenticated,
    Unavailable,
)

MEDIA_TYPE = "application/problem+json"
SERVICE = "command-api"

STATUS: Mapping[type[AnalyticsError], tuple[int, str]] = MappingProxyType(
    {
        Invalid: (400, "The request is wrong"),
        Unauthenticated: (401, "A valid token is needed"),
        Forbidden: (403, "Not allowed"),
        NotFound: (404, "Not found"),
        Conflict: (409, "Conflict"),
        Fenced: (409, "Somebody else was first"),
        NotYet: (412, "Not reached yet"),
        LimitExceeded: (413, "Too large"),
        Unavailable: (503, "Not available now"),
        Defect: (500, "A defect of the service"),
    }
)


TOO_OFTEN = (429, "A limit was exceeded")  # of LimitExceeded what waiting helps against; else it is too large


def status_of(error: AnalyticsError) -> int:
    """HTTP status of a domain error: that of its nearest class in the table."""
    return _entry(error)[0]


def problem(error: AnalyticsError, correlation_id: str, instance: str) -> dict[str, object]:
    """The problem document of a domain error. `instance` is the path that was asked for."""
    status, title = _entry(error)
    return {
        "type": f"urn:analytics:problem:{error.code}",
        "title": title,
        "status": status,
        "detail": str(error),
        "instance": instance,
        "code": error.code,
        "correlation_id": correlation_id,
        "service": SERVICE,
        "suggested_actions": list(error.suggested_actions),
    }


def _entry(error: AnalyticsError) -> tuple[int, str]:
    if error.code == "rate_limited":
        return TOO_OFTEN
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), STATUS[Defect])
