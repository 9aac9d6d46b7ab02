"""The read side over gRPC: handlers by name of the RPC, for the server that `app` puts together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from read_api.grpc import (
    charts,
    dashboard_streams,
    dashboards,
    insights,
    kpis,
    predictive,
    queries,
    reports,
    trading,
    users,
)
from read_api.grpc.event_history import EventHistory
from read_api.grpc.operations import Operations
from read_api.grpc.question_streams import QuestionStreams
from read_api.grpc.realtime import RealTime
from read_api.grpc.rows import RowStreams
from read_api.grpc.rpc import Asking, Rpc
from read_api.services import ReadServices

RPCS: tuple[Rpc, ...] = (
    *dashboards.RPCS,
    *reports.RPCS,
    *insights.RPCS,
    *predictive.RPCS,
    *queries.RPCS,
    *kpis.RPCS,
    *trading.RPCS,
    *users.RPCS,
    *charts.RPCS,
)


def handlers(side: ReadServices) -> Mapping[str, Any]:
    """Name of the RPC → handler, for every RPC that the read side serves."""
    asking = Asking(side)
    history = EventHistory(side.search)
    operations = Operations(side.statuses, side.health)
    explanations, streams = queries.MetricExplanations(side, asking), QuestionStreams(side, asking)
    drawing, rows = charts.ChartStreams(asking, streams), RowStreams(asking)
    markets = insights.MarketInsights(streams)
    made = reports.ReportHandlers(side.reports)
    return {
        **{rpc.name: asking.handler(rpc) for rpc in RPCS},
        **dashboard_streams.handlers(side),
        "GetRealTimeMetrics": RealTime(side.live).get_real_time_metrics,
        "GetChartDataStream": drawing.get_chart_data_stream,
        "GetTechnicalIndicatorStream": drawing.get_technical_indicator_stream,
        "GetMarketInsightStream": markets.get_market_insight_stream,
        "RunAnalyticsQuery": rows.run_analytics_query,
        "ExportAnalytics": rows.export_analytics,
        "GenerateReport": made.generate_report,
        "GetReport": made.get_report,
        "ListReports": made.list_reports,
        "DownloadReport": made.download_report,
        "ExplainMetric": explanations.explain_metric,
        "StreamEvents": history.stream_events,
        "GetEvent": history.get_event,
        "GetProjectionStatus": operations.get_projection_status,
        "HealthCheck": operations.health_check,
    }
