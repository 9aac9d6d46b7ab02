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
from domain.access import FREE_HISTORY_DAYS, Feature, Principal, opens, require
from domain.errors import Forbidden, Invalid, NotFound, NotYet
from domain.events import COMPANY_ID
from domain.ports import ReadStore
from domain.position import Position
from projections.engine.declare import Projection
from projections.engine.query import answer, read_time
from projections.engine.registry import all_queries
from read_api.movements import Movements, happens

LOOK = 0.1  # seconds after which somebody who waits for a position looks again, whatever the bus said
NOTHING = Position()


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
        *,
        patience: float,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self._store = store
        self._movements = movements
        self._patience = patience
        self._today = today

    async def ask(self, principal: Principal, question: Question, at_least: Position = NOTHING) -> dict[str, Any]:
        """The answer, in the form of the API; at a position that has reached `at_least` or not at all.

        Raises Forbidden, Invalid, NotFound, Unavailable, LimitExceeded, and NotYet when the position is not reached in
        time.
        """
        allowed = self.allowed(principal, question)
        needed = at_least.of_topics(_projection(question.name).topics)
        deadline = time.monotonic() + self._patience
        while True:
            moved = self._movements.next(allowed.projection)
            found = await self.answer(allowed)
            if not needed.offsets or Position.parse(found["position"]).reaches(needed):
                return found
            left = deadline - time.monotonic()
            if left <= 0:
                raise _not_yet(question, found["position"], needed)
            await happens(moved, min(left, LOOK))

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
        if opens(principal, Feature.FULL_HISTORY):
            return question
        return self._of_last_days(question)

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
