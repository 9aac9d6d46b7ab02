"""Asking a registered query on somebody's behalf: the one way to rows for HTTP, WebSocket and gRPC.

Order of work: may they → what their tier lets them see → answer → is it as new as they asked for.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Any, TypeVar

from cachetools import LRUCache, cached

from domain.access.rights import (
    EVERY_COMPANY,
    FEATURES,
    FREE_HISTORY_DAYS,
    Feature,
    Member,
    Principal,
    Right,
    Tier,
    may,
    opens,
    require,
    whole_company,
)
from domain.errors import Forbidden, Invalid, NotYet
from domain.events.catalogue import COMPANY_ID, STREAMS
from domain.ports import Checkpoint, LiveStore, PositionedStore, ReadStore
from domain.position import Position
from domain.request import tracing
from projections.engine.declare.registry import all_queries, read_beside
from projections.engine.query.ask import WholeTable, answer, answerable, whole_table
from projections.engine.query.asked_at import LastingAnswer
from projections.engine.query.compared import Comparing
from projections.engine.query.composed import features_of, projections_of, tables_of, topics_of
from projections.engine.query.extent import TIER
from projections.engine.query.instance_query import INSTANCE, SCOPE
from projections.engine.query.params import read_time
from projections.engine.query.request import InstanceFigures, Question, QuestionKey
from projections.engine.query.unknown import require_company
from projections.predictions import STATING
from read_api.answers.cache import EXACT, AnswerCache, Freshness, Lease, minute_of
from read_api.answers.cache_tiers import Tiers
from read_api.answers.position_tokens import LOOK, NOTHING, PositionTokens
from read_api.answers.warming import Target, Warming
from read_api.live.changes import ANY, ProjectionChanges, wait_for

USER, ACCOUNT = "user_id", "account_id"  # parameters of queries that can be limited to a user
VIEWER = "viewer"  # parameter of queries that show different people different rows
T = TypeVar("T", bound=Mapping[str, Any])
Record = Callable[[Question, Mapping[str, Any]], Awaitable[None]]  # of an answer to a question
NOW_OR_LATER = "8999-12-31"  # the end of a period that says none
SINCE = "since"  # parameter of queries that compare with earlier periods: the first day that the tier sees


def moves_with(question: Question) -> str:
    """Name of the projection that answers it; that of any, where several do."""
    return all_queries()[question.name][0].name if question.name in all_queries() else ANY


def utc_now() -> datetime:
    """The clock that doors set `asked_at` by."""
    return datetime.now(UTC)


class Questions:
    """Answers questions out of the read store.

    `now` is the clock of the doors; `record` takes every answer about a company, for what it predicts; `comparing` sets
    a company beside others, for the queries that do, and `instance` knows how the instance runs; `of_member` is the
    store as a member sees it.
    """

    def __init__(
        self,
        store: LiveStore,
        movements: ProjectionChanges,
        tokens: PositionTokens,
        *,
        patience: float,
        now: Callable[[], datetime] = utc_now,
        record: Record | None = None,
        comparing: Comparing | None = None,
        instance: InstanceFigures | None = None,
        of_member: Callable[[Member], ReadStore] | None = None,
        tiers: Tiers | None = None,
        code: str = "",
    ) -> None:
        self.now = now
        self._store = store
        self._comparing, self._instance = comparing, instance
        self._of_member = of_member
        self.cache = AnswerCache(store, self._make, moved=self._next_movement, tiers=tiers, code=code)
        self._movements = movements
        self._tokens = tokens
        self._patience = patience
        self._record = record
        self._companies: LRUCache[str, bool] = LRUCache(10_000)  # that something is known of

    def _next_movement(self) -> asyncio.Event:
        return self._movements.next()

    def warming(self, doors: Mapping[str, Target], budget: float) -> Warming:
        """What makes answers before they are asked for, in this share of the time; `doors` as of `Warming`."""
        return Warming(self._store, self.cache, self.now, doors, budget)

    async def ask(
        self,
        principal: Principal,
        question: Question,
        at_least: Position = NOTHING,
        freshness: Freshness = EXACT,
    ) -> dict[str, Any]:
        """The answer, in the form of the API; at a position that has reached `at_least` or not at all.

        Raises Forbidden, Invalid, NotFound, Unavailable, LimitExceeded, and NotYet when the position is not reached in
        time.
        """
        allowed = self.allowed(principal, question)
        if not (at_least.offsets and projections_of(allowed)):  # what reads no projection waits for none
            await self.require_company(principal, allowed)
            return await self._answered(allowed, partial(self.cache.answer, freshness=freshness))
        needed, deadline = await self._needed(allowed, at_least)
        of_rows = needed.of_topics(topics_of(projections_of(allowed)))
        while True:
            await self._reach(allowed, needed, deadline)
            await self.require_company(principal, allowed)  # not before: it may begin at that very position
            found = await self.answer(allowed)
            if Position.parse(found["position"]).reaches(of_rows):  # not so where another version was switched to
                return found

    async def require_company(self, principal: Principal, question: Question) -> None:
        """Raise NotFound where nothing is known of the company: others than those who see all of them are not told."""
        if EVERY_COMPANY in principal.companies and question.company not in self._companies:
            await require_company(question, self._store)
            self._companies[question.company] = True

    async def whole_table(self, principal: Principal, question: Question, at_least: Position) -> WholeTable:
        """All rows that the question is about, once their projection has reached a position.

        Raises as `ask` does, Invalid for a query whose rows are no table's.
        """
        allowed = self.allowed(principal, question)
        await self.reach(allowed, at_least)
        await self.require_company(principal, allowed)
        store = self._store if allowed.member is None else self._store_of(allowed.member)
        return await whole_table(allowed, store)

    def at_hand(self, principal: Principal, key: QuestionKey, asked_at: datetime) -> Lease | None:
        """The exact answer to the question of that key, where it is kept and nothing is waited for; else `ask` has it.

        Raises Forbidden, Invalid, NotFound.
        """
        name, company, *_ = key
        asked = _allowed(principal, principal.tier_in(company), key, minute_of(asked_at))
        if name in STATING:  # what it predicts is recorded
            return None
        with tracing.span("question", query=name):
            return self.cache.at_hand(*asked)

    async def reach(self, question: Question, at_least: Position) -> None:
        """Return once whatever answers the question has reached a position. Raises NotYet as `ask` does."""
        if at_least.offsets:
            await self._reach(question, *await self._needed(question, at_least))

    async def _needed(self, question: Question, at_least: Position) -> tuple[Position, float]:
        """What a token stands for in the log, and until when (monotonic) it is waited for."""
        deadline = time.monotonic() + self._patience
        return await self._tokens.in_log(at_least, topics_of(_reads(question)), deadline), deadline

    async def _reach(self, question: Question, needed: Position, deadline: float) -> None:
        """Wait for checkpoints alone: an answer costs more than a look, and one is enough."""
        reads, checked = {name: needed.of_topics(topics_of([name])) for name in _reads(question)}, False
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
            await wait_for(moved, min(left, LOOK))

    async def logged(self, at_least: Position) -> None:
        """Return once the log has what a token stands for. Raises NotYet as `ask` does."""
        if at_least.offsets:
            deadline = time.monotonic() + self._patience
            await self._tokens.check(await self._tokens.in_log(at_least, frozenset(STREAMS), deadline))

    async def answer(self, question: Question) -> LastingAnswer:
        """The answer as it is now, to a question that was found allowed.

        Raises Invalid, NotFound, Unavailable, LimitExceeded; Forbidden where what is read is not open to members.
        """
        return await self._answered(question, self.cache.fresh)

    async def answer_from(self, store: ReadStore, question: Question) -> LastingAnswer:
        """The answer out of a store of the caller's, which shows what they may see. Raises as `answer` does."""
        return await self._answered(question, lambda asked: answer(asked, store, self._comparing, self._instance))

    def snapshot(self, company: str, member: Member | None) -> AbstractAsyncContextManager[PositionedStore]:
        """The store of a company, or as a member sees it, at one moment. Raises as `LiveStore.snapshot` does."""
        return self._store.snapshot(company, member)

    async def checkpoints(self, projections: Sequence[str], company: str) -> Mapping[str, Checkpoint]:
        """Where these projections stand, and where they folded anything of the company last. Raises Unavailable."""
        return await self._store.checkpoints(projections, company)

    async def _answered(self, question: Question, ask: Callable[[Question], Awaitable[T]]) -> T:
        with tracing.span("question", query=question.name):
            found = await ask(question)
        if self._record is not None and question.member is None:
            await self._record(question, found)
        return found

    async def _make(self, question: Question) -> LastingAnswer:
        if question.member is None:
            return await answer(question, self._store, self._comparing, self._instance)
        return await answer(question, self._store_of(question.member))

    def _store_of(self, member: Member) -> ReadStore:
        if self._of_member is None:
            raise whole_company("this store")
        return self._of_member(member)

    def allowed(self, principal: Principal, question: Question) -> Question:
        """The question as the principal may ask it.

        Raises Forbidden where they may not, Invalid for a company id that is none and for a member who has to name one
        of several users, NotFound for a query that there is not.
        """
        tier, minute = principal.tier_in(question.company), minute_of(question.asked_at)
        return replace(_allowed(principal, tier, question.key, minute)[0], asked_at=question.asked_at)


