"""The catalogue: retention and engagement."""

from __future__ import annotations

from functools import partial

from domain.access.rights import Feature
from domain.metrics.metric import DAYS_BY, Metric, Section, Unit, explained

_metric = partial(Metric, section=Section.ENGAGEMENT)
ACTIVE = explained("user_activity", "events")
ACTIVITY_BY = ("user_id", *DAYS_BY)


def _of_users(key: str, title: str, unit: Unit, formula: str, source: str) -> Metric:
    return _metric(key, title, unit, formula, reads=(source,), explained=ACTIVE)


def _sum(key: str, title: str, formula: str) -> Metric:
    """A count of events, which may be split."""
    return _metric(
        key,
        title,
        Unit.COUNT,
        formula,
        reads=("activity",),
        explained=explained("user_activity", key),
        dimensions=ACTIVITY_BY,
    )


def _share(key: str, title: str, formula: str, measures: str, version: int = 1) -> Metric:
    return _metric(
        key,
        title,
        Unit.FRACTION,
        formula,
        reads=("activity",),
        explained=explained("user_activity", measures),
        dimensions=ACTIVITY_BY,
        version=version,
    )


STEPS, ACTIVITY, PAID = ("user_steps", "times"), ("user_activity", "events"), ("payment_totals", "amount")


def _table(
    key: str, title: str, formula: str, told_by: str, made_of: tuple[str, str], feature: Feature | None = None
) -> Metric:
    return _metric(
        key,
        title,
        Unit.TABLE,
        formula,
        explained=explained(*made_of),
        kpi=False,
        told_by=told_by,
        feature=feature,
    )


COUNT = Unit.COUNT
A_SESSION = "a user's events of one session_id; of those that name none, a run without a pause of more than 30 minutes"

ENGAGEMENT: tuple[Metric, ...] = (
    _of_users("active_users", "Active users", COUNT, "users with any event in the period", "user_lifecycle"),
    _of_users("dau", "Daily active users", COUNT, "users active on the last day of the period", "user_windows"),
    _of_users("wau", "Weekly active users", COUNT, "users active in the last 7 days of the period", "user_windows"),
    _of_users("mau", "Monthly active users", COUNT, "users active in the last 28 days of the period", "user_windows"),
    _of_users("stickiness", "Stickiness", Unit.FRACTION, "DAU / MAU", "user_windows"),
    _of_users("new_users", "New users", COUNT, "users whose first event ever lies in the period", "user_lifecycle"),
    _of_users("returning_users", "Returning users", COUNT, "active in the period and the one before", "user_lifecycle"),
    _of_users(
        "resurrected_users",
        "Resurrected users",
        COUNT,
        "active in the period, not in the one before, and not new",
        "user_lifecycle",
    ),
    _of_users(
        "dormant_users", "Dormant users", COUNT, "active in the period before and not in this one", "user_lifecycle"
    ),
    _of_users("pulse", "Pulse", Unit.RATIO, "(new + resurrected) / dormant", "user_lifecycle"),
    _metric(
        "sessions",
        "Sessions",
        COUNT,
        f"sessions begun in the period: {A_SESSION}",
        reads=("activity",),
        explained=ACTIVE,
        dimensions=ACTIVITY_BY,
        version=2,
    ),
    _sum("page_views", "Page views", "pages looked at"),
    _sum("impressions", "Impressions", "things shown"),
    _sum("clicks", "Clicks", "things clicked"),
    _sum("feature_uses", "Uses of features", "features used"),
    _sum("conversions", "Conversions", "conversions"),
    _share("click_through_rate", "Click-through rate", "clicks / impressions", "clicks impressions"),
    _share("conversion_rate", "Conversion rate", "conversions / sessions", "conversions events", version=2),
    _metric(
        "sessions_per_user",
        "Sessions per user",
        Unit.RATIO,
        "sessions / active users",
        reads=("activity", "user_lifecycle"),
        explained=ACTIVE,
        version=2,
    ),
    _metric(
        "median_session_minutes",
        "Median session",
        Unit.MINUTES,
        "median time from the first to the last event of the sessions begun in the period",
        reads=("sessions",),
        explained=explained("sessions", "events"),
        version=2,
    ),
    _metric(
        "feature_adoption_rate",
        "Feature adoption",
        Unit.FRACTION,
        "users of any feature / active users",
        reads=("feature_usage", "user_lifecycle"),
        explained=explained("feature_usage", "uses"),
    ),
    _metric(
        "feature_depth",
        "Feature depth",
        Unit.RATIO,
        "different features per user of any",
        reads=("feature_usage",),
        explained=explained("feature_usage", "uses"),
    ),
    _table(
        "retention",
        "Retention",
        "cohort × age: share of each cohort that is active (or pays) at that age",
        "retention",
        STEPS,
        Feature.RETENTION,
    ),
    _table("stickiness_histogram", "Stickiness, histogram", "users by active days of 28", "stickiness", ACTIVITY),
    _table(
        "funnel",
        "Funnel",
        "users who reach each step of a sequence, in a window",
        "funnel",
        STEPS,
        Feature.FUNNELS,
    ),
    _table("user_journey", "User journey", "the most frequent paths of events", "journey", STEPS),
    _table("user_segment", "User segments", "users by the first rule that holds", "segments", ACTIVITY),
    _table(
        "churn_probability",
        "Churn probability",
        "a fitted, calibrated model of each customer's last weeks",
        "churn_risks",
        ACTIVITY,
        Feature.PREDICTIVE,
    ),
    _table(
        "predicted_ltv",
        "Predicted lifetime value",
        "BG/NBD and Gamma–Gamma of each customer's payments",
        "lifetime_value",
        PAID,
        Feature.PREDICTIVE,
    ),
)
