"""Insights through the real store: made series whose answer is known."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.errors import Invalid
from domain.insights.daily import Daily
from eventlog.publish.event import Event
from projections.engine.declare.registry import all_registered
from projections.engine.worker_process import WorkerProcess
from projections.queries.insights.daily_series import SERIES
from projections.queries.insights.drivers import middle
from projections.queries.insights.series import forecast_of
from tests.projections.harness import ReadModels
from tests.support.closed_trades import closed_trade

BEGIN = date(2025, 1, 6)  # a Monday


def at(number: int, hour: int = 12) -> int:
    """Milliseconds of the n-th day."""
    moment = datetime(BEGIN.year, BEGIN.month, BEGIN.day, hour, tzinfo=UTC) + timedelta(days=number)
    return int(moment.timestamp() * 1000)


def day(number: int) -> str:
    """The n-th day."""
    return (BEGIN + timedelta(days=number)).isoformat()


def profits(values: Sequence[float], company: str = "acme", strategy: str = "s") -> list[Event]:
    """One trade a day that brings this much."""
    return [
        closed_trade(
            company_id=company,
            trade_id=f"{company}-{strategy}-{number}",
            strategy=strategy,
            pnl=value,
            closed_at=at(number),
            timestamp=at(number),
        )
        for number, value in enumerate(values)
        if value
    ]


def weekly(days: int, slope: float = 2.0) -> list[float]:
    """A straight line with a week of its own and a little noise."""
    chance = random.Random(7)
    shape = (0, 5, 10, 20, 10, -15, -30)
    return [round(500 + slope * n + shape[n % 7] + chance.gauss(0, 1), 2) for n in range(days)]


async def ask(models: ReadModels, name: str, days: int, **params: str) -> dict[str, dict[str, Any]]:
    """The rows by kind."""
    rows = await models.rows(name, from_=day(0), to=day(days), **params)
    return {row["kind"]: row for row in rows}


async def test_a_made_series_shows_what_it_was_made_of(models: ReadModels) -> None:
    """The slope, the week, the growth and one wild day; the line never breaks."""
    values = weekly(112)
    values[60] += 200
    models.given(profits(values))
    found = await ask(models, "insights", 112, metric="total_pnl")
    assert set(found) == {"trend", "change_points", "growth", "seasonality", "anomalies"}
    trend, season = found["trend"]["finding"], found["seasonality"]["finding"]
    assert trend["direction"] == "rising"
    assert trend["slope"] == pytest.approx(2.0, abs=0.05)
    assert (season["seasons"][0]["period"], season["seasons"][0]["peak"], season["seasons"][0]["trough"]) == (7, 3, 6)
    assert [point["day"] for point in found["anomalies"]["finding"]["points"]] == [day(60)]
    growth = found["growth"]["finding"]
    assert growth["now"] == pytest.approx(math.fsum(values[-28:]))
    assert growth["before"] == pytest.approx(math.fsum(values[-56:-28]))
    assert growth["rate"] == pytest.approx(growth["change"] / growth["before"])


async def test_an_insight_carries_what_it_rests_on(models: ReadModels) -> None:
    """The question that gives its series again, sample and minimum, method and version."""
    models.given(profits(weekly(56)))
    row = (await ask(models, "insights", 56, metric="total_pnl", kind="trend", strategy="s"))["trend"]
    assert (row["sample"], row["minimum"], row["method_version"], row["unit"]) == (56, 14, 1, "currency")
    assert row["evidence"] == {
        "query": "trading_totals",
        "params": {"by": "day", "from": day(0), "to": day(56), "strategy": "s"},
        "measure": "total_pnl",
        "first_day": day(0),
        "days": 56,
        "missing_days": "zero",
    }
    behind = await models.rows(
        row["evidence"]["query"], **{n.replace("from", "from_"): v for n, v in row["evidence"]["params"].items()}
    )
    assert len(behind) == row["sample"]


async def test_a_break_is_found_on_its_day(models: ReadModels) -> None:
    """The level doubles on the 50th day, below a weekly season."""
    values = [v if n < 50 else v + 400 for n, v in enumerate(weekly(100, slope=0))]
    models.given(profits(values))
    (point,) = (await ask(models, "insights", 100, metric="total_pnl", kind="change_points"))["change_points"][
        "finding"
    ]["points"]
    assert point["day"] == day(50)
    assert point["after"] - point["before"] == pytest.approx(400, abs=15)


async def test_days_without_trades_count_as_zero(models: ReadModels) -> None:
    """From the first day with a trade on; those before it tell nothing."""
    values = [0.0] * 5 + [10.0, 0.0, 0.0, 20.0] + [0.0] * 11
    models.given(profits(values))
    row = (await ask(models, "insights", 20, metric="total_pnl", kind="trend"))["trend"]
    assert (row["evidence"]["first_day"], row["evidence"]["days"]) == (day(5), 15)


@pytest.mark.parametrize("kind", ["trend", "change_points", "growth", "seasonality", "anomalies"])
async def test_too_few_days_are_a_reason(models: ReadModels, kind: str) -> None:
    """Null, never a guess; the minimum is told."""
    models.given(profits([5.0, 6.0, 7.0]))
    row = (await ask(models, "insights", 3, metric="total_pnl", kind=kind))[kind]
    assert (row["finding"], row["reasons"], row["sample"]) == (None, {"finding": "too_few"}, 3)
    assert row["minimum"] > 3


async def test_a_company_without_events_gets_a_reason(models: ReadModels) -> None:
    """For every metric that has a series."""
    for metric in SERIES:
        row = (await ask(models, "insights", 30, metric=metric, kind="trend"))["trend"]
        assert (row["finding"], row["reasons"]) == (None, {"finding": "no_data"})


async def test_another_company_changes_nothing(models: ReadModels) -> None:
    """The same answer with and without a neighbour's events, and none for the neighbour's neighbour."""
    models.given(profits(weekly(60)))
    before = await ask(models, "insights", 60, metric="total_pnl")
    models.given(profits([v * -50 for v in weekly(60)], company="globex"))
    assert await ask(models, "insights", 60, metric="total_pnl") == before
    theirs = await models.rows("insights", company="globex", metric="total_pnl", from_=day(0), to=day(60), kind="trend")
    assert theirs[0]["finding"]["direction"] == "falling"


async def test_a_filter_that_the_metric_does_not_know_is_refused(models: ReadModels) -> None:
    """It would be left out silently otherwise."""
    with pytest.raises(Invalid, match="has no service"):
        await models.rows("insights", metric="total_pnl", service="api")


async def test_a_forecast_goes_on_and_states_its_bands(models: ReadModels) -> None:
    """The line and the week go on; each band holds the value, and the wider one the narrower."""
    models.given(profits(weekly(140)))
    row = (await ask(models, "forecast", 140, metric="total_pnl", horizon="7"))["forecast"]
    steps, came = row["finding"]["steps"], [500 + 2 * n + (0, 5, 10, 20, 10, -15, -30)[n % 7] for n in range(140, 147)]
    assert [step["day"] for step in steps] == [day(140 + n) for n in range(7)]
    assert [step["value"] for step in steps] == pytest.approx(came, abs=4)
    for step in steps:
        inner, outer = step["bands"]
        assert (inner["level"], outer["level"]) == (80, 95)
        assert outer["low"] < inner["low"] < step["value"] < inner["high"] < outer["high"]
    assert row["finding"]["back_test"]["skill"] > 0
    assert [c["level"] for c in row["finding"]["back_test"]["coverage"]] == [80, 95]


async def test_the_same_question_gets_the_same_answer(models: ReadModels) -> None:
    """Also from another process: nothing is drawn at random."""
    asked = "acme", Daily(BEGIN, tuple(weekly(90))), 7, {"metric": "total_pnl", "evidence": {}}
    another = WorkerProcess("another")
    try:
        assert another.run(forecast_of, *asked) == forecast_of(*asked)
    finally:
        another.stop()


@pytest.mark.parametrize(
    ("begin", "between", "end"),
    [
        ("2026-09-01", "2026-10-01", "2026-11-01"),  # 30 and 31 days
        ("2026-01-01", "2026-07-01", "2027-01-01"),
        ("2025-12-01", "2026-01-01", "2026-02-01"),
        ("2026-09-01", "2026-09-05", "2026-09-08"),  # seven days: four and three
        ("2026-09-01", "2026-09-16", "2026-10-01"),
        ("2026-09-01", "2026-09-02", "2026-09-03"),
    ],
)
def test_the_middle_of_a_period_leaves_no_day_out(begin: str, between: str, end: str) -> None:
    """Calendar months against calendar months, everything else in halves."""
    assert middle(date.fromisoformat(begin), date.fromisoformat(end)) == date.fromisoformat(between)


async def test_drivers_add_up_to_the_move(models: ReadModels) -> None:
    """Two strategies: one earned more, one less."""
    models.given(profits([1.25] * 10 + [4.0] * 10, strategy="up") + profits([3.0] * 10 + [2.0] * 10, strategy="down"))
    (row,) = await models.rows("drivers", metric="total_pnl", by="strategy", from_=day(0), to=day(20))
    assert row["finding"] == {
        "before": "42.5",
        "after": "60",
        "move": "17.5",
        "contributions": [{"segment": "up", "effect": "27.5"}, {"segment": "down", "effect": "-10"}],
    }
    assert row["evidence"]["after"]["params"] == {"by": "strategy", "from": day(10), "to": day(20)}


async def test_a_rate_moves_by_rate_and_mix(models: ReadModels) -> None:
    """One strategy wins always, the other never, and the winning one trades more: all of the move is mix."""
    models.given(
        profits([1.0, 0, 0, 1.0, 1.0, 1.0], strategy="wins") + profits([-1.0, -1.0, 0, 0, -1.0], strategy="no")
    )
    (row,) = await models.rows("drivers", metric="win_rate", by="strategy", from_=day(0), to=day(6))
    found = row["finding"]
    assert (found["before"], found["after"]) == (pytest.approx(1 / 3), pytest.approx(3 / 4))
    assert sum(c["effect"] for c in found["contributions"]) == pytest.approx(found["move"])
    assert all(c["rate_effect"] == 0 for c in found["contributions"])


async def test_a_losing_strategy_gets_advice_with_its_numbers(models: ReadModels) -> None:
    """The evidence leads to the numbers; the strategy that earns gets none."""
    models.given(profits([-1.0] * 40, strategy="bad") + profits([2.0] * 40, strategy="good"))
    rows = await models.rows("recommendations", from_=day(0), to=day(40))
    assert [(r["finding"]["rule"], r["finding"]["subject"]) for r in rows] == [("stop_a_losing_strategy", "bad")]
    (row,) = rows
    assert row["finding"]["effect"]["change"] == pytest.approx(40)
    (behind,) = await models.rows(
        row["evidence"]["query"], **{n.replace("from", "from_"): v for n, v in row["evidence"]["params"].items()}
    )
    for measure in row["evidence"]["measures"]:
        assert behind[measure] is not None


def test_predicting_queries_need_the_feature() -> None:
    """One table of tiers decides, and these names are in it by their declaration."""
    predictive = {name for name, query in all_registered().items() if query.feature == "predictive"}
    assert predictive >= {"forecast", "churn_risks", "lifetime_value", "survival", "prediction_scores"}
    assert predictive.isdisjoint({"insights", "drivers", "recommendations"})
