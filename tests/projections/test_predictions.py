"""Predictions: recorded once, scored by what came."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from analytics.control_events_pb2 import Prediction
from hypothesis import given
from hypothesis import strategies as st

from adapters.postgres.log.log import EmbeddedLog
from domain.events.catalogue import STREAMS
from domain.events.validation import judge
from eventlog.publish.builders import prediction
from eventlog.publish.event import Event
from eventlog.publish.predictions import prediction_id
from projections.engine.query.request import Question
from projections.predictions import stated
from read_api.answers.prediction_log import PredictionLog
from tests.projections.harness import ReadModels
from tests.projections.test_customer_insights import active
from tests.projections.test_insights import at, day, profits

METHOD = "by hand"


def expected(number: int, value: float, low: float, high: float, **more: Any) -> Event:
    """A number predicted for that day."""
    fields: dict[str, Any] = {
        "what": "total_pnl",
        "method": METHOD,
        "method_version": 1,
        "due_at": at(number + 1, 0),
        "horizon_days": 1,
        "value": value,
        "low_95": low,
        "high_95": high,
        "naive_error": 10.0,
        **more,
    }
    return prediction(company_id="acme", timestamp=at(number, 0), **fields)


def chance(user: str, number: int, probability: float) -> Event:
    """A probability that the user does nothing in the seven days from that day on."""
    return prediction(
        company_id="acme",
        timestamp=at(number, 0),
        what="churn",
        subject=user,
        method=METHOD,
        method_version=1,
        due_at=at(number + 7, 0),
        horizon_days=7,
        probability=probability,
    )


async def test_numbers_are_scored_by_the_series(models: ReadModels) -> None:
    """Errors 5, 5 and 20 by hand: MAE 10, MASE 1, two of three within the band; one is not due yet."""
    models.given(profits([100.0, 200.0, 300.0, 50.0]))
    models.given(
        [
            expected(0, 105, 90, 110),
            expected(1, 195, 190, 210),
            expected(2, 320, 310, 330),
            expected(3, 1, 0, 2),
        ]
    )
    (row,) = await models.rows("prediction_scores", what="total_pnl", from_=day(0), to=day(3))
    assert (row["method"], row["method_version"], row["predictions"], row["scored"]) == (METHOD, 1, 3, 3)
    assert (row["mae"], row["mase"], row["bias"]) == (pytest.approx(10), pytest.approx(1), pytest.approx(20 / 3))
    assert row["coverage"] == [{"level": 95, "share": pytest.approx(2 / 3)}]
    assert (row["brier"], row["reasons"]["brier"]) == (None, "no_data")


async def test_a_new_version_has_a_score_of_its_own(models: ReadModels) -> None:
    """The old one keeps its score."""
    models.given(profits([100.0, 100.0]))
    models.given([expected(0, 90, 0, 0), expected(0, 100, 0, 0, method_version=2), expected(1, 110, 0, 0)])
    rows = await models.rows("prediction_scores", what="total_pnl", from_=day(0), to=day(2))
    assert [(r["method_version"], r["scored"], r["mae"]) for r in rows] == [(1, 2, 10), (2, 1, 0)]


async def test_filtered_predictions_are_scored_apart(models: ReadModels) -> None:
    """By the series that they were made from."""
    models.given(profits([100.0], strategy="a") + profits([7.0], strategy="b"))
    models.given([expected(0, 107, 0, 0), expected(0, 5, 0, 0, filters="strategy=b")])
    (whole,) = await models.rows("prediction_scores", what="total_pnl", from_=day(0), to=day(1))
    (part,) = await models.rows("prediction_scores", what="total_pnl", from_=day(0), to=day(1), strategy="b")
    assert (whole["mae"], whole["scored"], part["mae"], part["scored"]) == (0, 1, 2, 1)


async def test_probabilities_are_scored_by_activity(models: ReadModels) -> None:
    """One came back, one did not, one was never there: Brier by hand."""
    models.given(active("back", 0, 3, 6, 9, 13) + active("gone", 0, 3, 6))
    models.given([chance("back", 7, 0.2), chance("gone", 7, 0.9), chance("never", 7, 0.7)])
    (row,) = await models.rows("prediction_scores", what="churn", from_=day(0), to=day(14))
    assert row["scored"] == 3
    assert row["brier"] == pytest.approx((0.2**2 + 0.1**2 + 0.3**2) / 3)
    assert row["base_brier"] == pytest.approx(2 / 9)


async def test_predictions_of_others_are_not_seen(models: ReadModels) -> None:
    """Neither listed nor scored."""
    models.given([expected(0, 1, 0, 0)])
    assert len(await models.rows("predictions")) == 1
    assert await models.rows("predictions", company="globex") == []
    assert await models.rows("prediction_scores", company="globex", what="total_pnl", from_=day(0), to=day(5)) == []


def forecast_answer(first: date, steps: int) -> dict[str, Any]:
    """An answer of the query `forecast`."""
    bands = [{"level": 80, "low": 1.0, "high": 3.0}, {"level": 95, "low": 0.0, "high": 4.0}]
    shown = [{"day": (first + timedelta(days=n)).isoformat(), "value": 2.0 + n, "bands": bands} for n in range(steps)]
    return {
        "query": "forecast",
        "rows": [
            {
                "metric": "total_pnl",
                "finding": {"steps": shown, "back_test": {"naive_mae": 0.5}},
                "method": METHOD,
                "method_version": 1,
                "evidence": {"params": {"by": "day", "from": day(0), "to": day(9), "strategy": "s"}},
            }
        ],
    }


def test_a_forecast_states_each_of_its_steps() -> None:
    """With the day after as the moment at which it is known, its filters and its bands."""
    facts = stated("forecast", forecast_answer(date(2030, 1, 1), 2)["rows"])
    assert [(f.value, f.horizon_days, f.filters) for f in facts] == [(2.0, 1, "strategy=s"), (3.0, 2, "strategy=s")]
    assert (facts[0].due_at, facts[0].low_95, facts[0].high_80) == (1_893_542_400_000, 0.0, 3.0)
    assert (facts[0].naive_error, facts[0].HasField("probability")) == (0.5, False)


def test_a_query_that_found_nothing_predicts_nothing() -> None:
    """Null is no prediction; nor is an answer of any other query."""
    assert stated("forecast", [{"finding": None}]) == []
    assert stated("trading_totals", [{"total_pnl": "1"}]) == []


def test_the_first_of_equal_predictions_stands() -> None:
    """The number is no part of the identity; what it is about is."""
    first, again = Prediction(what="mrr", due_at=5, value=1.0), Prediction(what="mrr", due_at=5, value=2.0)
    other = Prediction(what="mrr", due_at=6, value=1.0)
    assert prediction_id(first) == prediction_id(again) != prediction_id(other)


@given(st.lists(st.text(max_size=5), min_size=2, max_size=2, unique=True))
def test_other_subjects_are_other_predictions(subjects: list[str]) -> None:
    """Of any two."""
    ids = {prediction_id(Prediction(what="churn", subject=s, due_at=5)) for s in subjects}
    assert len(ids) == 2


async def test_what_is_answered_twice_is_written_once(database_url: str) -> None:
    """Good records of the service's own stream; days that are over are not predicted with hindsight."""
    log = EmbeddedLog(database_url)
    await log.create_topics(dict.fromkeys(STREAMS, 1))
    recorder = PredictionLog(log)
    asked = Question("forecast", "acme", {}, datetime(2025, 3, 1, tzinfo=UTC))
    for _ in range(2):
        await recorder.record(asked, forecast_answer(date(2098, 1, 1), 3))
        await recorder.record(asked, forecast_answer(date(2020, 1, 1), 3))
    assert await log.heads("insight-events") == {0: 3}
    reader = log.reader("insight-events")
    (chunk,) = await reader.read({0: 0}, max_records=10, wait=1)
    assert [judge(value, "insight-events") for value in chunk.values] == [None] * 3
    await reader.close()
    await log.close()
