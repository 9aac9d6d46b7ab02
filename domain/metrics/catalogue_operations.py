"""The catalogue: how services perform, and how satisfied customers are."""

from __future__ import annotations

from functools import partial

from domain.metrics.metric import DAYS_BY, Metric, Section, Unit, explained

_system = partial(Metric, section=Section.SYSTEM)
_satisfaction = partial(Metric, section=Section.SATISFACTION)
OPERATIONS_BY = ("service", "operation", "minute", "hour", *DAYS_BY)
FRACTION, COUNT = Unit.FRACTION, Unit.COUNT
OF_THE_LOG = "Kept of the log as a whole and not of a company: GET /api/v1/projections and GET /metrics tell it."
NO_INCIDENTS = "No event says when an incident was opened, acknowledged and resolved."


_operations = partial(
    _system, reads=("operations",), explained=explained("operations", "count"), dimensions=OPERATIONS_BY
)


def _absent(key: str, title: str, unit: Unit, formula: str, why: str) -> Metric:
    return _system(key, title, unit, formula, absent=why)


_survey = partial(
    _satisfaction,
    reads=("survey_answers",),
    explained=explained("survey_answers", "answers"),
    dimensions=DAYS_BY,
)


def _tickets(key: str, title: str, unit: Unit, formula: str, measure: str, version: int = 1) -> Metric:
    of = explained("tickets", measure)
    return _satisfaction(key, title, unit, formula, version=version, reads=("tickets",), explained=of)


SYSTEM: tuple[Metric, ...] = (
    _operations("operation_count", "Operations", COUNT, "operations in the period"),
    _operations(
        "throughput",
        "Throughput",
        Unit.PER_SECOND,
        "operations / seconds of the period that are over",
        version=2,  # 1 took the whole period, and 0 where no operation had ever been reported
        reads=("operations", "operations_ever"),
    ),
    _operations("error_rate", "Error rate", FRACTION, "failed operations / operations"),
    _operations(
        "latency_p50",
        "Median latency",
        Unit.MILLISECONDS,
        "50 % quantile of durations by nearest rank (⌈50 % × n⌉-th), at most 1 % off",
    ),
    _operations(
        "latency_p95",
        "Latency, 95 %",
        Unit.MILLISECONDS,
        "95 % quantile of durations by nearest rank (⌈95 % × n⌉-th), at most 1 % off",
    ),
    _operations(
        "latency_p99",
        "Latency, 99 %",
        Unit.MILLISECONDS,
        "99 % quantile of durations by nearest rank (⌈99 % × n⌉-th), at most 1 % off",
    ),
    _operations("availability", "Availability", FRACTION, "operations that succeeded / operations"),
    _operations("error_budget_left", "Error budget left", FRACTION, "1 − burn rate (parameter objective)"),
    _operations("burn_rate", "Burn rate", Unit.RATIO, "error rate / (1 − objective)"),
    _system(
        "apdex",
        "Apdex",
        Unit.RATIO,
        "(satisfied + tolerating / 2) / operations; satisfied up to T (parameter threshold_ms), tolerating up to 4 T",
        reads=("operation_buckets",),
        explained=explained("operation_buckets", "count"),
        dimensions=OPERATIONS_BY,
        kpi=False,
    ),
    _absent("saturation", "Saturation", FRACTION, "used / limit of a resource", "No event names a resource's limit."),
    _absent("freshness_p99", "Freshness, 99 %", Unit.MILLISECONDS, "event time to visibility", OF_THE_LOG),
    _absent("consumer_lag", "Consumer lag", COUNT, "events not yet folded", OF_THE_LOG),
    _absent("late_share", "Late events", FRACTION, "late events / events", OF_THE_LOG),
    _absent("duplicate_share", "Repeated events", FRACTION, "repeated events / events", OF_THE_LOG),
    _absent("quarantine_rate", "Events set aside", FRACTION, "quarantined events / events", OF_THE_LOG),
    _absent("mtta", "Time to acknowledge", Unit.MILLISECONDS, "mean (acknowledged − opened)", NO_INCIDENTS),
    _absent("mttr", "Time to resolve", Unit.MILLISECONDS, "mean (resolved − opened)", NO_INCIDENTS),
)

SATISFACTION: tuple[Metric, ...] = (
    _survey("nps", "Net promoter score", Unit.POINTS, "100 × (share of 9 and 10 − share of 0 to 6)"),
    _survey("nps_low", "Net promoter score, lower bound", Unit.POINTS, "lower bound of NPS with 95 % confidence"),
    _survey("nps_high", "Net promoter score, upper bound", Unit.POINTS, "upper bound of NPS with 95 % confidence"),
    _survey("csat", "Customer satisfaction", FRACTION, "answers of 4 or 5 / answers"),
    _survey("ces", "Customer effort", Unit.RATIO, "mean score, 1 to 7"),
    _tickets("tickets_opened", "Tickets opened", COUNT, "tickets opened in the period", "opened_at"),
    _tickets(
        "first_response_minutes",
        "First response",
        Unit.MINUTES,
        "median time from opening to the first response after it, of tickets opened in the period",
        "first_response_at",
        version=2,  # 1 counted tickets that were answered before they were opened
    ),
    _tickets(
        "resolution_hours",
        "Resolution",
        Unit.HOURS,
        "median time from opening to the last resolution after it, of tickets opened in the period",
        "resolved_at",
        version=2,  # as first_response_minutes
    ),
    _tickets(
        "first_contact_resolution_rate",
        "Resolved at first contact",
        FRACTION,
        "tickets resolved after they were opened, and never reopened / tickets resolved after they were opened",
        "reopened",
        version=2,  # as first_response_minutes
    ),
    _satisfaction(
        "tickets_per_100_users",
        "Tickets per 100 users",
        Unit.RATIO,
        "100 × tickets opened / active users",
        reads=("tickets", "user_lifecycle"),
        explained=explained("tickets", "opened_at"),
    ),
)
