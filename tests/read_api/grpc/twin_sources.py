"""Where a value of a message comes from, where HTTP has it under another name or in another place.

Written apart from what fills the messages, so that the one judges the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from domain.metrics.indicators.catalogue import INDICATORS
from tests.read_api.grpc.twin_requests import CUTS
from tests.read_api.grpc.twins import said_in_json

Rows = list[dict[str, Any]]
Found = Mapping[str, Rows]  # what HTTP told, by the question of the RPC
Source = str | Callable[[Found], list[Any]]


def of(question: str, name: str) -> Callable[[Found], list[Any]]:
    """What the rows of one question say under a name, wherever it stands in them."""
    return lambda found: said_in_json(found.get(question, [])).get(name, [])


def metrics_of(question: str = "") -> dict[str, Source]:
    """Where members of value objects come from."""
    names = ("key", "title", "unit", "value", "convention", "definition_version", "basis")
    return {**{name: of(question, name) for name in names}, "reason of value": of(question, "reason")}


def paired(name: str, other: str) -> Callable[[Found], list[Any]]:
    """A value and the one of the period before, metric by metric; without a comparison the first alone."""
    return lambda found: [each for row in found[""] for each in (row[name], row[other])]


def first_of(series: str, name: str) -> Callable[[Found], list[Any]]:
    """Of every series that was looked into, in the order of the questions."""
    return lambda found: [
        value for key in found if not key.startswith(series) for value in said_in_json(found[key]).get(name, [])
    ]


def points(name: str) -> Callable[[Found], list[Any]]:
    """The days of the series behind the findings; those without an observation are filled as the finding says."""

    def read(found: Found) -> list[Any]:
        said = []
        for key in (key for key in found if not key.startswith("series ")):
            evidence, rows = found[key][0]["evidence"], found[f"series {key}"]
            days = {row["day"]: row[evidence["measure"]] for row in rows if row[evidence["measure"]] is not None}
            last: Any = 0
            for number in range(evidence["days"]):
                day = str(date.fromisoformat(evidence["first_day"]) + timedelta(days=number))
                missing = last if evidence["missing_days"] == "previous" else 0
                last = float(days.get(day, missing))
                said.append(day if name == "time" else last)
        return said

    return read


def steps(name: str, level: int = 80) -> Callable[[Found], list[Any]]:
    """What a forecast expects, day by day."""

    def read(found: Found) -> list[Any]:
        days = [day for key in found if not key.startswith("series ") for day in _steps(found[key][0])]
        if name in ("day", "value"):
            return [day[name] for day in days]
        return [band[name] for day in days for band in day["bands"] if band["level"] == level]

    return read


def _steps(row: dict[str, Any]) -> Rows:
    return list(row["finding"]["steps"]) if row["finding"] else []


def outputs(name: str) -> Callable[[Found], list[Any]]:
    """What indicators put out, column by column."""

    def read(found: Found) -> list[Any]:
        said: list[Any] = []
        for rows in (found[key] for key in found if key != "bars"):
            for column in (column for column in (rows[0] if rows else ()) if column != "start"):
                said += [column] if name == "key" else [row[column if name == "value" else "start"] for row in rows]
        return said

    return read


SETTINGS = sorted({param.name for each in INDICATORS.values() for param in each.params})


def defaults(name: str) -> Callable[[Found], list[Any]]:
    """Of indicators that have such a setting, where it is a number."""
    return lambda found: [
        setting["default"]
        for row in found[""]
        for setting in row["params"]
        if setting["name"] == name and not isinstance(setting["default"], str)
    ]


RATIOS = ("click_through_rate", "conversion_rate", "median_session_minutes")
DONE = ("events", "sessions", "active_users", "page_views", "impressions", "clicks", "feature_uses", "conversions")
ENGAGED = {
    "daily_active_users": "dau", "weekly_active_users": "wau", "monthly_active_users": "mau",
    "stickiness": "stickiness", "returning_users": "returning_users", "resurrected_users": "resurrected_users",
    "dormant_users": "dormant_users",
}  # fmt: skip


def twice(name: str) -> Callable[[Found], list[Any]]:
    """What one user did is said of the user, and again of the group, where there is but one."""

    def read(found: Found) -> list[Any]:
        groups = found["activity"]
        return [row[name] for row in (groups if "segments" in found and len(groups) == 1 else [])] + [
            row[name] for row in groups
        ]

    return read


def ids(found: Found) -> list[Any]:
    """Of the users, then of the groups."""
    return [row["user_id"] for row in found.get("users", [])] + said_in_json(found["activity"]).get("user_id", [])


def engaged(key: str, member: str = "value") -> Callable[[Found], list[Any]]:
    """A figure of engagement."""
    return lambda found: [row.get(member) for row in found.get("engagement", []) if row["key"] == key]


def of_points(name: str) -> Callable[[Found], list[Any]]:
    """What was not expected, day by day."""
    return lambda found: [p[name] for rows in found.values() for p in (rows[0]["finding"] or {"points": ()})["points"]]


def turned(row: dict[str, Any]) -> list[float]:
    """A profile from Monday on; it begins with the first day of the series."""
    if not row["finding"]:
        return []
    first, profile = date.fromisoformat(row["evidence"]["first_day"]).weekday(), row["finding"]["seasons"][0]["profile"]
    return [profile[(weekday - first) % 7] for weekday in range(7)]


def usage(found: Found, name: str) -> list[Any]:
    """Of the features asked about."""
    return [row[name] for key, rows in found.items() if key != "adoption" for row in rows]


def adopted(found: Found) -> list[Any]:
    """The share of those who use each feature."""
    shares = {row["feature"]: row["feature_adoption_rate"] for row in found.get("adoption", []) if row["feature"]}
    return [shares.get(feature) for feature in usage(found, "feature")]


def returned(key: str, member: str = "value") -> Callable[[Found], list[Any]]:
    """A statistic of the daily series, group by group."""
    return lambda found: [row.get(member) for row in found.get("returns", []) if row["key"] == key]


OF_RETURNS = ("sharpe_ratio", "sortino_ratio", "max_drawdown", "calmar_ratio")


def ranked(by: str) -> dict[str, Source]:
    """Statistics of the daily series in the order of the league."""

    def read(key: str, member: str) -> Callable[[Found], list[Any]]:
        def of_each(found: Found) -> list[Any]:
            rows = {row[by]: row for row in found.get("returns", []) if row["key"] == key}
            absent = None if member == "value" else "no_daily_series"
            return [rows[row[by]].get(member) if row[by] in rows else absent for row in found["league"]]

        return of_each

    statistics = {name: read(name, "value") for name in OF_RETURNS}
    named = {by: of("league", by), "short_sample": of("league", "short_sample")}
    return {**named, **statistics, **{f"reasons.{name}": read(name, "reason") for name in OF_RETURNS}}


def without_series(found: Found) -> list[Any]:
    """Times of the day or week have no daily series."""
    return ["no_daily_series" for _ in found[""]]


def lined(name: str) -> Callable[[Found], list[Any]]:
    """What is said of a series, and again of its trend's line, where there is one."""

    def read(found: Found) -> list[Any]:
        said: list[Any] = []
        for key in (key for key in found if not key.startswith("series ")):
            row = found[key][0]
            finding, days = row["finding"], points("time")({key: found[key], f"series {key}": found[f"series {key}"]})
            if name in ("time", "value"):
                said += points(name)({key: found[key], f"series {key}": found[f"series {key}"]})
                line = [finding["begin"] + finding["slope"] * place for place in range(len(days))] if finding else []
                said += line if name == "value" else days[: len(line)]
            else:
                said += [row[{"key": "metric"}.get(name, name)]] * (2 if finding else 1)
        return said

    return read


