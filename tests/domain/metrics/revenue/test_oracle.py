"""Thirteen customers worked out by hand: activity, snapshot, rates and last MRR, month by month."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from domain.billing.policies import PRESETS, read
from domain.billing.subscriptions import LOSSES, Movement, SubscriptionFact, merge_facts
from domain.decimals import ONE
from domain.metrics.revenue.flows import Flows
from domain.metrics.revenue.rates import customer_churn_rate
from domain.metrics.value import Stat, has_value
from tests.domain.metrics.revenue.recounts import activity, retained, snapshot

ORACLES = Path(__file__).parents[3] / "data" / "oracles"
EXPECTED: dict[str, Any] = json.loads((ORACLES / "mrr_small.json").read_text())
MONTHS = list(EXPECTED["activity"])
EVENTS = {
    "subscription_started": "started",
    "subscription_changed": "changed",
    "subscription_cancelled": "canceled",
    "subscription_paused": "paused",
    "subscription_resumed": "resumed",
    "trial_started": "trial_started",
    "trial_converted": "trial_converted",
}  # refund_issued is a payment
FLOWS = ("new", "expansion", "contraction", "churn", "reactivation")


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def fact_of(line: dict[str, Any]) -> SubscriptionFact:
    return SubscriptionFact(
        effective_at=ms(line["effective_at"]),
        sequence=line["seq"],
        event_id=line["event_id"],
        item=0,
        subscription_id=line["subscription_id"],
        event=EVENTS[line["type"]],
        plan="",
        tier="",
        currency=line["currency"],
        interval=line["interval"],
        interval_count=1,
        unit_amount=int(Decimal(line["unit_amount"]) * ONE),
        quantity=line["quantity"] * ONE,
        discount_pct=line["discount_pct"] * ONE,
        recorded_at=ms(line["recorded_at"]),
    )


def customers() -> dict[str, list[Movement]]:
    """Each customer's movements under the default policy."""
    facts: defaultdict[str, list[SubscriptionFact]] = defaultdict(list)
    for line in map(json.loads, (ORACLES / "mrr_events_small.jsonl").read_text().splitlines()):
        if line["type"] in EVENTS:
            facts[line["customer_id"]].append(fact_of(line))
    return {name: read(merge_facts((), of), PRESETS["default"]).movements for name, of in facts.items()}


MOVEMENTS = customers()


def month_of(name: str) -> tuple[int, int]:
    """First moment of a month and of the next, ms."""
    begin = datetime.fromisoformat(f"{name}-01").replace(tzinfo=UTC)
    end = begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)
    return ms(begin.isoformat()), ms(end.isoformat())


def level(movements: list[Movement], at: int) -> int:
    return sum(-m.amount if m.kind in LOSSES else m.amount for m in movements if m.at < at)


def shown(twelfths: int) -> str:
    return f"{Decimal(str(Fraction(twelfths, 12 * ONE))):f}"


def as_expected(flows: Flows) -> dict[str, str]:
    return dict(zip(("start", *FLOWS), map(shown, flows[:6]), strict=True)) | {"end": shown(flows.end)}


@pytest.mark.parametrize("month", MONTHS)
def test_activity(month: str) -> None:
    """Every change counts."""
    flows = activity((m for of in MOVEMENTS.values() for m in of), *month_of(month))
    counts = dict(zip(FLOWS, flows[6:11], strict=True))
    assert as_expected(flows) | {"movement_counts": counts} == EXPECTED["activity"][month]


@pytest.mark.parametrize("month", MONTHS)
def test_snapshot(month: str) -> None:
    """Month end against month end; who was never seen at one is new."""
    begin, end = month_of(month)
    earlier = [month_of(name)[0] for name in MONTHS if month_of(name)[0] <= begin]
    found = snapshot(
        (level(of, begin), level(of, end), any(level(of, at) for at in earlier)) for of in MOVEMENTS.values()
    )
    assert as_expected(found) == EXPECTED["snapshot"][month]


@pytest.mark.parametrize("month", MONTHS)
def test_rates(month: str) -> None:
    """Of those who paid when the month began."""
    begin, end = month_of(month)
    kept = retained((level(of, begin), level(of, end)) for of in MOVEMENTS.values())
    found: dict[str, Stat] = {"nrr": kept.nrr, "grr": kept.grr}
    found["logo_churn_rate"] = customer_churn_rate(kept.churned, kept.customers)
    expected = EXPECTED["rates"][month]
    for name, value in found.items():
        assert (value if has_value(value) else None) == pytest.approx(expected[name], abs=1e-12)
    assert kept.customers == expected["customers_start"]
    assert sum(level(of, end) > 0 for of in MOVEMENTS.values()) == expected["customers_end"]


def test_the_months_follow_each_other() -> None:
    """The activity form adds up over periods."""
    everything = [m for of in MOVEMENTS.values() for m in of]
    whole = Flows()
    for month in MONTHS:
        whole = whole.then(activity(everything, *month_of(month)))
    assert whole == activity(everything, month_of(MONTHS[0])[0], month_of(MONTHS[-1])[1])


def test_last_mrr_by_customer() -> None:
    """After all facts."""
    last = {name: level(of, 2**62) for name, of in MOVEMENTS.items()}
    assert {name: shown(mrr) for name, mrr in last.items() if mrr} == EXPECTED["final_mrr_by_customer"]
