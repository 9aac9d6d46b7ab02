"""Payments, steps of tickets, answers and costs that are reported again under their id, or taken back."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from domain.errors import Invalid
from eventlog.publish.builders import (
    account_flow,
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


async def test_restatements_of_all_types_are_told_as_one(models: ReadModels) -> None:
    """The newest first, page by page, each with what identifies it; of one type, of one user, and of a period."""
    of: dict[str, Any] = {"company_id": "told", "timestamp": START}
    paid = partial(payment, customer_id="c1", kind="succeeded", currency="USD", payment_id="p1", **of)
    spent = partial(acquisition_cost, channel="ads", currency="EUR", cost_id="k1", **of)
    flow = partial(account_flow, user_id="u1", account_id="a1", currency="JPY", flow_id="f1", **of)
    answer = partial(survey_response, survey="nps", respondent_id="r1", response_id="s1", **of)
    facts = [paid(amount=1), spent(cost=1), flow(amount=1), answer(score=1)]
    again = [paid(amount=2), spent(cost=2), flow(amount=2), answer(score=2), flow(amount=3)]
    models.given([*facts, *again, payment_cancelled(company_id="told", payment_id="p1")])
    whole = await models.answer("restatements", "told")
    rows = whole["rows"]
    assert [each["known_at"] for each in rows] == sorted((each["known_at"] for each in rows), reverse=True)
    assert whole["next_cursor"] is None
    assert sorted(
        ((r["type"], r["identity"], r["was"], r["now"], r["currency"]) for r in rows if r["now"]), key=str
    ) == [
        ("account_flow", {"flow_id": "f1"}, {"amount": "1"}, {"amount": "2"}, "JPY"),
        ("account_flow", {"flow_id": "f1"}, {"amount": "2"}, {"amount": "3"}, "JPY"),
        ("acquisition_cost", {"cost_id": "k1"}, {"cost": "1"}, {"cost": "2"}, "EUR"),
        ("payment", {"payment_id": "p1"}, {"amount": "1"}, {"amount": "2"}, "USD"),
        ("survey_response", {"response_id": "s1"}, {"score": 1}, {"score": 2}, None),
    ]
    assert [(r["type"], r["taken_back"]) for r in rows if r["now"] is None] == [("payment", True)]
    page = await models.answer("restatements", "told", limit="2")
    paged = [*page["rows"]]
    while page["next_cursor"] is not None:
        page = await models.answer("restatements", "told", limit="2", cursor=page["next_cursor"])
        paged += page["rows"]
    assert paged == rows
    for kind in {each["type"] for each in rows}:
        assert await models.rows("restatements", "told", type=kind) == [r for r in rows if r["type"] == kind]
    of_user = await models.rows("restatements", "told", user_id="u1")
    assert of_user == [r for r in rows if r["type"] == "account_flow"]
    assert {(r["user_id"], r["was_user_id"]) for r in of_user} == {("u1", "u1")}
    assert await models.rows("restatements", "told", to="2011-01-01") == []
    with pytest.raises(Invalid, match="no user's"):
        await models.rows("restatements", "told", type="payment", user_id="u1")


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
