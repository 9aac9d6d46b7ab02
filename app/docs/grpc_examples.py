"""An example of every RPC: the request, as JSON of protobuf. The reference shows it, and a test sends each one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

COMPANY = "acme"
OCTOBER = {"companyId": COMPANY, "fromTime": "1759276800000", "toTime": "1761955200000"}
OF_ALL = {"companyId": COMPANY}
DAILY = {"symbol": "AAPL", "interval": "1d"}
SMA = {"key": "sma", "settings": {"period": 5}}

EXAMPLES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "GetDashboardData": {"dashboardId": "executive", "scope": OF_ALL, "once": True},
        "GetRealTimeMetrics": {"scope": OF_ALL, "metrics": ["trading"], "window": "1m", "once": True},
        "WatchDashboards": {"subscribe": {"subscriptionId": "a", "dashboard": {"dashboardId": "trading"}}},
        "ListDashboards": {"companyId": COMPANY},
        "GetDashboardConfig": {"companyId": COMPANY, "dashboardId": "executive"},
        "GenerateReport": {"report": {"kind": "trading", "format": "JSON", "scope": OCTOBER}, "idempotencyKey": "oct"},
        "GetReport": {"companyId": COMPANY, "reportId": "01a1f7c2-7a10-7000-8000-000000000002"},
        "ListReports": {"companyId": COMPANY, "kind": "trading", "page": {"limit": 10}},
        "DownloadReport": {"companyId": COMPANY, "reportId": "01a1f7c2-7a10-7000-8000-000000000002", "offset": 0},
        "ListReportSchedules": {"companyId": COMPANY},
        "GetBusinessInsights": {"scope": OCTOBER, "metrics": ["total_pnl"], "minSeverity": "WARNING"},
        "GetTrendAnalysis": {"scope": OCTOBER, "metrics": ["total_pnl"], "interval": "day"},
        "GetSeasonality": {"scope": OCTOBER, "metric": "events", "cycle": "week"},
        "GetAnomalies": {"scope": OCTOBER, "metrics": ["total_pnl"]},
        "GetRecommendations": {"scope": OCTOBER, "area": "trading", "limit": 3},
        "GetCompetitiveAnalysis": {"scope": OCTOBER, "metrics": ["win_rate"], "peerGroup": "tier"},
        "GetMarketInsightStream": {"scope": OCTOBER | {"filters": {"symbol": "AAPL"}}},
        "GetPredictiveAnalytics": {"scope": OCTOBER, "metrics": ["total_pnl"], "horizonDays": 7},
        "GetChurnForecast": {"scope": OF_ALL, "of": "users", "page": {"limit": 10}},
        "GetLifetimeValue": {"scope": OCTOBER, "method": "historic"},
        "GetForecast": {"scope": OCTOBER, "metric": "events", "horizon": 7, "coverage": 0.95},
        "RunAnalyticsQuery": {
            "scope": OCTOBER, "metrics": ["total_pnl", "win_rate"], "by": ["strategy"], "orderBy": ["-total_pnl"],
        },
        "ListMetrics": {"search": "drawdown"},
        "DescribeMetric": {"key": "win_rate"},
        "ExplainMetric": {"scope": OCTOBER, "key": "total_pnl", "page": {"limit": 5}},
        "ExportAnalytics": {"question": {"scope": OCTOBER, "query": "trades"}, "format": "CSV"},
        "GetKPIs": {
            "scope": OCTOBER, "metrics": ["mrr", "win_rate"],
            "compareFrom": "1756684800000", "compareTo": "1759276800000",
        },
        "GetRevenueMetrics": {"scope": OCTOBER, "metrics": ["mrr", "new_mrr"], "by": ["plan"]},
        "GetAcquisitionMetrics": {"scope": OCTOBER, "metrics": ["acquisition_cost"], "by": ["channel"]},
        "GetRetentionMetrics": {"scope": OCTOBER, "metrics": ["grr", "nrr"]},
        "GetTradingKPIs": {"scope": OCTOBER, "metrics": ["win_rate", "total_pnl"]},
        "GetSystemMetrics": {"scope": OCTOBER, "services": ["gateway"], "measures": ["cpu_pct"], "by": ["day"]},
        "GetSatisfactionMetrics": {"scope": OCTOBER, "metrics": ["nps"], "by": ["month"]},
        "GetTradingMetrics": {"scope": OCTOBER, "by": ["strategy"]},
        "GetStrategyBreakdown": {"scope": OCTOBER, "orderBy": "win_rate", "limit": 5},
        "GetSymbolBreakdown": {"scope": {**OCTOBER, "filters": {"side": "long"}}},
        "GetTimeAnalysis": {"scope": OCTOBER, "grid": "HOUR_BY_WEEKDAY"},
        "GetEquityCurve": {"scope": {**OCTOBER, "filters": {"account_id": "a1"}}, "basis": "EQUITY"},
        "ListTrades": {"scope": OCTOBER, "page": {"limit": 10}},
        "GetUserAnalytics": {"scope": OCTOBER, "userId": "u1"},
        "GetCohortRetention": {"scope": OCTOBER, "interval": "week", "ages": 4},
        "GetFunnel": {
            "scope": OCTOBER, "steps": [{"event": "session_started"}, {"event": "conversion"}], "windowSeconds": "3600",
        },
        "GetUserJourney": {"scope": OCTOBER, "fromEvent": "session_started", "maxLength": 3, "page": {"limit": 5}},
        "GetFeatureUsage": {"scope": OCTOBER, "by": ["month"]},
        "GetSegments": {"scope": OF_ALL},
        "GetChartData": {"companyId": COMPANY, "range": DAILY, "indicators": [SMA]},
        "GetChartDataStream": {"companyId": COMPANY, "range": DAILY, "indicators": [SMA]},
        "GetTechnicalIndicators": {"companyId": COMPANY, "range": DAILY, "indicators": [{"key": "macd"}]},
        "GetTechnicalIndicatorStream": {"companyId": COMPANY, **DAILY, "indicators": [SMA]},
        "ListIndicators": {"search": "average"},
        "GetMarketAnalytics": {"scope": OCTOBER, "symbols": ["AAPL"]},
        "GetCorrelationMatrix": {"scope": OCTOBER, "of": "STRATEGIES"},
        "Publish": {
            "events": [{
                "messageType": "user_event", "companyId": COMPANY, "userId": "u1", "eventId": "example-1",
                "timestamp": "1759312800000", "payload": "CglwYWdlX3ZpZXc=",
            }],
        },
        "StreamEvents": {"companyId": COMPANY, "streams": ["trading-events"], "limit": "3"},
        "GetEvent": {"companyId": COMPANY, "eventId": "example-1", "stream": "user-behavior"},
        "VerifyLog": {"companyId": COMPANY, "streams": ["trading-events"]},
        "GetProjectionStatus": {"names": ["trading"]},
        "HealthCheck": {},
    }
)  # fmt: skip

# Where HTTP answers the same, for RPCs that are more than questions.
TWINS: Mapping[str, str] = MappingProxyType(
    {
        "GenerateReport": "POST /api/v1/reports",
        **dict.fromkeys(("GetDashboardData", "WatchDashboards"), "GET /api/v1/dashboards/{dashboard}"),
        "GetDashboardConfig": "GET /api/v1/dashboards/{dashboard}/config",
        "GetRealTimeMetrics": "GET /api/v1/realtime",
        "GetReport": "GET /api/v1/reports/{id}",
        "ListReports": "GET /api/v1/reports",
        "DownloadReport": "GET /api/v1/reports/{id}/file",
        "RunAnalyticsQuery": "POST /api/v1/query",
        "ListMetrics": "GET /api/v1/metrics",
        "DescribeMetric": "GET /api/v1/metrics/{key}/definition",
        "ExplainMetric": "GET /api/v1/metrics/{key}/explain",
        "ExportAnalytics": "GET /api/v1/analytics/export",
        "Publish": "POST /api/v1/events",
        "StreamEvents": "GET /api/v1/events",
        "GetEvent": "GET /api/v1/events/{event}",
        "VerifyLog": "GET /api/v1/log/verification",
        "GetProjectionStatus": "GET /api/v1/projections",
        "HealthCheck": "GET /api/v1/health",
        "GetChartDataStream": "GET /api/v1/markets/bars",
        "GetTechnicalIndicatorStream": "GET /api/v1/trading/indicator",
        "GetMarketInsightStream": "GET /api/v1/markets/insights",
    }
)
