"""The law of the two pasts: a period that ends at T, asked later, is what was known at T, for every metric.

As of T is what a service says to which nothing later has happened (`test_past.py`). What happens here on both sides of
T are states: subscriptions, what is scheduled of them, and debts. What metrics follow to its outcome (a trial, a
ticket, a session, an invoice of the period) begins and ends on one side: of that more is known later by definition.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.metrics.catalogue import METRICS
from domain.metrics.metric import Section
from eventlog.publish.builders import (
    account_equity,
    account_flow,
    acquisition_cost,
    payment,
    performance_data,
    subscription,
    support_ticket,
    survey_response,
    user_event,
)
from eventlog.publish.event import Event
from tests.projections.harness import ReadModels
from tests.support.closed_trades import closed_trade

BEGIN, DAYS = datetime(2025, 1, 6, tzinfo=UTC), 120
DAY, HOUR = 86_400_000, 3_600_000
T = BEGIN + timedelta(days=84)
PERIOD = {"from_": (T - timedelta(days=5)).date().isoformat(), "to": T.date().isoformat()}
OF: dict[str, Any] = {"company_id": "acme"}
CUSTOMERS = 12
ALONE = tuple(  # that neither query of all metrics has
    entry.key
    for entry in METRICS.values()
    if not (entry.kpi or entry.told_by or entry.absent or entry.section is Section.TRADING)
)


def at(day: float) -> int:
    """Milliseconds of a moment, in days since the beginning."""
    return int(BEGIN.timestamp() * 1000) + int(day * DAY)


def subscribed(chance: random.Random, customer: str) -> Iterator[Event]:
    """A life with changes, some of which are recorded ahead, and some of those replaced before they come."""
    day, amount = chance.uniform(0, 70), chance.choice((20.0, 40.0, 1_200.0))
    interval: Any = "year" if amount > 1_000 else chance.choice(("month", "quarter"))
    event: Any = "started"
    while day < DAYS:
        ahead = chance.choice((0, 0, chance.uniform(1, 40))) if event != "started" else 0
        yield subscription(
            event=event,
            customer_id=customer,
            subscription_id=f"s-{customer}",
            plan=chance.choice(("basic", "pro")),
            interval=interval,
            unit_amount=amount,
            currency="USD",
            effective_at=at(day + ahead),
            recorded_at=at(day),
            timestamp=at(day),
            **OF,
        )
        ended = event in ("canceled", "paused")
        event = chance.choice(
            ("reactivated", "resumed")
            if ended
            else ("upgraded", "changed", "cancel_scheduled", "canceled", "paused", "reactivated")
        )
        amount = round(amount * chance.choice((0.5, 1, 2)), 2)
        day += chance.uniform(3, 40)


def charged(chance: random.Random, customer: str) -> Iterator[Event]:
    """Invoices that are paid within a day, and one that is owed from before the period until after it."""
    of: dict[str, Any] = {"customer_id": customer, "amount": 40.0, "currency": "USD", **OF}
    for number in range(4):
        day = chance.choice((20, 60, 70, 80, 90, 100)) + chance.uniform(0, 3)
        paid: Any = chance.choice(("succeeded", "recovered"))
        if paid == "recovered":
            yield payment(kind="failed", invoice_id=f"{customer}-{number}", timestamp=at(day), **of)
        yield payment(kind=paid, invoice_id=f"{customer}-{number}", timestamp=at(day + 0.5), **of)
    if chance.random() < 0.5:
        yield payment(kind="failed", invoice_id=f"{customer}-owed", timestamp=at(chance.uniform(70, 78)), **of)
        yield payment(kind="recovered", invoice_id=f"{customer}-owed", timestamp=at(chance.uniform(85, 115)), **of)


def debtor() -> Iterator[Event]:
    """One who surely owes at T, not for so long that it is MRR no more, and pays later."""
    of: dict[str, Any] = {"customer_id": "debtor", "currency": "USD", **OF}
    yield subscription(
        event="started", subscription_id="s", unit_amount=40.0, effective_at=at(1), timestamp=at(1), **of
    )
    yield payment(kind="failed", invoice_id="i", amount=40.0, timestamp=at(75), **of)
    yield payment(kind="recovered", invoice_id="i", amount=40.0, timestamp=at(95), **of)


def of_a_day(chance: random.Random, number: int) -> Iterator[Event]:
    """What begins and ends on one day."""
    noon, user = at(number + 0.5), f"u{number % 9}"
    if number % 3 == 0:
        yield user_event(user_id=f"n{number}", name="signup", timestamp=noon - HOUR, **OF)
        yield user_event(user_id=f"n{number}", name="activated", timestamp=noon, **OF)
    for name in ("session_started", "page_view", "feature_used"):
        more: dict[str, Any] = {"feature": "chart"} if name == "feature_used" else {}
        yield user_event(user_id=user, name=name, timestamp=noon, session_id=f"v{number}", **more, **OF)
    pnl = round(chance.gauss(1, 10), 2)
    yield closed_trade(
        user_id=user, account_id=f"a-{user}", trade_id=f"t{number}", pnl=pnl, fees=0.5, opened_at=noon - HOUR,
        closed_at=noon, timestamp=noon,
    )  # fmt: skip
    yield account_flow(user_id=user, account_id=f"a-{user}", amount=100.0, timestamp=noon, **OF)
    yield account_equity(user_id="u1", account_id="a-u1", equity=1_000.0 + pnl, at=noon, timestamp=noon, **OF)
    yield acquisition_cost(channel="ads", currency="USD", cost=5.0, timestamp=noon, **OF)
    outcome: Any = "error" if number % 5 == 0 else "ok"
    yield performance_data(
        service="api", operation="o", duration_ms=float(number), outcome=outcome, timestamp=noon, **OF
    )
    yield survey_response(survey="nps", score=float(number % 11), respondent_id=user, timestamp=noon, **OF)
    steps: tuple[tuple[Any, int], ...] = (("opened", 0), ("first_response", 1), ("resolved", 3))
    for step, hours in steps:
        yield support_ticket(ticket_id=f"k{number}", event=step, timestamp=noon + hours * HOUR, **OF)


def happened(seed: int) -> list[Event]:
    """All of it in order of time."""
    chance = random.Random(seed)
    events = [event for n in range(CUSTOMERS) for event in (*subscribed(chance, f"c{n}"), *charged(chance, f"c{n}"))]
    events += [*debtor(), *(event for number in range(DAYS) for event in of_a_day(chance, number))]
    return sorted(events, key=lambda event: event.record.timestamp)


async def figures(models: ReadModels) -> dict[str, Any]:
    """Every metric of the period by its key."""
    rows = [
        *await models.rows("kpis", **PERIOD),
        *await models.rows("trading_metrics", **PERIOD),
        *[row for key in ALONE for row in await models.rows("metric", key=key, **PERIOD)],
    ]
    return {row["key"]: (row["value"], row.get("reason", "")) for row in rows}


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.check) for seed in range(2, 12))])
async def test_a_period_that_is_over_is_what_was_known_at_its_end(new_database: Callable[[], str], seed: int) -> None:
    """Whatever happened later, and whenever it is asked."""
    models, events, end = ReadModels(new_database()), happened(seed), int(T.timestamp() * 1000)
    models.given(event for event in events if event.record.timestamp < end)
    models.asked_at = T
    then = await figures(models)
    models.given(event for event in events if event.record.timestamp >= end)
    models.asked_at = BEGIN + timedelta(days=DAYS + 200)
    later = await figures(models)
    await models.close()
    assert {key: (then[key], later[key]) for key in then if then[key] != later[key]} == {}
    assert {"mrr_at_risk", "deferred_revenue", "apdex", "cmrr", "sharpe_ratio", "nps"} <= {*then}
    assert [key for key in ("mrr_at_risk", "deferred_revenue", "mrr", "cmrr") if float(then[key][0]) <= 0] == []
