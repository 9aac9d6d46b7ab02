"""The subscriptions of one customer: the history that follows from its facts, and every movement of its MRR.

Order is (effective_at, sequence, event_id); delivery order means nothing. Each fact is a moment of its own, also where
several take effect in the same millisecond.

- `started`, `trial_converted`, `resumed` and `reactivated` make a subscription pay; `trial_started`, `paused`,
  `canceled` and `cancel_scheduled` make its MRR 0, a scheduled cancel at its effective_at, when service ends.
- Changes of terms (`changed`, `upgraded`, `downgraded`, `quantity_changed`) keep the status: changing the plan of a
  trial, or of a paused or ended subscription, brings no MRR. A subscription first heard of by a change pays from then
  on: somebody is charged, and if its start arrives later, the history is told anew.
- A fact with a price states it completely (quantity missing is 1, interval month). One without a price keeps what the
  subscription had, as far as it does not say otherwise. A stop changes no terms, so that resuming brings them back.
- `held` and `restored` are no events: `domain/billing/policies.py` puts them in where a customer owes for too
  long. What is held keeps its status, terms and newest fact's time, and brings no MRR.
- A customer's subscriptions add up. Amounts of several currencies are added as they are: one currency a tenant is
  the rule, and nothing here knows a rate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

import msgspec

from domain.billing.monthly_price import Price, monthly

ABSENT = -1  # of amounts, quantities and discounts, which are never negative; unlike None it can be compared
STATUS = {
    "trial_started": "trial",
    "started": "active",
    "trial_converted": "active",
    "resumed": "active",
    "reactivated": "active",
    "paused": "paused",
    "canceled": "canceled",
    "cancel_scheduled": "canceled",
}  # every other event keeps the status
STOPS = frozenset({"paused", "canceled", "cancel_scheduled"})
HELD, RESTORED = "held", "restored"
HOLDS = frozenset({HELD, RESTORED})
KEEP_TERMS = STOPS | HOLDS

NEW, EXPANSION, CONTRACTION, CHURNED, REACTIVATED = "new", "expansion", "contraction", "churned", "reactivated"
KINDS = (NEW, EXPANSION, CONTRACTION, CHURNED, REACTIVATED)
LOSSES = frozenset({CONTRACTION, CHURNED})


class SubscriptionFact(msgspec.Struct, array_like=True, frozen=True, order=True, gc=False):
    """One fact, its fields in the order by which facts are sorted. Times in ms, amounts in millionths."""

    effective_at: int
    sequence: int
    event_id: str
    item: int  # of a batch event, whose facts share an event_id
    subscription_id: str
    event: str
    plan: str
    tier: str
    currency: str
    interval: str  # '' is not stated
    interval_count: int  # 0 is not stated
    unit_amount: int  # or ABSENT
    quantity: int  # or ABSENT
    discount_pct: int  # or ABSENT
    discount_lasting: bool = False
    recorded_at: int = 0  # 0 is effective_at


class Cut(msgspec.Struct, frozen=True, gc=False):
    """What MRR is split by."""

    plan: str = ""
    tier: str = ""
    currency: str = ""


class Subscription(msgspec.Struct, frozen=True, gc=False):
    """One subscription after some facts. Times in ms since 1970, 0 where it has not happened."""

    status: str = ""
    cut: Cut = Cut()
    price: Price = Price()
    mrr: int = 0  # twelfths of a millionth
    since: int = 0  # when the newest fact took effect: may lie in the future of whoever reads it
    trial_started_at: int = 0  # of its first trial
    started_at: int = 0  # when it first was active
    ended_at: int = 0  # when it ended, if it has not begun again
    held: bool = False


UNKNOWN = Subscription()


class Movement(msgspec.Struct, frozen=True, gc=False):
    """MRR of one cut that moved at one moment, under the kind of the customer's whole change.

    `amount` is positive in the sense of its kind; where a customer moved between cuts, what it left counts against
    what it went to, so that the sum over all cuts is the customer's own change. `counted` is 1 in one of its cuts, 0
    in the other, and 0 in both where the total stays the same.
    """

    at: int
    cut: Cut
    kind: str
    amount: int
    counted: int


class Ledger(NamedTuple):
    """What a history comes to: its subscriptions by id, and all movements in order."""

    subscriptions: dict[str, Subscription]
    movements: list[Movement]


def merge_facts(earlier: Iterable[SubscriptionFact], more: Iterable[SubscriptionFact]) -> list[SubscriptionFact]:
    """All facts in order, equal ones once: the same list in whatever order and split they came."""
    return [fact for fact, _ in groupby(sorted([*earlier, *more]))]


def ledger(history: Sequence[SubscriptionFact], back_within: int | None = None) -> Ledger:
    """Walk through a customer's history, given in order.

    A customer who comes back later than `back_within` ms after leaving counts as new; None: is always reactivated.
    """
    subscriptions: dict[str, Subscription] = {}
    movements: list[Movement] = []
    total, ever_paid, left_at = 0, False, 0
    for fact in history:
        before = subscriptions.get(fact.subscription_id, UNKNOWN)
        after = subscriptions[fact.subscription_id] = _after(before, fact)
        if before.mrr == after.mrr and (before.cut == after.cut or not after.mrr):
            continue
        now = total + after.mrr - before.mrr
        back = ever_paid and (back_within is None or fact.effective_at - left_at <= back_within)
        movements += _movements(fact.effective_at, _kind(total, now, back), before, after)
        total, ever_paid = now, True
        left_at = left_at if now else fact.effective_at
    return Ledger(subscriptions, movements)


def _after(before: Subscription, fact: SubscriptionFact) -> Subscription:
    status = STATUS.get(fact.event) or before.status or "active"
    keeps = fact.event in KEEP_TERMS and before is not UNKNOWN
    held = fact.event == HELD or (before.held and fact.event != RESTORED)
    cut = before.cut if keeps else _cut(before.cut, fact)
    price = before.price if keeps else _price(before.price, fact)
    at, active, ended = fact.effective_at, status == "active", status == "canceled"
    return Subscription(
        status,
        cut,
        price,
        monthly(price) if active and not held else 0,
        before.since if fact.event in HOLDS else at,
        before.trial_started_at or at * (status == "trial"),
        before.started_at or at * active,
        (before.ended_at or at) * ended,
        held,
    )


def _cut(before: Cut, fact: SubscriptionFact) -> Cut:
    return Cut(fact.plan or before.plan, fact.tier or before.tier, fact.currency or before.currency)


def _price(before: Price, fact: SubscriptionFact) -> Price:
    stated = fact.unit_amount != ABSENT
    current = UNKNOWN.price if stated else before
    return Price(
        fact.unit_amount if stated else current.unit_amount,
        current.quantity if fact.quantity == ABSENT else fact.quantity,
        current.discount_pct if fact.discount_pct == ABSENT else fact.discount_pct,
        fact.interval or current.interval,
        fact.interval_count or 1 if fact.interval or stated else current.interval_count,
    )


def _kind(before: int, after: int, back: bool) -> str:
    """The kind of a change of a customer's total; no change at all is a swap, whose parts cancel as expansion."""
    if not before and after:
        return REACTIVATED if back else NEW
    if not after:
        return CHURNED
    return CONTRACTION if after < before else EXPANSION


def _movements(at: int, kind: str, before: Subscription, after: Subscription) -> list[Movement]:
    sign = -1 if kind in LOSSES else 1
    change = after.mrr - before.mrr
    counted = int(change != 0)
    if before.cut == after.cut or not before.mrr:
        return [Movement(at, after.cut, kind, sign * change, counted)]
    if not after.mrr:
        return [Movement(at, before.cut, kind, sign * change, counted)]
    left, reached = -sign * before.mrr, sign * after.mrr
    return [Movement(at, before.cut, kind, left, 0), Movement(at, after.cut, kind, reached, counted)]
