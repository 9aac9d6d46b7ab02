"""The conventions on which tools that report MRR disagree, as data, and the same facts read under any of them.

A policy says how facts are read before the one ledger (`domain/billing/subscriptions.py`) walks through them: a
cancellation at the moment it was recorded instead of the end of service, a trial as a paying subscription, a price
without its temporary discount, a customer who owes for too long as one who does not pay until the payment comes. So
nothing but the telling differs between two policies, and S + N + X + R − C − K = E holds under each.

Sources, as their publishers document the defaults (read in 2026): Stripe (docs.stripe.com, Billing metric definitions)
counts churn when a subscription is canceled or `unpaid`, lets only coupons that last for ever lower MRR, and has a line
for exchange rates in its growth. ChartMogul (help.chartmogul.com: Smart Activity Classification, Free Customer
Handling, Handling paused subscriptions, Handling past-due subscriptions) takes what happens within 60 minutes as one
movement, a switch to a free plan as contraction, keeps the MRR of what is paused or past due until it is canceled, and
makes no movement of exchange rates. ProfitWell (learn.profitwell.com, ProfitWell vs. Stripe; FAQs for Paddle users)
counts churn when service ends, and MRR of who owes until the dunning window is over, 15 days as it advises. All of it
is a setting in those tools: a preset is where one starts, and `msgspec.structs.replace` makes another. What presets
leave out is listed in docs/how-to/read-mrr-under-a-policy.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import msgspec

from domain.billing.replacements import ENDS, in_force
from domain.billing.subscriptions import (
    ABSENT,
    HELD,
    MS_PER_DAY,
    RESTORED,
    STATUS,
    Ledger,
    Reading,
    SubscriptionFact,
    in_order,
    ledger,
)

MS_PER_MINUTE = 60_000


class Policy(msgspec.Struct, frozen=True):
    """Named switches; the defaults are those of the preset `default`."""

    name: str = "default"
    churn: Literal["end_of_service", "cancellation"] = "end_of_service"
    reactivation_days: int | None = None  # who comes back later counts as new; None: any time is reactivation
    trials: bool = False  # whether a trial counts at its price
    discounts: Literal["always", "lasting"] = "always"  # which are subtracted
    pauses: Literal["churn", "kept"] = "churn"  # whether MRR of what is paused goes
    free_plans: Literal["churn", "contraction"] = "churn"  # what it is to come to pay nothing for what goes on
    together_minutes: int = 0  # what happens so soon after what it began with is one movement, within a day
    past_due_days: int | None = 15  # MRR is kept so long after a failed charge; None: until somebody cancels
    currency_moves: Literal["own_line", "ignored"] = "own_line"


PRESETS: Mapping[str, Policy] = MappingProxyType(
    {
        policy.name: policy
        for policy in (
            Policy(),
            Policy("stripe", churn="cancellation", discounts="lasting", past_due_days=None),
            Policy(
                "chartmogul",
                pauses="kept",
                free_plans="contraction",
                together_minutes=60,
                past_due_days=None,
                currency_moves="ignored",
            ),
            Policy("profitwell", currency_moves="ignored"),
        )
    }
)


def changes_subscription_facts(policy: Policy) -> bool:
    """Whether subscription facts alone, without charges, can come to something else than under the default."""
    plain = PRESETS["default"]
    switches = ("churn", "reactivation_days", "trials", "discounts", "pauses", "free_plans", "together_minutes")
    return any(getattr(policy, switch) != getattr(plain, switch) for switch in switches)


FAILED = "failed"
PAID = frozenset({"succeeded", "recovered"})


class Charge(msgspec.Struct, array_like=True, frozen=True, order=True, gc=False):
    """What became of an attempt to charge a customer. A refund says nothing about what is owed."""

    at: int  # ms
    invoice_id: str
    kind: str  # succeeded, failed, refunded or recovered


def read(history: Sequence[SubscriptionFact], policy: Policy, charges: Iterable[Charge] = ()) -> Ledger:
    """What a customer's facts, given in order, come to under a policy."""
    days = policy.reactivation_days
    reading = Reading(
        back_within=None if days is None else days * MS_PER_DAY,
        together=policy.together_minutes * MS_PER_MINUTE,
        free_stays=policy.free_plans == "contraction",
    )
    return ledger(facts_under(history, policy, charges), reading)


def facts_under(
    history: Sequence[SubscriptionFact], policy: Policy, charges: Iterable[Charge] = ()
) -> Sequence[SubscriptionFact]:
    """The facts that are in force as the policy reads them, in order."""
    facts = [_fact(fact, policy) for fact in history]
    if policy.pauses == "kept":
        facts = list(_without_pauses(facts))
    if policy.churn == "cancellation":
        facts = list(_canceled_when_recorded(facts))
    if policy.past_due_days is not None:
        facts += _holds(history, debts(charges), policy.past_due_days * MS_PER_DAY)
    return in_force(in_order(facts))


