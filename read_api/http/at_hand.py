"""Responses that are there: to what was asked before, where the exact answer is kept and known to be right."""

from __future__ import annotations

from typing import NamedTuple

from domain.access.rights import Principal, Tier
from domain.request.caller import Caller
from read_api.answers.cache import Lease
from read_api.health.health import DailyCount
from read_api.http.encoding import encoded_here
from read_api.http.responses import Ready, with_headers
from read_api.services import ReadServices


class QueryRequest(NamedTuple):
    """What a request asks: the query, the company if it names one, and the query's parameters, in order."""

    name: str
    company: str | None
    params: tuple[tuple[str, str], ...]


class AtHand(NamedTuple):
    """A response that is there, to whom of which company it is, and for how long."""

    response: Ready
    principal: Principal
    company: str
    tier: Tier
    lease: Lease
    queries: DailyCount

    def holds(self, principal: Principal) -> bool:
        """Whether it is their answer now: on nothing else does their right depend."""
        return principal is self.principal and principal.tier_in(self.company) is self.tier and self.lease.holds

    def count_again(self) -> None:
        """It is given once more."""
        self.queries.add()
        self.lease.count_again()


def at_hand(side: ReadServices, caller: Caller, query: QueryRequest) -> AtHand | None:
    """The response to what was asked, where the exact answer is kept; it is made once for all who ask it.

    Raises Forbidden, Invalid, NotFound.
    """
    principal, company = caller.principal, caller.company(query.company)
    lease = side.questions.at_hand(principal, (query.name, company, query.params, (), None, ()), side.questions.now())
    if lease is None:
        return None
    answer, queries = lease.answer, side.health.queries
    queries.add()
    if answer.response is None:
        answer.response = with_headers(answer, encoded_here(answer))
    return AtHand(answer.response, principal, company, principal.tier_in(company), lease, queries)
