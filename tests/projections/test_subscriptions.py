"""Subscriptions through the real engine: the hand-worked oracle, random histories recounted, any order of delivery."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from operator import itemgetter
from typing import Any

import pytest
from analytics.business_events_pb2 import SubscriptionEvent

from domain.errors import Invalid
from eventlog.publish.builders import subscription, subscription_batch
from eventlog.publish.event import Event
from projections.engine.declare.registry import projection
from projections.subscriptions.in_one_currency import COUNTS, MRR
from projections.subscriptions.projection import subscriptions
from tests.domain.metrics.revenue.test_oracle import EVENTS, ORACLES, ms
from tests.projections.harness import COMPANY, Log, ReadModels, split

MEASURES = ("start_mrr", *MRR, "end_mrr")
KINDS = [name.removesuffix("_mrr") for name in MRR]
SIGNS = {"new_mrr": 1, "expansion_mrr": 1, "contraction_mrr": -1, "churned_mrr": -1, "reactivated_mrr": 1}


def of_oracle(line: dict[str, Any]) -> Event:
    return subscription(
        company_id=COMPANY,
        event_id=line["event_id"],
        event=EVENTS[line["type"]],  # type: ignore[arg-type]  # the table's values are the literals
        customer_id=line["customer_id"],
        subscription_id=line["subscription_id"],
        interval=line["interval"],
        unit_amount=float(line["unit_amount"]),
        quantity=line["quantity"],
        discount_pct=line["discount_pct"],
        currency=line["currency"],
        effective_at=ms(line["effective_at"]),
        recorded_at=ms(line["recorded_at"]),
        sequence=line["seq"],
    )


def oracle_events() -> list[Event]:
    lines = map(json.loads, (ORACLES / "mrr_events_small.jsonl").read_text().splitlines())
    return [of_oracle(line) for line in lines if line["type"] in EVENTS]


def expected_of_oracle(month: str, row: dict[str, Any]) -> dict[str, Any]:
    names = dict(zip(("new", "expansion", "contraction", "churn", "reactivation"), KINDS, strict=True))
    return {
        "month": month,
        "start_mrr": row["start"],
        "end_mrr": row["end"],
        **{f"{ours}_mrr": row[theirs] for theirs, ours in names.items()},
        **{f"{ours}_count": row["movement_counts"][theirs] for theirs, ours in names.items()},
    }


async def test_the_hand_worked_months(models: ReadModels) -> None:
    """Every month's movements, counts, start and end, and each customer's MRR at last, as the oracle has them."""
    oracle = json.loads((ORACLES / "mrr_small.json").read_text())
    models.given(oracle_events(), batches_of=(3, 1, 7))
    expected = [expected_of_oracle(month, row) for month, row in oracle["activity"].items()]
    shown = await models.rows("mrr_movements", by="month")
    assert shown == [row | {"currency_mrr": "0", "currency": "USD"} for row in expected]
    paying: dict[str, Decimal] = defaultdict(Decimal)
    for row in await models.rows("subscriptions", status="active"):
        paying[row["customer_id"]] += Decimal(row["mrr"])
    assert dict(paying) == {customer: Decimal(mrr) for customer, mrr in oracle["final_mrr_by_customer"].items()}


async def test_a_period_starts_with_what_was_before(models: ReadModels) -> None:
    """`from`, `to`, month and day cut the movements; start_mrr counts all that came before, end_mrr nothing after."""
    models.given(oracle_events())
    (april,) = await models.rows("mrr_movements", by="month", month="2025-04")
    (total,) = await models.rows("mrr_movements", from_="2025-04-01", to="2025-05-01")
    assert april == {"month": "2025-04"} | total
    assert (total["start_mrr"], total["new_mrr"], total["churned_mrr"], total["end_mrr"]) == ("730", "65", "300", "635")
    rest = await models.rows("mrr_movements", by="month", from_="2025-04-21", to="2025-06-02")
    assert [(r["month"], r["start_mrr"], r["end_mrr"]) for r in rest] == [
        ("2025-04", "755", "635"),
        ("2025-05", "635", "640"),
        ("2025-06", "640", "710"),
    ]
    (day,) = await models.rows("mrr_movements", by="month,day", day="2025-05-15")
    assert (day["month"], day["day"], day["churned_count"], day["end_mrr"]) == ("2025-05", "2025-05-15", 1, "640")
    (none,) = await models.rows("mrr_movements", from_="2025-06-01", to="2025-06-01")
    assert (none["start_mrr"], none["end_mrr"]) == ("640", "640")


WRONG = [{"from_": "2025-04-01T12:07:00"}, {"by": "customer"}, {"month": "0000-01"}, {"by": "month,week"}]


@pytest.mark.parametrize("params", WRONG)
async def test_a_question_that_the_rows_cannot_answer_is_refused(models: ReadModels, params: dict[str, str]) -> None:
    """A period that cuts a quarter of an hour, an unknown dimension, and what is no month."""
    with pytest.raises(Invalid):
        await models.answer("mrr_movements", **params)


async def test_without_facts_there_is_one_total_row_of_zeros(models: ReadModels) -> None:
    """And no row when split."""
    nothing = dict.fromkeys((*MEASURES, "currency_mrr"), "0") | dict.fromkeys(COUNTS, 0) | {"currency": None}
    assert await models.rows("mrr_movements", "nobody") == [nothing]
    assert await models.rows("mrr_movements", "nobody", by="month") == []
    assert await models.rows("mrr_movements", "nobody", by="plan") == []


@dataclass(frozen=True)
class Told:
    """One fact as its sender knows it: complete, with a monthly price."""

    event_id: str
    customer: str
    subscription: str
    event: str
    at: int
    sequence: int
    amount: int
    plan: str
    tier: str
    currency: str

    @property
    def mrr(self) -> int:
        return 0 if self.event in ("trial_started", "paused", "canceled", "cancel_scheduled") else self.amount

    @property
    def published(self) -> Event:
        return subscription(
            company_id=COMPANY,
            event_id=self.event_id,
            user_id=f"user-{self.event_id[-1]}",  # so that facts of one customer lie in several partitions
            event=self.event,  # type: ignore[arg-type]  # they are all of the literals
            customer_id=self.customer,
            subscription_id=self.subscription,
            plan=self.plan,
            tier=self.tier,
            unit_amount=float(self.amount),
            currency=self.currency,
            effective_at=self.at,
            sequence=self.sequence,
        )


JANUARY = ms("2025-01-01T00:00:00Z")
DAY = 86_400_000


def random_facts(seed: int, count: int = 300) -> list[Told]:
    """Facts of twelve customers over four months, in order of time; changes only of what pays."""
    chance = random.Random(seed)
    facts: list[Told] = []
    last: dict[str, str] = {}
    for number, at in enumerate(sorted(JANUARY + chance.randrange(120) * DAY for _ in range(count))):
        customer, name = f"c{chance.randrange(12)}", f"s{chance.randrange(3)}"
        pays = last.get(customer + name) not in (None, "trial_started", "paused", "canceled", "cancel_scheduled")
        after = ("changed", "upgraded", "downgraded", "canceled", "paused", "cancel_scheduled")
        event = chance.choice(
            after if pays else ("started", "resumed", "reactivated", "trial_started", "trial_converted")
        )
        last[customer + name] = event
        where = chance.choice("ab"), chance.choice(("basic", "pro")), "USD"
        facts.append(Told(f"e{number}", customer, name, event, at, number, chance.choice((0, 5, 5, 30)), *where))
    return facts


Group = tuple[str, ...]
KEYS: dict[str, Callable[[dict[str, Any]], str]] = {
    "week": lambda move: date.fromisocalendar(*date.fromisoformat(move["day"]).isocalendar()[:2], 1).isoformat(),
    "month": lambda move: str(move["day"][:7]),
    "quarter": lambda move: f"{move['day'][:4]}-Q{(int(move['day'][5:7]) + 2) // 3}",
    **{name: itemgetter(name) for name in ("day", "plan", "tier", "currency")},
}


def moves(facts: Iterable[Told]) -> list[dict[str, Any]]:
    """Every change of a customer's total, moment by moment: the amount in each group, and in which it is counted."""
    found: list[dict[str, Any]] = []
    for _, history in groupby(sorted(facts, key=lambda f: f.customer), key=lambda f: f.customer):
        has: dict[str, tuple[int, Told]] = {}
        paid = False
        for at, of_moment in groupby(sorted(history, key=lambda f: (f.at, f.sequence)), key=lambda f: f.at):
            before = levels(has.values())
            for fact in of_moment:
                _, old = has.get(fact.subscription, (0, fact))
                ends = fact.event in ("paused", "canceled", "cancel_scheduled")
                has[fact.subscription] = fact.mrr, old if ends else fact
            after = levels(has.values())
            kind = _kind(before.total(), after.total(), paid)
            paid = paid or after.total() > 0
            day = datetime.fromtimestamp(at / 1000, UTC).date().isoformat()
            changes = {
                cut: after[cut] - before[cut] for cut in sorted({**before, **after}) if after[cut] != before[cut]
            }
            most = (max if max(changes.values(), default=0) > 0 else min)(
                changes, key=changes.__getitem__, default=None
            )
            for cut, amount in changes.items():
                counted = int(cut == most and before.total() != after.total())
                groups = dict(zip(("plan", "tier", "currency"), cut, strict=True))
                found.append({"day": day, "kind": kind, "amount": amount, "counted": counted, **groups})
    return found


