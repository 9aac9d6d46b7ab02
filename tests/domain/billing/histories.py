"""Random tenants: customers, each with a history of subscription facts and charges."""

from __future__ import annotations

import random
from itertools import count

from domain.billing.policies import Charge
from domain.billing.subscriptions import ABSENT, MS_PER_DAY, STATUS, SubscriptionFact, merge_facts
from domain.decimals import ONE

EVENTS = (*STATUS, "changed", "upgraded", "downgraded", "quantity_changed")
BEGIN = 1_000 * MS_PER_DAY  # a time in the first weeks of 1970 could be one in seconds, and is refused at the doors
SPAN = 160 * MS_PER_DAY
HALF_AN_HOUR = 1_800_000
History = tuple[list[SubscriptionFact], list[Charge]]


def random_tenant(chance: random.Random) -> list[History]:
    """One to three customers."""
    return [(random_history(chance), random_charges(chance)) for _ in range(chance.randint(1, 3))]


def random_history(chance: random.Random) -> list[SubscriptionFact]:
    """Facts of one or two subscriptions in order, many at the same moment, some recorded long before."""
    facts = []
    for number in range(chance.randint(0, 7)):
        days = chance.randrange(SPAN) // MS_PER_DAY * MS_PER_DAY
        at = BEGIN + chance.choice((0, chance.randrange(SPAN), days, HALF_AN_HOUR)) + 1
        facts.append(
            SubscriptionFact(
                effective_at=at,
                sequence=chance.randint(0, 3),
                event_id=f"e{number}",
                item=0,
                subscription_id=chance.choice(("s1", "s1", "s2")),
                event=chance.choice(EVENTS),
                plan=chance.choice(("", "a", "b")),
                tier="",
                currency="",
                interval=chance.choice(("", "month", "year", "week")),
                interval_count=chance.choice((0, 1, 7)),
                unit_amount=chance.choice((ABSENT, 0, 7 * ONE, 10 * ONE, 20 * ONE + 1)),
                quantity=chance.choice((ABSENT, ONE, 3 * ONE)),
                discount_pct=chance.choice((ABSENT, ABSENT, 0, 25 * ONE, 100 * ONE)),
                discount_lasting=chance.random() < 0.5,
                recorded_at=chance.choice((0, at, max(1, at - chance.randrange(40 * MS_PER_DAY)))),
            )
        )
    return merge_facts((), facts)


def random_charges(chance: random.Random) -> list[Charge]:
    """Failures and what follows them, of a few invoices, some of them without a name."""
    kinds = ("failed", "failed", "succeeded", "recovered", "refunded")
    made = (
        Charge(BEGIN + chance.randrange(SPAN), chance.choice(("", "i1", "i2")), chance.choice(kinds)) for _ in count()
    )
    return [charge for charge, _ in zip(made, range(chance.randint(0, 5)), strict=False)]
