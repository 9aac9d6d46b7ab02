"""All that is known of a customer: the state of the fold, and what each policy reads in it."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import TypeVar

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


class Report(msgspec.Struct, array_like=True, frozen=True):
    """A report of what has an id, or what takes it back. Of two reports the one counts that is behind in the order of
    `place`.
    """

    id: str
    rank: int  # twice the revision, and 1 more for what takes back
    appended_at: int  # when the log took it, in ms
    seq: int  # where the log has it

    @property
    def place(self) -> tuple[int, int, int]:
        """What reports of one fact are ordered by."""
        return self.rank, self.appended_at, self.seq


AnyReport = TypeVar("AnyReport", bound=Report)


class FactReport(Report, array_like=True, frozen=True):
    """The last report of a subscription fact; none of one that was taken back."""

    fact: SubscriptionFact | None = None


class ChargeReport(Report, array_like=True, frozen=True):
    """The last report of a payment; no charge where it was taken back, or says nothing of debts."""

    charge: Charge | None = None


class History(msgspec.Struct, array_like=True, frozen=True):
    """The state of the fold: facts and charges that tell of debts without an id, both in order, each once; and the last
    report of each fact and payment that has one, by id.
    """

    facts: list[SubscriptionFact] = []
    charges: list[Charge] = []
    reports: list[FactReport] = []
    payments: list[ChargeReport] = []


class Customer(msgspec.Struct, frozen=True):
    """All that is known of a customer: the facts that count and the charges that tell of debts, both in order."""

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
_decode = msgspec.json.Decoder(History).decode


def read_customer(state: State) -> Customer:
    """The customer as last reported."""
    history = _decode(state)
    named = [report.fact for report in history.reports if report.fact is not None]
    charged = {report.charge for report in history.payments if report.charge is not None}
    return Customer(
        merge_facts(history.facts, named) if named else history.facts,
        sorted(charged.union(history.charges)) if charged else history.charges,
    )


def customer_history(state: State | None, facts: Sequence[Fact]) -> State:
    """The state of a customer with these facts: the same in whatever order and split they come.

    Raises LimitExceeded of too many.
    """
    before = _decode(state) if state else History()
    said = [fact for fact in facts if fact["_event"] in ("subscription", "subscription_change_cancelled")]
    paid = [fact for fact in facts if fact["_event"] in ("payment", "payment_cancelled") and fact["customer_id"]]
    unnamed = [_charge(fact) for fact in paid if not fact["payment_id"]]
    after = History(
        merge_facts(before.facts, [_fact(fact) for fact in said if not fact["change_id"]]),
        sorted({charge for charge in (*unnamed, *before.charges) if charge is not None}),
        _last(before.reports, [_reported(fact) for fact in said if fact["change_id"]]),
        _last(before.payments, [_reported_charge(fact) for fact in paid if fact["payment_id"]]),
    )
    if len(after.facts) + len(after.charges) + len(after.reports) + len(after.payments) > MOST_FACTS:
        raise LimitExceeded(f"a customer has at most {MOST_FACTS:,} facts and charges", code="too_many_facts")
    return _encode(after)


def _last(before: Sequence[AnyReport], more: Sequence[AnyReport]) -> list[AnyReport]:
    last = {report.id: report for report in sorted([*before, *more], key=attrgetter("place"))}
    return [last[name] for name in sorted(last)]


def _place(fact: Fact, *, taken_back: bool) -> tuple[int, int, int]:
    return 2 * fact["revision"] + taken_back, fact["_appended"], fact["_seq"]


def _reported(fact: Fact) -> FactReport:
    taken_back = fact["_event"] != "subscription"
    return FactReport(fact["change_id"], *_place(fact, taken_back=taken_back), None if taken_back else _fact(fact))


def _reported_charge(fact: Fact) -> ChargeReport:
    taken_back = fact["_event"] != "payment"
    return ChargeReport(fact["payment_id"], *_place(fact, taken_back=taken_back), None if taken_back else _charge(fact))


def _charge(fact: Fact) -> Charge | None:
    """What the payment says of debts; None for a kind that says nothing."""
    return Charge(fact["timestamp"], fact["invoice_id"], fact["kind"]) if fact["kind"] in DEBT_KINDS else None


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
