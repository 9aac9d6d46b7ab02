"""MRR of customers, and movements under every policy, through the real engine."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from domain.metrics.revenue.flows import activity
from domain.metrics.revenue.policies import PRESETS, read
from domain.publishing.builders import subscription
from domain.publishing.event import Event
from domain.subscriptions import SubscriptionFact
from projections.engine.show import twelfths
from projections.mrr_bridge import LINES
from projections.subscriptions import COUNTS
from tests.domain.metrics.revenue.histories import random_history
from tests.domain.metrics.revenue.test_oracle import ORACLES, ms
from tests.projections.harness import COMPANY, ReadModels
from tests.projections.test_subscriptions import DAY, JANUARY, MEASURES, Told, oracle_events


async def test_the_hand_worked_retention(models: ReadModels) -> None:
    """Each month's customers, net and gross retention, from the rows."""
    oracle = json.loads((ORACLES / "mrr_small.json").read_text())
    models.given(oracle_events(), batches_of=(5, 2))
    months = [*oracle["rates"], "2025-08"]
    for month, following in pairwise(months):
        expected = oracle["rates"][month]
        (row,) = await models.rows("mrr_retained", from_=f"{month}-01", to=f"{following}-01")
        assert (row["start_customers"], row["end_customers"]) == (
            expected["customers_start"],
            expected["customers_end"],
        )
        for name in ("nrr", "grr"):
            assert row[name] == pytest.approx(expected[name], abs=1e-12)
        if expected["customers_start"]:
            churned = row["churned_customers"] / row["start_customers"]
            assert churned == pytest.approx(expected["logo_churn_rate"], abs=1e-12)
    last = await models.rows("customer_mrr", from_="2025-08-01")
    assert {r["customer_id"]: r["end_mrr"] for r in last} == oracle["final_mrr_by_customer"]
    assert all(r["start_mrr"] == r["end_mrr"] for r in last)


async def test_concentration_and_reasons(models: ReadModels) -> None:
    """Two customers, three to one; nobody has no shares."""
    start = Told("e1", "c1", "s", "started", JANUARY, 1, 30, "a", "pro", "USD")
    models.given([start.published, replace(start, event_id="e2", customer="c2", amount=10).published])
    (row,) = await models.rows("mrr_retained")
    assert (row["end_mrr"], row["top10_mrr"], row["top10_concentration"], row["revenue_hhi"]) == ("40", "40", 1, 0.625)
    assert row["reasons"] == {"nrr": "no_data", "grr": "no_data"}
    (empty,) = await models.rows("mrr_retained", "nobody")
    assert set(empty["reasons"]) == {"nrr", "grr", "top10_concentration", "revenue_hhi"}


async def test_the_same_facts_under_two_policies(models: ReadModels) -> None:
    """A temporary discount, and a cancellation recorded a month ahead: under two presets."""
    base: dict[str, Any] = {"company_id": COMPANY, "customer_id": "c", "subscription_id": "s", "plan": "a"}
    begun, recorded, ends = JANUARY, JANUARY + 35 * DAY, JANUARY + 65 * DAY
    models.given(
        [
            subscription(event="started", unit_amount=40.0, discount_pct=25.0, effective_at=begun, **base),
            subscription(event="cancel_scheduled", effective_at=ends, recorded_at=recorded, **base),
        ],
        batches_of=(1,),
    )

    async def moved(**params: str) -> list[tuple[str, str, str]]:
        rows = await models.rows("mrr_movements", by="month", **params)
        return [(r["month"], r["new_mrr"], r["churned_mrr"]) for r in rows if r["new_count"] or r["churned_count"]]

    assert await moved() == [("2025-01", "30", "0"), ("2025-03", "0", "30")]
    assert await moved(policy="chartmogul") == await moved()
    assert await moved(policy="stripe") == [("2025-01", "40", "0"), ("2025-02", "0", "40")]
    (at_risk,) = await models.rows("customer_mrr", from_="2025-02-20", to="2025-04-01")
    assert (at_risk["start_mrr"], at_risk["end_mrr"]) == ("30", "0")
    assert await models.rows("customer_mrr", from_="2025-02-20", policy="stripe") == []
    (row,) = await models.rows("subscriptions")
    assert (row["charge"], row["interval"], row["interval_count"]) == ("30", "month", 1)


