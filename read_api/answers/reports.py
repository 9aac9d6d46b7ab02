"""Reports: made of registered queries at one position, kept, listed, downloaded. The same for HTTP and gRPC.

A format is a renderer: what makes the bytes of a file out of a document. What has none yet is refused, naming those.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from domain.access.rights import Principal, Right, require
from domain.errors import AnalyticsError, Conflict, Invalid, NotFound
from domain.events.identity import new_event_id
from domain.position import Position
from domain.reports.report import ReportFiles, ReportRequest, ReportSection, ReportStore, State, StoredReport
from projections.engine.query.ask import answerable
from projections.engine.query.composed import least_position, positions_agree, projections_of, topics_of
from projections.engine.query.request import Question
from read_api.answers.questions import Questions

Document = Mapping[str, Any]
MOST_SECTIONS = 20
TRIES = 3  # until the sections stand at one position
DEFAULT_PAGE, MOST_PAGE = 100, 1_000


@dataclass(frozen=True, slots=True)
class Renderer:
    """A format of files: its name, its media type, and how it is made of a document."""

    name: str
    media_type: str
    render: Callable[[Document], bytes]


RENDERERS: Mapping[str, Renderer] = MappingProxyType(
    {each.name: each for each in (Renderer("json", "application/json", msgspec.json.encode),)}
)


def _section(title: str, query: str, chart: str = "table", **params: str) -> ReportSection:
    return ReportSection(title=title, query=query, params=params, chart=chart)


STANDARD: Mapping[str, tuple[str, Sequence[ReportSection]]] = MappingProxyType(
    {  # kind → title and sections
        "executive": (
            "Executive report",
            (
                _section("Key figures", "kpis"),
                _section("Recurring revenue by month", "mrr_movements", "bar", by="month"),
                _section("Active users", "active_users", "line"),
                _section("Strategies", "trading_league", by="strategy"),
            ),
        ),
        "trading": (
            "Trading report",
            (
                _section("Key figures", "kpis", section="trading"),
                _section("Strategies", "trading_league", by="strategy"),
                _section("Symbols", "trading_league", by="symbol"),
                _section("Hours and weekdays", "trading_time", "heat_map"),
                _section("Equity", "trading_equity", "line"),
            ),
        ),
        "users": (
            "Users report",
            (
                _section("Key figures", "kpis", section="engagement"),
                _section("Active users", "active_users", "line"),
                _section("Segments", "segments", "bar"),
                _section("Features", "features", "bar"),
            ),
        ),
        "system": (
            "System report",
            (
                _section("Key figures", "kpis", section="system"),
                _section("Operations by service", "operations", by="service"),
                _section("Measures by service", "system_metrics", by="service,metric"),
            ),
        ),
    }
)


class ReportPage(NamedTuple):
    """A part of a list, and where the next one begins; empty on the last one."""

    reports: Sequence[StoredReport]
    next_cursor: str


class Reports:
    """Makes reports of what somebody may see, and gives out what was made."""

    def __init__(self, questions: Questions, store: ReportStore, files: ReportFiles) -> None:
        self._questions = questions
        self._store = store
        self._files = files
        self.count: Callable[[int], None] = lambda _ms: None  # of each that is made: milliseconds that it took

    def admit(self, principal: Principal, company: str) -> None:
        """Raise Forbidden where they may not have reports."""
        require(principal, Right.REPORTS, company)

    async def generate(self, principal: Principal, company: str, request: ReportRequest, key: str = "") -> StoredReport:
        """Make it and keep it; the same key with the same request gives the first one. What could not be made says why.

        Raises Forbidden, Invalid, Conflict for a key that was used for another request, Unavailable.
        """
        require(principal, Right.REPORTS, company)
        renderer = _renderer(request.format)
        sections = sections_of(request)
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
            return begun
        ended = await self._made(principal, begun, renderer, sections)
        await self._store.end(ended)
        self.count(ended.finished_at - ended.requested_at)
        return ended

    async def find(self, principal: Principal, company: str, report_id: str) -> StoredReport:
        """Raises Forbidden, and NotFound where the company has no such report."""
        require(principal, Right.REPORTS, company)
        found = await self._store.find(company, report_id)
        if found is None:
            raise NotFound(f"there is no report {report_id}", code="no_report")
        return found

    async def listing(self, principal: Principal, company: str, kind: str, limit: int, cursor: str) -> ReportPage:
        """The newest first. Raises Forbidden, and Invalid for a cursor that is none."""
        require(principal, Right.REPORTS, company)
        most = min(limit or DEFAULT_PAGE, MOST_PAGE)
        found = await self._store.listing(company, kind, _place(cursor), most)
        last = msgspec.json.encode(found[-1].place) if len(found) == most else b""
        return ReportPage(found, base64.urlsafe_b64encode(last).decode())

    async def piece(self, report: StoredReport, offset: int, length: int) -> bytes:
        """A piece of its file; empty after the end. Raises Conflict where it has none, NotFound where that is gone."""
        if report.state is not State.READY:
            raise Conflict(f"the report is {report.state}: {report.error or 'not ready'}", code="not_ready")
        return await self._files.read(report.company_id, report.file_name, offset, length)

    def _now(self) -> int:
        return round(self._questions.now().timestamp() * 1000)

    async def _made(
        self, principal: Principal, report: StoredReport, renderer: Renderer, sections: Sequence[ReportSection]
    ) -> StoredReport:
        try:
            document = await self._document(principal, report, sections)
            content, name = renderer.render(document), f"{report.report_id}.{renderer.name}"
            await self._files.write(report.company_id, name, content)
        except AnalyticsError as error:
            return msgspec.structs.replace(report, state=State.FAILED, error=str(error), finished_at=self._now())
        return msgspec.structs.replace(
            report,
            state=State.READY,
            finished_at=self._now(),
            file_name=name,
            media_type=renderer.media_type,
            size=len(content),
            sha256=sha256(content).hexdigest(),
            stands_for={member: document[member] for member in ("position", "as_of", "complete", "lag_ms")},
        )

    async def _document(
        self, principal: Principal, report: StoredReport, sections: Sequence[ReportSection]
    ) -> Document:
        """All sections, asked until they stand at one position; after a few tries each says its own."""
        request, asked_at = report.request, self._questions.now()
        asked = [Question(s.query, report.company_id, s.params, asked_at) for s in sections]
        for _ in range(TRIES):
            answers = [await self._questions.ask(principal, question) for question in asked]
            reached = [_reached(*each) for each in zip(asked, answers, strict=True)]
            if positions_agree(reached):
                break
        told = [
            {"title": s.title or answerable(s.query).summary, "params": s.params, "chart": s.chart or "table", **answer}
            for s, answer in zip(sections, answers, strict=True)
        ]
        moments = [answer["as_of"] for answer in answers]
        return {
            "report_id": report.report_id,
            "company_id": report.company_id,
            "kind": request.kind,
            "title": request.title or STANDARD.get(request.kind, ("Report", ()))[0],
            "locale": request.locale or "en-US",
            "position": least_position(reached),
            "as_of": min(moments) if all(moments) else None,
            "complete": all(answer["complete"] for answer in answers),
            "lag_ms": max(answer["lag_ms"] for answer in answers),
            "sections": told,
        }


def _reached(question: Question, answer: Mapping[str, Any]) -> tuple[frozenset[str], str]:
    """The streams that an answer rests on, those of settings and rates included, and its position."""
    position = answer["position"]
    beside = {topic for topic, _ in Position.parse(position).offsets}
    return topics_of(projections_of(question)) | beside, position


def sections_of(request: ReportRequest) -> Sequence[ReportSection]:
    """The parts of a report, each with the parameters of the whole that its query knows. Raises Invalid, NotFound."""
    if request.kind == "custom":
        if not 0 < len(request.sections) <= MOST_SECTIONS:
            raise Invalid(f"a custom report has 1 to {MOST_SECTIONS} sections", code="bad_parameter")
        parts: Sequence[ReportSection] = request.sections
    elif request.kind not in STANDARD or request.sections:
        kinds = ", ".join((*STANDARD, "custom"))
        raise Invalid(f"kind is one of {kinds}, and only a custom report has sections", code="bad_parameter")
    else:
        parts = STANDARD[request.kind][1]
    return [_with(section, request.params) for section in parts]


def _with(section: ReportSection, params: Mapping[str, str]) -> ReportSection:
    names = {param.name for param in answerable(section.query).params}
    shared = {name: text for name, text in params.items() if name in names}
    return msgspec.structs.replace(section, params={**shared, **section.params})


def _renderer(name: str) -> Renderer:
    if (name or "pdf") not in RENDERERS:
        raise Invalid(
            f"reports are not made as {name or 'pdf'} yet; there is {', '.join(RENDERERS)}",
            code="unknown_format",
            suggested_actions=(f"Ask for {', '.join(RENDERERS)}.",),
        )
    return RENDERERS[name or "pdf"]


def _place(cursor: str) -> tuple[int, str] | None:
    if not cursor:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor.encode()), type=tuple[int, str])
    except (ValueError, msgspec.DecodeError):
        raise Invalid("parameter cursor: this list has not given it", code="bad_parameter") from None
