"""The table: which roles may use each endpoint, RPC, subscription and command. What has no line here fails the tests.

It is written down apart from `domain/access/rights.py` on purpose: it is what the outside was promised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

ROLES = ("viewer", "analyst", "admin", "auditor", "engineer", "service", "member")
MEMBER = frozenset({"member"})
READERS = frozenset({"viewer", "analyst", "admin", "auditor"})
ANALYSTS = frozenset({"analyst", "admin"})
EXPLAINERS = frozenset({"analyst", "admin", "auditor"})
AUDITOR = frozenset({"auditor"})
SERVICE = frozenset({"service"})
EVERYBODY = frozenset(ROLES) - MEMBER


OWN, ALL, ANY = frozenset({"own", "every"}), frozenset({"every"}), frozenset({"own", "other", "every"})


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may: these roles, with a company of these scopes (own, other or every, to the company asked about)."""

    roles: frozenset[str]
    scopes: frozenset[str] = OWN

    def allows(self, role: str, scope: str) -> bool:
        """Whether a token of this role may; `scope` is that of its company to the one asked about."""
        return role in self.roles and scope in self.scopes


OPEN = Rule(EVERYBODY | MEMBER, ANY)  # and without any token
COMMAND = Rule(frozenset({"admin"}))

# What members may ask about their own rows, and what is open to them because it is nobody's. All else is closed.
OF_A_USER = (
    "account_days", "account_values", "feature_usage", "forecast", "ingredients", "insights", "key_figure", "metric",
    "metrics", "restated_flows", "restated_trades", "restatements", "segments", "sessions", "trades", "trading_equity",
    "trading_league",
    "trading_metrics", "trading_returns", "trading_rolling", "trading_time", "trading_totals", "user_activity",
    "user_firsts", "user_step_totals", "user_steps", "users_seen",
)  # fmt: skip
OPEN_TO_MEMBERS = ("company_profile", "indicator", "indicators", "market_bars", "market_insights", "markets")

# Commands, by the path that they have in common, each with POST to create, PUT and DELETE.
COMMANDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "/api/v1/dashboard/config": (
            "add-tile", "arrange", "change-tile", "describe", "remove-tile", "rename", "restore", "share",
        ),
        "/api/v1/alerts/config": (
            "change-notification", "change-severity", "change-trigger", "describe", "disable", "enable", "rename",
            "restore",
        ),
        "/api/v1/reports/schedule": (
            "change-recipients", "change-report", "change-timing", "describe", "disable", "enable", "pause", "rename",
            "restore", "resume", "send-again",
        ),
    }
)  # fmt: skip


def _configuration() -> dict[str, Rule]:
    rules: dict[str, Rule] = {}
    for path, verbs in COMMANDED.items():
        rules |= dict.fromkeys((f"POST {path}", f"PUT {path}/{{id}}", f"DELETE {path}/{{id}}"), COMMAND)
        rules |= {f"POST {path}/{{id}}/{verb}": COMMAND for verb in verbs}
        rules |= dict.fromkeys((f"GET {path}", f"GET {path}/{{id}}", f"GET {path}/{{id}}/history"), Rule(READERS))
    return rules


