"""The subscriptions of one customer: the history that follows from its facts, and every movement of its MRR.

Order is (effective_at, sequence, recorded_at), of equal ones a stop first; delivery order means nothing. What takes
effect in the same millisecond is one moment, and moves the customer's MRR once: an upgrade told as one subscription
that ends and another that begins is an expansion. What was scheduled and then replaced is not in a history any more
(`domain/billing/replacements.py`).

- `started`, `trial_converted`, `resumed` and `reactivated` make a subscription pay; `trial_started`, `paused`,
  `canceled` and `cancel_scheduled` make its MRR 0, a scheduled cancel at its effective_at, when service ends.
- Changes of terms (`changed`, `upgraded`, `downgraded`, `quantity_changed`) keep the status: changing the plan of a
  trial, or of a paused or ended subscription, brings no MRR. A subscription first heard of by a change pays from then
  on: somebody is charged, and if its start arrives later, the history is told anew.
- A fact with a price states it completely (quantity missing is 1, interval month). One without a price keeps what the
  subscription had, as far as it does not say otherwise. A stop changes no terms, so that resuming brings them back.
- `held` and `restored` are no events: `domain/billing/policies.py` puts them in where a customer owes for too
  long. What is held keeps its status, terms and newest fact's time, and brings no MRR.
- A customer's subscriptions add up, by currency: nothing here knows a rate. Who pays in any currency is a customer; who
  goes from one to another loses what was paid in the first and wins what is paid in the second, and is neither churned
  nor new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

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

MS_PER_DAY = 86_400_000
NEW, EXPANSION, CONTRACTION, CHURNED, REACTIVATED = "new", "expansion", "contraction", "churned", "reactivated"
KINDS = (NEW, EXPANSION, CONTRACTION, CHURNED, REACTIVATED)
LOSSES = frozenset({CONTRACTION, CHURNED})


class SubscriptionFact(msgspec.Struct, array_like=True, frozen=True, order=True, gc=False):
    """One fact. Times in ms, amounts in trillionths. Facts are sorted by `place`."""

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

    @property
    def known_at(self) -> int:
        """From when it is known: from when it was recorded, and at the latest when it takes effect; in ms."""
        return min(self.recorded_at or self.effective_at, self.effective_at)

    @property
    def is_ahead(self) -> bool:
        """Whether it was recorded before it takes effect."""
        return 0 < self.recorded_at < self.effective_at

    @property
    def place(self) -> tuple[Any, ...]:
        """What facts are sorted by: of one moment and sequence by when they were recorded, a start after a stop."""
        recorded = self.recorded_at or self.effective_at
        return self.effective_at, self.sequence, recorded, self.event not in STOPS, self


class Cut(msgspec.Struct, frozen=True, order=True, gc=False):
    """What MRR is split by."""

    plan: str = ""
    tier: str = ""
    currency: str = ""


class Subscription(msgspec.Struct, frozen=True, gc=False):
    """One subscription after some facts. Times in ms since 1970, 0 where it has not happened."""

    status: str = ""
    cut: Cut = Cut()
    price: Price = Price()
    mrr: int = 0  # twelfths of a trillionth
    since: int = 0  # when the newest fact took effect: may lie in the future of whoever reads it
    trial_started_at: int = 0  # of its first trial
    started_at: int = 0  # when it first was active
    ended_at: int = 0  # when it ended, if it has not begun again
    held: bool = False


UNKNOWN = Subscription()


class Movement(msgspec.Struct, frozen=True, gc=False):
    """MRR of one cut that moved at one moment, under the kind of the customer's whole change.

    `amount` is positive in the sense of its kind; where a customer moved between cuts of a currency, what it left
    counts against what it went to, so that the sum over them is the customer's own change. `counted` is 1, once a kind,
    in the cut that gained most, or lost most where none gained; 0 in the others, and in all where the total stays.
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


class Reading(msgspec.Struct, frozen=True):
    """How a history is walked through. Times in ms."""

    back_within: int | None = None  # who comes back later after leaving counts as new; None: is always reactivated
    together: int = 0  # what takes effect so soon after what it began with is one moment, within a day (UTC)
    free_stays: bool = False  # whether a customer stays one whose active subscriptions cost nothing


DEFAULT_READING = Reading()


def merge_facts(earlier: Iterable[SubscriptionFact], more: Iterable[SubscriptionFact]) -> list[SubscriptionFact]:
    """All facts in order, equal ones once: the same list in whatever order and split they came."""
    return [fact for fact, _ in groupby(in_order([*earlier, *more]))]


def in_order(facts: Iterable[SubscriptionFact]) -> list[SubscriptionFact]:
    """The facts in the order in which they take effect."""
    return sorted(facts, key=lambda fact: fact.place)