def _reads(question: Question) -> frozenset[str]:
    """The projections on whose rows the answer rests, settings and rates included."""
    names = projections_of(question)
    return names | read_beside(names)


@lru_cache(2_000)
def _allowed(principal: Principal, _tier: Tier, key: QuestionKey, minute: datetime) -> tuple[Question, QuestionKey]:
    """The question of that key as the principal may ask it in that minute, and its key.

    The tier is what the company has now: on nothing else does the principal's right depend that it is not compared by.
    """
    name, company, params, about, member, limits = key
    question = Question(name, company, dict(params), minute, member, dict(about), limits)
    if not re.fullmatch(COMPANY_ID, company):
        raise Invalid(f"{company!r} is no company id", code="bad_company")
    if principal.member:
        require(principal, Right.OWN, company)
        question = _own(principal.member, question)
    else:
        require(principal, answerable(name).right, company)
    _require_features(principal, question)
    question = _as_seen(principal, question)
    if not opens(principal, Feature.FULL_HISTORY, company):
        question = _of_last_days(question)
    return question, question.key


def _own(member: Member, question: Question) -> Question:
    """The question about the member's own rows. Raises Forbidden where it is about others', or about all.

    A query proves that it can be limited to a user by its parameter `user_id` and by its tables, all of which say whose
    their rows are. The store is a wall of its own: there the member's role reads nothing else.
    """
    query = answerable(question.name)
    if query.open_to_members:
        return replace(question, member=member)
    if USER not in {param.name for param in query.params}:
        raise whole_company(question.name)
    own = replace(question, params=_of_user(member, question), member=member)
    try:
        tables = tables_of(own)
    except Invalid:
        tables_of(question)  # raises it as well, unless it is the user that it cannot be limited to
        raise whole_company(question.name) from None
    if not all(table.open_to_members or table.of_users for table in tables):
        raise whole_company(question.name)
    return own


