"""Asking a registered query on somebody's behalf: the one way to rows for HTTP, WebSocket and gRPC.

Order of work: may they → what their tier lets them see → answer → is it as new as they asked for.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from domain import tracing
from domain.access import FEATURES, FREE_HISTORY_DAYS, Feature, Principal, Right, Tier, may, opens, require
from domain.errors import Forbidden, Invalid, NotYet
from domain.events import COMPANY_ID, STREAMS
from domain.ports import LiveStore
from domain.position import Position
from projections.engine.compared import Comparing
from projections.engine.composed import features_of, projections_of, topics_of
from projections.engine.query import Question, answer, known, read_time
from projections.engine.registry import all_queries
from read_api.kept import KeptAnswers
from read_api.movements import ANY, Movements, happens
from read_api.tokens import LOOK, NOTHING, Tokens

VIEWER = "viewer"  # parameter of queries that show different people different rows
Answering = Callable[[Question], Awaitable[dict[str, Any]]]
Record = Callable[[Question, Mapping[str, Any]], Awaitable[None]]  # of an answer to a question
SINCE = "since"  # parameter of queries that compare with earlier periods: the first day that the tier sees


def moves_with(question: Question) -> str:
    """Name of the projection that answers it; that of any, where several do."""
    return all_queries()[question.name][0].name if question.name in all_queries() else ANY


def utc_now() -> datetime:
    """The clock that doors set `asked_at` by."""
    return datetime.now(UTC)


class Questions:
    """Answers questions out of the read store.

    `now` is the clock of the doors; `record` takes every answer, for what it predicts; `comparing` sets a company
    beside others, for the queries that do.
    """

    def __init__(
        self,
        store: LiveStore,
        movements: Movements,
        tokens: Tokens,
        *,
        patience: float,
        now: Callable[[], datetime] = utc_now,
        record: Record | None = None,
        comparing: Comparing | None = None,
    ) -> None:
        self.now = now
        self._store = store
        self._kept = KeptAnswers(store, lambda question: answer(question, store, comparing))
        self._movements = movements
        self._tokens = tokens
        self._patience = patience
        self._record = record

    async def ask(self, principal: Principal, question: Question, at_least: Position = NOTHING) -> dict[str, Any]:
        """The answer, in the form of the API; at a position that has reached `at_least` or not at all.

        Raises Forbidden, Invalid, NotFound, Unavailable, LimitExceeded, and NotYet when the position is not reached in
        time.
        """
        allowed = self.allowed(principal, question)
        if not at_least.offsets:
            return await self._answered(allowed, self._kept.answer)
        needed, deadline = await self._needed(allowed, at_least)
        while True:
            await self._reach(allowed, needed, deadline)
            found = await self.answer(allowed)
            if Position.parse(found["position"]).reaches(needed):  # not so where another version was switched to
                return found

    async def reach(self, question: Question, at_least: Position) -> None:
        """Return once whatever answers the question has reached a position. Raises NotYet as `ask` does."""
        if at_least.offsets:
            await self._reach(question, *await self._needed(question, at_least))

    async def _needed(self, question: Question, at_least: Position) -> tuple[Position, float]:
        """What a token stands for in the log, and until when (monotonic) it is waited for."""
        deadline = time.monotonic() + self._patience
        return await self._tokens.in_log(at_least, topics_of(projections_of(question)), deadline), deadline

    async def _reach(self, question: Question, needed: Position, deadline: float) -> None:
        """Wait for checkpoints alone: an answer costs more than a look, and one is enough."""
        reads, checked = {name: needed.of_topics(topics_of([name])) for name in projections_of(question)}, False
        while True:
            moved = self._movements.next(moves_with(question))
            found = await self._store.checkpoints(sorted(reads))
            stand = {name: Position.parse(found[name].position if name in found else "") for name in reads}
            behind = [name for name, position in stand.items() if not position.reaches(reads[name])]
            if not behind:
                return
            if not checked:
                await self._tokens.check(needed)
                checked = True
            left = deadline - time.monotonic()
            if left <= 0:
                raise _not_yet(question, stand[behind[0]], reads[behind[0]])
            await happens(moved, min(left, LOOK))

    async def logged(self, at_least: Position) -> None:
        """Return once the log has what a token stands for. Raises NotYet as `ask` does."""
        if at_least.offsets:
            deadline = time.monotonic() + self._patience
            await self._tokens.check(await self._tokens.in_log(at_least, frozenset(STREAMS), deadline))

    async def answer(self, question: Question) -> dict[str, Any]:
        """The answer as it is now, to a question that was found allowed."""
        return await self._answered(question, self._kept.fresh)

    async def _answered(self, question: Question, ask: Answering) -> dict[str, Any]:
        with tracing.span("question", query=question.name):
            found = await ask(question)
        if self._record is not None:
            await self._record(question, found)
        return found

    def allowed(self, principal: Principal, question: Question) -> Question:
        """The question as the principal may ask it. Raises Forbidden where they may not."""
        if not re.fullmatch(COMPANY_ID, question.company):
            raise Invalid(f"{question.company!r} is no company id", code="bad_company")
        require(principal, known(question.name).right, question.company)
        _require_features(principal, question)
        seen = _as_seen(principal, question)
        if opens(principal, Feature.FULL_HISTORY, question.company):
            return seen
        return _of_last_days(seen)


def _of_last_days(question: Question) -> Question:
    """The question from the first day that the FREE tier sees, where the query knows of time at all."""
    names = {param.name for param in known(question.name).params}
    first = question.asked_at.astimezone(UTC).date() - timedelta(days=FREE_HISTORY_DAYS)
    if SINCE in names:
        return replace(question, params={**question.params, SINCE: first.isoformat()})
    if "from" not in names:
        return question
    asked = question.params.get("from")
    if asked is None:
        return replace(question, params={**question.params, "from": first.isoformat()})
    if _moment(asked) < datetime(first.year, first.month, first.day, tzinfo=UTC):
        raise Forbidden(
            f"tier FREE sees the last {FREE_HISTORY_DAYS} days, from {first}",
            code="forbidden_tier",
            suggested_actions=(f"Ask from {first} on, or with a token of a higher tier.",),
        )
    return question


def _require_features(principal: Principal, question: Question) -> None:
    """Raise Forbidden where the tier does not open what the question needs."""
    closed = [f for f in sorted(features_of(question)) if not opens(principal, f, question.company)]
    if closed:
        having = ", ".join(tier for tier in Tier if closed[0] in FEATURES[tier])
        tier = principal.tier_in(question.company)
        raise Forbidden(
            f"tier {tier} does not open {closed[0].value!r}, which {question.name} needs",
            code="forbidden_tier",
            suggested_actions=(f"Ask with a token of one of the tiers {having}.",),
        )


def _as_seen(principal: Principal, question: Question) -> Question:
    """The question with its viewer, where the query shows different people different rows.

    Administrators of the company see all of them, and may ask what somebody else sees.
    """
    names = {param.name for param in known(question.name).params}
    if VIEWER not in names or may(principal, Right.COMMAND, question.company):
        return question
    if question.params.get(VIEWER, principal.sub) != principal.sub:
        raise Forbidden(f"{principal.sub} may not ask what others see", code="forbidden_viewer")
    return replace(question, params={**question.params, VIEWER: principal.sub})


def _moment(text: str) -> datetime:
    try:
        return read_time(text)
    except ValueError as error:
        raise Invalid(f"parameter from: {error}", code="bad_parameter") from None


def _not_yet(question: Question, position: Position, needed: Position) -> NotYet:
    return NotYet(
        f"{question.name} is at {position or 'the beginning'} and has not reached {needed}",
        suggested_actions=("Ask again in a moment, or without X-Min-Position for the answer as it is.",),
    )
