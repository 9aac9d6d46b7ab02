"""System metrics: exact counts, sums and extremes, and quantiles within 1 %, recounted in plain Python."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import pytest
from analytics.performance_data_pb2 import SystemMetric

from domain.decimals import ONE
from domain.errors import Invalid
from eventlog.publish.builders import performance_data, system_metric, system_metric_batch
from eventlog.publish.event import Event
from tests.projections.harness import ReadModels

START = 1_760_000_000_000  # 2025-10-09T08:53:20Z
PERCENT = {"p50": 50, "p95": 95, "p99": 99}


class Value(NamedTuple):
    """One measured value, in whole trillionths as the read models keep it."""

    service: str
    metric: str
    at: int
    value: int

    @property
    def event(self) -> Event:
        return system_metric(
            company_id="acme",
            service=self.service,
            metric=self.metric,
            value=self.value / ONE,
            timestamp=self.at,
        )


def cut(at: int, width: int) -> str:
    return datetime.fromtimestamp(at // width * width / 1000, UTC).isoformat().replace("+00:00", "Z")


KEYS: dict[str, Callable[[Value], str]] = {
    "service": lambda v: v.service,
    "metric": lambda v: v.metric,
    "minute": lambda v: cut(v.at, 60_000),
    "hour": lambda v: cut(v.at, 3_600_000),
    "day": lambda v: cut(v.at, 86_400_000)[:10],
}


def nearest_rank(ordered: Sequence[int], percent: int) -> int:
    """The smallest value that at least this share of the values does not pass."""
    return ordered[-(-len(ordered) * percent // 100) - 1]


def check(row: dict[str, Any], values: Sequence[int]) -> None:
    """The row's measures are those of the values: exact, and quantiles within 1 %."""
    ordered = sorted(values)
    assert (row["count"], row["min"], row["max"]) == (len(values), ordered[0] / ONE, ordered[-1] / ONE)
    assert row["sum"] == sum(values) / ONE
    for name, percent in PERCENT.items():
        exact = nearest_rank(ordered, percent) / ONE
        assert abs(row[name] - exact) <= 0.01 * abs(exact) + 1e-9, (name, row, exact)
        assert row["min"] <= row[name] <= row["max"]


def heavy_tailed(seed: int, number: int = 3_000) -> list[Value]:
    """Values over eight orders of magnitude, some negative and some zero, over some hours and services."""
    chance = random.Random(seed)
    signs = (1,) * 18 + (0, -1)
    return [
        Value(
            chance.choice(("api", "matching")),
            chance.choice(("latency_ms", "queue", "drift")),
            START + chance.randrange(3 * 3_600_000),
            min(round(chance.paretovariate(0.6) * 5_000), 10**15) * 10**6 * chance.choice(signs),
        )
        for _ in range(number)
    ]


