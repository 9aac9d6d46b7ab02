"""The read side over gRPC: handlers by name of the RPC, for the server that `app` puts together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eventlog.search.search import EventSearch
from read_api.answers.questions import Questions
from read_api.grpc.configuration import Configuration
from read_api.grpc.event_history import EventHistory
from read_api.grpc.insights import Insights
from read_api.grpc.operations import Health, Operations, Statuses
from read_api.grpc.realtime import RealTime
from read_api.live.metrics import LiveMetrics


def handlers(
    search: EventSearch, statuses: Statuses, health: Health, questions: Questions, live: LiveMetrics
) -> Mapping[str, Any]:
    """Name of the RPC → handler, for every RPC that the read side serves."""
    history = EventHistory(search)
    operations = Operations(statuses, health)
    configuration = Configuration(questions)
    insights = Insights(questions)
    return {
        "ListDashboards": configuration.list_dashboards,
        "GetDashboardConfig": configuration.get_dashboard_config,
        "ListReportSchedules": configuration.list_report_schedules,
        "GetRealTimeMetrics": RealTime(live).get_real_time_metrics,
        "GetCompetitiveAnalysis": insights.get_competitive_analysis,
        "StreamEvents": history.stream_events,
        "GetEvent": history.get_event,
        "GetProjectionStatus": operations.get_projection_status,
        "HealthCheck": operations.health_check,
    }
