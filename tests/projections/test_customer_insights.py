"""Who leaves, what buyers bring, how long subscribers stay: made populations whose answer is known."""

from __future__ import annotations

import random
from typing import Any

import pytest

from domain.insights.activity import History
from eventlog.publish.builders import payment, subscription, user_event
from eventlog.publish.event import Event
from projections.queries.insights.customers import churn_of
from tests.projections.harness import ReadModels
from tests.projections.test_currencies import in_currency
from tests.projections.test_exchange_rates import rate
from tests.projections.test_insights import BEGIN, at, day

DAYS = 120


def active(user: str, *days: int, company: str = "acme") -> list[Event]:
    """One event on each of these days."""
    return [
        user_event(
            company_id=company, user_id=user, name="page_view", timestamp=at(n), event_id=f"{company}-{user}-{n}"
        )
        for n in days
    ]


def fading_and_faithful(company: str = "acme") -> list[Event]:
    """Of 320 users half come every other day to the end; half fade out within the last two months."""
    chance = random.Random(3)
    events = []
    for number in range(320):
        faithful = number % 2 == 0
        until = DAYS if faithful else chance.randint(DAYS - 60, DAYS)
        rest = 2 if faithful else 5
        events += active(f"{'f' if faithful else 'x'}{number:03}", *range(number % rest, until, rest), company=company)
    return events


async def test_those_who_fade_are_at_risk(models: ReadModels) -> None:
    """They come first, with drivers that add up to their log-odds; the model beats the base rate."""
    models.given(fading_and_faithful())
    (row,) = await models.rows("churn_risks", from_=day(0), to=day(DAYS), customers="20")
    found = row["finding"]
    assert (row["kind"], row["minimum"], row["horizon_days"]) == ("churn", 100, 28)
    assert row["sample"] >= 100
    assert found["brier"] < found["base_brier"]
    assert [risk["user_id"][0] for risk in found["at_risk"]] == ["x"] * 20
    assert {driver["feature"] for driver in found["at_risk"][0]["drivers"]} >= {"recency", "frequency"}
    assert next(value for value in found.values() if isinstance(value, list)) == found["at_risk"]  # what a tile shows
    chances = [risk["probability"] for risk in found["at_risk"]]
    assert chances == sorted(chances, reverse=True)
    assert sum(part["cases"] for part in found["curve"]) == row["sample"]


async def test_few_customers_are_a_reason(models: ReadModels) -> None:
    """No model of ten users, and the minimum is told."""
    models.given([event for n in range(10) for event in active(f"u{n}", *range(0, 60, 3))])
    (row,) = await models.rows("churn_risks", from_=day(0), to=day(60))
    assert (row["finding"], row["reasons"], row["sample"], row["minimum"]) == (None, {"finding": "too_few"}, 10, 100)


def test_what_came_later_is_not_looked_at() -> None:
    """Activity after the end of the window changes no probability."""
    chance = random.Random(5)
    first = (BEGIN.toordinal() - 719_163) + DAYS - 1
    users = []
    for number in range(200):
        gone = first - chance.randint(0, 50) if number % 2 else first
        users.append((f"u{number}", History(first - 100, tuple(range(first - 100, gone, 1 + number % 5)))))
    later = [(user, History(h.first, (*h.active, first + 3, first + 9))) for user, h in users]
    asked: tuple[int, int, int, dict[str, Any]] = (first, 14, 10, {"evidence": {}})
    assert churn_of("acme", users, *asked) == churn_of("acme", later, *asked)


def paid(customer: str, number: int, amount: float, company: str = "acme", currency: str = "USD") -> Event:
    """A payment that succeeded on that day."""
    return payment(
        company_id=company,
        customer_id=customer,
        kind="succeeded",
        amount=amount,
        currency=currency,
        timestamp=at(number),
    )


def purchases() -> list[tuple[str, int, float]]:
    """Those of `a` buy every week at 100, those of `b` every month at 20."""
    chance, found = random.Random(11), []
    for number in range(90):
        often = number % 3 == 0
        start, gap = chance.randint(0, 60), 7 if often else 30
        until = 240 if chance.random() < 0.7 else start + 60
        for bought in range(start, until, gap):
            amount = round(chance.uniform(80, 120) if often else chance.uniform(10, 30), 2)
            found.append((f"{'a' if often else 'b'}{number:02}", bought, amount))
    return found


WHOLE = {"from_": day(0), "to": day(240), "customers": "10", "months": "6"}


