"""Asking a registered query on somebody's behalf: the one way to rows for HTTP, WebSocket and gRPC.

Order of work: may they → what their tier lets them see → answer → is it as new as they asked for.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from domain import tracing
from domain.access import FREE_HISTORY_DAYS, Feature, Principal, Right, may, opens, require
from domain.errors import Forbidden, Invalid, NotFound, NotYet
from domain.events import COMPANY_ID, STREAMS
from domain.ports import ReadStore
from domain.position import Position
from projections.engine.declare import Projection
from projections.engine.query import answer, read_time
from projections.engine.registry import all_queries
from read_api.movements import Movements, happens
from read_api.tokens import LOOK, NOTHING, Tokens

VIEWER = "viewer"  # parameter of queries that show different people different rows


@dataclass(frozen=True, slots=True)
class Question:
    """A query of one company with its parameters."""

    name: str
    company: str
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def projection(self) -> str:
        """Name of the projection that answers it. Raises NotFound for an unknown query."""
        return _projection(self.name).name


class Questions:
    """Answers questions out of the read store. `today` tells the date, for tiers that see only the last days."""

    def __init__(
        self,
        store: ReadStore,
        movements: Movements,
        tokens: Tokens,
        *,
        patience: float,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self._store = store
        self._movements = movements
        self._tokens = tokens
        self._patience = patience
        self._today = today

    async def ask(self, principal: Principal, question: Question, at_least: Position = NOTHING) -> dict[str, Any]:
        """The answer, in the form of the API; at a position that has reached `at_least` or not at all.

        Raises Forbidden, Invalid, NotFound, Unavailable, LimitExceeded, and NotYet when the position is not reached in
        time.
        """
        allowed = self.allowed(principal, question)
        deadline = time.monotonic() + self._patience
        topics = _projection(question.name).topics
        needed = await self._tokens.in_log(at_least, topics, deadline) if at_least.offsets else NOTHING
        checked = False
        while True:
            moved = self._movements.next(allowed.projection)
            found = await self.answer(allowed)
            if not needed.offsets or Position.parse(found["position"]).reaches(needed):
                return found
            if not checked:
                await self._tokens.check(needed)
                checked = True
            left = deadline - time.monotonic()
            if left <= 0:
                raise _not_yet(question, found["position"], needed)
            await happens(moved, min(left, LOOK))

    async def logged(self, at_least: Position) -> None:
        """Return once the log has what a token stands for. Raises NotYet as `ask` does."""
        if at_least.offsets:
            deadline = time.monotonic() + self._patience
            await self._tokens.check(await self._tokens.in_log(at_least, frozenset(STREAMS), deadline))

    async def answer(self, question: Question) -> dict[str, Any]:
        """The answer as it is now, to a question that was found allowed."""
        with tracing.span("question", query=question.name):
            return await answer(question.name, question.company, question.params, self._store)

    def allowed(self, principal: Principal, question: Question) -> Question:
        """The question as the principal may ask it. Raises Forbidden where they may not."""
        if not re.fullmatch(COMPANY_ID, question.company):
            raise Invalid(f"{question.company!r} is no company id", code="bad_company")
        _projection(question.name)
        require(principal, all_queries()[question.name][1].right, question.company)
        seen = _as_seen(principal, question)
        if opens(principal, Feature.FULL_HISTORY):
            return seen
        return self._of_last_days(seen)

    def _of_last_days(self, question: Question) -> Question:
        """The question from the first day that the FREE tier sees, where the query knows of time at all."""
        _, query = all_queries()[question.name]
        if not any(param.name == "from" for param in query.params):
            return question
        first = self._today() - timedelta(days=FREE_HISTORY_DAYS)
        asked = question.params.get("from")
        if asked is None:
            return Question(question.name, question.company, {**question.params, "from": first.isoformat()})
        if _moment(asked) < datetime(first.year, first.month, first.day, tzinfo=UTC):
            raise Forbidden(
                f"tier FREE sees the last {FREE_HISTORY_DAYS} days, from {first}",
                code="forbidden_tier",
                suggested_actions=(f"Ask from {first} on, or with a token of a higher tier.",),
            )
        return question


def _projection(query: str) -> Projection:
    try:
        return all_queries()[query][0]
    except KeyError:
        known = ", ".join(sorted(all_queries()))
        raise NotFound(f"no query {query!r}; there are {known}", code="unknown_query") from None


def _as_seen(principal: Principal, question: Question) -> Question:
    """The question with its viewer, where the query shows different people different rows.

    Administrators of the company see all of them, and may ask what somebody else sees.
    """
    _, query = all_queries()[question.name]
    if not any(param.name == VIEWER for param in query.params) or may(principal, Right.COMMAND, question.company):
        return question
    if question.params.get(VIEWER, principal.sub) != principal.sub:
        raise Forbidden(f"{principal.sub} may not ask what others see", code="forbidden_viewer")
    return Question(question.name, question.company, {**question.params, VIEWER: principal.sub})


def _moment(text: str) -> datetime:
    try:
        return read_time(text)
    except ValueError as error:
        raise Invalid(f"parameter from: {error}", code="bad_parameter") from None


def _not_yet(question: Question, position: str, needed: Position) -> NotYet:
    return NotYet(
        f"{question.name} is at {position or 'the beginning'} and has not reached {needed}",
        suggested_actions=("Ask again in a moment, or without X-Min-Position for the answer as it is.",),
    )
