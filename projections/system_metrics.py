"""System metrics: what services measure by minute, and how long their operations take and how they end.

Additive: sums and extremes of whole trillionths, and counts in fixed buckets for quantiles (`engine/quantiles.py`), so
any order of batches gives the same rows and quantiles merge over any minutes, services and tenants without loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projections.engine.declare.live_window import live_window
from projections.engine.declare.merge_rules import Bucket, Count, Key, Max, Min, Minute, Number, Sum, Text
from projections.engine.declare.projection import Delta, Projection
from projections.engine.declare.rows import Columns, Row
from projections.engine.query.quantiles import Quantiles, bucket_of
from projections.engine.query.ratios import Measures, Ratios
from projections.engine.query.totals import calendar, moment, plain, totals, whole

if TYPE_CHECKING:
    import polars as pl

system_metrics = Projection("system_metrics", version=2)


class SystemMinute(Row):
    """The values of one metric of one service in one minute."""

    company_id: Key[Text]
    service: Key[Text]
    metric: Key[Text]
    minute: Key[Minute]
    count: Sum[Count]
    sum: Sum[Number]
    min: Min[Number]
    max: Max[Number]


class LatencyBucket(Row):
    """How many of those values lie in each bucket."""

    company_id: Key[Text]
    service: Key[Text]
    metric: Key[Text]
    minute: Key[Minute]
    bucket: Key[Bucket]
    count: Sum[Count]


class OperationMinute(Row):
    """How often one operation of one service ended with one outcome in one minute, and how long it took, in ms."""

    company_id: Key[Text]
    service: Key[Text]
    operation: Key[Text]
    minute: Key[Minute]
    outcome: Key[Text]  # ok or error
    count: Sum[Count]
    duration_sum: Sum[Number]
    duration_min: Min[Number]
    duration_max: Max[Number]


class OperationBucket(Row):
    """How many of those durations lie in each bucket."""

    company_id: Key[Text]
    service: Key[Text]
    operation: Key[Text]
    minute: Key[Minute]
    outcome: Key[Text]
    bucket: Key[Bucket]
    count: Sum[Count]


@system_metrics.folds("system_metric", into=SystemMinute)
def by_minute(measured: Columns) -> Delta:
    """Each value counts in the minute of its event."""
    value = measured.value
    return {"minute": measured.timestamp, "count": 1, "sum": value, "min": value, "max": value}


@system_metrics.folds("system_metric", into=LatencyBucket)
def value_buckets(measured: Columns) -> Delta:
    """The bucket of each value."""
    return {"minute": measured.timestamp, "bucket": bucket_of(measured.value), "count": 1}


@system_metrics.folds("performance_data", into=OperationMinute)
def operations_by_minute(performed: Columns) -> Delta:
    """Each operation counts in the minute of its event."""
    took = performed.duration_ms
    return {
        "minute": performed.timestamp,
        "outcome": outcome(performed),
        "count": 1,
        "duration_sum": took,
        "duration_min": took,
        "duration_max": took,
    }


@system_metrics.folds("performance_data", into=OperationBucket)
def duration_buckets(performed: Columns) -> Delta:
    """The bucket of each duration."""
    bucket = bucket_of(performed.duration_ms)
    return {"minute": performed.timestamp, "outcome": outcome(performed), "bucket": bucket, "count": 1}


def outcome(performed: Columns) -> pl.Expr:
    """How the operation ended; one that does not say is counted as ok."""
    return performed.outcome.replace("", "ok")


def error_rate(raw: Measures) -> tuple[dict[str, Any], dict[str, str]]:
    """Failed operations as a share of all."""
    collected = Ratios()
    collected.ratio("error_rate", raw["errors"], raw["count"], "no_data")
    return collected.fields, collected.reasons


VALUE_QUANTILES = Quantiles(LatencyBucket, low="min", high="max")
DURATION_QUANTILES = Quantiles(OperationBucket, low="duration_min", high="duration_max")

system_metrics.windows += [
    live_window(
        "system_metrics",
        of=SystemMinute,
        time="minute",
        quantiles=VALUE_QUANTILES,
        summary="Measured values in their own unit, with quantiles at most 1 % off, by minute of the event.",
    ),
    live_window(
        "operations",
        of=OperationMinute,
        time="minute",
        quantiles=DURATION_QUANTILES,
        summary="Operations by outcome, and their durations in ms with quantiles at most 1 % off, by minute.",
    ),
]

CALENDAR = {"minute": moment("minute"), **calendar("minute")}

system_metrics.queries += [
    totals(
        "system_metrics",
        of=SystemMinute,
        by={"service": plain("service"), "metric": plain("metric"), **CALENDAR},
        time="minute",
        quantiles=VALUE_QUANTILES,
        summary="Measured values in their own unit, with quantiles at most 1 % off, by time of the event, UTC.",
    ),
    totals(
        "operations",
        of=OperationMinute,
        by={**{name: plain(name) for name in ("service", "operation", "outcome")}, **CALENDAR},
        time="minute",
        counts={"errors": "COALESCE(SUM(count) FILTER (WHERE outcome = 'error'), 0)"},
        quantiles=DURATION_QUANTILES,
        derive=error_rate,
        summary="Operations, the share that failed, and durations in ms with quantiles at most 1 % off.",
    ),
    totals(
        "operation_buckets",
        of=OperationBucket,
        by={
            **{name: plain(name) for name in ("service", "operation", "outcome")},
            "bucket": whole("bucket"),
            **CALENDAR,
        },
        time="minute",
        summary="Operations by bucket of their duration: a bucket's middle is at most 1 % off (`engine/quantiles.py`).",
    ),
]
