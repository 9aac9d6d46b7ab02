"""Tokens on events (envelope field 10): whether the publisher that an event names could publish for its company.

Doors check what comes in, by the clock; admission checks what lies in the log, by the event's own time, so that it
decides alike whenever it decides. A token is kept in the log alone: it is neither shown nor sent on, and quarantine
keeps it without its signature.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum

from domain.access.rights import Principal, Right, may
from domain.errors import Unauthenticated
from domain.events.problems import Code, Problem, shown

Whose = Callable[[str], Principal]
"""Whose token it is, whether or not it has ended. Raises Unauthenticated, and Unavailable while no keys are known."""

# 40 characters of a signature are enough to take, and no signature is shorter; where it ends cannot be told among
# other bytes: the next field of an envelope begins with a letter.
_SIGNATURE = re.compile(rb"(eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.)([A-Za-z0-9_-]{40})")


class EventTokenMode(StrEnum):
    """What is done with tokens on events."""

    IGNORED = "ignored"
    CHECKED = "checked"  # one that is there must be good
    REQUIRED = "required"  # and doors take no event without one


class EventTokens:
    """Judges the tokens of events."""

    def __init__(self, whose: Whose, *, required: bool) -> None:
        self._whose = whose
        self.required = required

    def verdict(self, token: str, company: str) -> float | Problem:
        """When a good token ends (seconds since 1970 UTC), or what is wrong with it. Raises Unavailable."""
        try:
            principal = self._whose(token)
        except Unauthenticated as error:
            return Problem(Code.BAD_TOKEN, f"auth_token: {error}")
        if not may(principal, Right.PUBLISH, company):
            return Problem(Code.BAD_TOKEN, f"auth_token: its bearer may not publish for company {shown(company)}")
        return principal.expires_at


def ended(verdict: float | Problem, at: float) -> Problem | None:
    """What is wrong with a token that was judged so, at a moment in seconds since 1970 UTC."""
    if isinstance(verdict, Problem):
        return verdict
    return None if at < verdict else Problem(Code.BAD_TOKEN, "auth_token: it had ended when it was used")


def without_signatures(raw: bytes) -> bytes:
    """The bytes with the beginning of each token's signature blanked: of no use to anybody, and as long as before."""
    return _SIGNATURE.sub(lambda match: match[1] + b"x" * len(match[2]), raw)