def levels(subscriptions: Iterable[tuple[int, Told]]) -> Counter[tuple[str, str, str]]:
    """MRR by plan, tier and currency."""
    found: Counter[tuple[str, str, str]] = Counter()
    for mrr, terms in subscriptions:
        found[terms.plan, terms.tier, terms.currency] += mrr
    return found


def _kind(before: int, after: int, paid: bool) -> str:
    if before == 0:
        return "reactivated" if paid else "new"
    if after == 0:
        return "churned"
    return "expansion" if after >= before else "contraction"


def recount(facts: Iterable[Told], by: Sequence[str], plan: str) -> list[dict[str, Any]]:
    """What moved, by these dimensions; of one plan, or of all."""
    kept = [m for m in moves(facts) if plan in ("", m["plan"])]
    rows: dict[Group, dict[str, Any]] = {}
    for move in kept:
        if move["amount"] or move["counted"]:
            empty = dict.fromkeys((*MRR, *COUNTS), 0)
            row = rows.setdefault(tuple(KEYS[b](move) for b in by), empty)
            row[f"{move['kind']}_mrr"] += move["amount"] * SIGNS[f"{move['kind']}_mrr"]
            row[f"{move['kind']}_count"] += move["counted"]
    return [dict(zip(by, key, strict=True)) | row for key, row in sorted(rows.items())]


