"""A customer's history: what each kind of fact does to its MRR, and what holds for every history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.billing.subscriptions import (
    ABSENT,
    LOSSES,
    STATUS,
    Cut,
    Ledger,
    Movement,
    SubscriptionFact,
    ledger,
    merge_facts,
)
from domain.decimals import ONE

CHANGES = ("changed", "upgraded", "downgraded", "quantity_changed")
MONTH = 12 * ONE  # one unit of the currency a month, in twelfths of trillionths
NOTHING_STATED: dict[str, Any] = dict.fromkeys(("plan", "tier", "currency", "interval"), "") | {
    "sequence": 0,
    "item": 0,
    "subscription_id": "s1",
    "interval_count": 0,
    "quantity": ABSENT,
    "discount_pct": ABSENT,
}


def fact(at: int, event: str, amount: float | None = None, **more: Any) -> SubscriptionFact:
    """A fact of subscription s1, at a price a month; without one, it states none."""
    stated = NOTHING_STATED | {"event_id": f"e{at}"} | more
    price = ABSENT if amount is None else round(amount * ONE)
    return SubscriptionFact(effective_at=at, event=event, unit_amount=price, **stated)


def ledger_of(*facts: SubscriptionFact) -> Ledger:
    return ledger(merge_facts((), facts))


def moves(*facts: SubscriptionFact) -> list[tuple[int, str, float]]:
    """Movements as (when, kind, units a month)."""
    return [(m.at, m.kind, m.amount / MONTH) for m in ledger_of(*facts).movements]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param([fact(1, "started", 50)], [(1, "new", 50)], id="paying begins"),
        pytest.param([fact(1, "started", 0)], [], id="a free plan is no MRR"),
        pytest.param([fact(1, "trial_started", 50)], [], id="a trial is no MRR"),
        pytest.param([fact(1, "trial_started", 50), fact(2, "trial_converted")], [(2, "new", 50)], id="converted"),
        pytest.param([fact(1, "trial_started", 50), fact(2, "upgraded", 80)], [], id="an upgraded trial is a trial"),
        pytest.param([fact(1, "started", 50), fact(2, "changed", 80)], [(1, "new", 50), (2, "expansion", 30)], id="up"),
        pytest.param(
            [fact(1, "started", 50), fact(2, "downgraded", 20)], [(1, "new", 50), (2, "contraction", 30)], id="down"
        ),
        pytest.param([fact(1, "started", 50), fact(2, "changed", 50)], [(1, "new", 50)], id="nothing changed"),
        pytest.param(
            [fact(1, "started", 50), fact(2, "canceled", 0)], [(1, "new", 50), (2, "churned", 50)], id="churned"
        ),
        pytest.param(
            [fact(1, "started", 50), fact(9, "cancel_scheduled"), fact(5, "changed", 60)],
            [(1, "new", 50), (5, "expansion", 10), (9, "churned", 60)],
            id="a scheduled cancel churns at the end of service",
        ),
        pytest.param(
            [fact(1, "started", 50), fact(2, "paused"), fact(3, "changed", 70), fact(4, "resumed")],
            [(1, "new", 50), (2, "churned", 50), (4, "reactivated", 70)],
            id="a pause is churn, its end reactivation, at the terms of then",
        ),
        pytest.param(
            [fact(1, "started", 50), fact(2, "canceled"), fact(3, "upgraded", 70)],
            [(1, "new", 50), (2, "churned", 50)],
            id="what has ended does not begin by a change",
        ),
        pytest.param(
            [fact(1, "started", 50), fact(2, "canceled", 0), fact(3, "reactivated")],
            [(1, "new", 50), (2, "churned", 50), (3, "reactivated", 50)],
            id="an end changes no terms",
        ),
        pytest.param(
            [fact(1, "started", 50), fact(2, "canceled"), fact(3, "started", 40, subscription_id="s2")],
            [(1, "new", 50), (2, "churned", 50), (3, "reactivated", 40)],
            id="another subscription of a former customer is reactivation",
        ),
        pytest.param(
            [fact(1, "started", 50), fact(2, "started", 40, subscription_id="s2"), fact(3, "canceled")],
            [(1, "new", 50), (2, "expansion", 40), (3, "contraction", 50)],
            id="subscriptions of a customer add up",
        ),
        pytest.param([fact(2, "changed", 80)], [(2, "new", 80)], id="first heard of by a change"),
        pytest.param(
            [fact(2, "changed", 80), fact(1, "started", 50)],
            [(1, "new", 50), (2, "expansion", 30)],
            id="its start arrives later",
        ),
        pytest.param([fact(2, "canceled", 80), fact(3, "paused")], [], id="first heard of by its end"),
        pytest.param(
            [fact(1, "started", 10, quantity=3 * ONE), fact(2, "quantity_changed", quantity=5 * ONE)],
            [(1, "new", 30), (2, "expansion", 20)],
            id="without a price the price stays",
        ),
        pytest.param(
            [fact(1, "started", 10, quantity=3 * ONE, interval="year"), fact(2, "changed", 10)],
            [(1, "new", 2.5), (2, "expansion", 7.5)],
            id="with a price quantity is 1 and interval month unless stated",
        ),
        pytest.param(
            [fact(1, "started", 12, interval="month", interval_count=3), fact(2, "changed", interval="year")],
            [(1, "new", 4), (2, "contraction", 3)],
            id="an interval stated without a price comes with its own count",
        ),
        pytest.param(
            [fact(5, "changed", 30, sequence=2), fact(5, "started", 20, sequence=1), fact(5, "canceled", sequence=3)],
            [],
            id="facts of one moment follow their sequence, and are one movement, or none",
        ),
        pytest.param(
            [fact(1, "started", 50), fact(5, "canceled"), fact(5, "started", 80, subscription_id="s2")],
            [(1, "new", 50), (5, "expansion", 30)],
            id="an upgrade told as an end and a start",
        ),
        pytest.param(
            [fact(1, "started", 50), fact(5, "canceled", event_id="z"), fact(5, "started", 80, event_id="a")],
            [(1, "new", 50), (5, "expansion", 30)],
            id="of one subscription, when nobody says which came first",
        ),
        pytest.param(
            [fact(1, "started", 50), fact(5, "changed", 90, recorded_at=3), fact(5, "changed", 60, recorded_at=4)],
            [(1, "new", 50), (5, "expansion", 10)],
            id="of two for one moment the one that was recorded last",
        ),
    ],
)
def test_movements(facts: Sequence[SubscriptionFact], expected: Sequence[tuple[int, str, float]]) -> None:
    """What each fact does to the customer's MRR."""
    assert moves(*facts) == expected
    assert moves(*reversed(facts)) == expected


