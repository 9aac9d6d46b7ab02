"""What was reported of a subscription under an id, reported again or taken back: movements as of the last reports."""

from __future__ import annotations

from functools import partial

from eventlog.publish.builders import payment, payment_cancelled, subscription, subscription_change_cancelled
from tests.projections.harness import COMPANY, ReadModels

START = 1_760_000_000_000  # 2025-10-09T08:53:20Z
DAY = 86_400_000
said = partial(subscription, company_id=COMPANY, customer_id="c1", subscription_id="s1", currency="USD", plan="pro")
back = partial(subscription_change_cancelled, company_id=COMPANY, customer_id="c1", timestamp=START)


async def moved(models: ReadModels) -> dict[str, str]:
    """What moved in all, by kind."""
    (row,) = await models.rows("mrr_movements")
    kinds = ("new", "expansion", "contraction", "churned", "reactivated")
    return {kind: row[f"{kind}_mrr"] for kind in kinds if row[f"{kind}_mrr"] != "0"}


async def test_a_correction_is_no_contraction(models: ReadModels) -> None:
    """The price was mistyped: what was new was less, and nothing shrank. One without an id is a fact of its own."""
    models.given([said(event="started", unit_amount=300, timestamp=START, change_id="1")])
    models.given([said(event="started", unit_amount=30, timestamp=START, change_id="1")])
    assert await moved(models) == {"new": "30"}
    models.given([said(event="changed", unit_amount=20, timestamp=START + DAY)])
    assert await moved(models) == {"new": "30", "contraction": "10"}


async def test_what_was_taken_back_moved_nothing(models: ReadModels) -> None:
    """An end that was none, also where that is known first; another revision reports it after all, of another day."""
    started = said(event="started", unit_amount=30, timestamp=START)
    models.given([back(change_id="end"), started, said(event="canceled", timestamp=START + DAY, change_id="end")])
    assert await moved(models) == {"new": "30"}
    again = said(event="canceled", timestamp=START + 2 * DAY, change_id="end", revision=1)
    models.given([again, said(event="canceled", timestamp=START + DAY, change_id="end")])
    assert await moved(models) == {"new": "30", "churned": "30"}
    rows = {row["day"]: row["churned_mrr"] for row in await models.rows("mrr_movements", by="day")}
    assert {day: churned for day, churned in rows.items() if churned != "0"} == {"2025-10-11": "30"}


async def test_ids_of_changes_are_of_their_customer(models: ReadModels) -> None:
    """Two customers may number theirs alike."""
    other = partial(said, customer_id="c2", subscription_id="s2")
    models.given([each(event="started", unit_amount=30, timestamp=START, change_id="1") for each in (said, other)])
    models.given([back(change_id="1")])
    assert await moved(models) == {"new": "30"}


async def test_a_debt_that_was_none_is_forgotten(models: ReadModels) -> None:
    """The payment had succeeded, or there was none: MRR that went with the debt is back, as if it had never gone."""
    started = said(event="started", unit_amount=30, timestamp=START)
    paid = partial(payment, company_id=COMPANY, customer_id="c1", currency="USD", amount=30, timestamp=START + DAY)
    failed = [paid(kind="failed", payment_id=name, invoice_id=name) for name in ("p1", "p2")]
    models.given([started, *failed])
    assert await moved(models) == {"new": "30", "churned": "30"}
    models.given([paid(kind="succeeded", payment_id="p1", invoice_id="p1")])
    assert await moved(models) == {"new": "30", "churned": "30"}
    gone = partial(payment_cancelled, company_id=COMPANY, payment_id="p2", timestamp=START)
    models.given([gone(), gone(customer_id="c2")])
    assert await moved(models) == {"new": "30", "churned": "30"}, "whose it was is not said, or is another's"
    models.given([gone(customer_id="c1")])
    assert await moved(models) == {"new": "30"}
    models.given([paid(kind="failed", payment_id="p2", invoice_id="p2", revision=1)])
    assert await moved(models) == {"new": "30", "churned": "30"}
