"""Made-up subscriptions: what a customer pays for, month by month, until the sample ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from app.demo.companies import DAY, UNTIL, Company, User, origin, seeded, users
from eventlog.publish import builders
from eventlog.publish.event import Event

PLANS = {"basic": 29.0, "pro": 99.0, "enterprise": 450.0}  # USD a month and seat
MONTHS_A_YEAR_COSTS = 10
PERIOD, TRIAL, LONGEST_PAUSE = 30 * DAY, 14 * DAY, 90 * DAY

Step = Literal[
    "trial_started",
    "started",
    "trial_converted",
    "upgraded",
    "downgraded",
    "quantity_changed",
    "canceled",
    "paused",
    "resumed",
    "reactivated",
]


@dataclass(frozen=True, slots=True)
class Terms:
    """What is subscribed."""

    plan: str
    yearly: bool
    seats: int = 1

    @property
    def unit_amount(self) -> float:
        """Price of a seat for a billing interval, in whole currency."""
        return PLANS[self.plan] * (MONTHS_A_YEAR_COSTS if self.yearly else 1)


def subscription_events(company: Company) -> Iterator[Event]:
    """The life of every subscription."""
    for user, life in subscription_lives(company):
        for sequence, (at, step, terms) in enumerate(life, 1):
            yield _event(company.company_id, user, sequence, at, step, terms)


def subscription_lives(company: Company) -> Iterator[tuple[User, list[tuple[int, Step, Terms]]]]:
    """Time, step and terms of all that happens to each subscription; three of four users have one."""
    for user in users(company):
        chance = seeded("subscription", company.company_id, user.user_id)
        if chance.random() < 0.75 and (life := list(_life(user, chance))):
            yield user, life


def _event(company_id: str, user: User, sequence: int, at: int, step: Step, terms: Terms) -> Event:
    return builders.subscription(
        company_id=company_id,
        user_id=user.user_id,
        event=step,
        customer_id=user.user_id,
        subscription_id=f"s-{user.user_id}",
        plan=terms.plan,
        tier=terms.plan,
        interval="year" if terms.yearly else "month",
        unit_amount=terms.unit_amount,
        quantity=float(terms.seats),
        currency="USD",
        effective_at=at,
        recorded_at=at,
        sequence=sequence,
        **origin(f"subscription/{company_id}/{user.user_id}/{sequence}", at),
    )


def _life(user: User, chance: Random) -> Iterator[tuple[int, Step, Terms]]:
    """Time, step and terms of everything that happens to one subscription before the sample ends."""
    plan = chance.choices(tuple(PLANS), (6, 3, 1))[0]
    terms = Terms(plan, yearly=chance.random() < 0.25, seats=chance.randint(2, 12) if plan == "enterprise" else 1)
    at = user.joined + DAY
    for when, step, new_terms in _beginning(at, terms, chance):
        if when < UNTIL:
            yield when, step, new_terms
        if step == "canceled":
            return
        at = when
    while (at := at + PERIOD + chance.randrange(DAY)) < UNTIL:
        gone = at >= user.left
        for when, step, terms in _month(at, terms, chance, gone=gone):  # noqa: B020 (the terms go on from the last step)
            if when < UNTIL:
                yield when, step, terms
            at = when
        if gone:
            return


def _beginning(at: int, terms: Terms, chance: Random) -> list[tuple[int, Step, Terms]]:
    """Half begin with a trial, of which a third is not converted."""
    if chance.random() < 0.5:
        return [(at, "started", terms)]
    converted = chance.random() < 0.67
    return [(at, "trial_started", terms), (at + TRIAL, "trial_converted" if converted else "canceled", terms)]


def _month(at: int, terms: Terms, chance: Random, *, gone: bool) -> list[tuple[int, Step, Terms]]:
    """What happens in one month of a paying subscription: mostly nothing."""
    if gone:
        return [(at, "canceled", terms)]
    dice = chance.random()
    if dice < 0.015:
        back = at + chance.randrange(20 * DAY, 120 * DAY)
        return [(at, "canceled", terms), (back, "reactivated", terms)]
    if dice < 0.03:
        return [(at, "paused", terms), (at + chance.randrange(10 * DAY, LONGEST_PAUSE), "resumed", terms)]
    return [(at, *changed)] if (changed := _changed(dice, terms, chance)) else []


def _changed(dice: float, terms: Terms, chance: Random) -> tuple[Step, Terms] | None:
    """New terms, if the dice say so: another plan, or for enterprises another number of seats."""
    plans = list(PLANS)
    rank = plans.index(terms.plan)
    if dice < 0.055 and rank + 1 < len(plans):
        seats = chance.randint(2, 6) if plans[rank + 1] == "enterprise" else 1
        return "upgraded", replace(terms, plan=plans[rank + 1], seats=seats)
    if 0.055 <= dice < 0.07 and rank:
        return "downgraded", replace(terms, plan=plans[rank - 1], seats=1)
    if dice >= 0.9 and terms.plan == "enterprise":
        return "quantity_changed", replace(terms, seats=max(1, terms.seats + chance.choice((-1, 1, 2))))
    return None
