"""Fields that answers have only where something is the case that is not so in the tests, or never; and why.

By message and field, or by the RPC and the way to it in its response.
"""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "Provenance.lag_ms": "0 while the answer is complete",
    "Provenance.complete": "not while the projections are behind the log",
    "Provenance.from_time": "where the period is open; test_rows_and_reports has others",
    "Provenance.to_time": "where the period is open",
    "Provenance.limited": "where nothing was left out; test_rows_and_reports has others",
    "Provenance.calendar": "where no day was cut, and of a whole of several answers; test_rows_and_reports has others",
    "Provenance.rates": "of amounts in one currency; test_twins has others",
    "Provenance.unknown": "where something is known of every name; test_rows_and_reports has others",
    "GetRealTimeMetricsResponse.durable_minutes": "0 of a minute that is open",
    "GetRealTimeMetricsResponse.late_share": "where events came late; tests/projections/engine/live has them",
    "GetRealTimeMetricsResponse.partial": "after a gap of the bus, or for too many keys",
    "GetRealTimeMetricsResponse.partial_reasons": "after a gap of the bus, or for too many keys",
    "KPIMetrics.target": "nothing sets a target",
    "Tile.left_out": "of a dashboard with a parameter that a query does not have",
    "GetDashboardDataResponse.restarted": "after a resume token that is too old or another caller's",
    "DashboardConfig.archived": "of what was put away, which is listed apart",
    "DashboardConfig.unread_events": "of events of a later release",
    "ReportSchedule.archived": "of what was put away, which is listed apart",
    "ReportSchedule.unread_events": "of events of a later release",
    "ReportSchedule.next_run": "nothing makes reports by their schedule yet",
    "ReadScope.at_position": "of a report whose position is named",
    "ReadScope.min_position": "refused for reports",
    "ReportRequest.dashboard": "of a report that is made of one",
    "ListReportSchedules: schedules.report.asked_at": "each report of a schedule has its own",
    "ListReportSchedules: schedules.report.failures": "a schedule has no choice of it",
    "ReportResult.error": "of a report that could not be made",
    "Driver.dimensions": "`suggested_actions` name the question that tells them",
    "BusinessInsights.drivers": "`suggested_actions` name the question that tells them: a dimension has to be chosen",
    "Series.dimensions": "of a series that was asked for with filters, or is one of several",
    "SeriesPoint.unfinished": "of an interval that goes on now",
    "MetricGroup.unfinished": "of a group whose day, month or year goes on now",
    "ChartBar.unfinished": "of a bar that goes on now",
    "Recommendation.insight_ids": "rules rest on metrics, which `rationale` names, and on no finding",
    "PeerComparison.lower_quartile": "withheld: with few peers it would tell a value of one (ADR 0028)",
    "PeerComparison.median": "withheld: with few peers it would tell a value of one (ADR 0028)",
    "PeerComparison.upper_quartile": "withheld: with few peers it would tell a value of one (ADR 0028)",
    "PeerComparison.percentile": "where five companies have agreed; tests/read_api/test_competitive.py has them",
    "GetCompetitiveAnalysisResponse.peers": "where five companies have agreed",
    "AtRisk.mrr_at_risk": "nothing says which customer a user is",
    "Prediction.reason": "of a series that is too short",
    "GetForecastResponse.reason": "of a series that is too short",
    "GetSeasonalityResponse.reason": "where there is no season",
    "MetricDefinition.reasons": "of a metric that nothing reports; DescribeMetric of every other has none",
    "DescribeMetricResponse.earlier": "no metric has had another definition that is kept",
    "Contribution.item": "0 of an event that is no batch",
    "RunAnalyticsQueryResponse.restarted": "after the token of another answer; test_rows_and_reports has it",
    "ExportAnalyticsResponse.restarted": "after the token of another file",
    "SystemMeasure.reasons": "of a measure without a measurement, which is no group",
    "Market.reasons": "of a market with too few bars",
    "MetricValue.basis": "of metrics of the daily series of trades",
    "MetricValue.currency": "of values of money, and not again of the one before",
    "MRRMovements.reasons": "where MRR of several currencies cannot be told in one; tests/projections has it",
    "EngagementMetrics.reasons": "of a period without users",
    "UserBehaviorMetrics.median_session_minutes": "of all users together",
    "TrendAnalysis.reasons": "of a series that is too short",
    "UserAnalytics.engagement": "how many are active is said of users together",
    "UserAnalytics.churn_probability": "GetChurnForecast has it: a model is fitted for it, which takes seconds",
    "UserAnalytics.predicted_ltv": "GetLifetimeValue has it, by customer: nothing says which customer a user is",
    "Path.times": "a user's path is looked at once, wherever it begins",
    "UserEvent.properties": "steps are kept without them; StreamEvents has the event",
    "Step.event_id": "steps are kept without it; StreamEvents has the event",
    "Usage.first_used": "use is counted by day",
    "Usage.last_used": "use is counted by day",
    "Segment.metrics": "no metric is split by segment",
    "GetSegmentsResponse.next_cursor": "its users come all at once",
    "GetChurnForecastResponse.next_cursor": "as many as are asked for come at once",
    "ListReportsResponse.next_cursor": "where there are more than a page",
    "ListDashboardsResponse.next_cursor": "where there are more than a page",
    "ListReportSchedulesResponse.next_cursor": "where there are more than a page",
    "AnalyticsProcessingEnvelope.auth_token": "never shown",
    "AnalyticsProcessingEnvelope.first_taken_at": "of events that were repaired; tests/command_api has one",
    "VerifyLogResponse.findings": "of a log that was tampered with; tests/e2e/test_evidence.py does so",
    "VerifyLogResponse.notes": "of a line of checkpoints that was cut off",
    "Provenance.as_of": "of the log itself, and of windows, no projection stands for a moment",
    "ProjectionStatus.lag_events": "0 of what is not behind",
    "ProjectionStatus.lag_seconds": "0 of what is not behind",
    "ProjectionStatus.error": "of one that has stopped; tests/read_api/health has it",
    "ProjectionStatus.failure": "of one that does not get on; tests/read_api/health has it",
    "ComponentHealth.detail": "of what is not well",
    "EventPlace.offset": "0 of the first in its partition",
    "LoggedEvent.payload_withheld": "of personal data, to who may not see it",
    "Tile.suggested_actions": "of a tile that is closed or has failed",
    "GetRealTimeMetrics: provenance.position": "live figures stand for none",
    "GetRealTimeMetrics: metrics.definition_version": "of measures that are metrics of the catalogue",
    "ListReportSchedules: schedules.report.scope.from_time": "`params` have it",
    "ListReportSchedules: schedules.report.scope.to_time": "`params` have it",
    "ListReportSchedules: schedules.report.scope.filters": "`params` have it",
    "ListReportSchedules: schedules.report.scope.convention": "`params` have it",
    "ListReportSchedules: schedules.report.scope.time_zone": "`params` have it",
    "ListReportSchedules: schedules.report.title": "a schedule has a name",
    "ListReportSchedules: schedules.report.locale": "a schedule has none",
    "ListReportSchedules: schedules.report.sections.chart": "a schedule does not choose charts",
    **{
        f"{rpc}: {member}.metrics.{name}": "of a strategy's or symbol's trades alone no capital is known"
        for rpc, member in (("GetStrategyBreakdown", "strategies"), ("GetSymbolBreakdown", "symbols"))
        for name in ("sharpe_ratio", "sortino_ratio", "max_drawdown", "calmar_ratio")
    },
    **{
        f"GetTimeAnalysis: cells.metrics.{name}": "hours and weekdays have no daily series"
        for name in ("sharpe_ratio", "sortino_ratio", "max_drawdown", "calmar_ratio")
    },
    "GetCohortRetention: retention.mean.retained": "a mean is of no cohort",
    "GetCohortRetention: retention.mean.unfinished": "unfinished cells are left out of means",
    **{
        f"{rpc}: indicators.unit": "what an indicator puts out has the unit of its inputs"
        for rpc in ("GetChartData", "GetChartDataStream", "GetTechnicalIndicators")
    },
    "VerifyLog: provenance.position": "of a log that is sealed as far",
    "VerifyLog: events": "of a log that is sealed",
    "HealthCheckResponse.completeness": "nothing says which minutes are expected to have data",
    "HealthCheckResponse.accuracy": "once a rebuild was compared with the live rows; test_instance_queries.py does so",
    "GetChurnForecast: at_risk": "six users are too few for a model; test_customer_insights.py fits one",
    "GetChurnForecast: quality.scores": "six users are too few for a model",
    "GetLifetimeValue: groups.metrics.value": "where customers have left, or a model could be fitted",
    "GetLifetimeValue: groups.dimensions": "of customers, where a model could be fitted",
    "GetLifetimeValue: quality.scores": "too few buyers for a model; test_customer_insights.py fits one",
    **{
        f"GetMarketInsightStream: insight.metric.{name}": "a close is no metric of the catalogue"
        for name in (
            "current.convention",
            "current.definition_version",
            "previous.convention",
            "previous.definition_version",
        )
    },
    **{
        f"GetMarketInsightStream: insight.{name}": "of a finding that compares; GetBusinessInsights has some"
        for name in ("metric.current.value", "metric.previous", "metric.change", "suggested_actions")
    },
    "GetMarketInsightStream: insight.metric.history": "GetChartData has the bars",
}
