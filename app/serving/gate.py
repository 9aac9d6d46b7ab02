"""What stands at every door of the APIs: who may come in, how often, and where it is noted."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from domain.access.limits import Use
from domain.access.rate_limits import Rates
from domain.access.rights import Authenticate, Principal
from domain.audit import Action, Trail


@dataclass(frozen=True, slots=True)
class Gate:
    """Shared by the calls of one process; without `rates` there is no limit."""

    authenticate: Authenticate
    trail: Trail
    rates: Rates = field(default_factory=lambda: Rates(0))

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