def _fact(fact: SubscriptionFact, policy: Policy) -> SubscriptionFact:
    if policy.trials and fact.event == "trial_started":
        fact = msgspec.structs.replace(fact, event="started")
    if policy.discounts == "lasting" and fact.discount_pct > 0 and not fact.discount_lasting:
        fact = msgspec.structs.replace(fact, discount_pct=ABSENT)
    return fact


def _without_pauses(facts: Iterable[SubscriptionFact]) -> Iterator[SubscriptionFact]:
    """A pause is none, and its end nothing but a change of terms."""
    paused: set[str] = set()
    for fact in facts:
        if fact.event == "paused":
            paused.add(fact.subscription_id)
        elif fact.event == "resumed" and fact.subscription_id in paused:
            paused.remove(fact.subscription_id)
            yield msgspec.structs.replace(fact, event="changed")
        else:
            paused -= {fact.subscription_id} if fact.event in ENDS else set()
            yield fact


def _canceled_when_recorded(facts: Iterable[SubscriptionFact]) -> Iterator[SubscriptionFact]:
    """Ends at the moment they were recorded, but never before the start that they end: of those known by then."""
    starts: dict[str, list[SubscriptionFact]] = {}
    for fact in facts:
        of_it = starts.setdefault(fact.subscription_id, [])
        if fact.event in ENDS and fact.recorded_at:
            began = max((each.effective_at + 1 for each in of_it if each.known_at <= fact.recorded_at), default=0)
            moment = min(fact.effective_at, max(fact.recorded_at, began))
            yield msgspec.structs.replace(fact, effective_at=moment)
        else:
            yield fact
        if STATUS.get(fact.event) == "active" or not of_it:
            of_it.append(fact)


def debts(charges: Iterable[Charge]) -> list[tuple[int, int | None]]:
    """Since when and until when something was owed: from an invoice's first failure to its success; None: still.

    Without an invoice's name any later success pays. Debts are in the order of their beginning.
    """
    owed: dict[str, int] = {}
    spans: list[tuple[int, int | None]] = []
    for charge in sorted(charges):
        if charge.kind == FAILED:
            owed.setdefault(charge.invoice_id, charge.at)
        elif charge.kind in PAID:
            paid = {charge.invoice_id, ""} if charge.invoice_id else set(owed)
            spans += [(owed.pop(invoice), charge.at) for invoice in sorted(paid & owed.keys())]
    return sorted([*spans, *((since, None) for since in owed.values())], key=lambda debt: (debt[0], debt[1] or 0))


def counts_from(charge: Charge, policy: Policy) -> int:
    """The moment from which a charge changes MRR, in ms: a failure when MRR has been kept for as long as it is."""
    return charge.at + (policy.past_due_days or 0) * MS_PER_DAY * (charge.kind == FAILED)


def _holds(
    history: Sequence[SubscriptionFact], owed: Iterable[tuple[int, int | None]], grace: int
) -> Iterator[SubscriptionFact]:
    """For each subscription known when a debt is older than the grace: held from then on, restored when it is paid."""
    first: dict[str, int] = {}
    for fact in history:
        first.setdefault(fact.subscription_id, fact.effective_at)
    for since, until in _joined((since + grace, until) for since, until in owed):
        for subscription_id in sorted(name for name, begun in first.items() if begun <= since):
            yield _hold(since, subscription_id, HELD)
            if until is not None:
                yield _hold(until, subscription_id, RESTORED)


def _joined(spans: Iterable[tuple[int, int | None]]) -> Iterator[tuple[int, int | None]]:
    """Spans that overlap as one; those that end before they begin are none."""
    current: tuple[int, int | None] | None = None
    for since, until in spans:
        if until is not None and until <= since:
            continue
        if current is None or (current[1] is not None and current[1] < since):
            if current is not None:
                yield current
            current = (since, until)
        elif current[1] is not None:
            current = (current[0], None if until is None else max(current[1], until))
    if current is not None:
        yield current


def _hold(at: int, subscription_id: str, event: str) -> SubscriptionFact:
    nothing = {"plan": "", "tier": "", "currency": "", "interval": "", "interval_count": 0, "discount_pct": ABSENT}
    return SubscriptionFact(
        effective_at=at,
        sequence=2**62,  # after every fact of that moment
        event_id="",
        item=0,
        subscription_id=subscription_id,
        event=event,
        unit_amount=ABSENT,
        quantity=ABSENT,
        **nothing,  # type: ignore[arg-type]  # each text or number stands under its own name
    )
