"""The audit trail: who did what, to what, for which tenant, through which door, and how it ended.

Doors write notes, `eventlog/publish/audit_writer.py` makes audit events of them. What machines poll (health, positions
and lag of projections, metrics) is no note: it shows nothing of any tenant, and readers of the trail would make
more of it.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache, lru_cache
from typing import NamedTuple, Protocol

from domain.access.rights import EVERY_COMPANY, Principal, Role
from domain.errors import AnalyticsError, Defect, Fenced, Unavailable
from domain.events.catalogue import COMPANY_ID

SYSTEM = "_system"  # the company of what concerns no tenant, or one whose name cannot be read


class Door(StrEnum):
    """Where somebody came in."""

    HTTP = "http"
    GRPC = "grpc"
    WS = "ws"
    CLI = "cli"


class Action(StrEnum):
    """What is done. `operate` is a command of the command line, `publish` is noted only where it is refused."""

    QUERY = "query"
    EXPLAIN = "explain"
    READ = "read"  # anything else of a tenant
    EVENTS = "events"  # the event history
    VERIFY = "verify"
    EXPORT = "export"
    REPORT = "report"
    COMMAND = "command"
    PUBLISH = "publish"
    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    OPERATE = "operate"
    STATUS = "status"  # what machines poll: noted only where it is refused


_is_company = re.compile(COMPANY_ID.replace("$", r"\Z")).match

ON_RECORD_FIRST = frozenset({Action.EXPORT, Action.COMMAND})  # and all of the command line
ONLY_REFUSALS = frozenset({Action.PUBLISH, Action.STATUS})


class Actor(NamedTuple):
    """Who acts: the subject of a token, or the operator of the machine; and in which role."""

    subject: str
    role: str

    @classmethod
    def of(cls, principal: Principal) -> Actor:
        """The actor that a principal is."""
        return cls(principal.sub, _joined(principal.roles))


@cache
def _joined(roles: frozenset[Role]) -> str:
    return "+".join(sorted(roles))


LOCAL_OPERATOR = Actor("local-operator", "engineer")
NOBODY = Actor("nobody", "")


class Note(NamedTuple):
    """One thing done. `code` is the error's where the outcome is not ok; `company` may be left to `SYSTEM`.

    A tuple, because every read makes one.
    """

    actor: Actor
    action: str
    target: str
    door: str
    company: str = SYSTEM
    outcome: str = "ok"
    code: str = ""
    position: str = ""
    correlation_id: str = ""
    times: int = 1


class Trail(Protocol):
    """Where notes go. None of them is lost silently."""

    @property
    def has_room(self) -> bool:
        """Whether `admit` would not wait."""
        ...

    async def admit(self) -> None:
        """Before a request is served: wait while too many notes wait for the log; Unavailable when that lasts."""
        ...

    def note(self, note: Note) -> None:
        """Take a note; it is in the log a moment later."""
        ...

    async def record(self, note: Note) -> None:
        """Take a note and return once the log has it. Raises Unavailable when that is not known in time."""
        ...


def outcome_of(error: BaseException | None) -> tuple[str, str]:
    """Outcome and code: refused where the caller is the reason, failed where the service is."""
    if error is None:
        return "ok", ""
    if not isinstance(error, AnalyticsError):
        return "failed", Defect.code
    return "failed" if isinstance(error, Unavailable | Defect | Fenced) else "refused", error.code


@lru_cache(1_000)
def tenant_of(companies: frozenset[str], company: str) -> str:
    """Whose trail a deed belongs to: the company asked about where the caller belongs to it, else the caller's own.

    So nobody writes into the trail of a company that is not theirs by being refused there.
    """
    if (company in companies or EVERY_COMPANY in companies) and _is_company(company):
        return company
    return min(filter(_is_company, companies), default=SYSTEM)
