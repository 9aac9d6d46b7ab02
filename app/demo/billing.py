"""Made-up money: what customers are charged for their subscriptions, and what it costs to win them."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Literal, NamedTuple

from app.demo.companies import DAY, HOUR, MONTHS, UNTIL, Company, User, origin, seeded, users
from app.demo.subscriptions import PERIOD, Step, Terms, subscription_lives
from eventlog.publish import builders
from eventlog.publish.event import Event

CURRENCY = "USD"
YEAR, WEEK = 365 * DAY, 7 * DAY
PAYING: frozenset[Step] = frozenset({"started", "trial_converted", "resumed", "reactivated"})
NOT_PAYING: frozenset[Step] = frozenset({"trial_started", "canceled", "paused"})
FAILS, IS_RECOVERED, IS_REFUNDED = 0.04, 0.75, 0.01
FEE_SHARE, FEE = 0.029, 0.30  # of a payment provider
CHANNELS = {"search": ("brand", "generic"), "social": ("video", "community"), "partners": ("referral",)}
COST_A_USER = 60.0  # USD a joining user, about

Kind = Literal["succeeded", "failed", "recovered", "refunded"]


class Charge(NamedTuple):
    """What is charged for one billing interval."""

    at: int
    amount: float


def billing_events(company: Company) -> Iterator[Event]:
    """The charges of every subscription in order of time, then what was spent on campaigns, week by week."""
    for user, life in subscription_lives(company):
        chance = seeded("billing", company.company_id, user.user_id)
        for number, charge in enumerate(charges(life), 1):
            for kind, at in _outcome(charge.at, chance):
                yield _payment(company.company_id, user, number, kind, at, charge.amount)
    yield from _costs(company)


def charges(life: list[tuple[int, Step, Terms]]) -> Iterator[Charge]:
    """One at the beginning of every interval that is paid for, at the terms that hold then, before the sample ends."""
    paid_from: int | None = None
    terms: Terms | None = None
    for at, step, new_terms in [*life, (UNTIL, "canceled", life[-1][2])]:
        while paid_from is not None and terms is not None and paid_from < at:
            yield Charge(paid_from, terms.unit_amount * terms.seats)
            paid_from += YEAR if terms.yearly else PERIOD
        terms = new_terms
        if step in PAYING:
            paid_from = at
        elif step in NOT_PAYING:
            paid_from = None


def _outcome(at: int, chance: Random) -> Iterator[tuple[Kind, int]]:
    """Mostly the money comes; else it comes a few days later, or never; now and then it is given back."""
    if chance.random() < FAILS:
        yield "failed", at
        if chance.random() < IS_RECOVERED:
            yield "recovered", at + chance.randrange(1 * DAY, 6 * DAY)
        return
    yield "succeeded", at
    if chance.random() < IS_REFUNDED:
        yield "refunded", at + chance.randrange(1 * DAY, 10 * DAY)


def _payment(company_id: str, user: User, number: int, kind: Kind, at: int, amount: float) -> Event:
    invoice = f"{user.user_id}-{number:02}"
    return builders.payment(
        company_id=company_id,
        user_id=user.user_id,
        customer_id=user.user_id,
        invoice_id=invoice,
        kind=kind,
        amount=amount,
        fee=None if kind in ("failed", "refunded") else round(FEE_SHARE * amount + FEE, 2),
        currency=CURRENCY,
        **origin(f"payment/{company_id}/{invoice}/{kind}", min(at, UNTIL - 1)),
    )


def _costs(company: Company) -> Iterator[Event]:
    joined = [user.joined for user in users(company)]
    chance = seeded("campaigns", company.company_id)
    begin = (UNTIL - MONTHS * 30 * DAY) // DAY * DAY
    for week in range(begin, UNTIL - WEEK, WEEK):
        budget = COST_A_USER * sum(week <= at < week + WEEK for at in joined) + 20
        for channel, campaigns in CHANNELS.items():
            for campaign in campaigns:
                yield builders.acquisition_cost(
                    company_id=company.company_id,
                    channel=channel,
                    campaign=campaign,
                    cost=round(budget * (0.1 + 0.2 * chance.random()), 2),
                    currency=CURRENCY,
                    **origin(f"campaign/{company.company_id}/{channel}/{campaign}/{week}", week + 9 * HOUR),
                )
