"""Requests of every RPC that asks questions, at random: periods, filters, groups and choices within the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

from common.read_scope_pb2 import PageRequest, ReadScope
from google.protobuf.message import Message
from services import charts_pb2 as charts
from services import dashboards_pb2 as dashboards
from services import insights_pb2 as insights
from services import kpis_pb2 as kpis
from services import predictive_pb2 as predictive
from services import reports_pb2 as reports
from services import trading_pb2 as trading
from services import users_pb2 as users

from tests.support.two_months import BEGIN, COMPANY, DAY_MS, END, STRATEGIES, SYMBOLS

USERS = ("u0", "u1", "u2")


def some(chance: Random, of: Sequence[str], most: int = 2) -> list[str]:
    """A few of them, or none."""
    return chance.sample(list(of), chance.randint(0, most))


def scope(chance: Random, **filters: Sequence[str]) -> ReadScope:
    """A period of whole days within the data, and sometimes a filter."""
    first, last = sorted(chance.sample(range(62), 2))
    chosen = {name: chance.choice(values) for name, values in filters.items() if chance.random() < 0.4}
    times = {"from_time": BEGIN + first * DAY_MS, "to_time": BEGIN + last * DAY_MS}
    return ReadScope(company_id=COMPANY, filters=chosen, **times)  # type: ignore[arg-type]  # times are whole numbers


def whole(chance: Random, **filters: Sequence[str]) -> ReadScope:
    """All of the data: what models are fitted to."""
    chosen = {name: chance.choice(values) for name, values in filters.items() if chance.random() < 0.4}
    return ReadScope(company_id=COMPANY, filters=chosen, from_time=BEGIN, to_time=END)


def bars(chance: Random) -> charts.BarRange:
    """Daily bars, or weekless ones of a part."""
    first = chance.randrange(40)
    return charts.BarRange(
        symbol=chance.choice(SYMBOLS),
        interval="1d",
        from_time=BEGIN + first * DAY_MS,
        to_time=END * chance.randint(0, 1),
    )


def chosen(chance: Random) -> list[charts.IndicatorChoice]:
    """Indicators with and without settings."""
    every = [
        charts.IndicatorChoice(key="sma", settings={"period": chance.randint(2, 9)}),
        charts.IndicatorChoice(key="macd"),
        charts.IndicatorChoice(key="rsi", settings={"period": 5}),
    ]
    return chance.sample(every, chance.randint(1, 3))


TRADES = {"strategy": STRATEGIES[:2], "symbol": SYMBOLS, "side": ("long", "short"), "user_id": ("u1", "u2")}
CUTS = ("strategy", "symbol", "side", "account_id", "user_id")
SERIES = ("total_pnl", "events", "active_users", "error_rate")
Make = Callable[[Random], Message]

REQUESTS: Mapping[str, Make] = {
    "ListDashboards": lambda c: dashboards.ListDashboardsRequest(company_id=COMPANY, archived=c.random() < 0.3),
    "ListReportSchedules": lambda c: reports.ListReportSchedulesRequest(company_id=COMPANY),
    "GetBusinessInsights": lambda c: insights.GetBusinessInsightsRequest(
        scope=whole(c), metrics=[c.choice(SERIES)], limit=c.randint(0, 3)
    ),
    "GetTrendAnalysis": lambda c: insights.GetTrendAnalysisRequest(
        scope=whole(c), metrics=c.sample(SERIES, c.randint(1, 2)), interval=c.choice(("", "day"))
    ),
    "GetSeasonality": lambda c: insights.GetSeasonalityRequest(scope=whole(c), metric=c.choice(SERIES), cycle="week"),
    "GetAnomalies": lambda c: insights.GetAnomaliesRequest(scope=whole(c), metrics=[c.choice(SERIES)]),
    "GetRecommendations": lambda c: insights.GetRecommendationsRequest(scope=whole(c), limit=c.randint(0, 2)),
    "GetCompetitiveAnalysis": lambda c: insights.GetCompetitiveAnalysisRequest(
        scope=ReadScope(company_id=COMPANY, from_time=BEGIN, to_time=BEGIN + 31 * DAY_MS),
        metrics=["total_pnl", "win_rate"],
    ),
    "GetPredictiveAnalytics": lambda c: predictive.GetPredictiveAnalyticsRequest(
        scope=whole(c), metrics=c.sample(SERIES, c.randint(1, 2)), horizon_days=c.randint(0, 9)
    ),
    "GetChurnForecast": lambda c: predictive.GetChurnForecastRequest(
        scope=whole(c), of=c.choice(("", "users")), page=PageRequest(limit=c.randint(0, 5))
    ),
    "GetLifetimeValue": lambda c: predictive.GetLifetimeValueRequest(
        scope=whole(c), method=c.choice(("", "historic", "margin", "predicted"))
    ),
    "GetForecast": lambda c: predictive.GetForecastRequest(
        scope=whole(c), metric=c.choice(SERIES), horizon=c.randint(0, 9), coverage=c.choice((0.0, 0.8, 0.95))
    ),
    "GetKPIs": lambda c: kpis.GetKPIsRequest(
        scope=scope(c), metrics=some(c, ("mrr", "win_rate", "dau", "nps", "cac")), **compared(c)
    ),
    "GetTradingKPIs": lambda c: kpis.GetTradingKPIsRequest(
        scope=scope(c), metrics=some(c, ("win_rate", "total_pnl")), **compared(c)
    ),
    "GetRevenueMetrics": lambda c: kpis.GetRevenueMetricsRequest(
        scope=scope(c, plan=("basic", "pro")), metrics=c.sample(("mrr", "new_mrr", "arr"), 2),
        by=some(c, ("plan", "month"), 1),
    ),
    "GetAcquisitionMetrics": lambda c: kpis.GetAcquisitionMetricsRequest(
        scope=scope(c), metrics=["acquisition_cost"], by=some(c, ("channel", "campaign", "day"))
    ),
    "GetRetentionMetrics": lambda c: kpis.GetRetentionMetricsRequest(scope=scope(c), metrics=some(c, ("grr", "pulse"))),
    "GetSatisfactionMetrics": lambda c: kpis.GetSatisfactionMetricsRequest(
        scope=scope(c), metrics=some(c, ("nps", "csat")), by=some(c, ("month",), 1)
    ),
    "GetSystemMetrics": lambda c: kpis.GetSystemMetricsRequest(
        scope=scope(c), services=some(c, ("gateway", "orders")), measures=["cpu_pct"],
        by=["service", *some(c, ("day", "metric"))],
    ),
    "GetTradingMetrics": lambda c: trading.GetTradingMetricsRequest(scope=scope(c, **TRADES), by=some(c, CUTS)),
    "GetStrategyBreakdown": lambda c: trading.GetStrategyBreakdownRequest(
        scope=scope(c, **TRADES), order_by=c.choice(("", "win_rate", "turnover")), limit=c.randint(0, 2)
    ),
    "GetSymbolBreakdown": lambda c: trading.GetSymbolBreakdownRequest(scope=scope(c, **TRADES), limit=c.randint(0, 2)),
    "GetTimeAnalysis": lambda c: trading.GetTimeAnalysisRequest(
        scope=scope(c, **TRADES), grid=trading.GetTimeAnalysisRequest.Grid.Name(c.randint(0, 2))
    ),
    "GetEquityCurve": lambda c: trading.GetEquityCurveRequest(
        scope=scope(c, **TRADES), basis=trading.GetEquityCurveRequest.Basis.Name(c.choice((0, 2, 3)))
    ),
    "ListTrades": lambda c: trading.ListTradesRequest(
        scope=scope(c, **TRADES), page=PageRequest(limit=c.choice((0, 1, 5)))
    ),
    "GetUserAnalytics": lambda c: users.GetUserAnalyticsRequest(
        scope=scope(c), user_id=c.choice(("", *USERS)), by=some(c, ("day", "user_id", "month"), 1)
    ),
    "GetCohortRetention": lambda c: users.GetCohortRetentionRequest(
        scope=whole(c), interval=c.choice(("", "day", "week")), measure=c.choice(("", "streak", "on_or_after")),
        begins_with=c.choice(("", "session_started")), ages=c.randint(0, 5),
    ),
    "GetFunnel": lambda c: users.GetFunnelRequest(
        scope=scope(c), steps=[users.GetFunnelRequest.Step(event=name) for name in ("session_started", "page_view")],
        order=users.GetFunnelRequest.Order.Name(c.randint(0, 3)), window_seconds=c.choice((0, 30, 86_400)),
        by=c.choice(("", "week")),
    ),
    "GetUserJourney": lambda c: users.GetUserJourneyRequest(
        scope=scope(c), user_id=c.choice(("", "u1")), page=PageRequest(limit=c.randint(1, 5))
    ),
    "GetFeatureUsage": lambda c: users.GetFeatureUsageRequest(
        scope=scope(c), features=some(c, ("alerts",), 1), by=some(c, ("month", "weekday"), 1)
    ),
    "GetSegments": lambda c: users.GetSegmentsRequest(
        scope=ReadScope(company_id=COMPANY, to_time=END), segment=c.choice(("", "engaged", "dormant")),
        page=PageRequest(limit=c.randint(0, 2)),
    ),
    "GetChartData": lambda c: charts.GetChartDataRequest(company_id=COMPANY, range=bars(c), indicators=chosen(c)),
    "GetTechnicalIndicators": lambda c: charts.GetTechnicalIndicatorsRequest(
        company_id=COMPANY, range=bars(c), indicators=chosen(c)
    ),
    "ListIndicators": lambda c: charts.ListIndicatorsRequest(),
    "GetMarketAnalytics": lambda c: charts.GetMarketAnalyticsRequest(
        scope=scope(c), symbols=some(c, SYMBOLS), interval=c.choice(("", "1d"))
    ),
    "GetCorrelationMatrix": lambda c: charts.GetCorrelationMatrixRequest(
        scope=scope(c), of=charts.GetCorrelationMatrixRequest.Of.Name(c.randint(0, 3))
    ),
}  # fmt: skip


def compared(chance: Random) -> dict[str, int]:
    """Another period to compare with, or none."""
    begin = BEGIN + chance.randrange(30) * DAY_MS
    return {"compare_from": begin, "compare_to": begin + 20 * DAY_MS} if chance.random() < 0.7 else {}
