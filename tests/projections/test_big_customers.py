"""A customer of thousands of facts, who could hold up the projections of everybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.billing import scheduled
from eventlog.publish.builders import subscription
from eventlog.publish.event import Event
from projections.subscriptions import customer
from projections.subscriptions.projection import subscriptions
from tests.projections.harness import ReadModels

BEGIN, DAY_MS = 1_735_689_600_000, 86_400_000


@pytest.mark.parametrize(
    ("bound", "ahead"),
    [((customer, "MOST_FACTS", 5), 0), ((scheduled, "MOST_READING", 15), 40)],
    ids=["facts", "ahead"],
)
async def test_a_customer_of_too_much_holds_up_nobody(
    new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch, bound: tuple[Any, str, int], ahead: int
) -> None:
    """The first five facts count, the others wait in quarantine with the reason; another tenant's are all there."""
    monkeypatch.setattr(*bound)
    models = ReadModels(new_database(), [subscriptions])
    models.may_refuse = True

    def told(company: str, number: int) -> Event:
        at = BEGIN + number * DAY_MS
        return subscription(
            company_id=company,
            event_id=f"{company}-{number}",
            event="changed" if number else "started",
            customer_id="c",
            subscription_id="s",
            interval="month",
            unit_amount=float(10 + number),
            quantity=1,
            currency="USD",
            effective_at=at + ahead * DAY_MS * (company == "much" and number > 0),
            recorded_at=at,
        )

    numbers = {"much": range(9), "other": range(5)}
    models.given(told(company, number) for company, each in numbers.items() for number in each)
    (much,), (other,) = [await models.rows("subscriptions", company) for company in ("much", "other")]
    assert (much["mrr"], other["mrr"]) == ("14", "14")
    await models.close()
    assert [each.event_id for each in models.refusals] == [f"much-{number}" for number in range(5, 9)]
    assert all("customer" in each.reason for each in models.refusals)
