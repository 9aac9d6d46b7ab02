"""The conventions on which tools that report MRR disagree, as data, and the same facts read under any of them.

A policy says how facts are read before the one ledger (`domain/billing/subscriptions.py`) walks through them: a
cancellation at the moment it was recorded instead of the end of service, a trial as a paying subscription, a price
without its temporary discount, a customer who owes for too long as one who does not pay until the payment comes. So
nothing but the telling differs between two policies, and S + N + X + R − C − K = E holds under each.

Sources, as their vendors document the defaults: Stripe lets only coupons that last for ever lower MRR; ChartMogul and
ProfitWell count churn when service ends; all take a customer who returns at any time as reactivated. All of it is a
setting in those tools: a preset is where one starts, and `msgspec.structs.replace` makes another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import msgspec

from domain.billing.subscriptions import ABSENT, HELD, RESTORED, STATUS, Ledger, SubscriptionFact, ledger

MS_PER_DAY = 86_400_000
CANCELS = frozenset({"canceled", "cancel_scheduled"})


class Policy(msgspec.Struct, frozen=True):
    """Named switches; the defaults are those of the preset `default`."""

    name: str = "default"
    churn: Literal["end_of_service", "cancellation"] = "end_of_service"
    reactivation_days: int | None = None  # who comes back later counts as new; None: any time is reactivation
    trials: bool = False  # whether a trial counts at its price
    discounts: Literal["always", "lasting"] = "always"  # which are subtracted
    past_due_days: int | None = 15  # MRR is kept so long after a failed charge; None: until somebody cancels
    currency_moves: Literal["own_line", "ignored"] = "own_line"  # see currency.py


PRESETS: Mapping[str, Policy] = MappingProxyType(
    {
        policy.name: policy
        for policy in (
            Policy(),
            Policy("stripe", churn="cancellation", discounts="lasting", past_due_days=None, currency_moves="ignored"),
            Policy("chartmogul", past_due_days=None),
            Policy("profitwell", past_due_days=None, currency_moves="ignored"),
        )
    }
)


def changes_subscription_facts(policy: Policy) -> bool:
    """Whether subscription facts alone, without charges, can come to something else than under the default."""
    plain = PRESETS["default"]
    switches = ("churn", "reactivation_days", "trials", "discounts")
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
    return ledger(facts_under(history, policy, charges), None if days is None else days * MS_PER_DAY)


def facts_under(
    history: Sequence[SubscriptionFact], policy: Policy, charges: Iterable[Charge] = ()
) -> Sequence[SubscriptionFact]:
    """The facts as the policy reads them, in order. The very same facts where it reads nothing otherwise."""
    facts = [_fact(fact, policy) for fact in history]
    if policy.churn == "cancellation":
        facts = list(_canceled_when_recorded(facts))
    if policy.past_due_days is not None:
        facts += _holds(history, debts(charges), policy.past_due_days * MS_PER_DAY)
    return sorted(facts)


def _fact(fact: SubscriptionFact, policy: Policy) -> SubscriptionFact:
    if policy.trials and fact.event == "trial_started":
        fact = msgspec.structs.replace(fact, event="started")
    if policy.discounts == "lasting" and fact.discount_pct > 0 and not fact.discount_lasting:
        fact = msgspec.structs.replace(fact, discount_pct=ABSENT)
    return fact


def _canceled_when_recorded(facts: Iterable[SubscriptionFact]) -> Iterator[SubscriptionFact]:
    """Ends at the moment they were recorded, but never before the start that they end."""
    began: dict[str, int] = {}
    for fact in facts:
        if fact.event in CANCELS and fact.recorded_at:
            moment = max(fact.recorded_at, began.get(fact.subscription_id, 0))
            yield msgspec.structs.replace(fact, effective_at=min(fact.effective_at, moment))
        else:
            yield fact
        if STATUS.get(fact.event) == "active" or fact.subscription_id not in began:
            began[fact.subscription_id] = fact.effective_at + 1


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