HTTP: Mapping[str, Rule] = MappingProxyType(
    {
        "GET /api/v1/health": OPEN,
        "GET /api/v1/query": Rule(EVERYBODY | MEMBER, ANY),
        "GET /api/v1/query/{name}": Rule(READERS),
        "GET /api/v1/query/{name}/explain": Rule(EXPLAINERS | MEMBER),
        **{f"GET /api/v1/query/{name}": Rule(READERS | MEMBER) for name in (*OF_A_USER, *OPEN_TO_MEMBERS)},
        "GET /api/v1/query/audit_trail": Rule(AUDITOR),
        "GET /api/v1/query/audit_totals": Rule(AUDITOR),
        "GET /api/v1/insights": Rule(READERS | MEMBER),
        "GET /api/v1/realtime": Rule(READERS | MEMBER),  # of members the windows whose rows are nobody's
        "GET /api/v1/projections": Rule(EVERYBODY, ANY),
        "GET /api/v1/kpis": Rule(READERS),
        "GET /api/v1/metrics": Rule(EVERYBODY | MEMBER, ANY),
        "GET /api/v1/metrics/{key}": Rule(READERS | MEMBER),
        "GET /api/v1/metrics/{key}/definition": Rule(EVERYBODY | MEMBER, ANY),
        "GET /api/v1/metrics/{key}/explain": Rule(EXPLAINERS | MEMBER),
        "POST /api/v1/query": Rule(ANALYSTS),
        "GET /api/v1/analytics/export": Rule(EXPLAINERS),
        "GET /api/v1/exports/{id}": Rule(EXPLAINERS),
        "GET /api/v1/exports/{id}/file": Rule(EXPLAINERS),
        "POST /api/v1/reports": Rule(READERS),
        "GET /api/v1/reports": Rule(READERS),
        "GET /api/v1/reports/{id}": Rule(READERS),
        "GET /api/v1/reports/{id}/file": Rule(READERS),
        **{
            f"GET /api/v1/{path}": Rule(READERS)
            for path in (
                "trading/profitable-users",
                "markets/correlations",
                *(f"users/{name}" for name in ("retention", "funnel", "journey", "features")),
                *(f"users/{name}" for name in ("stickiness", "lifecycle", "activity")),
            )
        },
        **{
            f"GET /api/v1/{path}": Rule(READERS | MEMBER)
            for path in (
                *(f"trading/{name}" for name in ("metrics", "strategies", "symbols", "sides", "time", "equity")),
                *(f"trading/{name}" for name in ("rolling", "returns", "trades", "indicators", "indicator")),
                "users/segments",
                *("markets", "markets/bars", "markets/insights"),
            )
        },
        "GET /api/v1/dashboards/{dashboard}": Rule(READERS | MEMBER),  # tile by tile it is closed
        "GET /api/v1/dashboards/{dashboard}/config": Rule(READERS | MEMBER),
        "GET /api/v1/events": Rule(AUDITOR | MEMBER),
        "GET /api/v1/events/{event}": Rule(AUDITOR | MEMBER),
        "POST /api/v1/events": Rule(SERVICE),
        "GET /api/v1/log/verification": Rule(AUDITOR),
        "GET /metrics": Rule(EVERYBODY, ANY),
        **_configuration(),
        "POST /api/v1/alerts/{id}/silence": COMMAND,
        "POST /api/v1/alerts/{id}/unsilence": COMMAND,
        "GET /api/v1/company": Rule(READERS | MEMBER),
        "POST /api/v1/company/branding": COMMAND,
        "POST /api/v1/company/calendar": COMMAND,
        "POST /api/v1/company/consent": COMMAND,
        "POST /api/v1/company/currency": COMMAND,
        "POST /api/v1/company/profile": COMMAND,
        "POST /api/v1/company/retention": COMMAND,
        "POST /api/v1/company/tier": Rule(frozenset({"admin"}), ALL),  # no company gives itself another tier
    }
)

# RPCs about the whole company, and those that can be about a member's own rows or about what is nobody's.
OF_COMPANIES = (
    "GenerateReport", "GetReport", "ListReports", "DownloadReport", "GetRecommendations", "GetChurnForecast",
    "GetLifetimeValue", "GetKPIs", "GetTradingKPIs", "GetRevenueMetrics", "GetAcquisitionMetrics",
    "GetRetentionMetrics", "GetSystemMetrics", "GetSatisfactionMetrics", "GetCohortRetention", "GetFunnel",
    "GetCorrelationMatrix",
)  # fmt: skip
OF_MEMBERS_TOO = (
    "GetBusinessInsights", "GetTrendAnalysis", "GetSeasonality", "GetAnomalies", "GetMarketInsightStream",
    "GetPredictiveAnalytics", "GetForecast", "GetTradingMetrics", "GetStrategyBreakdown", "GetSymbolBreakdown",
    "GetTimeAnalysis", "GetEquityCurve", "ListTrades", "GetUserAnalytics", "GetUserJourney", "GetFeatureUsage",
    "GetSegments", "GetChartData", "GetChartDataStream", "GetTechnicalIndicators", "GetTechnicalIndicatorStream",
    "GetMarketAnalytics",
)  # fmt: skip

