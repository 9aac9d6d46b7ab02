"""Revenue as tables, by hand and against a recount: cumulative lifetime value of cohorts, and the mix of plans."""

from __future__ import annotations

import random
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from domain.decimals import ONE
from domain.errors import Invalid
from eventlog.publish.builders import payment
from eventlog.publish.event import Event
from tests.projections.harness import ReadModels
from tests.projections.small_company import at, company


def paid(customer: str, day: str, amount: float, kind: Any = "succeeded", number: int = 0) -> Event:
    return payment(
        company_id="acme",
        customer_id=customer,
        invoice_id=f"i{number}",
        kind=kind,
        amount=amount,
        currency="USD",
        timestamp=at(f"{day}T10:00:00"),
    )


async def test_what_two_cohorts_have_paid(models: ReadModels) -> None:
    """January: ann 10 and 30, ben 20 and 5 back in March; March, which is not over: cid 7."""
    history = [
        *(paid("ann", "2025-01-03", 10), paid("ann", "2025-02-03", 30), paid("ben", "2025-01-09", 20)),
        *(
            paid("ben", "2025-03-02", 5, "refunded"),
            paid("cid", "2025-03-05", 7),
            paid("dan", "2025-02-05", 9, "failed"),
        ),
    ]
    models.given(history)
    january, march = await models.rows("cohort_ltv", currency="USD")
    assert (january["cohort"], january["customers"]) == ("2025-01-01", 2)
    assert [cell["ltv"] for cell in january["ages"]] == ["15", "30", "27.5"]
    assert [cell["unfinished"] for cell in january["ages"]] == [False, False, True]
    assert (march["customers"], [cell["ltv"] for cell in march["ages"]]) == (1, ["7"])
    until = await models.rows("cohort_ltv", currency="USD", until="2025-03-01", unit="month", ages="1")
    assert [[cell["ltv"] for cell in row["ages"]] for row in until] == [["15"]]
    assert await models.rows("cohort_ltv", "nobody", currency="USD") == []


@pytest.mark.parametrize("seed", [1, 2])
async def test_cumulative_ltv_equals_a_recount(models: ReadModels, seed: int) -> None:
    """Of random payments and refunds, to the trillionth."""
    chance = random.Random(seed)
    rows = [
        (chance.choice("abcdefgh"), chance.randrange(1, 7), chance.randrange(1, 10**9), chance.random() < 0.2)
        for _ in range(150)
    ]
    models.given(
        paid(who, f"2025-{month:02}-10", amount / ONE, "refunded" if back else "succeeded", number)
        for number, (who, month, amount, back) in enumerate(rows)
    )
    first: dict[str, int] = {}
    for who, month, _, back in rows:
        if not back:
            first[who] = min(month, first.get(who, 12))
    earned: defaultdict[tuple[int, int], int] = defaultdict(int)
    for who, month, amount, back in rows:
        if month >= first[who]:
            earned[first[who], month] += -amount if back else amount
    for row in await models.rows("cohort_ltv", currency="USD"):
        begun = int(row["cohort"][5:7])
        members = sum(month == begun for month in first.values())
        assert row["customers"] == members
        for cell in row["ages"]:
            total = sum(earned[begun, month] for month in range(begun, begun + cell["age"] + 1))
            assert abs(Decimal(cell["ltv"]) * ONE - Decimal(total) / members) <= Decimal("0.5")


async def test_the_mix_of_plans(models: ReadModels) -> None:
    """c1 pays 60 and c2 90 at the end, both for the dearer plan; on 10 March c1 60, and c3 40 for the other."""
    models.given(company())
    assert await models.rows("mrr_mix", to="2025-04-01") == [
        {"plan": "pro", "mrr": "150", "share": 1.0, "currency": "USD"}
    ]
    assert await models.rows("mrr_mix", to="2025-03-11") == [
        {"plan": "pro", "mrr": "60", "share": 0.6, "currency": "USD"},
        {"plan": "basic", "mrr": "40", "share": 0.4, "currency": "USD"},
    ]
    assert await models.rows("mrr_mix", "nobody") == []
    assert [row["share"] for row in await models.rows("mrr_mix", by="tier")] == [1.0]
    for key in ("plan_mix", "tier_breakdown"):
        with pytest.raises(Invalid) as refused:
            await models.rows("metric", key=key)
        assert "mrr_mix" in str(refused.value.suggested_actions)
