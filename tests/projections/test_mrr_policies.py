"""MRR of customers, and movements under every policy, through the real engine."""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.billing.policies import PRESETS, Charge, read
from domain.billing.subscriptions import ABSENT, SubscriptionFact
from domain.decimals import ONE
from eventlog.publish.builders import payment, subscription
from eventlog.publish.event import Event
from projections.engine.query.formatting import twelfths
from projections.queries.revenue.mrr_bridge import LINES
from projections.subscriptions.customer import customer_history
from projections.subscriptions.in_one_currency import COUNTS
from projections.subscriptions.projection import rows as rows_of
from tests.domain.billing.histories import random_charges, random_history
from tests.domain.metrics.revenue.recounts import activity
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
    assert await models.rows("customer_mrr", from_="2025-02-20", to="2025-04-01", order="moved") == [at_risk]
    assert await models.rows("customer_mrr", from_="2025-02-01", to="2025-02-20", order="moved") == []
    (row,) = await models.rows("subscriptions")
    assert (row["charge"], row["interval"], row["interval_count"]) == ("30", "month", 1)


async def test_what_lies_ahead_is_no_mrr_of_today(models: ReadModels) -> None:
    """In a period that is not over, neither a young debt nor a scheduled cancel takes from key figures; the movements
    have both on their days.
    """
    now = round(time.time() * 1000)
    facts = [
        subscription(
            event="started",
            company_id=COMPANY,
            customer_id=name,
            subscription_id=name,
            plan="a",
            unit_amount=amount,
            effective_at=now - 90 * DAY,
        )
        for name, amount in (("owes", 10.0), ("owes-long", 20.0), ("leaves", 40.0))
    ]
    facts.append(
        subscription(
            event="cancel_scheduled",
            company_id=COMPANY,
            customer_id="leaves",
            subscription_id="leaves",
            effective_at=now + 9 * DAY,
            recorded_at=now - DAY,
        )
    )
    failed: dict[str, Any] = {"company_id": COMPANY, "kind": "failed", "amount": 10.0, "currency": "USD"}
    facts += [
        payment(customer_id=name, invoice_id=name, timestamp=now - days * DAY, **failed)
        for name, days in (("owes", 2), ("owes-long", 20))
    ]
    models.given(facts)
    year = datetime.fromtimestamp(now / 1000, UTC).year
    period = {"from_": f"{year - 1}-01-01", "to": f"{year + 2}-01-01"}
    for span in (period, {"period": "year"}):
        figures = {row["key"]: row["value"] for row in await models.rows("kpis", **span)}
        assert (figures["mrr"], figures["customers"], figures["cmrr"]) == ("50", 2, "10")
    (row,) = await models.rows("mrr_movements", **period)
    assert row["end_mrr"] == "0"


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


@pytest.mark.share(2)
@pytest.mark.parametrize("policy", PRESETS)
async def test_stored_movements_are_those_of_the_policy(models: ReadModels, policy: str) -> None:
    """Random histories and charges, in any order: each preset's rows add up to what reading them under it gives."""
    chance = random.Random(9)
    customers = {f"c{number}": (random_history(chance), random_charges(chance)) for number in range(60)}
    events = [published(name, fact) for name, (history, _) in customers.items() for fact in history]
    events += [paid(name, charge) for name, (_, charges) in customers.items() for charge in charges]
    models.given(chance.sample(events, len(events)), batches_of=(30, 1))
    movements = [m for each, charges in customers.values() for m in read(each, PRESETS[policy], charges).movements]
    for row in await models.rows("mrr_movements", by="day", policy=policy):
        begin = ms(f"{row['day']}T00:00:00Z")
        flows = activity(movements, begin, begin + DAY)
        shown = [flows.start, *flows[1:6], flows.end]
        assert [row[name] for name in MEASURES] == [twelfths(value) for value in shown]
        assert [row[name] for name in COUNTS] == list(flows[6:11])


async def test_who_owes_for_15_days_is_lost_until_the_payment_comes(models: ReadModels) -> None:
    """By hand: 30 a month, missed on 10 January. The loss lies on the 25th whatever the day today, and is undone."""
    base: dict[str, Any] = {"company_id": COMPANY, "customer_id": "c"}
    starts = subscription(event="started", subscription_id="s", unit_amount=30.0, effective_at=JANUARY, **base)
    missed = Charge(JANUARY + 9 * DAY, "i1", "failed")

    async def moved(policy: str) -> list[tuple[str, str, str, str]]:
        rows = await models.rows("mrr_movements", by="day", policy=policy)
        columns = "day", "new_mrr", "churned_mrr", "reactivated_mrr"
        return [tuple(row[c] for c in columns) for row in rows if any(row[name] for name in COUNTS)]

    begun = [("2025-01-01", "30", "0", "0")]
    models.given([paid("c", missed), paid("other", missed)])
    assert await models.rows("subscriptions") == []
    models.given([starts])
    gone = [*begun, ("2025-01-25", "0", "30", "0")]
    assert await moved("default") == gone
    assert await moved("profitwell") == gone
    for policy in ("stripe", "chartmogul"):
        assert await moved(policy) == begun
    (row,) = await models.rows("subscriptions")
    assert (row["status"], row["mrr"], row["charge"], row["since"][:10]) == ("active", "0", "30", "2025-01-01")
    models.given([paid("c", Charge(JANUARY + 40 * DAY, "i1", "recovered"))])
    assert await moved("default") == [*gone, ("2025-02-10", "0", "0", "30")]
    assert [row["mrr"] for row in await models.rows("subscriptions")] == ["30"]
    models.given([paid("c", Charge(JANUARY + 20 * DAY, "i1", "succeeded"))])
    assert await moved("default") == begun


