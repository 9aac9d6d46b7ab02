"""Answering a dashboard: all its tiles out of one snapshot of the read models.

Projections commit each for itself, so a snapshot may find them at different places of the log. For a moment it is
waited for one where they agree; then each tile says its own position, and the dashboard that it is not complete.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from domain.access.rights import EVERY_COMPANY, Member, Principal, Right, may, require
from domain.errors import AnalyticsError, Invalid, LimitExceeded
from domain.position import Position
from domain.request import tracing
from eventlog import tasks
from projections.engine.declare.registry import read_beside
from projections.engine.query.composed import positions_agree, projections_of, topics_of
from projections.engine.query.request import Question
from read_api.answers.cached_answer import freshness_of
from read_api.answers.configuration import KINDS, item_question, only
from read_api.answers.position_tokens import NOTHING
from read_api.answers.questions import Questions
from read_api.dashboards.documents import PERIOD, Document, check_name, document_of, standard
from read_api.dashboards.tile_answers import Checkpoints, TileAnswer, TileAnswers, is_made_apart
from read_api.dashboards.tiles import TileRequest, tile_answer, tile_request
from read_api.live.changes import ProjectionChanges, wait_for

logger = logging.getLogger(__name__)

COMPANY = "company_profile"  # the query that knows currency and zone
AGREEMENT = 0.2  # seconds that checkpoints may take to agree
LOOK = 0.05  # seconds between two looks at them, whatever the bus says
MOST_ROWS = 10_000  # of all tiles
DASHBOARD = KINDS["dashboard"]


@dataclass(frozen=True, slots=True)
class DashboardQuestion:
    """Which dashboard of which company, and the parameters that are the same for all its tiles.

    `followed`: it is asked again and again, so that tiles which cost much may be of a moment before. `patience`: after
    so many seconds it is shown with the tiles that are there, the others pending; without it with all of them.
    """

    name: str
    company: str
    params: Mapping[str, str] = field(default_factory=dict)
    followed: bool = False
    patience: float | None = None


@dataclass(slots=True)
class _Moment:
    """What is read at one moment: where projections stood, whether they agreed, the company, and answers by tile.

    These come one after the other; the company is there before them.
    """

    checkpoints: Checkpoints = field(default_factory=dict)
    agreed: bool = False
    company: Mapping[str, Any] = field(default_factory=dict)
    answers: dict[str, TileAnswer] = field(default_factory=dict)


class Dashboards:
    """Answers dashboards out of snapshots of the store."""

    def __init__(self, questions: Questions, movements: ProjectionChanges) -> None:
        self._questions = questions
        self._movements = movements
        self._answers = TileAnswers(questions)
        self._reading: dict[Hashable, tuple[asyncio.Task[None], _Moment]] = {}  # what goes on when patience has ended

    def check(self, principal: Principal, question: DashboardQuestion) -> None:
        """Raise Forbidden, NotFound or Invalid where the principal may not ask this at all, whatever its tiles say."""
        right = Right.OWN if principal.member else Right.DASHBOARDS
        require(principal, right, question.company)
        check_name(question.name)
        if (PERIOD[0] in question.params) is not (PERIOD[1] in question.params):
            raise Invalid("give from and to, or neither", code="bad_parameter")
        if question.name in standard():
            _check_params(standard()[question.name], question.params)

    def key(self, principal: Principal, question: DashboardQuestion) -> Hashable:
        """The same for those who are shown the same by the same question: whatever tiles are judged by is in it."""
        company, tier = question.company, principal.tier_in(question.company)
        alike = question.name in standard() and not standard()[question.name].personal
        whose = "" if alike or may(principal, Right.COMMAND, company) else principal.sub
        asked = question.name, company, tuple(sorted(question.params.items()))
        sees_all = EVERY_COMPANY in principal.companies
        return "dashboard", *asked, tier, principal.roles, sees_all, principal.member, whose

    async def document(
        self, principal: Principal, name: str, company: str, now: datetime, at_least: Position = NOTHING
    ) -> Document:
        """The document of that name. Raises NotFound where there is none that they may see, and as `Questions.ask`."""
        self.check(principal, DashboardQuestion(name, company))
        if name in standard():
            return standard()[name]
        asked = item_question(DASHBOARD, company, name, now)
        found = await self._questions.ask(principal, asked, at_least)
        return document_of(name, only(found["rows"], DASHBOARD, name))

    async def answer(
        self,
        principal: Principal,
        question: DashboardQuestion,
        at_least: Position = NOTHING,
        asked_at: datetime | None = None,
    ) -> dict[str, Any]:
        """The dashboard as the principal may see it now; each tile at a position that has reached `at_least`.

        `asked_at`: the moment of the request that asks; without it this one.

        Raises Forbidden, NotFound, Invalid, Unavailable, LimitExceeded, NotYet; what concerns one tile is in that tile.
        """
        self.check(principal, question)
        now = asked_at or self._questions.now()
        document = await self.document(principal, question.name, question.company, now, at_least)
        return await self.answer_document(principal, document, question, at_least, now)

    async def answer_document(
        self,
        principal: Principal,
        document: Document,
        question: DashboardQuestion,
        at_least: Position = NOTHING,
        asked_at: datetime | None = None,
    ) -> dict[str, Any]:
        """Any document as a dashboard, also one that nobody has stored. Raises as `answer` does."""
        require(principal, Right.OWN if principal.member else Right.DASHBOARDS, question.company)
        now = asked_at or self._questions.now()
        _check_params(document, question.params)
        profile = Question(COMPANY, question.company, {}, now.replace(second=0, microsecond=0))
        tiles = self.tile_requests(principal, document, profile, question.params)
        for one in tiles if at_least.offsets else ():
            if isinstance(one.question, Question):
                await self._questions.reach(one.question, at_least)
        await self._questions.require_company(principal, profile)
        with tracing.span("dashboard", dashboard=question.name):
            moment = await self._moment(principal, document, question, profile, tiles)
        asked = {one.tile.id: one.question for one in tiles if isinstance(one.question, Question)}
        answers = {name: moment.answers.get(name) or self._answers.meanwhile(each) for name, each in asked.items()}
        fresh = freshness_of(moment.checkpoints)
        exact = moment.agreed and all(answer.exact for answer in answers.values())
        contents = {name: answer.content for name, answer in answers.items()}
        stands_for = {**fresh, "complete": exact and fresh["complete"]}
        shown = [tile_answer(one, contents.get(one.tile.id)) for one in tiles]
        return dashboard_answer(document, question, moment.company, stands_for, shown)

    def tile_requests(
        self, principal: Principal, document: Document, profile: Question, params: Mapping[str, str]
    ) -> list[TileRequest]:
        """What the tiles ask as the principal may ask it, of the company and at the moment of `profile`."""
        needs = () if principal.member else document.needs  # a member's own rows are all there is
        return [
            tile_request(tile, profile, params, lambda one: self._questions.allowed(principal, one), needs)
            for tile in document.contents.tiles
        ]

    async def _moment(
        self,
        principal: Principal,
        document: Document,
        question: DashboardQuestion,
        profile: Question,
        tiles: Sequence[TileRequest],
    ) -> _Moment:
        """A moment with all its tiles, or with those that are there when patience ends.

        Reading goes on then, once for all who ask the same: whoever asks for all of them waits for it.
        """
        key = self.key(principal, question), document.version
        if question.patience is None:
            if key in self._reading:
                await asyncio.wait({self._reading[key][0]})
            moment = _Moment()
            await self._read(moment, profile, principal.member, tiles, followed=question.followed)
            return moment
        if key not in self._reading:
            moment = _Moment()
            work = self._read(moment, profile, principal.member, tiles, followed=question.followed)
            self._reading[key] = tasks.owned(work, f"reading {question.name}"), moment
            self._reading[key][0].add_done_callback(partial(self._was_read, key))
        reading, moment = self._reading[key]
        await asyncio.wait({reading}, timeout=question.patience)
        if reading.done() or not moment.company:
            await asyncio.shield(reading)
        return moment

    def _was_read(self, key: Hashable, reading: asyncio.Task[None]) -> None:
        """Where it failed whoever asks next is told why, unless they succeed."""
        del self._reading[key]
        if not reading.cancelled() and (error := reading.exception()) is not None:
            logger.info("a dashboard was not read to its end: %s", error)

    async def _read(
        self,
        moment: _Moment,
        profile: Question,
        member: Member | None,
        tiles: Sequence[TileRequest],
        *,
        followed: bool,
    ) -> None:
        """Of a snapshot in which the checkpoints agree, or of the first one after it was waited for that."""
        asked = {one.tile.id: one.question for one in tiles if isinstance(one.question, Question)}
        reads = projections_of(profile).union(*map(projections_of, asked.values()))
        names = sorted(reads | read_beside(reads))
        apart = {name: question for name, question in asked.items() if is_made_apart(question)}
        deadline = time.monotonic() + AGREEMENT
        while True:
            moved = self._movements.next()
            async with self._questions.snapshot(profile.company, member) as snapshot:
                checkpoints = await snapshot.checkpoints(names, profile.company)
                agreed = positions_agree((topics_of([name]), each.position) for name, each in checkpoints.items())
                left = deadline - time.monotonic()
                if agreed or left <= 0:
                    take = partial(
                        self._answers.of_snapshot, snapshot=snapshot, checkpoints=checkpoints, followed=followed
                    )
                    moment.checkpoints, moment.agreed = checkpoints, agreed
                    moment.company = _only_row(await take(profile, followed=False))
                    self._answers.begin(apart.values(), checkpoints)
                    for name, question in asked.items():
                        if name not in apart:
                            moment.answers[name] = await take(question)
                    break
            await wait_for(moved, min(left, LOOK))
        made = await self._answers.made_apart(list(apart.values()), checkpoints)
        moment.answers.update(zip(apart, made, strict=True))


def _only_row(answer: TileAnswer) -> Mapping[str, Any]:
    """The one row of an answer. Raises the error where there is none."""
    if isinstance(answer.content, AnalyticsError):
        raise answer.content
    row: Mapping[str, Any]
    (row,) = answer.content["rows"]
    return row


def dashboard_answer(
    document: Document,
    question: DashboardQuestion,
    company: Mapping[str, Any],
    stands_for: Mapping[str, Any],
    tiles: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """A dashboard as answers show it, of the present or of the past. Raises LimitExceeded for too many rows.

    `company`: the row of its profile; `stands_for`: position, as_of, complete and lag_ms.
    """
    if sum(len(tile["rows"]) for tile in tiles) > MOST_ROWS:
        raise LimitExceeded(
            f"the dashboard has more than {MOST_ROWS:,} rows",
            code="too_many_rows",
            suggested_actions=("Ask for a shorter period, or give its tiles a limit.",),
        )
    return {
        "dashboard": document.name,
        "version": document.version,
        "title": document.contents.name,
        "description": document.contents.description,
        "company": question.company,
        "currency": _currency(company, tiles),
        "time_zone": company["calendar"]["time_zone"],
        "params": dict(question.params),
        **stands_for,
        "tiles": list(tiles),
    }


def _currency(company: Mapping[str, Any], tiles: Sequence[Mapping[str, Any]]) -> str:
    """That of the company's totals; where it has set none, the one that all tiles with amounts are of."""
    named = {tile["extra"]["currency"] for tile in tiles if tile.get("extra", {}).get("currency")}
    return str(company["currency"] if company["currency_set"] or len(named) != 1 else named.pop())


def _check_params(document: Document, params: Mapping[str, str]) -> None:
    if unknown := sorted(set(params) - document.params):
        raise Invalid(f"no tile of {document.contents.name} has a parameter {unknown[0]!r}", code="unknown_parameter")
