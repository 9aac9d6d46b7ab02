"""The standard reports: which registered queries each one asks, under which heading, and how it is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from domain.reports.report import ReportSection

CUSTOM = "custom"


class StandardReport(NamedTuple):
    """A kind of report."""

    title: str
    description: str
    sections: Sequence[ReportSection]


def _section(title: str, query: str, chart: str = "table", **params: str) -> ReportSection:
    return ReportSection(title=title, query=query, params=params, chart=chart)


STANDARD: Mapping[str, StandardReport] = MappingProxyType(
    {
        "executive": StandardReport(
            "Executive report",
            "Recurring revenue, who pays and who may leave, and what moved.",
            (
                _section("Key figures", "kpis"),
                _section("Recurring revenue by month", "mrr_movements", "stacked_bar", by="month"),
                _section("Recurring revenue from beginning to end", "mrr_movements", "waterfall"),
                _section("Recurring revenue by plan", "mrr_mix", "bar", by="plan"),
                _section("Users who came back", "retention", "heat_map", unit="month", ages="12"),
                _section(
                    *("From the first page to paying", "funnel", "funnel"),
                    steps="page_view,signup,activated,conversion",
                    window="30d",
                ),
                _section("Active users", "active_users", "line"),
                _section("Customers whose revenue moved most", "customer_mrr", order="moved", limit="25"),
                _section("Strategies", "trading_league", "bar", by="strategy"),
            ),
        ),
        "trading": StandardReport(
            "Trading report",
            "What closed trades came to, at which risk, and by whom.",
            (
                _section("Key figures", "kpis", section="trading"),
                _section("Equity, and below its peak", "trading_equity", "area"),
                _section("Result by month", "trading_time", "heat_map", by="month_year"),
                _section("Result by hour and weekday", "trading_time", "heat_map", by="hour_weekday"),
                _section("Strategies", "trading_league", "bar", by="strategy"),
                _section("Symbols", "trading_league", by="symbol"),
                _section("Sides", "trading_league", by="side"),
                _section("Users", "trading_league", by="user_id"),
                _section("Newest trades", "trades", "histogram", order="newest", limit="250"),
            ),
        ),
        "users": StandardReport(
            "Users report",
            "Who is active, who comes back, and what they use.",
            (
                _section("Key figures", "kpis", section="engagement"),
                _section("Active users", "active_users", "line"),
                _section("New, returning and lost users", "lifecycle", "stacked_bar"),
                _section("Users who came back", "retention", "heat_map", unit="month", ages="12"),
                _section("Segments", "segments", "bar"),
                _section("Features", "features", "bar"),
                _section("Active days", "stickiness", "histogram"),
            ),
        ),
        "system": StandardReport(
            "System report",
            "How the services of the platform perform.",
            (
                _section("Key figures", "kpis", section="system"),
                _section("Error budget", "burn_rates"),
                _section("Operations by day", "operations", "line", by="day"),
                _section("Operations by service", "operations", by="service"),
                _section("Operations", "operations", by="service,operation"),
                _section("Durations of operations", "operation_buckets", "histogram", by="bucket"),
                _section("What services report", "system_metrics", by="service,metric"),
            ),
        ),
    }
)