async def test_a_scheduled_cancel_is_taken_back(models: ReadModels) -> None:
    """70 from January on, a cancel for April that is recorded in March, and a reactivation before it: nothing moves."""
    base: dict[str, Any] = {"company_id": COMPANY, "customer_id": "c", "subscription_id": "s"}
    ends: dict[str, Any] = {"effective_at": JANUARY + 104 * DAY, "recorded_at": JANUARY + 78 * DAY}
    started = subscription(event="started", unit_amount=70.0, effective_at=JANUARY + 14 * DAY, **base)
    models.given([started, subscription(event="cancel_scheduled", **ends, **base)])
    assert [r["churned_mrr"] for r in await models.rows("mrr_movements")] == ["70"]
    models.given([subscription(event="reactivated", effective_at=JANUARY + 90 * DAY, **base)])
    (row,) = await models.rows("mrr_movements")
    assert (row["new_mrr"], row["churned_mrr"], row["reactivated_mrr"], row["end_mrr"]) == ("70", "0", "0", "70")
    assert [r["status"] for r in await models.rows("subscriptions")] == ["active"]


async def test_debts_are_subtracted_once(models: ReadModels) -> None:
    """MRR, committed MRR and MRR at risk of who is to leave, before the debt counts, while it does and when paid."""
    base: dict[str, Any] = {"company_id": COMPANY, "customer_id": "c", "subscription_id": "s"}
    ends: dict[str, Any] = {"effective_at": JANUARY + 170 * DAY, "recorded_at": JANUARY + 100 * DAY}  # June, in April
    models.given(
        [
            subscription(event="started", unit_amount=30.0, effective_at=JANUARY, **base),
            subscription(event="cancel_scheduled", **ends, **base),
            paid("c", Charge(JANUARY + 25 * DAY, "i1", "failed")),
            paid("c", Charge(JANUARY + 125 * DAY, "i1", "recovered")),  # in May
        ]
    )
    told = {}
    for month in (1, 2, 4, 5):
        period = {"from_": f"2025-{month:02}-01", "to": f"2025-{month + 1:02}-01"}
        told[month] = [(await models.rows("metric", key=k, **period))[0]["value"] for k in ("mrr", "cmrr")]
    assert told == {1: ["30", "30"], 2: ["0", "0"], 4: ["0", "0"], 5: ["30", "0"]}


@given(st.randoms(use_true_random=False), st.integers(1, 9))
def test_facts_and_charges_in_any_order_and_split_give_the_same_bytes(chance: random.Random, size: int) -> None:
    """And rows, of which a customer who has charges alone has none."""
    history, charges = random_history(chance), random_charges(chance)
    facts = [fact_row(fact) for fact in history] + [charge_row(charge) for charge in charges]
    at_once = customer_history(None, facts)
    mixed, state = chance.sample(facts * 2, 2 * len(facts)), customer_history(None, [])
    for start in range(0, len(mixed), size):
        state = customer_history(state, mixed[start : start + size])
    assert state == at_once
    alone = rows_of(customer_history(None, [charge_row(charge) for charge in charges]))
    assert not any(list(found) for found in alone.values())


@given(st.randoms(use_true_random=False), st.sampled_from(sorted(PRESETS)))
def test_nothing_is_scheduled_by_a_debt(chance: random.Random, policy: str) -> None:
    """MRR and what was scheduled come, once all is known, to MRR; without anything recorded ahead, on every day."""
    history, charges = random_history(chance), random_charges(chance)
    found = rows_of(customer_history(None, [*map(fact_row, history), *map(charge_row, charges)]))
    kept = [row for row in found["scheduled_mrr"] if row["policy"] in ("default", policy)]
    assert sum(row["change"] for row in kept) == 0
    timely = [replace_recorded(fact) for fact in history]
    found = rows_of(customer_history(None, [*map(fact_row, timely), *map(charge_row, charges)]))
    assert not found["scheduled_mrr"]


def replace_recorded(fact: SubscriptionFact) -> SubscriptionFact:
    """The fact, recorded when it takes effect."""
    return msgspec.structs.replace(fact, recorded_at=0)


def fact_row(fact: SubscriptionFact) -> dict[str, Any]:
    """A fact as the engine hands it to a fold."""
    given = {name: None if value == ABSENT else value for name, value in msgspec.structs.asdict(fact).items()}
    return {**given, "_event": "subscription", "_item": fact.item, "timestamp": fact.effective_at, "change_id": ""}


def charge_row(charge: Charge) -> dict[str, Any]:
    """A charge as the engine hands it to a fold."""
    given = {"timestamp": charge.at, "invoice_id": charge.invoice_id, "kind": charge.kind}
    return {**given, "_event": "payment", "customer_id": "c1", "payment_id": ""}


def paid(customer: str, charge: Charge) -> Event:
    """A charge as its sender would publish it."""
    return payment(
        company_id=COMPANY,
        user_id=f"billing-{charge.kind}",  # its log key need not be that of the customer's facts
        timestamp=charge.at,
        customer_id=customer,
        invoice_id=charge.invoice_id,
        kind=charge.kind,  # type: ignore[arg-type]  # one of the literals
        amount=1.0,
    )


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
        unit_amount=None if fact.unit_amount < 0 else fact.unit_amount / ONE,
        quantity=None if fact.quantity < 0 else fact.quantity / ONE,
        discount_pct=None if fact.discount_pct < 0 else fact.discount_pct / ONE,
        discount_lasting=fact.discount_lasting,
        effective_at=fact.effective_at,
        recorded_at=fact.recorded_at,
        sequence=fact.sequence,
    )
