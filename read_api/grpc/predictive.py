"""Predictions over gRPC: forecasts, who may leave, what customers will bring, in protobuf."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.errors import Invalid
from read_api.grpc.insights import MOST, SERIES_OF, daily_series, of_series
from read_api.grpc.kpis import groups, of_catalogue
from read_api.grpc.messages import ms
from read_api.grpc.rpc import Answer, Answers, Rpc, one
from read_api.grpc.scope import QueryCall, about, names, only

Row = Mapping[str, Any]
PREDICTED = ("total_pnl", "active_users", "mrr")  # where no metric is named
LEVELS = {0.0: 80, 0.8: 80, 0.95: 95}  # percent of the band, by the coverage that is asked for
PREDICTED_LTV = "predicted_ltv"
DISCOUNTED = {"key": PREDICTED_LTV, "title": "Predicted lifetime value", "unit": "money", "convention": "canonical"}


def quality(answer: Answer, scores: Row) -> dict[str, Any]:
    """The members of ModelQuality: those scores that are defined. It was fitted for the answer that has it."""
    (row,) = answer["rows"]
    model = (row["finding"] or {}).get("model", row["method"])
    fitted = {"version": row["method_version"], "fitted_at": answer.get("asked_at"), "observations": row["sample"]}
    return {"model": model, "scores": scores, **fitted}


def _forecast_quality(answer: Answer) -> dict[str, Any]:
    (row,) = answer["rows"]
    test = (row["finding"] or {}).get("back_test") or {}
    scores = {name: value for name, value in test.items() if name not in ("coverage", "reasons")}
    covered = {f"coverage_{each['level']}": each["share"] for each in test.get("coverage", ())}
    return quality(answer, {**scores, **covered})


def _expected(step: Row, level: int) -> dict[str, Any]:
    band = next(band for band in step["bands"] if band["level"] == level)
    return {"time": ms(step["day"]), "expected": step["value"], "lower": band["low"], "upper": band["high"]}


def _forecast(request: Any) -> Mapping[str, QueryCall]:
    only("interval", request.interval, "day")
    if request.coverage not in LEVELS:
        raise Invalid("coverage is 0.8 or 0.95", code="bad_parameter")
    return {"forecast": about("forecast", request.scope, metric=request.metric, horizon=str(request.horizon or ""))}


def _steps(request: Any, answers: Answers) -> Row:
    answer = answers["forecast"]
    (row,) = answer["rows"]
    finding, series = row["finding"], daily_series(row, answers[f"{SERIES_OF}forecast"]["rows"], request.scope.filters)
    if finding is None:
        return {"observed": series, "quality": _forecast_quality(answer), "reason": row["reasons"]["finding"]}
    expected = [_expected(step, LEVELS[request.coverage]) for step in finding["steps"]]
    return {"observed": series, "expected": expected, "quality": _forecast_quality(answer)}


def _all(request: Any) -> Mapping[str, QueryCall]:
    if len(request.metrics) > MOST:
        raise Invalid(f"at most {MOST} metrics can be predicted", code="bad_parameter")
    horizon = str(request.horizon_days or "")
    return {key: about("forecast", request.scope, metric=key, horizon=horizon) for key in request.metrics or PREDICTED}


def _predictions(request: Any, answers: Answers) -> Row:
    keys = request.metrics or PREDICTED
    return {"predictions": [_prediction(answers[key], answers[f"{SERIES_OF}{key}"]["rows"]) for key in keys]}


def _prediction(answer: Answer, found: list[Row]) -> Row:
    """The last day that is known beside the last one that is expected."""
    (row,) = answer["rows"]
    series, finding = daily_series(row, found), row["finding"]
    last = series["points"][-1]["value"] if series["points"] else None
    current = of_catalogue(row["metric"]) | {name: series[name] for name in ("key", "title", "unit")}
    told = {"current": {**current, "value": last, "reason": "no_data"}, "quality": _forecast_quality(answer)}
    if finding is None:
        return {**told, "reason": row["reasons"]["finding"]}
    return {**told, "expected": _expected(finding["steps"][-1], 80)}


def _leaving(request: Any) -> QueryCall:
    only("of", request.of, "users")
    only("page.cursor", request.page.cursor, "")
    return about("churn_risks", request.scope, customers=str(request.page.limit or ""))


def _at_risk(request: Any, answer: Answer) -> Row:
    (row,) = answer["rows"]
    finding: Row = row["finding"] or {}
    scores = {name: finding.get(name) for name in ("brier", "base_brier", "calibration_error")}
    at_risk = [
        {
            "subject_id": each["user_id"],
            "probability": each["probability"],
            "drivers": {driver["feature"]: driver["contribution"] for driver in each["drivers"]},
        }
        for each in finding.get("at_risk", ())
        if each["probability"] >= request.min_probability
    ]
    return {"at_risk": at_risk, "horizon_days": row["horizon_days"], "quality": quality(answer, scores)}


def _worth(request: Any) -> QueryCall:
    only("method", request.method, "historic", "margin", "predicted")
    if request.method == "predicted":
        only("by", ",".join(request.by), "customer_id")
        return about("lifetime_value", request.scope)
    key = "ltv_margin" if request.method == "margin" else "customer_ltv"
    return about("metrics", request.scope, keys=key, by=names(request.by))


def _values(request: Any, answer: Answer) -> Row:
    if request.method != "predicted":
        return {"groups": groups(request.by, answer)}
    (row,) = answer["rows"]
    beside, finding = {"definition_version": row["method_version"], "currency": row["currency"] or ""}, row["finding"]
    if finding is None:
        nothing = {**DISCOUNTED, **beside, "value": None, "reason": row["reasons"]["finding"]}
        return {"groups": [{"metrics": [nothing]}], "quality": quality(answer, {})}
    of_each = [
        {"dimensions": {"customer_id": each["key"]}, "metrics": [_value(each["lifetime_value"], beside)]}
        for each in finding["buyers"]
    ]
    total = [{"metrics": [_value(finding["total"], beside)]}]
    scores = {"value_correlation": finding["value_correlation"]}
    return {"groups": of_each if request.by else total, "quality": quality(answer, scores)}


def _value(value: float, beside: Row) -> Row:
    return {**DISCOUNTED, **beside, "value": value}


RPCS = (
    Rpc("GetPredictiveAnalytics", _all, _predictions, of_series, members=True),
    one("GetChurnForecast", _leaving, _at_risk),
    one("GetLifetimeValue", _worth, _values),
    Rpc("GetForecast", _forecast, _steps, of_series, members=True),
)
