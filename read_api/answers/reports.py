"""Reports: made of registered queries at one position, kept, listed, downloaded. The same for HTTP and gRPC.

The same request at the same position, with the same rights, gives the same bytes: so a report can be verified by making
it again out of the log.
"""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
from babel import Locale, UnknownLocaleError

from domain.access.rights import Feature, Principal, Right, opens, require
from domain.configuration.company import Calendar
from domain.errors import AnalyticsError, Conflict, Forbidden, Invalid, NotFound, Unavailable
from domain.events.identity import new_event_id
from domain.position import Position
from domain.reports.document import Document
from domain.reports.report import (
    Proof,
    Recipe,
    ReportFiles,
    ReportRequest,
    ReportSection,
    ReportStore,
    State,
    StoredReport,
)
from domain.reports.standard import CUSTOM
from projections.engine.declare.registry import read_beside
from projections.engine.query.composed import least_position, positions_agree, projections_of, topics_of
from projections.engine.query.params import read_time
from projections.engine.query.request import Question
from read_api.answers.questions import Questions
from read_api.dashboards.dashboards import COMPANY, Dashboards
from read_api.live.changes import ProjectionChanges, wait_for
from read_api.reports.composing import document_of
from read_api.reports.sections import sections_of
from read_api.reports.writers import Form, form_of

DEFAULT_PAGE, MOST_PAGE = 100, 1_000
AGREEMENT = 5.0  # seconds that projections may take to stand at one position; then they are asked of the past
PIECE = 256 * 1024  # bytes of a file that are given on at once
LONGEST = 1_800  # seconds that one may be made, waiting included
LOOK = 0.05  # seconds between two looks at them, whatever the bus says
LATE = timedelta(days=1)  # before which a moment needs a tier that sees all history
AHEAD = timedelta(minutes=1)  # by which clocks differ

Outcome = dict[str, Any] | AnalyticsError
AnswersAt = Callable[[Sequence[Question], Position], Awaitable[Sequence[Outcome]]]
"""Answers questions of one company as known at a position, at the moment that each of them names."""
Write = Callable[[str, Document], Awaitable[bytes]]
"""Writes a document in a form, in another process. Raises LimitExceeded, Unavailable."""
Sign = Callable[[bytes], bytes]


class ReportPage(NamedTuple):
    """A part of a list, and where the next one begins; empty on the last one."""

    reports: Sequence[StoredReport]
    next_cursor: str


class ReportDesk(NamedTuple):
    """What reports are made and kept with."""

    store: ReportStore
    files: ReportFiles
    answers_at: AnswersAt
    write: Write
    sign: Sign


