"""Routes of the pages of reports. A report is made as over every other door; here its form waits for it a while."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath

from domain.access.rights import Right, may, require
from domain.audit import Action
from domain.errors import AnalyticsError, NotFound
from domain.events.identity import new_event_id
from domain.problem_documents import status_of
from domain.reports.report import ReportRequest, State, StoredReport
from domain.reports.standard import STANDARD
from domain.request.caller import ACTION, PAGE
from eventlog import tasks
from read_api.http.departure import for_caller
from read_api.http.request import HttpRequest
from read_api.http.responses import JSON
from read_api.reports.writers import FORMS
from read_api.web.dashboard_names import dashboard_names
from read_api.web.forms import gone_to, read_form
from read_api.web.reports.lines import period_of, report_line, title_of
from read_api.web.reports.request import FIELDS, OF_DASHBOARD, PATH, USUAL, fields_of, request_of
from read_api.web.room import Page, page_of

logger = logging.getLogger(__name__)

LISTED = 50  # reports of one page
PATIENCE = 10.0  # seconds that a form waits for its report; then the list shows how far it is
OPENED = frozenset({"pdf", "json"})  # forms that a browser shows itself
FORM_NAMES: Mapping[str, str] = {"pdf": "PDF", "xlsx": "Excel", "json": "JSON"}
OPT = {PAGE: True, ACTION: Action.REPORT}
ONE = f"{PATH}/{{id:uuid}}"


@get(PATH, include_in_schema=False, opt=OPT)
async def reports_page(request: HttpRequest) -> Response[bytes]:
    """The reports there are, the newest first, and the form for a new one as the address fills it in."""
    page = await page_of(request, *FIELDS, "cursor")
    return await for_caller(request, _listed(page, page.params))


@post(PATH, status_code=303, include_in_schema=False, opt=OPT)
async def make_report(request: HttpRequest) -> Response[bytes] | Response[None]:
    """Have the report made that the form asks for, and go to it; what is wrong with the form is said above it."""
    page = await page_of(request)
    page.side.reports.admit(page.principal, page.company)
    form = await read_form(request)
    try:
        made = await _made(page, request_of(page, form), form.get("key", ""))
    except AnalyticsError as problem:
        response = await _listed(page, {name: form[name] for name in FIELDS if name in form}, problem)
        response.status_code = status_of(problem)
        return response
    return gone_to(page.to(f"{PATH}/{made.report_id}") if made else page.to(PATH))


@get(ONE, include_in_schema=False, opt=OPT)
async def report_page(id: FromPath[UUID], request: HttpRequest) -> Response[bytes]:
    """One report: how far it is, what it is of, its file, and what proves it."""
    page = await page_of(request)
    report = await page.side.reports.find(page.principal, page.company, str(id))
    return page.html(
        "reports/report.html",
        title_of(report.request),
        report=report,
        line=report_line(page, report),
        opened=(report.request.format or "pdf") in OPENED,
        parts=len(report.request.sections),
        params={name: text for name, text in report.request.params.items() if name not in ("from", "to")},
        again="" if report.request.sections else page.to(PATH, **fields_of(report.request)) + "#new",
        key=page.to("/audit/key.pem") if may(page.principal, Right.VERIFY, page.company) else "",
    )


@get(f"{ONE}/file", include_in_schema=False, opt=OPT)
async def report_file(id: FromPath[UUID], request: HttpRequest) -> Response[bytes]:
    """Its file, to be kept; `show=1`: to be looked at. Raises Conflict where it has none."""
    page = await page_of(request, "show")
    report = await page.side.reports.find(page.principal, page.company, str(id))
    content = await for_caller(request, page.side.reports.piece(report, 0, report.size))
    way = "inline" if page.params.get("show") else "attachment"
    return _file(content, report.media_type, report.file_name, way)


@get(f"{ONE}/proof", include_in_schema=False, opt=OPT)
async def report_proof(id: FromPath[UUID], request: HttpRequest) -> Response[bytes]:
    """What lies beside the file, for `analytics report verify`. Raises NotFound where there is no file to prove."""
    page = await page_of(request)
    report = await page.side.reports.find(page.principal, page.company, str(id))
    if report.proof is None:
        raise NotFound("the report has no proof", code="no_proof", suggested_actions=("Make it again.",))
    content = msgspec.json.format(msgspec.json.encode(report.proof), indent=1)
    return _file(content, JSON, f"{report.file_name}.proof.json", "attachment")


REPORTS: Sequence[BaseRouteHandler] = (reports_page, make_report, report_page, report_file, report_proof)


def _file(content: bytes, media_type: str, name: str, way: str) -> Response[bytes]:
    headers = {
        "Content-Disposition": f'{way}; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=media_type, headers=headers)


async def _made(page: Page, request: ReportRequest, key: str) -> StoredReport | None:
    """The report, or None while it is still being made: that goes on, whether or not somebody waits for it."""
    work = tasks.owned(page.side.reports.generate(page.principal, page.company, request, key), "a report of a page")
    work.add_done_callback(_ended)
    done, _ = await asyncio.wait({work}, timeout=PATIENCE)
    return work.result() if done else None


def _ended(work: asyncio.Task[StoredReport]) -> None:
    """Nobody may be there any more to be told why it was not made."""
    if not work.cancelled() and (error := work.exception()) is not None:
        logger.info("a report was not made: %s", error)


async def _listed(page: Page, fields: Mapping[str, str], problem: AnalyticsError | None = None) -> Response[bytes]:
    require(page.principal, Right.REPORTS, page.company)
    found = await page.side.reports.listing(page.principal, page.company, "", LISTED, page.params.get("cursor", ""))
    lines = [report_line(page, report) for report in found.reports]
    boards = [(OF_DASHBOARD + name, f"Dashboard {title}") for name, title in await dashboard_names(page)]
    return page.html(
        "reports/reports.html",
        "Reports",
        rooms=(),
        lines=lines,
        running=any(line.state == State.RUNNING for line in lines),
        older=page.again(cursor=found.next_cursor) if found.next_cursor else "",
        kinds=[*((name, kind.title, kind.description) for name, kind in STANDARD.items()), *_plain(boards)],
        forms=[(name, FORM_NAMES[name]) for name in FORMS],
        fields=fields,
        chosen=fields.get("of") or USUAL,
        problem=problem,
        key=new_event_id(),
    )


def _plain(boards: Sequence[tuple[str, str]]) -> list[tuple[str, str, str]]:
    return [(name, title, "") for name, title in boards]


async def newest_reports(page: Page, most: int) -> list[dict[str, Any]]:
    """The newest reports that somebody may see, as what is searched for; none where they may see none."""
    if not may(page.principal, Right.REPORTS, page.company):
        return []
    found = await page.side.reports.listing(page.principal, page.company, "", most, "")
    return [
        {
            "title": f"{title_of(report.request)}, {period_of(report.request, page.formats)}",
            "what": f"report · {(report.request.format or 'pdf').upper()}",
            "href": page.to(f"{PATH}/{report.report_id}"),
        }
        for report in found.reports
    ]
