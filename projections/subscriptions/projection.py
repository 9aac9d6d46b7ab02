"""Subscriptions: every customer's subscriptions as they stand, and how MRR moved by day, plan, tier and currency.

Ordered: a customer's history is told in the order in which its facts take effect, whatever the order in which they
arrive; a fact that arrives late, or is reported again under its `change_id`, restates what follows from it.
`domain/billing/subscriptions.py` has the rules. Under another policy (`domain/billing/policies.py`) most histories come
to the same, so that only the difference is kept: the rows of `default` and those of the policy add up to its reading.

Payments are part of the history: MRR of who owes goes 15 days after the first failure, a movement of that day even
while it lies ahead, and comes back with the payment; a payment within the 15 days restates that nothing moved. No clock
is asked. A subscription held for a debt is listed with the status, terms and time that its facts say, and with MRR 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from domain.billing.monthly_price import charge
from domain.billing.policies import PRESETS
from domain.billing.subscriptions import KINDS, LOSSES, Movement, Subscription
from projections.engine.declare.merge_rules import MS_PER_QUARTER
from projections.engine.declare.projection import Projection, RowValues, State
from projections.engine.query.listing import listing
from projections.subscriptions.customer import DEFAULT, Customer, customer_history, read_customer
from projections.subscriptions.customers import CUSTOMER_MRR, MRR_RETAINED
from projections.subscriptions.movements import MRR_MOVEMENTS
from projections.subscriptions.rows import (
    CustomerMrr,
    CustomerSubscription,
    Debt,
    MrrMovement,
    ScheduledMrr,
    SubscriptionTerm,
)
from projections.subscriptions.terms import spans_of_debt, terms

subscriptions = Projection("subscriptions", version=10)

MEASURES = {kind: (f"{kind}_mrr", f"{kind}_count") for kind in KINDS}


def rows(state: State) -> Mapping[str, Iterable[RowValues]]:
    """What a customer's history comes to."""
    customer = read_customer(state)
    ledger = customer.read(PRESETS[DEFAULT])
    moved = [(DEFAULT, 1, movement) for movement in ledger.movements]
    for policy in customer.others:
        differs = customer.read(policy).movements
        if differs != ledger.movements:
            moved += [(policy.name, 1, movement) for movement in differs]
            moved += [(policy.name, -1, movement) for movement in ledger.movements]
    return {
        CustomerSubscription.table.name: [_subscription(i, s) for i, s in ledger.subscriptions.items()],
        MrrMovement.table.name: [_movement(*each) for each in moved],
        CustomerMrr.table.name: _changes(moved),
        ScheduledMrr.table.name: _scheduled(customer),
        SubscriptionTerm.table.name: terms(customer.facts),
        Debt.table.name: spans_of_debt(customer.charges if customer.facts else ()),
    }


def _scheduled(customer: Customer) -> list[RowValues]:
    ahead = customer.scheduled(PRESETS[DEFAULT])
    changes = [(DEFAULT, key, change) for key, change in ahead.items()]
    for policy in customer.others:
        other = customer.scheduled(policy)
        changes += [(policy.name, key, other.get(key, 0) - ahead.get(key, 0)) for key in {**ahead, **other}]
    return [
        {
            "policy": policy,
            "quarter": at,
            "plan": cut.plan,
            "tier": cut.tier,
            "currency": cut.currency,
            "change": change,
        }
        for policy, (at, cut), change in changes
        if change
    ]


def _subscription(subscription_id: str, state: Subscription) -> RowValues:
    return {
        "subscription_id": subscription_id,
        "status": state.status,
        "plan": state.cut.plan,
        "tier": state.cut.tier,
        "currency": state.cut.currency,
        "mrr": state.mrr,
        "quantity": state.price.quantity,
        "charge": charge(state.price),
        "interval": state.price.interval,
        "interval_count": state.price.interval_count,
        "since": state.since,
        "trial_started_at": state.trial_started_at or None,
        "started_at": state.started_at or None,
        "ended_at": state.ended_at or None,
    }


def _movement(policy: str, sign: int, moved: Movement) -> RowValues:
    mrr, count = MEASURES[moved.kind]
    return {
        "quarter": moved.at,
        "plan": moved.cut.plan,
        "tier": moved.cut.tier,
        "currency": moved.cut.currency,
        "policy": policy,
        mrr: sign * moved.amount,
        count: sign * moved.counted,
    }


def _changes(moved: Iterable[tuple[str, int, Movement]]) -> list[RowValues]:
    changes: dict[tuple[str, int, str], int] = {}
    for policy, sign, movement in moved:
        key = policy, movement.at // MS_PER_QUARTER * MS_PER_QUARTER, movement.cut.currency
        amount = -movement.amount if movement.kind in LOSSES else movement.amount
        changes[key] = changes.get(key, 0) + sign * amount
    return [
        {"policy": policy, "quarter": at, "currency": currency, "change": change}
        for (policy, at, currency), change in changes.items()
        if change
    ]


subscriptions.ordered_fold(
    "subscription",
    "subscription_change_cancelled",
    "payment",
    "payment_cancelled",
    by=("company_id", "customer_id"),
    into=(CustomerSubscription, MrrMovement, CustomerMrr, ScheduledMrr, SubscriptionTerm, Debt),
    advance=customer_history,
    rows=rows,
)

subscriptions.queries += [
    CUSTOMER_MRR,
    MRR_RETAINED,
    MRR_MOVEMENTS,
    listing(
        "subscriptions",
        of=CustomerSubscription,
        filters=("customer_id", "subscription_id", "status", "plan", "tier", "currency"),
        time="since",
        summary="Every subscription after all its facts, by customer; what takes effect in the future included.",
    ),
]
