"""What stands at every door of the APIs: who may come in, how often, and where it is noted."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from domain.access.limits import Use
from domain.access.rate_limits import Rates
from domain.access.rights import Authenticate, Principal
from domain.access.sessions import Sessions
from domain.audit import Action, Trail
from domain.errors import Unauthenticated
from domain.request.caller import bearer_token
from domain.request.session_cookie import session_of

HEADER = b"authorization"


@dataclass(frozen=True, slots=True)
class Gate:
    """Shared by the calls of one process; without `rates` there is no limit, without `sessions` there are no pages."""

    authenticate: Authenticate
    trail: Trail
    rates: Rates = field(default_factory=lambda: Rates(0))
    sessions: Sessions | None = None

    def bearer(self, scope: Mapping[str, Any]) -> Principal:
        """Whose token an HTTP request brings in its header. Raises Unauthenticated."""
        headers = scope["headers"]
        return self.authenticate(bearer_token([value.decode("latin-1") for name, value in headers if name == HEADER]))

    def bearer_of(self, authorization: bytes) -> Principal:
        """Whose token the only Authorization header of a request brings. Raises Unauthenticated."""
        return self.authenticate(_token_of(authorization))

    async def signed_in(self, scope: Mapping[str, Any]) -> Principal:
        """Whose session the cookie of a page's request is of; the session's token is judged anew each time.

        Raises Unauthenticated; also beside an Authorization header, because either would be a guess.
        """
        if self.sessions is None or any(name == HEADER for name, _ in scope["headers"]):
            raise Unauthenticated("a page takes the cookie of a session, and no Authorization header")
        return self.authenticate(await self.sessions.token(session_of(scope["headers"], scope["scheme"])))

    def within_rates(self, principal: Principal, action: Action, company: str) -> AbstractContextManager[None]:
        """One call about a company (empty: the token's), from beginning to end. Raises LimitExceeded for too many.

        Reads raise it when what is returned is entered. Events are charged by who reads them, when their number is
        known.
        """
        now = time.monotonic()
        if action is Action.PUBLISH:
            self.rates.admit(principal, Use.EVENTS, now, amount=0, company=company)
        elif action is Action.COMMAND:
            self.rates.admit(principal, Use.COMMANDS, now, company=company)
        else:
            return self.rates.question(principal, now, company)
        return nullcontext()


@lru_cache(1_000)  # raised errors are not kept
def _token_of(authorization: bytes) -> str:
    return bearer_token((authorization.decode("latin-1"),))