def test_an_upgrade_moves_mrr_between_plans() -> None:
    """Both plans change under the kind of the customer's whole change, counted in the plan that it went to."""
    facts = [fact(1, "started", 50, plan="a"), fact(2, "upgraded", 80, plan="b"), fact(3, "downgraded", 30, plan="a")]
    assert ledger_of(*facts).movements[1:] == [
        Movement(2, Cut("a"), "expansion", -50 * MONTH, 0),
        Movement(2, Cut("b"), "expansion", 80 * MONTH, 1),
        Movement(3, Cut("b"), "contraction", 80 * MONTH, 0),
        Movement(3, Cut("a"), "contraction", -30 * MONTH, 1),
    ]


def test_a_swap_of_equal_mrr_is_no_movement_in_total() -> None:
    """Its parts cancel as expansion, and nobody is counted."""
    facts = [fact(1, "started", 50, plan="a", tier="pro"), fact(2, "changed", 50, plan="b")]
    assert ledger_of(*facts).movements[1:] == [
        Movement(2, Cut("a", "pro"), "expansion", -50 * MONTH, 0),
        Movement(2, Cut("b", "pro"), "expansion", 50 * MONTH, 0),
    ]


def test_churn_is_that_of_the_plan_that_was_left() -> None:
    """Whatever plan the cancellation names."""
    facts = [fact(1, "started", 50, plan="a"), fact(2, "canceled", 0, plan="free")]
    assert ledger_of(*facts).movements[1:] == [Movement(2, Cut("a"), "churned", 50 * MONTH, 1)]


def test_a_subscription_remembers_its_moments() -> None:
    """First trial, first paying, and the end as long as it has not begun again."""
    facts = [fact(1, "trial_started", 5), fact(2, "trial_converted"), fact(3, "canceled"), fact(4, "cancel_scheduled")]
    ended = ledger_of(*facts).subscriptions["s1"]
    assert (ended.status, ended.mrr, ended.since) == ("canceled", 0, 4)
    assert (ended.trial_started_at, ended.started_at, ended.ended_at) == (1, 2, 3)
    again = ledger_of(*facts, fact(6, "reactivated")).subscriptions["s1"]
    assert (again.status, again.mrr, again.since) == ("active", 5 * MONTH, 6)
    assert (again.trial_started_at, again.started_at, again.ended_at) == (1, 2, 0)