def ratio(key: str) -> Callable[[Found], list[Any]]:
    """A ratio of what users did: of the one user, and again of the group; of both questions the same groups."""

    def read(found: Found) -> list[Any]:
        rows = [row for name in ("ratios", "sessions") for row in found.get(name, []) if row["key"] == key]
        again = rows if "segments" in found and len(found["activity"]) == 1 else []
        return [row["value"] for row in (*again, *rows)]

    return read


def own(name: str) -> Callable[[Found], list[Any]]:
    """Of the company's own values beside its peers'."""
    return lambda found: [row.get(name) for key in found if key.startswith("own ") for row in found[key]]


def last_step(name: str) -> Callable[[Found], list[Any]]:
    """The last day that is expected, of each forecast."""

    def read(found: Found) -> list[Any]:
        of_each = [_steps(found[key][0])[-1:] for key in found if not key.startswith("series ")]
        return [day[name] for last in of_each for day in last]

    return read


COMPARED: dict[str, Source] = {
    "change": "change_rate",
    **{name: paired(name, name) for name in ("key", "title", "unit", "convention", "definition_version")},
    "value": paired("value", "previous"),
    "reason of value": lambda found: [
        row["reasons"][name] for row in found[""] for name in ("value", "previous") if name in row.get("reasons", {})
    ],
}
MADE = "made of the others"  # text for people and ids: what it must be is tested where it is made
SERIES_OF: dict[str, Source] = {
    "key": "metric",
    "time": points("time"),
    "value": points("value"),
    "unit": first_of("series ", "unit"),
    "title": MADE,
}
QUALITY: dict[str, Source] = {
    "observations": "sample", "model": MADE, "version": "method_version", "fitted_at": MADE, "coverage_80": MADE,
    "coverage_95": MADE, "reason": "reasons.finding",
    **{score: first_of("series ", score) for score in ("mae", "mape", "mase", "naive_mae", "skill", "horizon")},
    "origins": first_of("series ", "origins"),
}  # fmt: skip
DRAWN: dict[str, Source] = {
    "key": outputs("key"), "time": outputs("time"), "value": outputs("value"), "reason of value": MADE,
    "indicator": MADE, "title": MADE, "start": of("bars", "start"),
}  # fmt: skip


