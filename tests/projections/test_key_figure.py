"""A figure with what it was: what `kpis` says of the period, and of each period of its history what `metric` says."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import AnalyticsError, Invalid, NotFound
from domain.metrics.catalogue import METRICS
from tests.projections.harness import ReadModels
from tests.projections.small_company import company

MARCH = {"from": "2025-03-01", "to": "2025-04-01"}
PERIODS = [  # the history of March
    ("2024-12-01T00:00:00Z", "2025-01-01T00:00:00Z"), ("2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z"),
    ("2025-02-01T00:00:00Z", "2025-03-01T00:00:00Z"), ("2025-03-01T00:00:00Z", "2025-04-01T00:00:00Z"),
]  # fmt: skip


@pytest.fixture
async def acme(models: ReadModels) -> ReadModels:
    """The small company, folded."""
    return models.given(company())


async def figure(models: ReadModels, key: str, **params: str) -> dict[str, Any]:
    """The one row."""
    (row,) = await models.rows("key_figure", key=key, **params)
    return row


async def test_every_key_figure_is_what_kpis_says(acme: ReadModels) -> None:
    """Value, change and reasons."""
    for row in await acme.rows("kpis", **MARCH):
        found = await figure(acme, row["key"], **MARCH)
        assert len(found.pop("history")) == 2
        assert found == row


async def test_its_history_is_the_metric_of_each_period(acme: ReadModels) -> None:
    """The oldest first, the last one is the period itself; also of metrics that `kpis` does not answer."""
    for key in ("mrr", "nrr", "total_pnl", "win_rate", "activation_rate", "max_drawdown_money"):
        found = await figure(acme, key, **MARCH, history="4")
        assert [(point["from"], point["to"]) for point in found["history"]] == PERIODS
        for (begin, end), point in zip(PERIODS, found["history"], strict=True):
            (own,) = await acme.rows("metric", **{"key": key, "from": begin, "to": end})
            assert (point["value"], point.get("reason")) == (own["value"], own.get("reason"))
        assert (found["value"], found["previous"]) == (found["history"][-1]["value"], found["history"][-2]["value"])


async def test_a_period_within_another_is_its_last_one(acme: ReadModels) -> None:
    """So that a dashboard's period goes together with a figure of days."""
    found = await figure(acme, "dau", **MARCH, period="day", history="3")
    assert [point["from"][:10] for point in found["history"]] == ["2025-03-29", "2025-03-30", "2025-03-31"]
    assert (found["from"], found["to"]) == ("2025-03-31T00:00:00Z", "2025-04-01T00:00:00Z")


async def test_nothing_is_told_of_before_what_a_tier_sees(acme: ReadModels) -> None:
    """The history is shorter, and the change says why there is none."""
    found = await figure(acme, "mrr", **MARCH, history="4", since="2025-03-01")
    assert len(found["history"]) == 1
    assert found["reasons"]["previous"] == "outside_tier"
    assert len((await figure(acme, "mrr", **MARCH, history="4", since="2025-01-15"))["history"]) == 2


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"key": "no_such"}, NotFound),
        ({"key": "mrr", "history": "1"}, Invalid),
        ({"key": "mrr", "history": "37"}, Invalid),
        ({"key": "mrr", "from": "2025-03-01"}, Invalid),
        ({"key": next(key for key, entry in METRICS.items() if entry.told_by)}, Invalid),
    ],
)
async def test_what_is_no_figure_is_refused(
    acme: ReadModels, params: dict[str, str], error: type[AnalyticsError]
) -> None:
    """With what is wrong."""
    with pytest.raises(error):
        await acme.rows("key_figure", **params)