def ledger(history: Sequence[SubscriptionFact], reading: Reading = DEFAULT_READING) -> Ledger:
    """Walk through a customer's history, given in order."""
    subscriptions: dict[str, Subscription] = {}
    movements: list[Movement] = []
    totals, ever_paid = Counter[str](), False
    left_at: int | None = None  # None: is a customer, or has never been one
    for facts in _moments(history, reading.together):
        at, changes = facts[-1].effective_at, _changes(subscriptions, facts)
        before = totals.copy()
        for cut, change in changes.items():
            totals[cut.currency] += change
        pays = any(totals.values())
        stays = reading.free_stays and any(each.status == "active" for each in subscriptions.values())
        if changes:
            comes = _arrival(ever_paid, None if left_at is None else at - left_at, reading)
            movements += _movements(at, _kinds(before, totals, comes, stays), changes)
        ever_paid = ever_paid or pays
        if pays or stays:
            left_at = None
        elif ever_paid and left_at is None:
            left_at = at
    return Ledger(subscriptions, movements)


def course(history: Iterable[SubscriptionFact]) -> Iterator[tuple[str, Subscription]]:
    """After each fact of a history, given in order: whose it is, and what that subscription has become."""
    subscriptions: dict[str, Subscription] = {}
    for fact in history:
        after = _after(subscriptions.get(fact.subscription_id, UNKNOWN), fact)
        subscriptions[fact.subscription_id] = after
        yield fact.subscription_id, after


def _moments(history: Sequence[SubscriptionFact], together: int) -> Iterator[Sequence[SubscriptionFact]]:
    """The facts of each moment."""
    begun = 0
    for number, fact in enumerate(history):
        at, first = fact.effective_at, history[begun].effective_at
        if at - first > together or at // MS_PER_DAY != first // MS_PER_DAY:
            yield history[begun:number]
            begun = number
    if history:
        yield history[begun:]


def _changes(subscriptions: dict[str, Subscription], facts: Sequence[SubscriptionFact]) -> Mapping[Cut, int]:
    """By how much the facts of a moment change MRR of each cut; the subscriptions are brought up to it."""
    before: dict[str, Subscription] = {}
    for fact in facts:
        was = subscriptions.get(fact.subscription_id, UNKNOWN)
        before.setdefault(fact.subscription_id, was)
        subscriptions[fact.subscription_id] = _after(was, fact)
    changes: Counter[Cut] = Counter()
    for subscription_id, was in before.items():
        changes[was.cut] -= was.mrr
        changes[subscriptions[subscription_id].cut] += subscriptions[subscription_id].mrr
    return {cut: change for cut, change in changes.items() if change}


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


def _arrival(ever_paid: bool, away: int | None, reading: Reading) -> str:
    """The kind of MRR that comes where there was none, `away` ms after the customer left; None: it has not."""
    if not ever_paid:
        return NEW
    if away is None:
        return EXPANSION
    return REACTIVATED if reading.back_within is None or away <= reading.back_within else NEW


def _kinds(before: Mapping[str, int], after: Mapping[str, int], arrival: str, stays: bool) -> Mapping[str, str]:
    """The kind of a change of a customer's totals, by currency; no change at all is a swap, whose parts cancel as
    expansion.
    """
    if any(after.values()) and not any(before.values()):
        return dict.fromkeys(after, arrival)
    if not any(after.values()) and not stays:
        return dict.fromkeys(after, CHURNED)
    return {currency: CONTRACTION if after[currency] < before[currency] else EXPANSION for currency in after}


def _movements(at: int, kinds: Mapping[str, str], changes: Mapping[Cut, int]) -> list[Movement]:
    """A movement of each cut, what was left before what was reached; once a kind the customer is counted."""
    cuts = sorted(changes, key=lambda cut: (changes[cut] > 0, cut))
    counted = {_counted([cut for cut in cuts if kinds[cut.currency] == kind], changes) for kind in set(kinds.values())}
    return [
        Movement(at, cut, kind, -changes[cut] if kind in LOSSES else changes[cut], int(cut in counted))
        for cut in cuts
        for kind in [kinds[cut.currency]]
    ]


def _counted(cuts: Sequence[Cut], changes: Mapping[Cut, int]) -> Cut | None:
    """The cut that gained most of the currencies whose total moved, or lost most where none gained."""
    of_currency: Counter[str] = Counter()
    for cut in cuts:
        of_currency[cut.currency] += changes[cut]
    moved = [cut for cut in cuts if of_currency[cut.currency]]
    if not moved:
        return None
    most = max if max(changes[cut] for cut in moved) > 0 else min
    return most(moved, key=lambda cut: changes[cut])
