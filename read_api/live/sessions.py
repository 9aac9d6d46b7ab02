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
from projections.engine.query.wide_answers import beside
from read_api.answers.questions import moves_with
from read_api.answers.realtime import live_questions
from read_api.dashboards.dashboards import DashboardQuestion
from read_api.health.projection_status import health_seen_by
from read_api.health.prometheus import Metric
from read_api.live.feeds import Feed, Feeds, Source
from read_api.live.resume import ResumeTokens
from read_api.services import ReadServices

MOST_ROWS = 5_000  # of an answer that is followed: all of them are compared whenever something moves
MOST_SUBSCRIPTIONS = 32  # of a connection
UNHURRIED = 12.0  # seconds of rest of a dashboard for each second that all of its tiles took
OFTENEST = 0.005  # seconds between two messages of a live window
METRIC = "metric"  # the query that a subscription to a metric follows


class FeedGrant(NamedTuple):
    """What a subscription may follow as its caller is now: the feed of this key, and what it shows."""

    key: Hashable
    source: Source


class LiveSessions:
    """What all connections of this process share."""

    def __init__(self, side: ReadServices) -> None:
        self._side = side
        self.authenticate = side.authenticate
        self.metrics = side.metrics
        self.trail = side.trail
        self.movements = side.movements
        self.tokens = ResumeTokens()
        self._feeds = Feeds()

    async def token_of_session(self, session: str) -> str:
        """The token of a page's session. Raises Unauthenticated where it has ended."""
        return await self._side.sessions.token(session)

    @contextmanager
    def connected(self) -> Iterator[None]:
        """One connection, from its beginning to its end."""
        self.metrics.add(Metric.LIVE)
        try:
            yield
        finally:
            self.metrics.add(Metric.LIVE, -1)

    @contextmanager
    def signed_in(self, principal: Principal) -> Iterator[None]:
        """One connection of somebody known, to its end. Raises LimitExceeded for more than the tenant may have."""
        with self._side.rates.socket(principal):
            yield

    async def admit(self, principal: Principal, company: str = "") -> None:
        """Let one sign-in or subscription in. Raises LimitExceeded and, while the trail takes nothing, Unavailable."""
        self._side.rates.admit(principal, Use.READS, time.monotonic(), company=company)
        await self.trail.admit()

    def grant(self, principal: Principal, message: Mapping[str, Any]) -> FeedGrant:
        """What the principal may follow of what a message asks for. Raises Forbidden, Invalid or NotFound.

        Asked when a subscription begins and again and again while it lasts: no other place decides what goes on.
        """
        if "watch" in message:
            return self._pipeline(principal, message["watch"])
        if message.get("dashboard"):
            return self.dashboard(principal, _dashboard(message))
        if message.get("live"):
            return self._live_window(principal, message)
        question = self._side.questions.allowed(principal, _question(message, self._side.questions.now()))
        moves = moves_with(question)
        return FeedGrant(
            question.key,
            Source(lambda: self._ask_again(question), lambda: self.movements.next(moves), question.company),
        )

    def dashboard(self, principal: Principal, question: DashboardQuestion) -> FeedGrant:
        """A dashboard as the principal may see it. Raises Forbidden, Invalid or NotFound."""
        self._side.dashboards.check(principal, question)
        source = Source(
            lambda: self._side.dashboards.answer(principal, question),
            self.movements.next,
            question.company,
            pace=UNHURRIED,
        )
        return FeedGrant(self._side.dashboards.key(principal, question), source)

    def _live_window(self, principal: Principal, message: Mapping[str, Any]) -> FeedGrant:
        """A metric of the live windows: `width` and `by` are parameters, all others filters."""
        texts, company = _texts(message), str(message.get("company", ""))
        width, by = texts.pop("width", ""), texts.pop("by", "")
        questions = live_questions(principal, company, str(message["live"]), width, by, texts)
        if len(questions) != 1:
            raise Invalid("a subscription follows one live window", code="bad_message")
        (question,) = questions
        source = Source(
            lambda: question.document(self._side.live),
            lambda: self._side.live.moves(question.view),
            company,
            shortest=OFTENEST,
        )
        return FeedGrant(("live", question), source)

    def _pipeline(self, principal: Principal, what: object) -> FeedGrant:
        if what != "pipeline":
            raise Invalid('the only thing to watch is "pipeline"', code="bad_message")
        require(principal, Right.STATUS)
        key = "pipeline", may(principal, Right.PROJECTIONS), EVERY_COMPANY in principal.companies
        return FeedGrant(key, Source(lambda: self._health_of(principal), self.movements.next))

    async def _ask_again(self, question: Question) -> dict[str, Any]:
        """A feed asks anew each time: what "now" means in it goes on. Raises LimitExceeded for too many rows."""
        answer = await self._side.questions.answer(replace(question, asked_at=self._side.questions.now()))
        rows = answer.get("rows", [])
        if len(rows) > MOST_ROWS:
            keep = not isinstance(answerable(question.name), Query)
            await beside(rows, question.company, len, keep=keep)  # gives them back
            raise LimitExceeded(
                f"an answer of more than {MOST_ROWS:,} rows cannot be followed",
                code="too_many_rows",
                suggested_actions=("Follow a shorter period or fewer dimensions, or ask for all rows over HTTP.",),
            )
        return answer

    async def _health_of(self, principal: Principal) -> dict[str, Any]:
        return health_seen_by(principal, await self._side.health())

    def check(self, principal: Principal, company: str) -> None:
        """Raise LimitExceeded where the company has more feeds open than its tier has now."""
        self._side.rates.check_feeds(principal, company)

    @contextmanager
    def followed(self, principal: Principal, granted: FeedGrant) -> Iterator[Feed]:
        """The feed, as long as it is followed. Raises LimitExceeded for more than the tenant may follow."""
        with self._side.rates.feed(principal, granted.source.company):
            feed = self._feeds.follow(granted.key, granted.source)
            self.metrics.set(Metric.LIVE_FEEDS, len(self._feeds))
            try:
                yield feed
            finally:
                self._feeds.leave(granted.key)
                self.metrics.set(Metric.LIVE_FEEDS, len(self._feeds))


def _dashboard(message: Mapping[str, Any]) -> DashboardQuestion:
    return DashboardQuestion(str(message["dashboard"]), str(message.get("company", "")), _texts(message), followed=True)


def _texts(message: Mapping[str, Any]) -> dict[str, str]:
    params = message.get("params", {})
    if not isinstance(params, dict) or not all(isinstance(value, str | int | float) for value in params.values()):
        raise Invalid("params must be an object of texts", code="bad_message")
    return {str(k): str(v) for k, v in params.items()}


def _question(message: Mapping[str, Any], asked_at: datetime) -> Question:
    texts, company = _texts(message), str(message.get("company", ""))
    if METRIC in message:
        return Question(METRIC, company, {**texts, "key": str(message[METRIC])}, asked_at)
    return Question(str(message.get("query", "")), company, texts, asked_at)