def _titles(row: dict[str, Any]) -> list[str]:
    return [tile["title"] for tile in row["tiles"]]


# Where a value comes from, where HTTP has it under another name or in another place.
SOURCES: Mapping[str, Mapping[str, Source]] = {
    "ListDashboards": {
        "company_id": MADE,
        "dashboard_id": lambda found: [row["id"] for row in found[""]],
        "tile_id": lambda found: [tile["id"] for row in found[""] for tile in row["tiles"]],
        "title": lambda found: [title for row in found[""] for title in (row["name"], *_titles(row))],
    },
    "GetKPIs": COMPARED,
    "GetTradingKPIs": COMPARED,
    "GetRevenueMetrics": {
        **metrics_of("groups"), "plan": MADE, "month": MADE,
        **{name: f"{name}_count" for name in ("new", "expansion", "contraction", "churned", "reactivated")},
    },
    "GetAcquisitionMetrics": {**metrics_of(), "channel": MADE, "campaign": MADE, "day": MADE},
    "GetRetentionMetrics": metrics_of(),
    "GetSatisfactionMetrics": {**metrics_of(), "month": MADE},
    "GetTradingMetrics": {
        **{cut: of("totals", cut) for cut in CUTS}, "short_sample": MADE,
        **{name: returned(name) for name in OF_RETURNS},
        **{f"reasons.{name}": returned(name, "reason") for name in OF_RETURNS},
    },
    "GetStrategyBreakdown": ranked("strategy"),
    "GetSymbolBreakdown": ranked("symbol"),
    "GetTimeAnalysis": {
        "row": lambda found: [max(0, r["entry_hour"]) if "entry_hour" in r else int(r["month"][5:]) for r in found[""]],
        "column": lambda found: [r["weekday"] if "weekday" in r else r["year"] for r in found[""]],
        "row_unknown": lambda found: [True for r in found[""] if r.get("entry_hour") == -1],
        **dict.fromkeys((f"reasons.{name}" for name in OF_RETURNS), without_series),
    },
    "GetEquityCurve": {
        "day_return": "return", "drawdown": "underwater", "reasons.day_return": "reasons.return",
        "reasons.drawdown": "reasons.underwater", "basis": lambda found: [r["basis"] for r in found[""][:1]],
        "reason": lambda found: [r.get("reasons", {}).get("return") for r in found[""][:1]],
    },
    "GetUserAnalytics": {
        **{name: twice(name) for name in DONE}, "user_id": ids,
        "alerts": of("features", "feature_adoption_rate"),
        **{name: engaged(key) for name, key in ENGAGED.items()}, "segment": of("segments", "segment"),
        "new_users": lambda found: twice("new_users")(found) + engaged("new_users")(found),
        "first_seen": of("users", "first_seen"), "last_seen": of("users", "last_seen"),
        "day": MADE, "month": MADE, "reasons.stickiness": engaged("stickiness", "reason"),
        **{name: ratio(name) for name in RATIOS}, **{f"reasons.{name}": MADE for name in RATIOS},
        "sessions_per_user": MADE, "reasons.sessions_per_user": MADE,
        "reasons.churn_probability": MADE, "reasons.predicted_ltv": MADE,
        **{name: returned(name) for name in OF_RETURNS},
        **{f"reasons.{name}": MADE for name in OF_RETURNS},
    },
    "GetCohortRetention": {
        "begins": "cohort", "interval": MADE, "measure": MADE,
        "size": lambda found: [row["users"] for row in found[""] if row["cohort"]],
        "retained": lambda found: [cell.get("retained", 0) for row in found[""] for cell in row["ages"]],
    },
    "GetFunnel": {
        "event": "name", "group": lambda found: [r["week"] for r in found[""] if r.get("week") and r["step"] == 1],
        "rate": "step_rate", "overall_rate": "rate",
        "median_seconds": lambda found: [r["median_ms"] and r["median_ms"] / 1_000 for r in found[""]],
    },
    "GetUserJourney": {
        "events": "path", "times": lambda found: [0 for _ in found.get("paths", [])], "time": "at",
        "users": of("paths", "sequences"), "page": MADE, "feature": MADE,
    },
    "GetFeatureUsage": {
        "first_used": MADE, "last_used": MADE, "feature": lambda found: usage(found, "feature"),
        "users": lambda found: usage(found, "users"), "uses": lambda found: usage(found, "uses"),
        "adoption_rate": lambda found: adopted(found),
    },
    "GetSegments": {"name": "segment", "rule": "meaning", "user_ids": "user_id"},
    "GetChartData": DRAWN,
    "GetTechnicalIndicators": DRAWN,
    "ListIndicators": {"key": "indicator", "formula": "source", **{name: defaults(name) for name in SETTINGS}},
    "GetBusinessInsights": {
        **{name: MADE for name in ("insight_id", "explanation", "from_time", "to_time", "definition_version", "key")},
        **{name: MADE for name in ("kind", "title", "severity", "unit")},  # the gravest first; see the test of it
        **{name: MADE for name in ("value", "time", "change", "confidence", "convention", "suggested_actions")},
    },
    "GetTrendAnalysis": {
        **{name: lined(name) for name in ("key", "unit", "time", "value")}, "title": MADE,
        **dict.fromkeys(("reasons.slope", "reasons.p_value", "reasons.trend"), "reasons.finding"),
        "direction": lambda found: [
            {"none": "flat"}.get(found[key][0]["finding"]["direction"], found[key][0]["finding"]["direction"])
            if found[key][0]["finding"] else "direction_unspecified"
            for key in found if not key.startswith("series ")
        ],
    },
    "GetSeasonality": {
        "reason": "reasons.finding", "place": lambda found: list(range(7)) if found[""][0]["finding"] else [],
        "deviation": lambda found: turned(found[""][0]), "observations": MADE,
    },
    "GetAnomalies": {
        "time": of_points("day"), "value": of_points("value"), "metric": MADE, "lower": MADE, "upper": MADE,
        "expected": of_points("expected"), "score": of_points("score"),
    },
    "GetRecommendations": {
        "recommendation_id": MADE, "area": MADE, "rationale": MADE, "title": "assumption", "unit": MADE,
        "action": "advice", "definition_version": MADE, "key": MADE, "value": "change",
        "convention": MADE,
    },
    "GetCompetitiveAnalysis": {
        "peers": MADE, "reason": "reasons.finding", "reason of lower_quartile": MADE, "reason of median": MADE,
        "reason of upper_quartile": MADE, "title": MADE,
        **{
            name: own(name)
            for name in ("key", "unit", "value", "convention", "definition_version")
        },
    },
    "GetPredictiveAnalytics": {**QUALITY, **SERIES_OF, "definition_version": MADE, "value": MADE, "convention": MADE,
        "time": last_step("day"), "expected": last_step("value"),
        "lower": MADE, "upper": MADE, "reason of value": MADE,
    },
    "GetChurnForecast": {**QUALITY, "subject_id": "user_id"},
    "GetLifetimeValue": {**QUALITY, **metrics_of(), "title": MADE, "currency": MADE, "key": MADE, "unit": MADE,
        "convention": MADE, "definition_version": MADE, "reason of value": lambda found: [
            row.get("reason") or row.get("reasons", {}).get("finding") for row in found[""]],
    },
    "GetForecast": {
        **QUALITY, **SERIES_OF, "time": lambda found: points("time")(found) + steps("day")(found),
        "expected": steps("value"), "lower": MADE, "upper": MADE,
    },
}  # fmt: skip
