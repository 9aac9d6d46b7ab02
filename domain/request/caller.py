"""Who is asking. A door makes the caller once a request and hands it in with the request, never in a context that a
later request could inherit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.access.rights import Principal
from domain.audit import SYSTEM
from domain.errors import Unauthenticated

OPEN = "open"
"""The mark (`opt={OPEN: True}`) of a route that is served to anybody; every other one needs a token."""

PAGE = "page"
"""The mark of a route for people: it takes the cookie of a session instead of a token, and refuses with a page."""

ACTION = "action"
"""What a request of the route does (domain.audit.Action), for the trail; without it a page is read."""


@dataclass(slots=True)
class Caller:
    """The principal of one request, and what ties its log lines, events and answers together.

    `asked`: the company that the request is answered for, `about`: what exactly a command was about and why, both once
    they are settled; the audit trail takes them from here.
    `min_position`: token of what the answer must have reached, `max_staleness` (s) and `force_refresh`: how old it may
    be; where the request itself has no place for them.
    """

    principal: Principal
    correlation_id: str
    asked: str = ""
    about: str = ""
    min_position: str = ""
    max_staleness: str = "0"
    force_refresh: str = "false"

    def company(self, named: str | None) -> str:
        """The company to answer for: the one that the request names, else the caller's own."""
        self.asked = named or self.principal.company_id
        return self.asked

    def concerns_the_instance(self) -> None:
        """The request is about the instance, and not about the company that its pages are shown for."""
        self.asked = SYSTEM


def bearer_token(authorizations: Sequence[str]) -> str:
    """The token of a request's Authorization headers. Raises Unauthenticated where it is not exactly one."""
    if len(authorizations) > 1:  # either would be a guess, and another door's guess may be the other one
        raise Unauthenticated(
            "the request has more than one Authorization header", suggested_actions=("Send one token alone.",)
        )
    scheme, _, token = "".join(authorizations).partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated(
            "the request has no bearer token", suggested_actions=("Send `Authorization: Bearer <token>`.",)
        )
    return token.strip()
