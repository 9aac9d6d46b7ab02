"""Problem documents (RFC 9457): the one table from domain errors to HTTP status codes, and their JSON."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from domain import errors
from domain.clean_text import clean, clean_message
from domain.errors import AnalyticsError, Defect

MEDIA_TYPE = "application/problem+json"

STATUS: Mapping[type[AnalyticsError], tuple[int, str]] = MappingProxyType(
    {
        errors.Invalid: (400, "The request is wrong"),
        errors.Unauthenticated: (401, "A valid token is needed"),
        errors.Forbidden: (403, "Not allowed"),
        errors.NotFound: (404, "Not found"),
        errors.Conflict: (409, "Conflict"),
        errors.NotYet: (412, "Not reached yet"),
        errors.LimitExceeded: (429, "A limit was exceeded"),
        errors.Fenced: (409, "Somebody else was first"),
        errors.Unavailable: (503, "Not available now"),
        errors.Defect: (500, "A defect of the service"),
    }
)
# Codes whose status HTTP defines more narrowly than their class has it.
STATUS_OF_CODE: Mapping[str, int] = MappingProxyType(
    {
        "method_not_allowed": 405,
        "stale_version": 412,
        "body_too_slow": 408,
        "body_too_large": 413,
        "record_too_large": 413,
        "unsupported_media_type": 415,
        "unsupported_content_encoding": 415,
    }
)
INTERNAL = Defect("the request failed inside; the correlation id finds the reason in the log")


class Problem(msgspec.Struct, kw_only=True):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    correlation_id: str
    service: str
    suggested_actions: list[str]


def status_of(error: AnalyticsError) -> int:
    """HTTP status of a domain error: that of its code, else that of its nearest class in the table."""
    return STATUS_OF_CODE.get(error.code, _entry(error)[0])


def problem(error: AnalyticsError, correlation_id: str, instance: str, service: str) -> Problem:
    """The problem document of a domain error. `instance` is the path that was asked for, `service` who answers."""
    return Problem(
        type=f"urn:analytics:problem:{error.code}",
        title=_entry(error)[1],
        status=status_of(error),
        detail=clean_message(str(error)),
        instance=clean(instance),
        code=error.code,
        correlation_id=correlation_id,
        service=service,
        suggested_actions=[clean_message(action) for action in error.suggested_actions],
    )


def _entry(error: AnalyticsError) -> tuple[int, str]:
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), STATUS[Defect])