async def test_committed_mrr_of_a_month_knows_what_was_scheduled_in_it(models: ReadModels) -> None:
    """Not what was recorded later, whether it lies ahead of that month or in it; the last word is in MRR itself."""
    base: dict[str, Any] = {"company_id": COMPANY, "customer_id": "c", "subscription_id": "s"}
    ends: dict[str, Any] = {"effective_at": JANUARY + 100 * DAY, "recorded_at": JANUARY + 35 * DAY}  # on 5 February
    grows: dict[str, Any] = {"effective_at": JANUARY + 62 * DAY, "recorded_at": JANUARY + 62 * DAY}  # 4 March
    late: dict[str, Any] = {
        "effective_at": JANUARY + 70 * DAY,
        "recorded_at": JANUARY + 120 * DAY,
    }  # 12 March
    other = {**base, "customer_id": "d", "subscription_id": "t", "plan": "b"}
    models.given(
        [
            subscription(event="started", plan="a", unit_amount=30.0, effective_at=JANUARY, **base),
            subscription(event="cancel_scheduled", **ends, **base),
            subscription(event="upgraded", plan="a", unit_amount=50.0, **grows, **base),
            subscription(event="started", unit_amount=7.0, **late, **other),
        ],
        batches_of=(1,),
    )
    told = {}
    for month in (1, 2, 3, 4):
        period = {"from_": f"2025-{month:02}-01", "to": f"2025-{month + 1:02}-01"}
        told[month] = [
            (await models.rows("metric", key=k, **period))[0]["value"] for k in ("mrr", "cmrr", "mrr_at_risk")
        ]
    assert told == {1: ["30", "30", "0"], 2: ["30", "0", "30"], 3: ["57", "7", "50"], 4: ["7", "7", "0"]}
    by_plan = await models.rows("metric", key="cmrr", by="plan", from_="2025-03-01", to="2025-04-01")
    assert {row["plan"]: row["value"] for row in by_plan} == {"a": "0", "b": "7"}
    only = await models.rows("metric", key="cmrr", plan="b", policy="stripe", from_="2025-03-01", to="2025-04-01")
    assert [row["value"] for row in only] == ["7"]


async def test_the_bridge_between_two_policies_adds_up_to_nothing(models: ReadModels) -> None:
    """Random histories in two currencies: each side is what its policy says, the differences of a currency sum to 0."""
    chance = random.Random(12)
    histories = [(f"c{number}", fact) for number in range(80) for fact in random_history(chance)]
    models.given(published(*each) for each in histories)
    span = {"from_": "2025-02-01", "to": "2025-03-01"}
    for one, other in (("default", "stripe"), ("stripe", "chartmogul"), ("profitwell", "profitwell")):
        told = {(r["currency"], r["line"]): r for r in await models.rows("mrr_bridge", policy=one, other=other, **span)}
        for side, policy in (("policy", one), ("other", other)):
            for row in await models.rows("mrr_movements", by="currency", policy=policy, **span):
                lines = [told[row["currency"], line][side] for line in LINES]
                assert lines == [row[f"{line}_mrr"] for line in LINES]
        differences = [Decimal(row["difference"]) for row in told.values()]
        assert sum(differences) == 0
        assert any(differences) == ((one, other) == ("default", "stripe") or one == "stripe")


@pytest.mark.parametrize("policy", PRESETS)
async def test_stored_movements_are_those_of_the_policy(models: ReadModels, policy: str) -> None:
    """Random histories, delivered in any order: each preset's rows add up to what reading the facts under it gives."""
    chance = random.Random(9)
    histories = {f"c{number}": random_history(chance) for number in range(60)}
    facts = [(customer, fact) for customer, history in histories.items() for fact in history]
    models.given((published(*each) for each in chance.sample(facts, len(facts))), batches_of=(30, 1))
    movements = [m for history in histories.values() for m in read(history, PRESETS[policy]).movements]
    for row in await models.rows("mrr_movements", by="day", policy=policy):
        begin = ms(f"{row['day']}T00:00:00Z")
        flows = activity(movements, begin, begin + DAY)
        shown = [flows.start, *flows[1:6], flows.end]
        assert [row[name] for name in MEASURES] == [twelfths(value) for value in shown]
        assert [row[name] for name in COUNTS] == list(flows[6:])


def published(customer: str, fact: SubscriptionFact) -> Event:
    """A fact as its sender would publish it."""
    return subscription(
        company_id=COMPANY,
        event_id=f"{customer}-{fact.event_id}",
        customer_id=customer,
        subscription_id=fact.subscription_id,
        event=fact.event,  # type: ignore[arg-type]  # they are all of the literals
        plan=fact.plan,
        interval=fact.interval or None,  # type: ignore[arg-type]  # likewise, or absent
        interval_count=fact.interval_count,
        unit_amount=None if fact.unit_amount < 0 else fact.unit_amount / 1_000_000,
        quantity=None if fact.quantity < 0 else fact.quantity / 1_000_000,
        discount_pct=fact.discount_pct / 1_000_000,
        discount_lasting=fact.discount_lasting,
        effective_at=fact.effective_at,
        recorded_at=fact.recorded_at,
        sequence=fact.sequence,
    )
