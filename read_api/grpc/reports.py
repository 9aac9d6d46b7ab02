"""Reports over gRPC: made, listed, downloaded; and what is made by itself, and when."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from analytics import report_generation_pb2 as generation
from services import reports_pb2 as reports

from domain.errors import Invalid
from domain.reports.report import ReportRequest, ReportSection, StoredReport
from domain.request.caller import Caller
from projections.engine.query.formatting import show_time
from read_api.answers.configuration import KINDS
from read_api.answers.reports import Reports
from read_api.grpc.dashboards import listed
from read_api.grpc.messages import message, ms
from read_api.grpc.rpc import Answer, one
from read_api.grpc.scope import about, company_of

Row = Mapping[str, Any]
SCHEDULE = KINDS["report_schedule"]


def _schedules(_request: Any, answer: Answer) -> Row:
    found = [_schedule(answer["company"], row) for row in answer["rows"]]
    return {"schedules": found, "next_cursor": answer["next_cursor"]}


def _schedule(company: str, row: Row) -> Row:
    """What recipients are called differs by channel: mail has `to`, a webhook `url`."""
    report, timing = row["report"], row["timing"]
    deliveries = [
        {"channel": each["kind"], "target": each.get("to") or each.get("url", "")} for each in row["recipients"]
    ]
    return {
        **row,
        **timing,
        "schedule_id": row["id"],
        "company_id": company,
        "report": {**report, "scope": {"company_id": company}},
        "params": report["params"],
        "deliveries": deliveries,
    }


RPCS = (one("ListReportSchedules", listed(SCHEDULE.query), _schedules),)

# ---- made now

PIECE = 256 * 1024  # bytes of one message
UNUSED = ("min_position",)  # members of a scope that no report has


def report_request(asked: generation.ReportRequest) -> ReportRequest:
    """What is asked for. Raises Invalid for what reports do not know."""
    if given := [name for name in UNUSED if getattr(asked.scope, name)]:
        raise Invalid(f"a report has no {given[0]}", code="bad_parameter")
    if asked.failures not in ("", "fail", "box"):
        raise Invalid(f"failures is fail or box, not {asked.failures!r}", code="bad_parameter")
    return ReportRequest(
        kind=asked.kind,
        format=generation.ReportRequest.Format.Name(asked.format).lower() if asked.format else "",
        title=asked.title,
        sections=[
            ReportSection(title=each.title, query=each.query, params=dict(each.params), chart=each.chart)
            for each in asked.sections
        ],
        dashboard=asked.dashboard,
        params=dict(about("", asked.scope).params),
        locale=asked.locale,
        asked_at=show_time(datetime.fromtimestamp(asked.asked_at / 1000, UTC)) if asked.asked_at else "",
        at_position=asked.scope.at_position,
        failures="box" if asked.failures == "box" else "fail" if asked.failures else "",
    )


def report_result(report: StoredReport, caller: Caller) -> generation.ReportResult:
    """A report as it is kept, without its file."""
    request, stands_for = report.request, report.stands_for
    sections = [{name: getattr(each, name) for name in each.__struct_fields__} for each in request.sections]
    scope: dict[str, Any] = {"company_id": report.company_id, "filters": dict(request.params)}
    for name, end in (("from_time", "from"), ("to_time", "to")):
        scope[name] = ms(scope["filters"].pop(end, None))
    for name, param in (("convention", "convention"), ("time_zone", "zone")):
        scope[name] = scope["filters"].pop(param, None)
    scope["at_position"] = request.at_position
    told = {name: getattr(report, name) for name in report.__struct_fields__}
    told["proof"] = msgspec.json.encode(report.proof).decode() if report.proof else ""
    told["request"] = {
        **{name: getattr(request, name) for name in ("kind", "title", "locale", "dashboard", "failures")},
        "asked_at": ms(request.asked_at or None),
        **({"format": request.format} if request.format else {}),
        "sections": sections,
        "scope": scope,
    }
    if stands_for:
        told["provenance"] = {**stands_for, "query": "report", "definition_version": 1}
        told["provenance"]["correlation_id"] = caller.correlation_id
    return message(generation.ReportResult, told)


class ReportHandlers:
    """Handlers of GenerateReport, GetReport, ListReports and DownloadReport."""

    def __init__(self, kept: Reports) -> None:
        self._reports = kept

    async def generate_report(
        self, request: reports.GenerateReportRequest, caller: Caller
    ) -> reports.GenerateReportResponse:
        """The report, made. Raises Forbidden, Invalid, Conflict."""
        company = caller.company(company_of(request))
        self._reports.admit(caller.principal, company)
        asked = report_request(request.report)
        made = await self._reports.generate(caller.principal, company, asked, request.idempotency_key)
        return reports.GenerateReportResponse(report=report_result(made, caller))

    async def get_report(self, request: reports.GetReportRequest, caller: Caller) -> reports.GetReportResponse:
        """One report. Raises Forbidden, NotFound."""
        found = await self._reports.find(caller.principal, caller.company(request.company_id), request.report_id)
        return reports.GetReportResponse(report=report_result(found, caller))

    async def list_reports(self, request: reports.ListReportsRequest, caller: Caller) -> reports.ListReportsResponse:
        """The newest first. Raises Forbidden, Invalid."""
        company, page = caller.company(request.company_id), request.page
        found = await self._reports.listing(caller.principal, company, request.kind, page.limit, page.cursor)
        return reports.ListReportsResponse(
            reports=[report_result(each, caller) for each in found.reports],
            next_cursor=found.next_cursor,
            correlation_id=caller.correlation_id,
        )

    async def download_report(
        self, request: reports.DownloadReportRequest, caller: Caller
    ) -> AsyncGenerator[reports.DownloadReportResponse]:
        """The file from `offset` on, in pieces; the report in the first one. Raises Forbidden, NotFound, Conflict."""
        report = await self._reports.find(caller.principal, caller.company(request.company_id), request.report_id)
        offset, first = request.offset, report_result(report, caller)
        while True:
            piece = await self._reports.piece(report, offset, PIECE)
            if not piece and offset > request.offset:
                return
            yield reports.DownloadReportResponse(report=first if offset == request.offset else None, content=piece)
            offset += len(piece)
            if not piece:
                return