def numbers(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its money as whole numbers."""
    return {k: int(v) if k.endswith("_mrr") else v for k, v in row.items()}


BYS = ("", "month", "day", "week", "plan", "month,quarter", "month,plan", "tier,currency", "day,plan,tier,currency")


@pytest.mark.parametrize("seed", [1, 2])
async def test_equals_a_recount(models: ReadModels, seed: int) -> None:
    """Split and filtered in any way: what moved is what a walk through each history gives, and everything adds up."""
    facts = random_facts(seed)
    shuffled = random.Random(seed).sample(facts, len(facts))
    models.given((f.published for f in shuffled), batches_of=(40, 1, 77))
    for by in BYS:
        for plan in ("", "a"):
            params = {"plan": plan} if plan else {}
            found = [numbers(r) for r in await models.rows("mrr_movements", by=by, **params)]
            names = tuple(filter(None, by.split(",")))
            moved = [r for r in found if any(r[m] for m in (*MRR, *COUNTS))]
            expected = recount(facts, names, plan)
            assert [{k: v for k, v in r.items() if k in (*names, *MRR, *COUNTS)} for r in moved] == [
                r for r in expected if any(r[m] for m in (*MRR, *COUNTS))
            ], (by, plan)
            assert_adds_up(found, names)


def assert_adds_up(rows: Sequence[dict[str, Any]], by: Sequence[str]) -> None:
    """S + N + X + R − C − K = E in each row, and each group's next period starts where the last one ended."""
    ends: dict[Group, int] = {}
    for row in rows:
        group = tuple(row[b] for b in by if b not in ("quarter", "month", "week", "day"))
        assert row["start_mrr"] == ends.get(group, 0)
        assert row["start_mrr"] + sum(SIGNS[m] * row[m] for m in MRR) == row["end_mrr"] >= 0
        ends[group] = row["end_mrr"]


async def test_groups_add_up_to_their_total(models: ReadModels) -> None:
    """In every period, in every measure, start and end included, also where a period is cut."""
    models.given(f.published for f in random_facts(3))
    cut = {"from_": "2025-02-10", "to": "2025-04-05"}
    for period in ("", "quarter", "month", "week", "day"):
        rows = await models.rows("mrr_movements", by=period, **cut)
        totals = [{k: v for k, v in numbers(r).items() if k in (period, *MEASURES, *COUNTS)} for r in rows]
        for group in ("plan", "tier", "currency", "plan,tier,currency"):
            parts = await models.rows("mrr_movements", by=f"{period},{group}", **cut)
            assert added_up(map(numbers, parts), period) == totals, (period, group)


def added_up(parts: Iterable[dict[str, Any]], period: str) -> list[dict[str, Any]]:
    """The rows of each period as one."""
    sums: dict[str, dict[str, Any]] = {}
    for part in parts:
        of_period = sums.setdefault(part.get(period, ""), dict.fromkeys((*MEASURES, *COUNTS), 0))
        for name in of_period:
            of_period[name] += part[name]
    return [({period: at} if period else {}) | summed for at, summed in sums.items()]


async def test_delivery_means_nothing(new_database: Callable[[], str]) -> None:
    """Any order, any batches, restarts and repeats: the same rows and states, to the bit."""
    facts = random_facts(4, count=120)
    checksums = []
    for seed, sizes in enumerate([(300,), (1, 2, 9), (7, 90)]):
        models = ReadModels(new_database(), [subscriptions])
        chance = random.Random(seed)
        delivered = chance.sample(facts, len(facts)) if seed else facts
        log = Log().append(f.published for f in [*delivered, *chance.sample(facts, 40)])
        for batch in split(log, sizes):
            models.fold(batch)
            if chance.random() < 0.1:
                models.restart()
        found = models.checksum("subscriptions")
        checksums.append((found.rows, found.checksum))
        await models.close()
    assert len(set(checksums)) == 1


async def test_a_late_fact_restates(models: ReadModels) -> None:
    """What arrives late changes the history once: later months follow, and no empty row stays behind."""
    base = Told("e1", "c", "s", "started", JANUARY + 40 * DAY, 1, 30, "a", "pro", "USD")
    models.given([base.published])
    assert [r["new_mrr"] for r in await models.rows("mrr_movements", by="month")] == ["30"]
    models.given([replace(base, event_id="f1", at=JANUARY, sequence=0, amount=20, plan="b").published])
    rows = await models.rows("mrr_movements", by="month,plan")
    assert [(r["month"], r["plan"], r["new_mrr"], r["expansion_mrr"], r["end_mrr"]) for r in rows] == [
        ("2025-01", "b", "20", "0", "20"),
        ("2025-02", "a", "0", "30", "30"),
        ("2025-02", "b", "0", "-20", "0"),
    ]
    models.given([replace(base, event_id="g1", event="canceled", at=JANUARY - DAY).published])
    assert len(await models.rows("mrr_movements", by="day,plan")) == 3
    checksum = models.checksum("subscriptions")
    models.given([replace(base, event_id="f1", at=JANUARY, sequence=0, amount=20, plan="b").published])
    assert models.checksum("subscriptions").checksum == checksum.checksum


@pytest.mark.parametrize("order", [(1, 2), (2, 1), (0, 0)])
async def test_an_upgrade_told_as_an_end_and_a_start_is_one_expansion(
    models: ReadModels, order: tuple[int, int]
) -> None:
    """Whatever their sequences and ids are."""
    old = Told("e9", "c", "s", "started", JANUARY, 0, 50, "a", "pro", "USD")
    ended = replace(old, event_id="e2", event="canceled", at=JANUARY + DAY, sequence=order[0])
    new = replace(old, event_id="e1", subscription="t", at=JANUARY + DAY, sequence=order[1], amount=80, plan="b")
    models.given([new.published, ended.published, old.published])
    (row,) = await models.rows("mrr_movements", from_="2025-01-02")
    assert [row[m] for m in (*MRR, *COUNTS)] == ["0", "30", "0", "0", "0", 0, 1, 0, 0, 0]


async def test_facts_of_a_batch_event_count_like_single_ones(models: ReadModels) -> None:
    """They share an event_id and stay apart; a fact without effective_at takes effect at the event's timestamp."""
    facts = [
        SubscriptionEvent(
            event="STARTED", customer_id="c", subscription_id=f"s{i}", unit_amount=100 / 3, interval="YEAR"
        )
        for i in range(3)
    ]
    models.given([subscription_batch(company_id=COMPANY, items=facts, event_id="one", timestamp=JANUARY)])
    (row,) = await models.rows("mrr_movements", by="day")
    assert (row["day"], row["new_count"], row["expansion_count"]) == ("2025-01-01", 1, 0)
    assert Fraction(row["end_mrr"]) == Fraction("8.333333333333")  # 3 × 33.333333333333 / 12
    listed = await models.rows("subscriptions", customer_id="c")
    assert [(r["subscription_id"], r["status"], r["mrr"]) for r in listed] == [
        (f"s{i}", "active", "2.777777777778") for i in range(3)
    ]


async def test_two_workers_meet_at_one_new_customer(database_url: str) -> None:
    """Facts of a customer lie in several partitions: whoever comes second waits, and nothing is lost."""
    facts = [
        Told(f"e{i}", f"c{i // 6}", f"s{i % 6}", "started", JANUARY + i, i, 10, "a", "pro", "USD") for i in range(300)
    ]
    records = Log().append(f.published for f in facts)
    workers = [ReadModels(database_url, [subscriptions, projection("configuration")]) for _ in range(3)]
    failures: list[Exception] = []

    def work(partition: int) -> None:
        try:
            for batch in split([r for r in records if r.partition == partition], (50,)):
                workers[partition].fold(batch)
        except Exception as error:  # shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(p,)) for p in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    (row,) = await workers[0].rows("mrr_movements")
    assert (row["new_count"], row["expansion_count"], row["end_mrr"]) == (50, 250, "3000")
    for worker in workers:
        await worker.close()