async def test_measures_of_a_few_values(models: ReadModels) -> None:
    """Four values in two minutes, by hand; the quantile of one value is that value."""
    values = [Value("api", "latency_ms", START, v) for v in (12_345_678 * ONE // 10**6, ONE, 3 * ONE)]
    values.append(Value("api", "latency_ms", START + 60_000, 77_777_777 * ONE // 10**6))
    models.given(v.event for v in values)
    first, second = await models.rows("system_metrics", by="minute,metric")
    assert first == {
        "minute": "2025-10-09T08:53:00Z",
        "metric": "latency_ms",
        "count": 3,
        "sum": 16.345678,
        "min": 1.0,
        "max": 12.345678,
        "p50": pytest.approx(3.0, rel=0.01),
        "p95": pytest.approx(12.345678, rel=0.01),
        "p99": pytest.approx(12.345678, rel=0.01),
    }
    assert second == {
        "minute": "2025-10-09T08:54:00Z",
        "metric": "latency_ms",
        "count": 1,
        **dict.fromkeys(("sum", "min", "max", "p50", "p95", "p99"), 77.777777),
    }


@pytest.mark.parametrize("seed", [1, 2])
async def test_heavy_tailed_values_equal_a_recount(models: ReadModels, seed: int) -> None:
    """By any dimensions and filters: exact measures, and quantiles within 1 %, merged over minutes, hours or all."""
    values = heavy_tailed(seed)
    models.given((v.event for v in values), batches_of=(500, 3, 40))
    for by in ("", "service", "metric", "hour,metric", "service,day", "minute,service,metric"):
        names = tuple(filter(None, by.split(",")))
        for params, keep in (({}, None), ({"service": "api", "from_": "2025-10-09T10:00:00"}, "api")):
            groups: dict[tuple[str, ...], list[int]] = {}
            for value in values:
                if keep is None or (value.service == keep and KEYS["hour"](value) >= "2025-10-09T10"):
                    groups.setdefault(tuple(KEYS[n](value) for n in names), []).append(value.value)
            rows = await models.rows("system_metrics", by=by, **params)
            assert [tuple(row[n] for n in names) for row in rows] == sorted(groups)
            for row in rows:
                check(row, groups[tuple(row[n] for n in names)])


async def test_any_order_of_batches_gives_the_same_quantiles(models: ReadModels) -> None:
    """Batches of one value or of all, shuffled or not: the same answer for the same values."""
    values = heavy_tailed(4, number=60)
    answers = []
    for company, sizes in (("one", (1,)), ("all", (1_000,)), ("some", (7, 2, 31))):
        random.Random(company).shuffle(values)
        events = (
            system_metric_batch(
                company_id=company,
                items=[SystemMetric(service=v.service, metric=v.metric, value=v.value / ONE)],
                timestamp=v.at,
            )
            for v in values
        )
        models.given(events, batches_of=sizes)
        answers.append(await models.rows("system_metrics", company, by="metric,hour"))
    assert answers[0] == answers[1] == answers[2]


async def test_operations_and_how_they_end(models: ReadModels) -> None:
    """Counts, errors and durations; an operation that does not say how it ended is ok."""
    outcomes: tuple[Any, ...] = ("ok", None, "error", "ok")
    models.given(
        performance_data(
            company_id="acme",
            service="api",
            operation="place_order",
            duration_ms=duration,
            outcome=outcome,
            timestamp=START,
        )
        for duration, outcome in zip((10, 20, 30, 0), outcomes, strict=True)
    )
    ended = await models.rows("operations", by="outcome")
    assert [(r["outcome"], r["count"], r["errors"], r["error_rate"]) for r in ended] == [
        ("error", 1, 1, 1.0),
        ("ok", 3, 0, 0.0),
    ]
    (row,) = await models.rows("operations", by="service,operation")
    assert row == {
        "service": "api",
        "operation": "place_order",
        "count": 4,
        "errors": 1,
        "error_rate": 0.25,
        "duration_sum": 60.0,
        "duration_min": 0.0,
        "duration_max": 30.0,
        "p50": pytest.approx(10, rel=0.01),
        "p95": pytest.approx(30, rel=0.01),
        "p99": pytest.approx(30, rel=0.01),
    }


async def test_burn_rates_look_at_a_long_and_a_short_window_together(models: ReadModels) -> None:
    """At 12:00 of 100 operations in the last hour 10 failed, none in the last five minutes; two days before none.

    The objective is 99 %: 10 % is ten times what may fail. Three days have 1,100 operations, 10 failed: 0.909.
    """
    noon = 1_760_011_200_000  # 9 October 2025
    counted: list[tuple[int, Literal["ok", "error"], int, str]] = [
        *((50, "error", 10, "api"), (40, "ok", 80, "api"), (2, "ok", 10, "api"), (2880, "ok", 1_000, "api")),
        (1, "error", 9, "other"),
    ]
    models.given(
        performance_data(
            company_id="acme", service=service, operation="o", duration_ms=1, outcome=ended, timestamp=noon - m * 60_000
        )
        for m, ended, number, service in counted
        for _ in range(number)
    )
    asked = {"objective": "0.99", "service": "api", "at": "2025-10-09T12:00:30"}
    hour, six, days = await models.rows("burn_rates", **asked)
    assert (hour["window"], hour["long"], hour["short"]) == ("1h", pytest.approx(10), 0)
    assert (six["long"], six["short"]) == (pytest.approx(10), 0)
    assert (days["long"], days["short"]) == (pytest.approx(1_000 / 1_100), pytest.approx(10))
    assert not any(row["burning"] for row in (hour, six, days))
    earlier = await models.rows("burn_rates", objective="0.99", service="api", at="2025-10-09T11:12")
    assert [(row["burning"], row.get("reasons")) for row in earlier] == [(True, None), (True, None), (False, None)]
    (nothing, *_) = await models.rows("burn_rates", service="nobody")
    assert (nothing["long"], nothing["burning"], nothing["reasons"]) == (
        None,
        False,
        {"long": "no_data", "short": "no_data"},
    )


async def test_without_values_measures_are_null_with_the_reason(models: ReadModels) -> None:
    """No data: counts are zero, what is undefined is null, and the reasons say so."""
    (row,) = await models.rows("system_metrics")
    undefined = ("min", "max", "p50", "p95", "p99")
    assert row == {
        "count": 0,
        "sum": 0.0,
        "reasons": dict.fromkeys(undefined, "no_data"),
        **dict.fromkeys(undefined),
    }
    (operations,) = await models.rows("operations")
    assert operations["error_rate"] is None
    assert operations["reasons"]["error_rate"] == operations["reasons"]["p99"] == "no_data"


async def test_a_period_that_cuts_a_minute_is_refused(models: ReadModels) -> None:
    """Values are kept by the minute: a part of one cannot be told."""
    with pytest.raises(Invalid, match="by the minute"):
        await models.answer("system_metrics", from_="2025-10-09T08:53:20")
