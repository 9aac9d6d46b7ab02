"""Insights into a daily series: trend, change points, growth, season and anomalies; and forecasts of it.

Composed of the query that gives the series. Whatever fits or compares many days is computed apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from msgspec import structs

from domain.access.rights import Feature
from domain.insights import anomalies, change_points, forecast, growth, seasonality, trend
from domain.insights.daily import Daily
from domain.insights.finding import Finding, Kind
from domain.insights.headline import headline
from domain.insights.periods import seasons_of, without_season
from domain.insights.series import observed
from domain.metrics.value import Reason
from projections.engine.query.answer_row import Rows
from projections.engine.query.composed import Composed, Part
from projections.engine.query.params import Param, read_choice, read_whole
from projections.engine.query.request import Request
from projections.engine.worker_process import MODELS
from projections.queries.insights.daily_series import FILTERS, FROM, METRIC, SERIES, TO, Series, read_filters, window
from projections.queries.insights.shape import Insight, Method

WEEK = 7
MATCHED = 28  # days that growth compares: four of each weekday
LONGEST_HORIZON = 90
DEFAULT_HORIZON = 14

Find = Callable[[Sequence[float]], Finding | Reason]


def _trend(values: Sequence[float]) -> Finding | Reason:
    """Days of the same phase are compared: of the longest season, which most often has the week in it."""
    return trend.trend(values, max(seasons_of(values, (WEEK,)), default=1))


def _change_points(values: Sequence[float]) -> Finding | Reason:
    """Seasons are taken off first: they would be taken for breaks. Those that stay the same, which no break bends."""
    series = observed(values)
    if isinstance(series, Reason):
        return series
    for period in seasons_of(series, (WEEK,)):
        series = without_season(series, period)
    return change_points.change_points(series.tolist())


def _growth(values: Sequence[float]) -> Finding | Reason:
    return growth.growth(values, MATCHED, MATCHED)


def _seasonality(values: Sequence[float]) -> Finding | Reason:
    """The week, and what else recurs. Robust: one wild day is no season."""
    return seasonality.seasonality(values, sorted({WEEK, *seasons_of(values, (WEEK,))}), robust=True)


METHODS: Mapping[Kind, tuple[Method, Find]] = {
    method.kind: (method, find)
    for method, find in (
        (Method(Kind.TREND, trend.METHOD, trend.MINIMUM), _trend),
        (
            Method(Kind.CHANGE_POINTS, change_points.METHOD, 2 * change_points.SHORTEST, change_points.VERSION),
            _change_points,
        ),
        (Method(Kind.GROWTH, growth.METHOD, 2 * MATCHED), _growth),
        (Method(Kind.SEASONALITY, seasonality.METHOD, 2 * WEEK), _seasonality),
        (Method(Kind.ANOMALIES, anomalies.METHOD, anomalies.MINIMUM), anomalies.anomalies),
    )
}
FORECAST = Method(Kind.FORECAST, forecast.METHOD, forecast.MINIMUM, forecast.VERSION)


def of_metric(request: Request) -> Mapping[str, Part]:
    """The daily series that is looked at. Raises Invalid for a period that is empty or too long."""
    series = SERIES[request.get("metric")]
    return {"series": series.part(*window(request), read_filters(request, series.filters))}


def series_of(request: Request, rows: Mapping[str, Rows]) -> tuple[Series, Daily, dict[str, Any]]:
    """The series as declared and as read, and what an insight into it is about.

    Raises Invalid for a period that is empty or too long.
    """
    series = SERIES[request.get("metric")]
    begin, end = window(request)
    read = series.read(rows["series"], begin, end)
    part = series.part(begin, end, read_filters(request, series.filters))
    evidence = {
        "query": part.query,
        "params": dict(part.params),
        "measure": series.measure,
        "first_day": read.first.isoformat() if read.values else None,
        "days": len(read.values),
        "missing_days": str(series.fill),
    }
    return series, read, {"metric": request.get("metric"), "unit": series.unit, "evidence": evidence}


def _combine(request: Request, rows: Mapping[str, Rows]) -> list[Insight]:
    _, series, about = series_of(request, rows)
    kinds = (Kind(request.get("kind")),) if request.get("kind") else tuple(METHODS)
    return MODELS.run(findings_in, request.company, kinds, series, about)


def findings_in(_company: str, kinds: Sequence[Kind], series: Daily, about: Mapping[str, Any]) -> list[Insight]:
    """One row for each kind, a finding with its headline. Run in the process for long computations."""
    return [
        _with_headline(method.row(find(series.values), len(series.values), about, lambda shown: _dated(shown, series)))
        for method, find in (METHODS[kind] for kind in kinds)
    ]


def _with_headline(row: Insight) -> Insight:
    if row.finding is None:
        return row
    short = headline(row.kind, row.metric, row.finding, row.sample)
    return structs.replace(row, title=short.title, severity=str(short.severity))


def _dated(shown: dict[str, Any], series: Daily) -> dict[str, Any]:
    """Points with the day beside their index."""
    if "points" in shown:
        shown["points"] = [{"day": series.day(p["index"]).isoformat(), **p} for p in shown["points"]]
    return shown


insights = Composed(
    "insights",
    "What a metric's daily series says: trend, change points, growth over matched periods, season, anomalies.",
    (
        Param("kind", f"one out of {', '.join(METHODS)}; all without it", read_choice(*METHODS)),
        METRIC,
        FROM,
        TO,
        *FILTERS,
    ),
    of_metric,
    _combine,
    Insight,
    apart=True,
    any_zone=True,
)


def _combine_forecast(request: Request, rows: Mapping[str, Rows]) -> list[Insight]:
    _, series, about = series_of(request, rows)
    return MODELS.run(forecast_of, request.company, series, request.get("horizon", DEFAULT_HORIZON), about)


def forecast_of(_company: str, series: Daily, horizon: int, about: Mapping[str, Any]) -> list[Insight]:
    """One row. Run in the process for long computations."""
    plausible = {WEEK} if len(series.values) >= 2 * WEEK else set()
    future = forecast.forecast(series.values, horizon, sorted(plausible.union(seasons_of(series.values, (WEEK,)))))
    first = series.day(len(series.values))
    return [FORECAST.row(future, len(series.values), about, lambda shown: _by_day(shown, first))]


def _by_day(shown: dict[str, Any], first: date) -> Mapping[str, Any]:
    """Steps with their day and their bands."""
    bands = shown.pop("bands")
    steps = [
        {
            "day": date.fromordinal(first.toordinal() + number).isoformat(),
            "value": value,
            "bands": [{"level": b["level"], "low": b["low"][number], "high": b["high"][number]} for b in bands],
        }
        for number, value in enumerate(shown["steps"])
    ]
    if shown["back_test"] is not None:
        covered = shown["back_test"]["coverage"]
        shown["back_test"]["coverage"] = [{"level": level, "share": share} for level, share in covered]
    return {**shown, "steps": steps}


series_forecast = Composed(
    "forecast",
    "The next days of a metric, with 80 and 95 % bands and the errors of forecasts from earlier ends.",
    (
        Param("horizon", f"days, 1 to {LONGEST_HORIZON}; {DEFAULT_HORIZON} without it", read_whole(1, LONGEST_HORIZON)),
        METRIC,
        FROM,
        TO,
        *FILTERS,
    ),
    of_metric,
    _combine_forecast,
    Insight,
    feature=Feature.PREDICTIVE,
    apart=True,
    any_zone=True,
)
