"""Who is asking now: a door sets it once a request, whatever is called further in may read it.

It is bound to the running task, so that requests served side by side do not see each other's caller.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from domain.access import Principal
from domain.errors import Unauthenticated


@dataclass(frozen=True, slots=True)
class Caller:
    """The principal of the request in hand, and what ties its log lines, events and answers together."""

    principal: Principal
    correlation_id: str


_CALLER: ContextVar[Caller] = ContextVar("caller")


def enter(caller: Caller) -> None:
    """The rest of the running task acts for this caller."""
    _CALLER.set(caller)


def known() -> Caller | None:
    """Who is asking, where a door has set it."""
    return _CALLER.get(None)


def caller() -> Caller:
    """Who is asking; raises Unauthenticated where no door has set it."""
    try:
        return _CALLER.get()
    except LookupError:
        raise Unauthenticated("nobody is known to be asking") from None


def bearer_token(authorization: str) -> str:
    """The token of an Authorization header. Raises Unauthenticated where there is none."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated(
            "the request has no bearer token", suggested_actions=("Send `Authorization: Bearer <token>`.",)
        )
    return token.strip()
