"""What all live connections of a process share: who may follow what, how much of it, and the feeds that are open."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from domain.access.limits import Use
from domain.access.rights import EVERY_COMPANY, Principal, Right, may, require
from domain.errors import Invalid, LimitExceeded
from projections.engine.query.ask import answerable
from projections.engine.query.plain import Query
from projections.engine.query.request import Question
from projections.engine.query.wide_answers import FEW, beside
from read_api.answers.questions import moves_with
from read_api.health.projection_status import health_seen_by
from read_api.health.prometheus import Metric
from read_api.http.encoding import raw
from read_api.live.feeds import AnswerNow, Feed, Feeds, Next
from read_api.services import ReadServices

MOST_ROWS = 5_000  # of an answer that is followed: it is sent to each follower again whenever something moves


class FeedGrant(NamedTuple):
    """What a subscription may follow as its caller is now: the feed's key, its company, how to ask and when."""

    key: Hashable
    company: str
    ask: AnswerNow
    moves: Next


class LiveSessions:
    """What all connections of this process share."""

    def __init__(self, side: ReadServices) -> None:
        self.authenticate = side.authenticate
        self.metrics = side.metrics
        self.trail = side.trail
        self.movements = side.movements
        self._rates = side.rates
        self._questions = side.questions
        self._health = side.health
        self._feeds = Feeds()

    @contextmanager
    def connected(self) -> Iterator[None]:
        """One connection, from its beginning to its end."""
        self.metrics.add(Metric.LIVE)
        try:
            yield
        finally:
            self.metrics.add(Metric.LIVE, -1)

    async def admit(self, principal: Principal, company: str = "") -> None:
        """Let one sign-in or subscription in. Raises LimitExceeded and, while the trail takes nothing, Unavailable."""
        self._rates.admit(principal, Use.READS, time.monotonic(), company=company)
        await self.trail.admit()

    def grant(self, principal: Principal, message: Mapping[str, Any]) -> FeedGrant:
        """What the principal may follow of what a message asks for. Raises Forbidden, Invalid or NotFound.

        Asked when a subscription begins and again and again while it lasts: no other place decides what goes on.
        """
        if "watch" in message:
            if message["watch"] != "pipeline":
                raise Invalid('the only thing to watch is "pipeline"', code="bad_message")
            require(principal, Right.STATUS)
            key = "pipeline", may(principal, Right.PROJECTIONS), EVERY_COMPANY in principal.companies
            return FeedGrant(key, "", lambda: self._health_of(principal), self.movements.next)
        question = self._questions.allowed(principal, _question(message, self._questions.now()))
        moves = moves_with(question)
        return FeedGrant(
            question.key,
            question.company,
            lambda: self._ask_again(question),
            lambda: self.movements.next(moves),
        )

    async def _ask_again(self, question: Question) -> dict[str, Any]:
        """A feed asks anew each time: what "now" means in its answer goes on. Raises LimitExceeded for a wide answer.

        Its rows are encoded once for all who follow.
        """
        answer = await self._questions.answer(replace(question, asked_at=self._questions.now()))
        rows, keep = answer.get("rows", []), not isinstance(answerable(question.name), Query)
        if len(rows) <= FEW:
            return answer
        if len(rows) > MOST_ROWS:
            await beside(rows, question.company, len, keep=keep)  # gives them back
            raise LimitExceeded(
                f"an answer of more than {MOST_ROWS:,} rows cannot be followed",
                code="too_many_rows",
                suggested_actions=("Follow a shorter period or fewer dimensions, or ask for all rows over HTTP.",),
            )
        return {**answer, "rows": await beside(rows, question.company, raw, keep=keep)}

    async def _health_of(self, principal: Principal) -> dict[str, Any]:
        return health_seen_by(principal, await self._health())

    def check(self, principal: Principal, company: str) -> None:
        """Raise LimitExceeded where the company has more feeds open than its tier has now."""
        self._rates.check_feeds(principal, company)

    @contextmanager
    def followed(self, principal: Principal, wanted: FeedGrant) -> Iterator[Feed]:
        """The feed, as long as it is followed. Raises LimitExceeded for more than the tenant may follow."""
        with self._rates.feed(principal, wanted.company):
            feed = self._feeds.follow(wanted.key, wanted.ask, wanted.moves)
            self.metrics.set(Metric.LIVE_FEEDS, len(self._feeds))
            try:
                yield feed
            finally:
                self._feeds.leave(wanted.key)
                self.metrics.set(Metric.LIVE_FEEDS, len(self._feeds))


def _question(message: Mapping[str, Any], asked_at: datetime) -> Question:
    params = message.get("params", {})
    if not isinstance(params, dict) or not all(isinstance(value, str | int | float) for value in params.values()):
        raise Invalid("params must be an object of texts", code="bad_message")
    texts = {str(k): str(v) for k, v in params.items()}
    return Question(str(message.get("query", "")), str(message.get("company", "")), texts, asked_at)