FACTS = st.builds(
    SubscriptionFact,
    effective_at=st.integers(1, 6),
    sequence=st.integers(0, 2),
    event_id=st.sampled_from(["", "e1", "e2", "e3"]),
    item=st.integers(0, 1),
    subscription_id=st.sampled_from(["s1", "s2", "s3"]),
    event=st.sampled_from([*STATUS, *CHANGES]),
    plan=st.sampled_from(["", "a", "b"]),
    tier=st.sampled_from(["", "pro"]),
    currency=st.sampled_from(["", "USD", "EUR"]),
    interval=st.sampled_from(["", "day", "week", "month", "quarter", "year"]),
    interval_count=st.integers(0, 7),
    unit_amount=st.sampled_from([ABSENT, 0, 5, 10_000_000, 10_000_001]),
    quantity=st.sampled_from([ABSENT, 0, ONE, ONE * 3 // 2]),
    discount_pct=st.sampled_from([ABSENT, 0, 12_345_678_000_000, 100 * ONE]),
)
HISTORIES = st.lists(FACTS, max_size=25)


@given(HISTORIES)
def test_all_movements_come_to_the_mrr_that_is_there(facts: list[SubscriptionFact]) -> None:
    """N + X + R − C − K = E: in all, and in every cut."""
    there: Counter[Cut] = Counter()
    moved: Counter[Cut] = Counter()
    found = ledger_of(*facts)
    for subscription in found.subscriptions.values():
        there[subscription.cut] += subscription.mrr
    for movement in found.movements:
        moved[movement.cut] += movement.amount * (-1 if movement.kind in LOSSES else 1)
    assert {cut: mrr for cut, mrr in moved.items() if mrr} == {cut: mrr for cut, mrr in there.items() if mrr}


@given(HISTORIES)
def test_kinds_follow_the_customers_totals(facts: list[SubscriptionFact]) -> None:
    """One kind a moment and currency, and one cut a kind in which the customer counts, if a total moves.

    Who pays in no currency comes as new or reactivated, and is churned where nothing is left in any; who pays goes up
    or down in each by itself. The first movement is new and no other.
    """
    totals: Counter[str] = Counter()
    kinds = []
    for _, of_moment in groupby(ledger_of(*facts).movements, key=lambda movement: movement.at):
        at, paid, moved = list(of_moment), any(totals.values()), set()
        assert len({m.cut for m in at}) == len(at)
        changes = {currency: [m for m in at if m.cut.currency == currency] for currency in {m.cut.currency for m in at}}
        for currency, of_currency in changes.items():
            (kind,) = {movement.kind for movement in of_currency}
            change = sum(m.amount for m in of_currency) * (-1 if kind in LOSSES else 1)
            assert change < 0 if kind in LOSSES else change >= 0
            totals[currency] += change
            moved |= {kind} if change else set()
            kinds.append(kind)
        pays = any(totals.values())
        assert (paid and pays) == ({m.kind for m in at} <= {"contraction", "expansion"})
        assert {m.kind for m in at} == {"churned"} or pays
        assert Counter(m.kind for m in at if m.counted) == Counter(moved)
    assert kinds[:1] in ([], ["new"])


@given(HISTORIES, st.randoms(use_true_random=False))
def test_who_comes_first_in_a_moment_means_nothing(facts: list[SubscriptionFact], chance: Any) -> None:
    """Facts of several subscriptions at one moment are one movement, whatever their ids and sequences say of order."""
    single = list({(fact.effective_at, fact.subscription_id): fact for fact in facts}.values())
    ids = [f"x{number}" for number in range(len(single))]
    chance.shuffle(ids)
    other = [
        replace(
            fact, event_id=event_id, sequence=chance.randint(0, 9), recorded_at=chance.randint(0, fact.effective_at)
        )
        for fact, event_id in zip(single, ids, strict=True)
    ]
    assert ledger_of(*other) == ledger_of(*single)


@given(HISTORIES, st.randoms(use_true_random=False), st.integers(0, 25))
def test_order_repetition_and_split_of_delivery_mean_nothing(
    facts: list[SubscriptionFact], chance: Any, at: int
) -> None:
    """The same facts give the same history."""
    delivered = facts + facts[:at]
    chance.shuffle(delivered)
    assert merge_facts(merge_facts((), delivered[:at]), delivered[at:]) == merge_facts((), facts)


@pytest.mark.parametrize(("stated", "left"), [(ABSENT, 75), (0, 100), (50 * ONE, 50)])
def test_a_discount_of_nothing_ends_the_discount(stated: int, left: int) -> None:
    """A change without a price keeps the discount that it does not mention, and takes the one that it states."""
    told = ledger_of(fact(1, "started", 100, discount_pct=25 * ONE), fact(2, "changed", discount_pct=stated))
    assert told.subscriptions["s1"].mrr == left * MONTH
