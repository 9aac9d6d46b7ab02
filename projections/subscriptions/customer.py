"""All that is known of a customer: the state of the fold, and what each policy reads in it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from domain.billing.policies import FAILED, PAID, PRESETS, Charge, Policy, changes_subscription_facts, counts_from, read
from domain.billing.scheduled import Changes, scheduled
from domain.billing.subscriptions import ABSENT, Ledger, SubscriptionFact, merge_facts
from domain.errors import LimitExceeded
from projections.engine.declare.projection import Fact, State

DEFAULT = "default"
OTHERS = tuple(policy for policy in PRESETS.values() if policy.name != DEFAULT)
OTHERS_UNOWED = tuple(filter(changes_subscription_facts, OTHERS))  # those that can differ where nobody owes
MOST_FACTS = 50_000  # and charges of one customer: each batch that has one of its own reads them all, a second of work
DEBT_KINDS = PAID | {FAILED}  # kinds of payments that say what is owed


class Customer(msgspec.Struct, array_like=True, frozen=True):
    """All that is known of a customer: the facts and the charges that tell of debts, both in order, each once."""

    facts: list[SubscriptionFact] = []
    charges: list[Charge] = []

    @property
    def others(self) -> tuple[Policy, ...]:
        """The policies that may come to something else than the default."""
        return OTHERS if any(charge.kind == FAILED for charge in self.charges) else OTHERS_UNOWED

    def read(self, policy: Policy) -> Ledger:
        """The history under a policy."""
        return read(self.facts, policy, self.charges)

    def scheduled(self, policy: Policy) -> Changes:
        """What of MRR was scheduled at any time, under a policy."""
        counting = [(counts_from(charge, policy), charge) for charge in self.charges]

        def reading(facts: Sequence[SubscriptionFact], before: int | None) -> Ledger:
            return read(facts, policy, [c for at, c in counting if before is None or at < before])

        return scheduled(self.facts, reading, [at for at, _ in counting])


_encode = msgspec.json.Encoder().encode  # its whole numbers have no bound, those of MessagePack have 64 bits
read_customer = msgspec.json.Decoder(Customer).decode


def customer_history(state: State | None, facts: Sequence[Fact]) -> State:
    """The state of a customer is its facts and charges in order, each once. Raises LimitExceeded of too many."""
    before = read_customer(state) if state else Customer()
    said = [_fact(fact) for fact in facts if fact["_event"] == "subscription"]
    owed = (fact for fact in facts if fact["_event"] == "payment" and fact["kind"] in DEBT_KINDS)
    charged = {Charge(fact["timestamp"], fact["invoice_id"], fact["kind"]) for fact in owed}
    after = Customer(merge_facts(before.facts, said), sorted(charged.union(before.charges)))
    if len(after.facts) + len(after.charges) > MOST_FACTS:
        raise LimitExceeded(f"a customer has at most {MOST_FACTS:,} facts and charges", code="too_many_facts")
    return _encode(after)


def _fact(fact: Fact) -> SubscriptionFact:
    amount, quantity = fact["unit_amount"], fact["quantity"]
    return SubscriptionFact(
        fact["effective_at"] or fact["timestamp"],
        fact["sequence"],
        fact["event_id"],
        fact["_item"],
        fact["subscription_id"],
        fact["event"],
        fact["plan"],
        fact["tier"],
        fact["currency"],
        fact["interval"],
        fact["interval_count"],
        ABSENT if amount is None else amount,
        ABSENT if quantity is None else quantity,
        ABSENT if fact["discount_pct"] is None else fact["discount_pct"],
        fact["discount_lasting"],
        fact["recorded_at"],
    )