GRPC: Mapping[str, Rule] = MappingProxyType(  # an RPC without a line must be one that is not served
    {
        "StreamEvents": Rule(AUDITOR | MEMBER),
        "GetEvent": Rule(AUDITOR | MEMBER),
        "VerifyLog": Rule(AUDITOR),
        "GetProjectionStatus": Rule(EVERYBODY, ANY),
        "HealthCheck": Rule(EVERYBODY, ANY),
        "Publish": Rule(SERVICE),
        "GetRealTimeMetrics": Rule(READERS | MEMBER),
        "GetDashboardData": Rule(READERS | MEMBER),  # tile by tile it is closed
        "WatchDashboards": Rule(READERS | MEMBER),
        "ListDashboards": Rule(READERS),
        "GetDashboardConfig": Rule(READERS | MEMBER),
        "ListReportSchedules": Rule(READERS),
        "GetCompetitiveAnalysis": Rule(READERS),
        **dict.fromkeys(OF_COMPANIES, Rule(READERS)),
        **dict.fromkeys(OF_MEMBERS_TOO, Rule(READERS | MEMBER)),
        **dict.fromkeys(("ListMetrics", "DescribeMetric"), Rule(EVERYBODY | MEMBER, ANY)),
        "ListIndicators": Rule(READERS | MEMBER, ANY),
        "ExplainMetric": Rule(EXPLAINERS | MEMBER),
        "RunAnalyticsQuery": Rule(ANALYSTS),
        "ExportAnalytics": Rule(EXPLAINERS),
    }
)

LIVE: Mapping[str, Rule] = MappingProxyType(
    {
        "query": Rule(READERS | MEMBER),
        "metric": Rule(READERS | MEMBER),
        "dashboard": Rule(READERS | MEMBER),
        "live": Rule(READERS | MEMBER),
        "watch": Rule(EVERYBODY, ANY),
    }
)

# The command line acts as the local operator, who has the data folder and with it all rights. Named is the right that
# a command would need from anybody else; "" where it shows nothing and does nothing that a right is needed for.
COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "access": "",
        "alert backtest": "dashboards",
        "alert history": "dashboards",
        "alert list": "dashboards",
        "alert notices": "dashboards",
        "alert silence": "command",
        "bench": "",
        "command": "command",
        "completion": "",
        "doctor": "",
        "events find": "events",
        "events replay": "publish",
        "events show": "events",
        "explain": "explain",
        "export": "export",
        "ingest": "publish",
        "kpis": "dashboards",
        "log check-proof": "",
        "log head": "status",
        "log key": "",
        "log prove": "verify",
        "log read": "events",
        "log tail": "events",
        "log verify": "verify",
        "metrics": "",
        "migrate": "projections",
        "projections cancel": "projections",
        "projections checksum": "verify",
        "projections drop": "projections",
        "projections list": "status",
        "projections pause": "projections",
        "projections rebuild": "projections",
        "projections resume": "projections",
        "projections snapshot": "projections",
        "projections snapshots": "status",
        "projections status": "status",
        "projections switch": "projections",
        "projections upgrade": "projections",
        "projections verify": "verify",
        "projections wait": "status",
        "quarantine drop": "quarantine",
        "quarantine list": "quarantine",
        "quarantine replay": "quarantine",
        "quarantine show": "quarantine",
        "queries": "",
        "query": "dashboards",
        "report create": "reports",
        "report get": "reports",
        "report list": "reports",
        "report verify": "reports",
        "schedule runs": "reports",
        "schedule secret": "command",
        "schedule send-again": "command",
        "serve": "",
        "settings": "",
        "token": "",
        "topics create": "projections",
        "up": "",
        "version": "",
        "watch": "dashboards",
    }
)