def _of_user(member: Member, question: Question) -> Mapping[str, str]:
    """The parameters with a user: the one named, else the only one. Raises Forbidden for somebody else's."""
    user, account = question.params.get(USER), question.params.get(ACCOUNT)
    if account is not None:
        member.check_account(account)
    if user is not None:
        member.check_user(user)
    elif len(member.user_ids) > 1:
        listed = ", ".join(sorted(member.user_ids))
        raise Invalid(f"name one of the users {listed} as {USER}", code="missing_parameter")
    return {USER: min(member.user_ids), **question.params}


def _of_last_days(question: Question) -> Question:
    """The question from the first day that the FREE tier sees, where the query knows of time at all."""
    names = {param.name for param in answerable(question.name).params}
    first = question.asked_at.astimezone(UTC).date() - timedelta(days=FREE_HISTORY_DAYS)
    if SINCE in names:  # which says itself whether that cuts anything
        return replace(question, params={**question.params, SINCE: first.isoformat()})
    if "from" not in names:
        return question
    begins = datetime(first.year, first.month, first.day, tzinfo=UTC)
    asked = question.params.get("from")
    if asked is None and _moment("to", question.params.get("to", NOW_OR_LATER)) > begins:
        return replace(question, params={**question.params, "from": first.isoformat()}, limits=(TIER,))
    if asked is None or _moment("from", asked) < begins:
        raise Forbidden(
            f"tier FREE sees the last {FREE_HISTORY_DAYS} days, from {first}",
            code="forbidden_tier",
            suggested_actions=(f"Ask from {first} on, or with a token of a higher tier.",),
        )
    return question


