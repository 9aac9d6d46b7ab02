"""The tree of errors, by meaning. Edges hold one table from these to their own codes.

AnalyticsError
├── Invalid            the request or event is wrong: say what and where
├── Unauthenticated    nobody we know
├── Forbidden          somebody we know, who may not
├── NotFound           no such thing (or not for this tenant)
├── Conflict           another version or another use of the same key
├── LimitExceeded      too large, too many, too often
├── Unavailable        a server that we need does not answer: try again
├── NotYet             the position asked for has not been reached
├── Fenced             somebody else has moved the checkpoint: this worker must start over
└── Defect             the code or its configuration is wrong: stop
"""

from __future__ import annotations

from collections.abc import Sequence

NO_TABLES = "no_tables"  # code of Unavailable where a projection has none yet


class AnalyticsError(Exception):
    """Base of all errors that this service raises on purpose.

    `code` is stable and machine-readable; `suggested_actions` tells the reader what to do.
    """

    code = "error"
    retry_after: float | None = None  # seconds after which trying again may help, where that is known

    def __init__(self, message: str, *, code: str | None = None, suggested_actions: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.suggested_actions = tuple(suggested_actions)


class Invalid(AnalyticsError):
    """The request or event is wrong."""

    code = "invalid"


class Unauthenticated(AnalyticsError):
    """The caller is nobody we know."""

    code = "unauthenticated"


class Forbidden(AnalyticsError):
    """The caller may not do this."""

    code = "forbidden"


class NotFound(AnalyticsError):
    """There is no such thing, or not for this tenant."""

    code = "not_found"


class Conflict(AnalyticsError):
    """Another version is current, or the key was used for something else."""

    code = "conflict"


class LimitExceeded(AnalyticsError):
    """Too large, too many or too often."""

    code = "limit_exceeded"


class Unavailable(AnalyticsError):
    """A server that we need does not answer; trying again may help."""

    code = "unavailable"


class NotYet(AnalyticsError):
    """The position asked for has not been reached within the time allowed."""

    code = "not_yet"


class Fenced(AnalyticsError):
    """Another worker has moved the checkpoint; nothing was written."""

    code = "fenced"


class Defect(AnalyticsError):
    """The code or its configuration is wrong; going on would make it worse."""

    code = "defect"