async def test_frequent_buyers_are_worth_more(models: ReadModels) -> None:
    """Those who buy every week at 100 come before those who buy every month at 20; all values are positive."""
    models.given([paid(*purchase) for purchase in purchases()])
    (row,) = await models.rows("lifetime_value", **WHOLE)
    found = row["finding"]
    assert (row["sample"], row["minimum"], found["months"]) == (90, 50, 6)
    assert [buyer["key"][0] for buyer in found["buyers"]] == ["a"] * 10
    assert found["buyers"][0]["value"] == pytest.approx(100, abs=10)
    assert 0 < found["buyers"][9]["lifetime_value"] <= found["buyers"][0]["lifetime_value"] < found["total"]
    assert row["currency"] == "USD"
    await bought_in_two_currencies(models, row)


async def bought_in_two_currencies(models: ReadModels, same: dict[str, Any]) -> None:
    """The same purchases, every other one in yen of which two are a dollar: the same model, once that can be told."""
    company = "mixed"
    bought = enumerate(purchases())
    models.given(
        [
            paid(customer, on, amount * 2, company, "JPY") if n % 2 else paid(customer, on, amount, company)
            for n, (customer, on, amount) in bought
        ]
    )
    (row,) = await models.rows("lifetime_value", company, **WHOLE)
    assert (row["finding"], row["currency"], row["reasons"]) == (None, None, {"finding": "no_reporting_currency"})
    models.given([in_currency("USD", company=company)])
    (row,) = await models.rows("lifetime_value", company, **WHOLE)
    assert (row["currency"], row["reasons"]) == ("USD", {"finding": "no_rate"})
    models.given(
        [rate(f"{day(number)}T00:00:00", "JPY", 2, base="USD", company=company) for number in range(0, 240, 7)]
    )
    answer = await models.answer("lifetime_value", company, **WHOLE)
    assert answer["rows"] == [same]
    assert answer["rates"]["number"] == 35


def subscribed(customer: str, number: int, what: Any, sequence: int) -> Event:
    """A fact of a monthly subscription."""
    return subscription(
        company_id="acme",
        customer_id=customer,
        subscription_id=f"{customer}-1",
        event=what,
        plan="pro",
        interval="month",
        unit_amount=10,
        quantity=1,
        currency="USD",
        effective_at=at(number),
        sequence=sequence,
    )


async def test_the_curve_of_subscribers_is_the_share_that_stayed(models: ReadModels) -> None:
    """Of 40 who began together ten left after 30 days and ten after 60: three quarters, then half."""
    events = []
    for number in range(40):
        events.append(subscribed(f"c{number}", 0, "started", 1))
        if number < 20:
            events.append(subscribed(f"c{number}", 30 if number < 10 else 60, "canceled", 2))
    models.given(events)
    (row,) = await models.rows("survival", from_=day(0), to=day(90))
    steps = row["finding"]["steps"]
    assert [(s["time"], s["at_risk"], s["churned"], s["survival"]) for s in steps] == [
        (30, 40, 10, pytest.approx(0.75)),
        (60, 30, 10, pytest.approx(0.5)),
    ]
    assert (row["sample"], row["finding"]["churned"], row["finding"]["median"]) == (40, 20, 60)
    churn = [(each["age"], each["probability"]) for each in row["finding"]["churn_within"]]
    assert churn == [(0, pytest.approx(0.25)), (30, pytest.approx(1 / 3))]  # 1 − S(t + 30) / S(t)
    renewals = row["finding"]["renewals"]
    assert renewals["sample"] == 40
    assert renewals["renewal_rates"] == sorted(renewals["renewal_rates"])  # who is likely to leave goes first
    assert renewals["still_there"][1]["share"] == pytest.approx(0.5, abs=0.05)
    (short,) = await models.rows("survival", from_=day(0), to=day(40))
    assert (short["finding"]["renewals"], short["finding"]["reasons"]["renewals"]) == (None, "too_few")


async def test_another_company_changes_no_model(models: ReadModels) -> None:
    """The model is fitted on the company's own users."""
    models.given(fading_and_faithful())
    before = await models.rows("churn_risks", from_=day(0), to=day(DAYS))
    models.given(fading_and_faithful("globex"))
    assert await models.rows("churn_risks", from_=day(0), to=day(DAYS)) == before
    assert await models.rows("churn_risks", company="initech", from_=day(0), to=day(DAYS)) != before