@cached(LRUCache(1_000), key=lambda question: (question.key, question.asked_at.replace(second=0, microsecond=0)))
def _features(question: Question) -> frozenset[Feature]:
    """What a question needs. Key figures have forty parts, and to put these costs more than all else of them kept."""
    return features_of(question)


def _require_features(principal: Principal, question: Question) -> None:
    """Raise Forbidden where the tier does not open what the question needs."""
    closed = [f for f in sorted(_features(question)) if not opens(principal, f, question.company)]
    if closed:
        having = ", ".join(tier for tier in Tier if closed[0] in FEATURES[tier])
        tier = principal.tier_in(question.company)
        raise Forbidden(
            f"tier {tier} does not open {closed[0].value!r}, which {question.name} needs",
            code="forbidden_tier",
            suggested_actions=(f"Ask with a token of one of the tiers {having}.",),
        )


def _as_seen(principal: Principal, question: Question) -> Question:
    """The question with its viewer, or its scope, where the query shows different people different rows.

    Administrators of the company see all of them, and may ask what somebody else sees. Of the instance who sees every
    company is shown all, and nobody else.
    """
    names = {param.name for param in answerable(question.name).params}
    if SCOPE in names:
        return _in_scope(principal, question)
    if VIEWER not in names or may(principal, Right.COMMAND, question.company):
        return question
    if question.params.get(VIEWER, principal.sub) != principal.sub:
        raise Forbidden(f"{principal.sub} may not ask what others see", code="forbidden_viewer")
    return replace(question, params={**question.params, VIEWER: principal.sub})


def _in_scope(principal: Principal, question: Question) -> Question:
    if EVERY_COMPANY in principal.companies:
        return replace(question, params={SCOPE: INSTANCE, **question.params})
    if question.params.get(SCOPE) == INSTANCE:
        raise Forbidden(
            f"{principal.sub} sees some companies, and the scope {INSTANCE} is of all",
            code="forbidden_company",
            suggested_actions=(f"Ask without {SCOPE}, or with a token of company {EVERY_COMPANY}.",),
        )
    return question


def _moment(name: str, text: str) -> datetime:
    try:
        return read_time(text)
    except ValueError as error:
        raise Invalid(f"parameter {name}: {error}", code="bad_parameter") from None


def _not_yet(question: Question, position: Position, needed: Position) -> NotYet:
    return NotYet(
        f"{question.name} is at {position or 'the beginning'} and has not reached {needed}",
        suggested_actions=("Ask again in a moment, or without X-Min-Position for the answer as it is.",),
    )
