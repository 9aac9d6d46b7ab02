"""Payments: days and invoices, by hand and recounted in plain Python."""

from __future__ import annotations

import random
from typing import Any

import pytest

from eventlog.publish.builders import payment
from eventlog.publish.event import Event
from tests.projections.harness import ReadModels
from tests.projections.test_user_activity import moment, ms

KINDS = ("succeeded", "failed", "refunded", "recovered")


def paid(at: str, kind: Any, amount: float, *, invoice: str = "i1", fee: float = 0, customer: str = "c1") -> Event:
    when = ms(moment(at))
    return payment(
        company_id="acme",
        customer_id=customer,
        invoice_id=invoice,
        kind=kind,
        amount=amount,
        fee=fee,
        currency="USD",
        timestamp=when,
    )


async def test_an_invoice_that_was_recovered(models: ReadModels) -> None:
    """Failed twice, recovered on the third day, partly refunded."""
    history = [
        paid("2025-10-03T09:00:00", "recovered", 20, fee=0.5),
        paid("2025-10-01T09:00:00", "failed", 20),
        paid("2025-10-02T09:00:00", "failed", 20),
        paid("2025-11-02T09:00:00", "refunded", 5.25),
        paid("2025-10-02T10:00:00", "succeeded", 9.99, invoice=""),
    ]
    models.given(history, batches_of=(1, 3))
    (invoice,) = await models.rows("invoices", customer_id="c1")
    assert invoice == {
        "customer_id": "c1",
        "invoice_id": "i1",
        "currency": "USD",
        "first_at": "2025-10-01T09:00:00Z",
        "failed_at": "2025-10-01T09:00:00Z",
        "paid_at": "2025-10-03T09:00:00Z",
        "failures": 2,
        "taken": "20",
        "refunded": "5.25",
        "missed": "40",
    }
    assert await models.rows("payment_totals", by="kind", month="2025-10") == [
        {"kind": "failed", "payments": 2, "amount": "40", "fees": "0", "customers": 1, "currency": "USD"},
        {"kind": "recovered", "payments": 1, "amount": "20", "fees": "0.5", "customers": 1, "currency": "USD"},
        {"kind": "succeeded", "payments": 1, "amount": "9.99", "fees": "0", "customers": 1, "currency": "USD"},
    ]


async def test_what_has_not_happened_is_null(models: ReadModels) -> None:
    """An invoice that was paid at once has not failed."""
    models.given([paid("2025-10-01T09:00:00", "succeeded", 1)])
    (invoice,) = await models.rows("invoices")
    assert (invoice["failed_at"], invoice["paid_at"], invoice["failures"]) == (None, "2025-10-01T09:00:00Z", 0)


@pytest.mark.parametrize("seed", [1, 2])
async def test_totals_equal_a_recount(models: ReadModels, seed: int) -> None:
    """Any order of some hundred payments, in batches of any size."""
    chance = random.Random(seed)
    facts = [
        (f"2025-10-{chance.randint(1, 9):02}", chance.choice(KINDS), chance.randrange(10**8), f"c{chance.randrange(5)}")
        for _ in range(300)
    ]
    events = [paid(f"{day}T12:00:00", kind, cents / 100, customer=customer) for day, kind, cents, customer in facts]
    models.given(events, batches_of=(7, 50, 1))
    for row in await models.rows("payment_totals", by="day,kind"):
        own = [(cents, customer) for day, kind, cents, customer in facts if (day, kind) == (row["day"], row["kind"])]
        assert (row["payments"], row["customers"]) == (len(own), len({customer for _, customer in own}))
        assert float(row["amount"]) == sum(cents for cents, _ in own) / 100
    assert sum(row["payments"] for row in await models.rows("payment_totals", by="day,kind")) == len(facts)
