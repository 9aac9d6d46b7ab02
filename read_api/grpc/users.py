"""Users over gRPC: activity, cohorts, funnels, paths, features and segments, in protobuf."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.users_pb2 import GetFunnelRequest

from domain.errors import Invalid
from domain.metrics.value import Reason
from read_api.grpc.rpc import Answer, Answers, Rpc, one
from read_api.grpc.scope import QueryCall, about, moment, names, only, page
from read_api.grpc.trading import OF_RETURNS, with_returns

Row = Mapping[str, Any]
ENGAGEMENT = {"daily_active_users": "dau", "weekly_active_users": "wau", "monthly_active_users": "mau"}
OF_PERIOD = ("stickiness", "new_users", "returning_users", "resurrected_users", "dormant_users")
WATCHED = ",".join((*ENGAGEMENT.values(), *OF_PERIOD))
NOT_READ = "not_read"  # the reason of what this answer leaves out: of many users, and what models are fitted for
OF_ALL = "of_all_users"  # the reason of a figure that no group of users has
PREDICTED = ("churn_probability", "predicted_ltv")
RATIOS, MEDIAN = ("click_through_rate", "conversion_rate"), "median_session_minutes"


def _activity(request: Any) -> Mapping[str, QueryCall]:
    """What they did; where users are asked for, who they are; and how engaged all of them are."""
    scope, user, by = request.scope, request.user_id, names(request.by)
    asked = {
        "activity": about("user_activity", scope, by=by, user_id=user),
        "ratios": about("metrics", scope, by=by, keys=",".join(RATIOS), user_id=user),
    }
    if not (scope.filters or user or request.by):
        asked["sessions"] = about("metrics", scope, keys=MEDIAN)
    if not scope.filters and not user:
        asked["engagement"] = about("metrics", scope, keys=WATCHED)
        asked["features"] = about("features", scope)
    if user or request.HasField("page"):
        asked["users"] = QueryCall("users_seen", {**page(request.page), **({"user_id": user} if user else {})})
    if user:
        asked["segments"] = QueryCall("segments", {"user_id": user})
        asked["totals"] = about("trading_totals", scope, user_id=user)
        asked["returns"] = about("metrics", scope, user_id=user, keys=",".join(OF_RETURNS))
    return asked


def _of_users(request: Any, answers: Answers) -> Row:
    done = list(_behavior(request.by, answers))
    found: dict[str, Any] = {
        "activity": [{"dimensions": {name: row[name] for name in request.by}, "behavior": row} for row in done]
    }
    if "engagement" in answers:
        found["engagement"] = _engagement(answers["engagement"]["rows"], answers["features"]["rows"])
    if "users" in answers:
        seen = answers["users"]
        told = [_user(row, done, answers) for row in seen["rows"]]
        found |= {"users": told, "next_cursor": seen["next_cursor"]}
    return found


def _behavior(by: Sequence[str], answers: Answers) -> Iterator[Row]:
    """What each group did, with its ratios, or why there are none."""
    values: dict[tuple[Any, ...], dict[str, Row]] = {}
    for row in answers["ratios"]["rows"]:
        values.setdefault(tuple(row[name] for name in by), {})[row["key"]] = row
    whole = {row["key"]: row for row in _all(answers, "sessions")}
    for row in answers["activity"]["rows"]:
        of = values.get(tuple(row[name] for name in by), {}) | whole
        known = {key: of[key]["value"] for key in of}
        reasons = {
            key: of[key]["reason"] if key in of else OF_ALL for key in (*RATIOS, MEDIAN) if known.get(key) is None
        }
        if row["active_users"]:
            known["sessions_per_user"] = row["sessions"] / row["active_users"]
        else:
            reasons["sessions_per_user"] = str(Reason.ZERO_DENOMINATOR)
        yield {**row, **known, "reasons": {**row.get("reasons", {}), **reasons}}


def _engagement(rows: list[Row], features: list[Row]) -> Row:
    values = {row["key"]: row for row in rows}
    members = {**ENGAGEMENT, **{name: name for name in OF_PERIOD}}
    adopted = {row["feature"]: row["feature_adoption_rate"] for row in features if row["feature"] is not None}
    reasons = {name: values[key]["reason"] for name, key in members.items() if values[key]["value"] is None}
    shown = {name: values[key]["value"] for name, key in members.items()}
    return {**shown, "feature_adoption": adopted, "reasons": reasons}


def _user(row: Row, done: Sequence[Row], answers: Answers) -> Row:
    if "segments" not in answers:
        return {**row, "reasons": dict.fromkeys(("segment", "behavior", "trading", *PREDICTED), NOT_READ)}
    segments, totals = answers["segments"]["rows"], answers["totals"]["rows"]
    traded = [each for each in with_returns((), totals, answers) if each["total_trades"]]
    told = {"behavior": done[0]} if len(done) == 1 else {}
    told |= {"trading": traded[0]} if traded else {}
    segment = segments[0]["segment"] if segments else ""
    return {**row, "segment": segment, **told, "reasons": dict.fromkeys(PREDICTED, NOT_READ)}


def _retention(request: Any) -> QueryCall:
    interval = request.interval or "month"
    asked = {"unit": interval, "measure": request.measure, "start": request.begins_with}
    return about("retention", request.scope, **asked, return_=request.comes_back_with, ages=str(request.ages or ""))


def _cohorts(request: Any, answer: Answer) -> Row:
    rows = answer["rows"]
    cohorts = [
        {"begins": row["cohort"], "size": row["users"], "cells": row["ages"]}
        for row in rows
        if row["cohort"] is not None
    ]
    mean = next((row["ages"] for row in rows if row["cohort"] is None), ())
    head = {"interval": request.interval or "month", "measure": request.measure or "on"}
    return {"retention": {**head, "cohorts": cohorts, "mean": mean}}


def _funnel(request: Any) -> QueryCall:
    if any(step.properties for step in request.steps):
        raise Invalid("steps are told apart by their names alone", code="bad_parameter")
    order = GetFunnelRequest.Order.Name(request.order).lower() if request.order else ""
    return about(
        "funnel",
        request.scope,
        steps=names([step.event for step in request.steps]),
        order=order,
        window=f"{request.window_seconds}s" if request.window_seconds else "",
        exclude=names(request.exclusions),
        by=request.by,
    )


def _funnels(request: Any, answer: Answer) -> Row:
    groups: dict[str, list[Row]] = {}
    for row in answer["rows"]:
        seconds = None if row["median_ms"] is None else row["median_ms"] / 1_000
        step = {"event": row["name"], "users": row["users"], "rate": row["step_rate"], "overall_rate": row["rate"]}
        groups.setdefault(str(row[request.by]) if request.by else "", []).append({**step, "median_seconds": seconds})
    return {"funnels": [{"group": group, "steps": steps} for group, steps in groups.items()]}


def _journey(request: Any) -> Mapping[str, QueryCall]:
    if request.user_id:
        if request.from_event or request.to_event or request.max_length:
            raise Invalid("of one user all events are listed", code="bad_parameter")
        return {"steps": about("user_steps", request.scope, user_id=request.user_id, **page(request.page))}
    if request.page.cursor:
        raise Invalid("the most common paths have no second page", code="bad_parameter")
    given = {"begin": request.from_event, "end": request.to_event, "length": str(request.max_length or "")}
    return {"paths": about("journey", request.scope, **given, top=str(request.page.limit or ""))}


def _ways(_request: Any, answers: Answers) -> Row:
    if "steps" in answers:
        steps = answers["steps"]
        return {"steps": [_step(row) for row in steps["rows"]], "next_cursor": steps["next_cursor"]}
    paths = answers["paths"]["rows"]
    return {"paths": [{"events": row["path"], "users": row["sequences"]} for row in paths]}


def _step(row: Row) -> Row:
    subject = "page" if row["subject"].startswith("/") else "feature"
    return {"time": row["at"], "event": {**row, subject: row["subject"]}}


def _features(request: Any) -> Mapping[str, QueryCall]:
    by = names(["feature", *request.by])
    asked = {
        feature: about("feature_usage", request.scope, by=by, feature=feature) for feature in request.features or [""]
    }
    if not request.by and not request.scope.filters:
        asked["adoption"] = about("features", request.scope)
    return asked


def _usage(request: Any, answers: Answers) -> Row:
    adopted = {row["feature"]: row["feature_adoption_rate"] for row in _all(answers, "adoption") if row["feature"]}
    return {
        "usage": [
            {
                **row,
                "dimensions": {name: row[name] for name in request.by},
                "adoption_rate": adopted.get(row["feature"]),
            }
            for name, answer in answers.items()
            if name != "adoption"
            for row in answer["rows"]
        ]
    }


def _all(answers: Answers, name: str) -> list[Row]:
    return answers[name]["rows"] if name in answers else []


def _segments(request: Any) -> QueryCall:
    """The day that ends the period counts last; users come all at once."""
    scope = request.scope
    for name in ("from_time", "convention"):
        only(name, str(getattr(scope, name) or ""), "")
    only("page.cursor", request.page.cursor, "")
    at = moment(scope.to_time - 1) if scope.to_time else ""
    given = {"at": at, "segment": request.segment, "zone": scope.time_zone}
    return QueryCall("segments", {**dict(scope.filters), **{name: text for name, text in given.items() if text}})


def _of_segments(request: Any, answer: Answer) -> Row:
    rows = answer["rows"]
    if request.segment:
        return {"user_ids": [row["user_id"] for row in rows[: request.page.limit or None]]}
    return {"segments": [{**row, "name": row["segment"], "rule": row["meaning"]} for row in rows]}


RPCS = (
    Rpc("GetUserAnalytics", _activity, _of_users, members=True),
    one("GetCohortRetention", _retention, _cohorts),
    one("GetFunnel", _funnel, _funnels),
    Rpc("GetUserJourney", _journey, _ways, members=True),
    Rpc("GetFeatureUsage", _features, _usage, members=True),
    one("GetSegments", _segments, _of_segments, members=True),
)
