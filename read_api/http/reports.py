"""Reports over HTTP: made, listed, downloaded."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Stream

from domain.errors import Invalid
from domain.reports.report import ReportRequest, StoredReport
from read_api.answers.reports import MOST_PAGE
from read_api.http import openapi
from read_api.http.byte_ranges import FileSize, file_response
from read_api.http.request import HttpRequest, parameters, whole_parameter
from read_api.http.responses import JSON
from read_api.services import ReadServices

PATH = "/api/v1/reports"
LISTED = ("kind", "limit", "cursor")


class ReportList(msgspec.Struct, kw_only=True):
    """Reports, the newest first; `next_cursor` goes on, null on the last page."""

    reports: list[StoredReport]
    next_cursor: str | None


@post(
    PATH,
    status_code=201,
    responses={
        201: openapi.with_problems(StoredReport, "The report")[200],
        **openapi.with_problems(StoredReport, "The first one"),
    },
    summary="Make a report",
    operation_id="report.make",
    tags=["report"],
)
async def make(request: HttpRequest) -> Response[bytes]:
    """A report of a kind's standard queries, or of sections of one's own, kept as a file.

    The same `Idempotency-Key` with the same body gives the first one again.
    """
    side: ReadServices = request.app.state.side
    company = request.user.company(_only(request).get("company"))
    side.reports.admit(request.user.principal, company)
    try:
        asked = msgspec.json.decode(await request.body(), type=ReportRequest)
    except msgspec.DecodeError as error:
        raise Invalid(f"the body is no report: {error}", code="bad_body") from None
    key = request.headers.get("idempotency-key", "")
    made = await side.reports.generate(request.user.principal, company, asked, key)
    return Response(msgspec.json.encode(made), media_type=JSON, status_code=201)


@get(
    PATH,
    responses=openapi.with_problems(ReportList, "The reports"),
    summary="List reports",
    operation_id="report.list",
    tags=["report"],
)
async def listing(request: HttpRequest) -> Response[bytes]:
    """Reports that were made, the newest first, a page at a time (`kind`, `limit`, `cursor`)."""
    side: ReadServices = request.app.state.side
    asked = _only(request, *LISTED)
    company, limit = request.user.company(asked.get("company")), whole_parameter(asked, "limit", 0, MOST_PAGE, 0)
    found = await side.reports.listing(
        request.user.principal, company, asked.get("kind", ""), limit, asked.get("cursor", "")
    )
    shown: dict[str, Any] = {"reports": found.reports, "next_cursor": found.next_cursor or None}
    return Response(msgspec.json.encode(shown), media_type=JSON)


@get(
    f"{PATH}/{{id:uuid}}",
    responses=openapi.with_problems(StoredReport, "The report"),
    summary="Show a report",
    operation_id="report.show",
    tags=["report"],
)
async def show(id: FromPath[UUID], request: HttpRequest) -> Response[bytes]:
    """How far the report has got, and what it stands for."""
    return Response(msgspec.json.encode(await _stored_report(id, request, _only(request))), media_type=JSON)


@get(
    f"{PATH}/{{id:uuid}}/file",
    responses=openapi.with_problems(bytes, "The file"),
    summary="Download the file of a report",
    operation_id="report.file",
    tags=["report"],
)
async def file(id: FromPath[UUID], request: HttpRequest) -> Response[bytes] | Stream:
    """The file; with `Range`, or from `offset` on, a part of it, where a download was broken off."""
    side: ReadServices = request.app.state.side
    asked = _only(request, "offset")
    report, offset = await _stored_report(id, request, asked), whole_parameter(asked, "offset", 0, 2**40, 0)
    headers = {"Content-Disposition": f'attachment; filename="{report.file_name}"'}
    await side.reports.piece(report, offset, 1)  # which raises where there is no file
    content = partial(side.reports.content, report)
    if offset:
        return Stream(content(offset, report.size), headers=headers, media_type=report.media_type)
    return file_response(request, FileSize(report.size, report.sha256), content, headers, report.media_type)


async def _stored_report(id: UUID, request: HttpRequest, asked: dict[str, str]) -> StoredReport:
    side: ReadServices = request.app.state.side
    return await side.reports.find(request.user.principal, request.user.company(asked.get("company")), str(id))


def _only(request: HttpRequest, *names: str) -> dict[str, str]:
    """The parameters. Raises Invalid for one that there is not."""
    asked = parameters(request)
    if unknown := [name for name in asked if name not in ("company", *names)]:
        raise Invalid(f"there is no parameter {unknown[0]!r} here", code="unknown_parameter")
    return asked


HANDLERS = (make, listing, show, file)
