"""Payments, steps of tickets, answers and costs that are reported again under their id, or taken back."""

from __future__ import annotations

from functools import partial

from eventlog.publish.builders import (
    acquisition_cost,
    cost_cancelled,
    payment,
    payment_cancelled,
    response_cancelled,
    support_ticket,
    survey_response,
    ticket_step_cancelled,
)
from tests.projections.harness import COMPANY, ReadModels

START = 1_760_000_000_000  # 2025-10-09T08:53:20Z
DAY = 86_400_000


async def test_a_payment_counts_once_in_days_and_in_its_invoice(models: ReadModels) -> None:
    """That it failed was an error: it succeeded. One without an id counts as ever."""
    paid = partial(payment, company_id=COMPANY, customer_id="c1", invoice_id="i1", currency="USD", timestamp=START)
    models.given(
        [paid(kind="failed", amount=20, payment_id="p1"), paid(kind="refunded", amount=1, timestamp=START + DAY)]
    )
    assert [(i["failures"], i["paid_at"]) for i in await models.rows("invoices")] == [(1, None)]
    models.given([paid(kind="succeeded", amount=20, payment_id="p1")])
    (invoice,) = await models.rows("invoices")
    assert (invoice["failures"], invoice["failed_at"], invoice["taken"], invoice["refunded"]) == (0, None, "20", "1")
    assert invoice["paid_at"] == invoice["first_at"] == "2025-10-09T08:53:20Z"
    totals = await models.rows("payment_totals", by="kind")
    assert {row["kind"]: (row["payments"], row["amount"]) for row in totals} == {
        "refunded": (1, "1"),
        "succeeded": (1, "20"),
    }
    models.given([payment_cancelled(company_id=COMPANY, payment_id="p1")])
    assert [(i["first_at"], i["paid_at"]) for i in await models.rows("invoices")] == [("2025-10-10T08:53:20Z", None)]
    (first, last) = reversed(await models.rows("restated_payments", payment_id="p1"))
    assert (first["was"], first["now"]) == ({"kind": "failed"}, {"kind": "succeeded"})
    assert (last["taken_back"], last["now"]) == (True, None)


async def test_a_step_of_a_ticket_counts_once(models: ReadModels) -> None:
    """Solved later than was said at first, and not opened twice."""
    step = partial(support_ticket, company_id=COMPANY, ticket_id="t1")
    models.given(
        [
            step(event="opened", step_id="s1", timestamp=START),
            step(event="opened", step_id="s1", timestamp=START + 1_000),
            step(event="resolved", step_id="s2", timestamp=START + DAY),
            step(event="reopened", timestamp=START + 2 * DAY),
            step(event="resolved", step_id="s2", timestamp=START + 3_000),
        ],
        batches_of=[2],
    )
    (ticket,) = await models.rows("tickets")
    assert (ticket["opened_at"], ticket["resolved_at"]) == ("2025-10-09T08:53:21Z", "2025-10-09T08:53:23Z")
    (totals,) = await models.rows("ticket_totals")
    assert (totals["opened"], totals["resolved"], totals["reopened"]) == (1, 1, 1)
    models.given([ticket_step_cancelled(company_id=COMPANY, step_id="s2")])
    assert [t["resolved_at"] for t in await models.rows("tickets")] == [None]


async def test_answers_and_costs_count_once(models: ReadModels) -> None:
    """Under their id; those without one are each their own."""
    answer = partial(survey_response, company_id=COMPANY, survey="nps", respondent_id="r1", timestamp=START)
    spent = partial(acquisition_cost, company_id=COMPANY, channel="ads", currency="USD", timestamp=START)
    models.given(
        [answer(score=3, response_id="a1"), answer(score=9), answer(score=9), answer(score=8, response_id="a1")]
    )
    models.given([spent(cost=10, cost_id="k1"), spent(cost=5), spent(cost=5), spent(cost=12, cost_id="k1")])
    assert [(a["score"], a["answers"]) for a in await models.rows("survey_answers", by="score")] == [(8, 1), (9, 2)]
    assert [(c["costs"], c["cost"]) for c in await models.rows("acquisition_costs")] == [(3, "22")]
    models.given(
        [response_cancelled(company_id=COMPANY, response_id="a1"), cost_cancelled(company_id=COMPANY, cost_id="k1")]
    )
    assert [(a["score"], a["answers"]) for a in await models.rows("survey_answers", by="score")] == [(9, 2)]
    assert [(c["costs"], c["cost"]) for c in await models.rows("acquisition_costs")] == [(2, "10")]
    assert [r["was"]["score"] for r in await models.rows("restated_answers")] == [8, 3]
    assert [r["was"]["cost"] for r in await models.rows("restated_costs")] == ["12", "10"]
