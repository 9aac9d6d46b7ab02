"""The same facts under every policy: what each switch changes, and what holds under all of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import msgspec
import pytest

from domain.billing.policies import PRESETS, Charge, Policy, debts, facts_under, read
from domain.billing.replacements import in_force
from domain.billing.subscriptions import MS_PER_DAY, STATUS, Ledger, SubscriptionFact, ledger, merge_facts
from domain.decimals import ONE
from domain.metrics.revenue.flows import bridge
from tests.domain.billing.histories import BEGIN, SPAN, History, random_tenant
from tests.domain.billing.test_subscriptions import fact
from tests.domain.metrics.revenue.recounts import activity, snapshot

DEFAULT = PRESETS["default"]
MONTH = 12 * ONE
SIGNS = {"new": 1, "expansion": 1, "contraction": -1, "churned": -1, "reactivated": 1}


def day(number: float) -> int:
    return round(number * MS_PER_DAY)


def on(number: float, event: str, amount: float | None = None, **more: Any) -> SubscriptionFact:
    """A fact that takes effect on this day."""
    return fact(day(number), event, amount, **more)


def moves(
    policy: Policy, facts: Sequence[SubscriptionFact], charges: Sequence[Charge] = ()
) -> list[tuple[float, str, float]]:
    """Movements as (day, kind, units a month)."""
    found = read(merge_facts((), facts), policy, charges).movements
    return [(m.at / MS_PER_DAY, m.kind, m.amount / MONTH) for m in found]


def test_churn_counts_when_service_ends_or_when_it_is_cancelled() -> None:
    """A cancellation recorded on day 5 for day 30."""
    facts = [on(1, "started", 50), on(30, "cancel_scheduled", recorded_at=day(5))]
    assert moves(DEFAULT, facts) == [(1, "new", 50), (30, "churned", 50)]
    assert moves(Policy(churn="cancellation"), facts) == [(1, "new", 50), (5, "churned", 50)]


def test_a_cancellation_counts_no_earlier_than_the_start_that_it_ends() -> None:
    """One that lies ahead when it is recorded. A start that was recorded later is a return."""
    ends = on(30, "canceled", recorded_at=day(5))
    facts = [on(1, "started", 50), on(9, "upgraded", 60), ends]
    assert moves(Policy(churn="cancellation"), facts)[-1] == (5, "churned", 50)
    ahead = [on(2, "canceled"), on(9, "reactivated", 60, recorded_at=day(4))]
    at, kind, amount = moves(Policy(churn="cancellation"), [facts[0], *ahead, ends])[-1]
    assert (round(at, 6), kind, amount) == (9, "churned", 60)
    back = [facts[0], on(9, "reactivated", 60), ends]
    assert moves(Policy(churn="cancellation"), back)[1:] == [(5, "churned", 50), (9, "reactivated", 60)]
    assert moves(DEFAULT, back)[1:] == [(9, "expansion", 10)]


def test_who_comes_back_late_is_new() -> None:
    """91 days after leaving, with a window of 90."""
    facts = [on(1, "started", 50), on(10, "canceled"), on(100, "reactivated"), on(101, "canceled"), on(192, "resumed")]
    kinds = [kind for _, kind, _ in moves(Policy(reactivation_days=90), facts)]
    assert kinds == ["new", "churned", "reactivated", "churned", "new"]
    assert [kind for _, kind, _ in moves(DEFAULT, facts)][-1] == "reactivated"


def test_trials_count_where_the_policy_says_so() -> None:
    """At their price from the first day, so that converting is no movement."""
    facts = [on(1, "trial_started", 50), on(8, "trial_converted", 50)]
    assert moves(DEFAULT, facts) == [(8, "new", 50)]
    assert moves(Policy(trials=True), facts) == [(1, "new", 50)]


def test_temporary_discounts_are_subtracted_or_not() -> None:
    """A lasting one always is."""
    for lasting, kept in ((True, 40), (False, 50)):
        facts = [on(1, "started", 50, discount_pct=20 * ONE, discount_lasting=lasting)]
        assert moves(DEFAULT, facts) == [(1, "new", 40)]
        assert moves(Policy(discounts="lasting"), facts) == [(1, "new", kept)]


def test_pauses_churn_or_keep_their_mrr() -> None:
    """A pause that is kept changes nothing, and its end no more than the price; a cancel ends it."""
    facts = [on(1, "started", 50), on(5, "paused"), on(9, "resumed", 60)]
    assert moves(DEFAULT, facts) == [(1, "new", 50), (5, "churned", 50), (9, "reactivated", 60)]
    assert moves(Policy(pauses="kept"), facts) == [(1, "new", 50), (9, "expansion", 10)]
    ended = [*facts[:2], on(7, "canceled"), on(9, "resumed")]
    assert moves(Policy(pauses="kept"), ended) == [(1, "new", 50), (7, "churned", 50), (9, "reactivated", 50)]


def test_a_free_plan_is_churn_or_contraction() -> None:
    """Who stays on a plan of price zero pays again by expansion, and leaves it without a movement."""
    free = Policy(free_plans="contraction")
    facts = [on(1, "started", 0), on(2, "changed", 50), on(5, "downgraded", 0), on(9, "upgraded", 60)]
    assert moves(DEFAULT, facts) == [(2, "new", 50), (5, "churned", 50), (9, "reactivated", 60)]
    assert moves(free, facts) == [(2, "new", 50), (5, "contraction", 50), (9, "expansion", 60)]
    left = [*facts[:3], on(6, "canceled"), on(9, "reactivated", 60)]
    assert moves(free, left) == [(2, "new", 50), (5, "contraction", 50), (9, "reactivated", 60)]


def test_what_happens_within_an_hour_is_one_movement() -> None:
    """Counted from what it began with, and within a day."""
    hour = 1 / 24
    facts = [on(1, "started", 50), on(1 + hour, "upgraded", 70), on(1 + 1.5 * hour, "upgraded", 80)]
    kinds = [(kind, amount) for _, kind, amount in moves(Policy(together_minutes=60), facts)]
    assert kinds == [("new", 70), ("expansion", 10)]
    assert [kind for _, kind, _ in moves(DEFAULT, facts)] == ["new", "expansion", "expansion"]
    midnight = [on(1.99, "started", 50), on(2, "upgraded", 70)]
    assert [kind for _, kind, _ in moves(Policy(together_minutes=60), midnight)] == ["new", "expansion"]


def test_what_is_past_due_is_kept_for_15_days() -> None:
    """Then it is gone until the payment comes; paid in time, nothing happens."""
    facts = [on(1, "started", 50), on(2, "started", 30, subscription_id="s2")]
    failed = [Charge(day(10), "i1", "failed")]
    late, in_time = (Charge(day(at), "i1", "recovered") for at in (40, 24))
    start = [(1, "new", 50), (2, "expansion", 30)]
    gone = [(25, "churned", 80)]
    assert moves(DEFAULT, facts, failed) == start + gone
    back = [(40, "reactivated", 80)]
    assert moves(DEFAULT, facts, [*failed, late]) == start + gone + back
    assert moves(DEFAULT, facts, [*failed, in_time]) == start
    assert moves(PRESETS["stripe"], facts, failed) == start


def test_what_ended_does_not_begin_by_a_payment() -> None:
    """A held subscription that is cancelled stays so; its price changes unseen until it is restored."""
    charges = [Charge(day(10), "i1", "failed"), Charge(day(40), "i1", "succeeded")]
    ended = [on(1, "started", 50), on(30, "canceled")]
    assert moves(DEFAULT, ended, charges) == [(1, "new", 50), (25, "churned", 50)]
    dearer = [on(1, "started", 50), on(30, "changed", 70)]
    assert moves(DEFAULT, dearer, charges)[1:] == [(25, "churned", 50), (40, "reactivated", 70)]


@pytest.mark.parametrize(
    ("charges", "expected"),
    [
        ([(1, "a", "failed"), (3, "a", "failed"), (5, "a", "recovered")], [(1, 5)]),
        ([(1, "a", "failed"), (5, "b", "succeeded")], [(1, None)]),
        ([(1, "a", "failed"), (2, "b", "failed"), (5, "", "succeeded")], [(1, 5), (2, 5)]),
        ([(1, "", "failed"), (5, "b", "succeeded")], [(1, 5)]),
        ([(5, "a", "succeeded"), (6, "a", "refunded")], []),
    ],
)
def test_debts(charges: list[tuple[int, str, str]], expected: list[tuple[int, int | None]]) -> None:
    """An invoice is owed from its first failure to its success; a nameless payment pays all, a nameless debt any."""
    assert debts(Charge(*charge) for charge in reversed(charges)) == expected


def test_the_default_tells_facts_as_they_are() -> None:
    """Without debts the default policy is the plain ledger of what is in force."""
    chance = random.Random(4)
    for history, _ in (customer for _ in range(300) for customer in random_tenant(chance)):
        assert facts_under(history, DEFAULT) == in_force(history)
        assert read(history, DEFAULT) == ledger(in_force(history))


def recount(facts: Sequence[SubscriptionFact], before: int) -> int:
    """MRR of facts that took effect before a moment, subscription by subscription, without movements."""
    status, price, held = dict[str, str](), dict[str, Fraction](), set[str]()
    terms: dict[str, tuple[int, int, int, str, int]] = {}
    for f in (f for f in facts if f.effective_at < before):
        name = f.subscription_id
        if f.event in ("held", "restored"):
            held = held | {name} if f.event == "held" else held - {name}
            continue
        known = name in status
        status[name] = STATUS.get(f.event) or status.get(name) or "active"
        if f.event in ("paused", "canceled", "cancel_scheduled") and known:
            continue
        amount, quantity, discount, interval, every = terms.get(name, (0, ONE, 0, "month", 1))
        if f.unit_amount >= 0:
            amount, quantity, discount, interval, every = f.unit_amount, ONE, 0, "month", 1
        quantity = f.quantity if f.quantity >= 0 else quantity
        every = (f.interval_count or 1) if f.interval or f.unit_amount >= 0 else every
        interval, discount = f.interval or interval, f.discount_pct if f.discount_pct >= 0 else discount
        terms[name] = amount, quantity, discount, interval, every
        kept = 1 - Fraction(discount, 100 * ONE)
        a_year = {"week": 52, "month": 12, "year": 1}[interval]
        price[name] = Fraction(round(Fraction(amount * quantity, ONE) * kept) * a_year, every)
    return sum(round(price.get(name, Fraction())) for name in status if status[name] == "active" and name not in held)


def check_every_day(tenant: Sequence[History], policy: Policy) -> None:
    """S + N + X + R − C − K = E on each day on which anything happens, for the tenant's customers together."""
    tellings = [facts_under(history, policy, charges) for history, charges in tenant]
    movements = [m for history, charges in tenant for m in read(history, policy, charges).movements]
    days = sorted({f.effective_at // MS_PER_DAY for facts in tellings for f in facts})
    start = 0
    for at in days:
        begin, end = at * MS_PER_DAY, (at + 1) * MS_PER_DAY
        flows = activity(movements, begin, end)
        assert flows.start == start
        lost, won = flows.contraction + flows.churned, flows.new + flows.expansion + flows.reactivated
        assert min(flows[1:6]) >= 0
        assert start + won - lost == flows.end == sum(recount(facts, end) for facts in tellings)
        start = flows.end


@pytest.mark.parametrize("histories", [1_000, pytest.param(10_000, marks=pytest.mark.check)])
def test_flows_come_to_the_mrr_that_is_there_under_every_preset(histories: int) -> None:
    """For every tenant and day of so many random subscription histories."""
    chance = random.Random(17)
    made = 0
    while made < histories:
        tenant = random_tenant(chance)
        made += len(tenant)
        for policy in PRESETS.values():
            check_every_day(tenant, policy)


def test_each_switch_changes_some_history() -> None:
    """A switch that changed nothing would be none."""
    chance = random.Random(5)
    some = [customer for _ in range(60) for customer in random_tenant(chance)]
    plain = [read(history, DEFAULT, charges) for history, charges in some]
    for switch in (
        Policy(churn="cancellation"),
        Policy(reactivation_days=20),
        Policy(trials=True),
        Policy(discounts="lasting"),
        Policy(pauses="kept"),
        Policy(free_plans="contraction"),
        Policy(together_minutes=60),
        Policy(past_due_days=None),
    ):
        assert [read(history, switch, charges) for history, charges in some] != plain, switch


def test_the_bridge_between_two_presets_sums_to_zero() -> None:
    """Of any two presets, for any period, in the activity and the snapshot form."""
    chance = random.Random(23)
    for _ in range(300):
        tenant = random_tenant(chance)
        begin, end = sorted(BEGIN + chance.randrange(SPAN) for _ in range(2))
        for one in PRESETS.values():
            for other in PRESETS.values():
                ledgers = [[read(h, policy, c) for h, c in tenant] for policy in (one, other)]
                flows = [activity((m for of in read_ for m in of.movements), begin, end) for read_ in ledgers]
                assert sum(bridge(*flows).values()) == 0
                views = [snapshot(ends(of, begin, end) for of in read_) for read_ in ledgers]
                assert sum(bridge(*views).values()) == 0
                assert [view.end for view in views] == [flow.end for flow in flows]


def ends(of: Ledger, begin: int, end: int) -> tuple[int, int, bool]:
    """A customer's MRR at two moments, and whether it had any before the first."""
    levels = [sum(SIGNS[m.kind] * m.amount for m in of.movements if m.at < moment) for moment in (begin, end)]
    return levels[0], levels[1], any(m.at < begin for m in of.movements)


def test_all_presets_differ_only_in_what_their_names_say() -> None:
    """Every preset is a row of the table, and no two are the same."""
    rows = {name: msgspec.structs.asdict(policy) for name, policy in PRESETS.items()}
    assert list(rows) == ["default", "stripe", "chartmogul", "profitwell"]
    assert all(row.pop("name") == name for name, row in rows.items())
    assert len({tuple(row.items()) for row in rows.values()}) == len(rows)
