"""What the queries about payments, costs, satisfaction, user steps and buckets must answer, told by the recount."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

from tests.e2e.exactness.expected import Question, Row, attribute, calendar, day, grouped, money, time, totals
from tests.e2e.exactness.recount import DAY, ONE, Action, Answer, Books, Cost, Measured, Payment, Step, trillionths

BY: dict[str, Any] = {
    **{
        name: attribute(name)
        for name in ("customer_id", "invoice_id", "kind", "currency", "channel", "campaign", "survey", "score")
    },
    **{name: attribute(name) for name in ("user_id", "name", "subject", "session_id", "at", "ticket_id", "service")},
    **{name: attribute(name) for name in ("outcome",)},
    "operation": attribute("metric"),
    "bucket": lambda one: bucket_of(one.value),
    **calendar(attribute("at")),
}


def business(books: Books) -> Iterator[Question]:
    """Payments, invoices, costs, surveys, tickets and rates of exchange."""
    bys = ("currency", "kind,day,currency", "customer_id,currency", "currency,month")  # they are of two
    yield from totals("payment_totals", books.payments, bys, BY, _paid, "payments")
    yield Question("invoices", {}, ("customer_id", "invoice_id", "currency"), list(_invoices(books)))
    yield from totals("acquisition_costs", books.costs, ("", "channel,campaign", "day"), BY, _spent, "costs")
    yield from totals("survey_answers", books.answers, ("", "survey,score", "survey,month"), BY, _answered, "answers")
    yield from totals("ticket_totals", books.steps, ("", "day"), BY, _ticket_steps, "opened")
    yield Question("tickets", {}, ("ticket_id",), list(_tickets(books)))
    yield Question("exchange_rates", {}, ("base", "quote", "source", "day"), list(_rates(books)))


def _paid(payments: Sequence[Payment]) -> Row:
    row = {"payments": len(payments), "customers": len({payment.customer_id for payment in payments})}
    amount, fees = sum(payment.amount for payment in payments), sum(payment.fee for payment in payments)
    return row | {"amount": money(amount), "fees": money(fees)}


def _invoices(books: Books) -> Iterator[Row]:
    named = [payment for payment in books.payments if payment.invoice_id]
    for key, of in grouped(named, ("customer_id", "invoice_id", "currency"), BY):
        failed = [payment for payment in of if payment.kind == "failed"]
        paid = [payment for payment in of if payment.kind in ("succeeded", "recovered")]
        refunded = [payment for payment in of if payment.kind == "refunded"]
        times = {"first_at": of, "failed_at": failed, "paid_at": paid}
        sums = {"taken": paid, "refunded": refunded, "missed": failed}
        row = key | {"failures": len(failed)}
        row |= {name: time(min(p.at for p in these)) if these else None for name, these in times.items()}
        yield row | {name: money(sum(p.amount for p in these)) for name, these in sums.items()}


def _spent(costs: Sequence[Cost]) -> Row:
    return {"costs": len(costs), "cost": money(sum(cost.cost for cost in costs))}


def _answered(answers: Sequence[Answer]) -> Row:
    return {"answers": len(answers)}


STEPS = {"opened": "opened", "first_responses": "first_response", "resolved": "resolved", "reopened": "reopened"}


def _ticket_steps(steps: Sequence[Step]) -> Row:
    return {name: sum(step.event == event for step in steps) for name, event in STEPS.items()}


def _tickets(books: Books) -> Iterator[Row]:
    for key, of in grouped(books.steps, ("ticket_id",), BY):
        at = {event: [step.at for step in of if step.event == event] for event in STEPS.values()}
        ends = {"opened_at": min(at["opened"], default=None), "resolved_at": max(at["resolved"], default=None)}
        ends["first_response_at"] = min(at["first_response"], default=None)
        row = key | {"reopened": len(at["reopened"])}
        yield row | {name: None if moment is None else time(moment) for name, moment in ends.items()}


def _rates(books: Books) -> Iterator[Row]:
    for (base, source, on), report in sorted(books.rates.items()):
        row = {"base": base, "quote": report.payload["quote"], "source": source, "day": day(on * DAY)}
        yield row | {"at": time(report.payload["at"]), "rate": money(trillionths(report.payload["rate"]))}


def steps(books: Books) -> Iterator[Question]:
    """What users did, event by event, in all, and first and last."""
    keys = ("day", "user_id", "at", "name", "subject", "session_id")
    every = [key | {"times": len(of)} for key, of in grouped(books.actions, keys, BY)]
    yield Question("user_steps", {}, keys, [row | {"at": time(row["at"])} for row in every], "times")
    bys = ("", "name", "subject,name", "user_id,day")
    yield from totals("user_step_totals", books.actions, bys, BY, _done, "times")
    firsts = [key | _first(of) for key, of in grouped(books.actions, ("name", "user_id"), BY)]
    yield Question("user_firsts", {}, ("name", "user_id"), firsts, "times")


def _done(actions: Sequence[Action]) -> Row:
    return {"times": len(actions), "users": len({action.user_id for action in actions})}


def _first(actions: Sequence[Action]) -> Row:
    at = [action.at for action in actions]
    return {"first_at": time(min(at)), "last_at": time(max(at)), "times": len(at)}


def buckets(books: Books) -> Iterator[Question]:
    """Operations by bucket of their duration."""
    bys = ("bucket", "service,operation,outcome,bucket", "day,bucket")
    yield from totals("operation_buckets", books.operations, bys, BY, _operations, "count")


def _operations(found: Sequence[Measured]) -> Row:
    return {"count": len(found)}


def _edges() -> list[int]:
    """Lower edges as documented: whole numbers, each at most 2 % above the one before."""
    found = [1]
    while found[-1] < 366 * DAY * ONE:
        found.append(max(found[-1] + 1, found[-1] * 102 // 100))
    return found


EDGES = _edges()


def bucket_of(value: int) -> int:
    """The bucket of a duration in trillionths: how many edges it has reached."""
    return bisect_right(EDGES, value)
