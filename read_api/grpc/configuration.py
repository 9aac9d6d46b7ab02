"""The configuration over gRPC: the queries that HTTP asks, in protobuf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analytics.report_generation_pb2 import ReportRequest
from common.read_scope_pb2 import PageRequest, ReadScope
from services import dashboards_pb2 as dashboards
from services import reports_pb2 as reports

from domain.position import Position
from domain.request.caller import Caller
from projections.engine.query.request import Question
from read_api.answers.configuration import KINDS, item_question, list_question, only
from read_api.answers.questions import Questions
from read_api.grpc.answers import ms, provenance

DASHBOARD, REPORT_SCHEDULE = KINDS["dashboard"], KINDS["report_schedule"]
FORMATS = {"pdf": ReportRequest.PDF, "xlsx": ReportRequest.XLSX, "json": ReportRequest.JSON}


class Configuration:
    """Handlers of ListDashboards, GetDashboardConfig and ListReportSchedules."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    async def list_dashboards(
        self, request: dashboards.ListDashboardsRequest, caller: Caller
    ) -> dashboards.ListDashboardsResponse:
        """The dashboards that the caller may see."""
        page, asked_at = _page(request.page, request.archived), self._questions.now()
        question = list_question(DASHBOARD, caller.company(request.company_id), page, asked_at)
        answer = await self._ask(caller, question, request.min_position)
        return dashboards.ListDashboardsResponse(
            dashboards=[_dashboard(question.company, row) for row in answer["rows"]],
            next_cursor=answer["next_cursor"] or "",
            provenance=provenance(caller, answer),
        )

    async def get_dashboard_config(
        self, request: dashboards.GetDashboardConfigRequest, caller: Caller
    ) -> dashboards.GetDashboardConfigResponse:
        """One dashboard; raises NotFound where there is none that the caller may see."""
        company, asked_at = caller.company(request.company_id), self._questions.now()
        question = item_question(DASHBOARD, company, request.dashboard_id, asked_at)
        answer = await self._ask(caller, question, request.min_position)
        row = only(answer["rows"], DASHBOARD, request.dashboard_id)
        return dashboards.GetDashboardConfigResponse(
            dashboard=_dashboard(question.company, row), provenance=provenance(caller, answer)
        )

    async def list_report_schedules(
        self, request: reports.ListReportSchedulesRequest, caller: Caller
    ) -> reports.ListReportSchedulesResponse:
        """The report schedules of the company."""
        page, asked_at = _page(request.page, request.archived), self._questions.now()
        question = list_question(REPORT_SCHEDULE, caller.company(request.company_id), page, asked_at)
        answer = await self._ask(caller, question, request.min_position)
        return reports.ListReportSchedulesResponse(
            schedules=[_schedule(question.company, row) for row in answer["rows"]],
            next_cursor=answer["next_cursor"] or "",
            provenance=provenance(caller, answer),
        )

    async def _ask(self, caller: Caller, question: Question, min_position: str) -> Mapping[str, Any]:
        return await self._questions.ask(caller.principal, question, Position.parse(min_position))


def _page(page: PageRequest, archived: bool) -> dict[str, str]:  # a member of the request
    given = {"limit": str(page.limit or ""), "cursor": page.cursor, "archived": "true" if archived else ""}
    return {name: text for name, text in given.items() if text}


def _beside(row: Mapping[str, Any]) -> dict[str, Any]:
    """What every configured item has, by the names of the message fields."""
    same = ("version", "description", "archived", "changed_by", "unread_events")
    times = {name: ms(row[name]) for name in ("created_at", "changed_at")}
    return {**{name: row[name] for name in same}, **times}


def _dashboard(company: str, row: Mapping[str, Any]) -> dashboards.DashboardConfig:
    return dashboards.DashboardConfig(
        dashboard_id=row["id"],
        company_id=company,
        title=row["name"],
        tiles=[_tile(tile) for tile in row["tiles"]],
        owner=row["owner"],
        sharing=dashboards.DashboardConfig.Sharing(**row["sharing"]),
        **_beside(row),
    )


def _tile(tile: Mapping[str, Any]) -> dashboards.DashboardConfig.Tile:
    members = {name: tile[name] for name in ("title", "kind", "query", "params")}
    layout = dashboards.DashboardConfig.Tile.Layout(**tile["layout"])
    return dashboards.DashboardConfig.Tile(tile_id=tile["id"], layout=layout, **members)


def _schedule(company: str, row: Mapping[str, Any]) -> reports.ReportSchedule:
    report, timing = row["report"], row["timing"]
    sections = [ReportRequest.Section(**section) for section in report["sections"]]
    return reports.ReportSchedule(
        schedule_id=row["id"],
        company_id=company,
        name=row["name"],
        report=ReportRequest(
            kind=report["kind"],
            format=FORMATS[report["format"]],
            scope=ReadScope(company_id=company),
            sections=sections,
        ),
        params=report["params"],
        cron=timing["cron"],
        time_zone=timing["time_zone"],
        deliveries=_deliveries(row["recipients"]),
        enabled=row["enabled"],
        **_beside(row),
    )


def _deliveries(recipients: Sequence[Mapping[str, str]]) -> list[reports.ReportSchedule.Delivery]:
    return [
        reports.ReportSchedule.Delivery(channel=one["kind"], target=one.get("to") or one.get("url", ""))
        for one in recipients
    ]