class Reports:
    """Makes reports of what somebody may see, and gives out what was made."""

    def __init__(
        self, questions: Questions, dashboards: Dashboards, movements: ProjectionChanges, desk: ReportDesk
    ) -> None:
        self._questions = questions
        self._dashboards = dashboards
        self._movements = movements
        self._store, self._files, self._answers_at, self._write, self._sign = desk
        self.count: Callable[[int], None] = lambda _ms: None  # of each that is made: milliseconds that it took

    def admit(self, principal: Principal, company: str) -> None:
        """Raise Forbidden where they may not have reports."""
        require(principal, Right.REPORTS, company)

    async def generate(
        self, principal: Principal, company: str, request: ReportRequest, key: str = "", *, of_run: bool = False
    ) -> StoredReport:
        """Make it and keep it; the same key with the same request gives the first one. What could not be made says why.

        `of_run`: for a run of a schedule, which nobody else makes at the same time. So an unfinished one of its key was
        left by a process that ended, and is made; and members get reports of their own rows.

        Raises Forbidden, Invalid, NotFound, Conflict for a key that was used for another request, Unavailable.
        """
        require(principal, Right.OWN if of_run and principal.member else Right.REPORTS, company)
        form, asked_at = form_of(request.format), self._moment(principal, company, request)
        sections = await self._sections(principal, company, request)
        questions = self._questions_of(principal, company, sections, asked_at, request.failures)
        new = StoredReport(
            report_id=new_event_id(),
            company_id=company,
            requested_by=principal.sub,
            request=request,
            state=State.RUNNING,
            requested_at=self._now(),
        )
        begun = await self._store.begin(new, key)
        if begun.report_id != new.report_id:
            if begun.request != request:
                raise Conflict("the key was used for another report", code="key_reused")
            if not (of_run and begun.state is State.RUNNING):
                return begun
        ended = await self._made(principal, begun, form, questions)
        await self._store.end(ended)
        self.count(ended.finished_at - ended.requested_at)
        return ended

    async def again(self, recipe: Recipe) -> bytes:
        """The bytes of a report made anew from the log. Raises as making it does."""
        principal, company, request = recipe.principal, recipe.company_id, recipe.request
        asked_at = _time("asked_at", request.asked_at)
        sections = await self._sections(principal, company, request)
        questions = self._questions_of(principal, company, sections, asked_at, request.failures)
        document = await self._document(principal, company, request, questions)
        return await self._write(form_of(request.format).name, document)

    async def calendar(self, company: str) -> Calendar:
        """By which the company's periods are cut. Raises Unavailable."""
        profile = await self._questions.answer(Question(COMPANY, company, {}, self._questions.now()))
        return msgspec.convert(profile["rows"][0]["calendar"], Calendar)

    async def find(self, principal: Principal, company: str, report_id: str) -> StoredReport:
        """Raises Forbidden, and NotFound where the company has no such report."""
        require(principal, Right.REPORTS, company)
        found = await self._store.find(company, report_id)
        if found is None:
            raise NotFound(f"there is no report {report_id}", code="no_report")
        return self._looked_after(found)

    async def listing(self, principal: Principal, company: str, kind: str, limit: int, cursor: str) -> ReportPage:
        """The newest first. Raises Forbidden, and Invalid for a cursor that is none."""
        require(principal, Right.REPORTS, company)
        most = min(limit or DEFAULT_PAGE, MOST_PAGE)
        found = [self._looked_after(each) for each in await self._store.listing(company, kind, _place(cursor), most)]
        last = msgspec.json.encode(found[-1].place) if len(found) == most else b""
        return ReportPage(found, base64.urlsafe_b64encode(last).decode())

    def _looked_after(self, report: StoredReport) -> StoredReport:
        """The report; one that has been made for longer than that may take was left by a process that ended."""
        if report.state is not State.RUNNING or self._now() - report.requested_at < LONGEST * 1000:
            return report
        return msgspec.structs.replace(report, state=State.FAILED, error="the process that made it has ended")

    async def piece(self, report: StoredReport, offset: int, length: int) -> bytes:
        """A piece of its file; empty after the end. Raises Conflict where it has none, NotFound where that is gone."""
        if report.state is not State.READY:
            raise Conflict(f"the report is {report.state}: {report.error or 'not ready'}", code="not_ready")
        return await self._files.read(report.company_id, report.file_name, offset, length)

    async def content(self, report: StoredReport, begin: int, end: int) -> AsyncIterator[bytes]:
        """The bytes of its file from one to before another. Raises as `piece` does."""
        while begin < end and (piece := await self.piece(report, begin, min(PIECE, end - begin))):
            begin += len(piece)
            yield piece

    def _now(self) -> int:
        return round(self._questions.now().timestamp() * 1000)

    def _moment(self, principal: Principal, company: str, request: ReportRequest) -> datetime:
        """The moment that open ends are taken of. Raises Invalid for one that is none or lies ahead, Forbidden."""
        _check_locale(request.locale)
        Position.parse(request.at_position)
        now = self._questions.now()
        if not request.asked_at:
            return now.replace(microsecond=now.microsecond // 1000 * 1000)
        asked_at = _time("asked_at", request.asked_at)
        if asked_at > now + AHEAD:
            raise Invalid(f"asked_at: {request.asked_at} has not come yet", code="bad_parameter")
        if asked_at < now - LATE and not opens(principal, Feature.FULL_HISTORY, company):
            raise Forbidden("tier FREE has reports of this moment alone", code="forbidden_tier")
        return asked_at

    async def _sections(self, principal: Principal, company: str, request: ReportRequest) -> Sequence[ReportSection]:
        """Raises Invalid, NotFound, Forbidden for a dashboard that they may not see."""
        dashboard = None
        if request.kind == CUSTOM and request.dashboard:
            now = self._questions.now()
            dashboard = await self._dashboards.document(principal, request.dashboard, company, now)
        return sections_of(request, dashboard)

    def _questions_of(
        self, principal: Principal, company: str, sections: Sequence[ReportSection], asked_at: datetime, failures: str
    ) -> Sequence[tuple[ReportSection, Question | AnalyticsError]]:
        """What each section asks, as they may ask it.

        What the tier does not open of a standard report is said in its place, and with `box` what cannot be asked so.
        Raises Forbidden for sections of one's own and where nothing is left, Invalid.
        """
        judged: list[tuple[ReportSection, Question | AnalyticsError]] = []
        for section in sections:
            try:
                allowed = self._questions.allowed(principal, Question(section.query, company, section.params, asked_at))
                projections_of(allowed)  # which reads its parameters
            except Forbidden as error:
                judged.append((section, error))
            except Invalid as error:
                if failures != "box":
                    raise
                judged.append((section, error))
            else:
                judged.append((msgspec.structs.replace(section, params=dict(allowed.params)), allowed))
        refused = [error for _, error in judged if isinstance(error, AnalyticsError)]
        if len(refused) == len(judged):
            raise refused[0]
        return judged

    async def _made(
        self,
        principal: Principal,
        report: StoredReport,
        form: Form,
        questions: Sequence[tuple[ReportSection, Question | AnalyticsError]],
    ) -> StoredReport:
        try:
            document = await self._document(principal, report.company_id, report.request, questions)
            content, name = await self._write(form.name, document), f"{report.report_id}.{form.name}"
            await self._files.write(report.company_id, name, content)
        except AnalyticsError as error:
            return msgspec.structs.replace(report, state=State.FAILED, error=str(error), finished_at=self._now())
        proof = self._proof(principal, report, form, document, sha256(content).hexdigest())
        return msgspec.structs.replace(
            report,
            state=State.READY,
            finished_at=self._now(),
            file_name=name,
            media_type=form.media_type,
            size=len(content),
            sha256=proof.sha256,
            stands_for={"position": document.position, "as_of": document.asked_at, "complete": True, "lag_ms": 0},
            proof=proof,
        )

    def _proof(self, principal: Principal, report: StoredReport, form: Form, document: Document, digest: str) -> Proof:
        request = msgspec.structs.replace(
            report.request, format=form.name, asked_at=document.asked_at, at_position=document.position
        )
        recipe = Recipe(
            company_id=report.company_id,
            request=request,
            subject=principal.sub,
            roles=tuple(sorted(principal.roles)),
            tier=principal.tier_in(report.company_id),
            user_ids=tuple(sorted(principal.member.user_ids)) if principal.member else (),
            account_ids=tuple(sorted(principal.member.account_ids)) if principal.member else (),
        )
        proof = Proof(sha256=digest, recipe=recipe)
        return msgspec.structs.replace(proof, signature=base64.b64encode(self._sign(proof.message)).decode())

    async def _document(
        self,
        principal: Principal,
        company: str,
        request: ReportRequest,
        questions: Sequence[tuple[ReportSection, Question | AnalyticsError]],
    ) -> Document:
        """All sections at one position. Raises what keeps the report from being one."""
        asked = [question for _, question in questions if isinstance(question, Question)]
        asked_at = asked[0].asked_at
        profile = Question(COMPANY, company, {}, asked_at, principal.member)
        await self._questions.require_company(principal, profile)
        position, (owner, *outcomes) = await self._at_one_position([profile, *asked], request.at_position)
        if isinstance(owner, AnalyticsError):
            raise owner
        answers = iter(outcomes)
        found = [question if isinstance(question, AnalyticsError) else next(answers) for _, question in questions]
        failed = [answer for answer in outcomes if isinstance(answer, AnalyticsError)]
        if failed and (request.failures != "box" or len(failed) == len(outcomes)):
            raise failed[0]
        if not any(answer["rows"] for answer in outcomes if not isinstance(answer, AnalyticsError)):
            raise NotFound(
                "no section of the report has anything to show",
                code="blank_report",
                suggested_actions=("Ask for another period.",),
            )
        sections, can_pivot = [section for section, _ in questions], opens(principal, Feature.PIVOTS, company)
        return document_of(request, sections, found, owner, company, asked_at, position, can_pivot=can_pivot)

    async def _at_one_position(self, questions: Sequence[Question], at: str) -> tuple[str, Sequence[Outcome]]:
        """The answers, and what they stand for: the position that is named, else where the projections agree."""
        if at:
            return at, await self._answers_at(questions, Position.parse(at))
        reads: frozenset[str] = frozenset().union(*map(projections_of, questions))
        names = sorted(reads | read_beside(reads))
        deadline = time.monotonic() + AGREEMENT
        while True:
            moved = self._movements.next()
            async with self._questions.snapshot(questions[0].company, questions[0].member) as snapshot:
                checkpoints = await snapshot.checkpoints(names, questions[0].company)
                reached = [(topics_of([name]), each.position) for name, each in checkpoints.items()]
                position = least_position(reached)
                if positions_agree(reached):
                    return position, [await self._outcome(question, snapshot) for question in questions]
            left = deadline - time.monotonic()
            if left <= 0:
                return position, await self._answers_at(questions, Position.parse(position))
            await wait_for(moved, min(left, LOOK))

    async def _outcome(self, question: Question, snapshot: Any) -> Outcome:
        try:
            return await self._questions.answer_from(snapshot, question)
        except Unavailable:
            raise
        except AnalyticsError as error:
            return error


def _check_locale(locale: str) -> None:
    try:
        Locale.parse(locale or "en-US", sep="-")
    except (ValueError, UnknownLocaleError):
        raise Invalid(f"locale: {locale[:40]!r} is none, such as en-US or de", code="bad_parameter") from None


def _time(name: str, text: str) -> datetime:
    try:
        return read_time(text)
    except ValueError as error:
        raise Invalid(f"{name}: {error}", code="bad_parameter") from None


def _place(cursor: str) -> tuple[int, str] | None:
    if not cursor:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor.encode()), type=tuple[int, str])
    except (ValueError, msgspec.DecodeError):
        raise Invalid("parameter cursor: this list has not given it", code="bad_parameter") from None
