"""Payments: money taken, given back and missed by time, customer and currency, and what became of each invoice.

Additive: sums of whole trillionths and extremes of times. An invoice is owed from its first failure until its first
success; payments without an invoice's name count in the sums alone.
"""

from __future__ import annotations

from projections.engine.declare.merge_rules import Count, Key, Min, Moment, Money, Newest, Quarter, Sum, Text
from projections.engine.declare.projection import Delta, Projection
from projections.engine.declare.rows import Columns, Row
from projections.engine.fold.expressions import only, own_or_place
from projections.engine.query.listing import listing
from projections.engine.query.restated import restatements
from projections.engine.query.totals import days, plain, totals
from projections.exchange_rates import REPORTING

payments = Projection("payments", version=4)


class PaymentQuarter(Row, counted=True):
    """What one customer's payments of one kind came to in a quarter of an hour."""

    company_id: Key[Text]
    quarter: Key[Quarter]
    customer_id: Key[Text]
    kind: Key[Text]  # succeeded, failed, refunded or recovered
    currency: Key[Text]
    payments: Sum[Count]
    amount: Sum[Money]
    fees: Sum[Money]


class Invoice(Row, indexed=("first_at", "failed_at"), counted=True):
    """What became of one invoice; null is what has not happened."""

    company_id: Key[Text]
    customer_id: Key[Text]
    invoice_id: Key[Text]
    currency: Key[Text]
    first_at: Min[Moment]  # of any attempt
    failed_at: Min[Moment]
    paid_at: Min[Moment]
    failures: Sum[Count]
    taken: Sum[Money]
    refunded: Sum[Money]
    missed: Sum[Money]  # of all failed attempts


class Payment(Row, indexed=("invoice_id",), ledger=True):
    """Each payment as it was last reported; one without a name stands for itself."""

    company_id: Key[Text]
    payment_id: Key[Text]
    customer_id: Newest[Text]
    invoice_id: Newest[Text]
    kind: Newest[Text]
    currency: Newest[Text]
    amount: Newest[Money]
    fee: Newest[Money]
    timestamp: Newest[Moment]
    event_id: Newest[Text]


@payments.folds("payment", into=Payment)
def ledger(payment: Columns) -> Delta:
    """A payment reported again replaces what was known of it."""
    return {"payment_id": own_or_place(payment.payment_id)}


@payments.folds("payment", into=PaymentQuarter)
def by_quarter(payment: Columns) -> Delta:
    """Each payment counts in the quarter of an hour of its event."""
    return {"quarter": payment.timestamp, "payments": 1, "fees": payment.fee}


@payments.folds("payment", into=Invoice, where=lambda payment: payment.invoice_id != "")
def by_invoice(payment: Columns) -> Delta:
    """The first failure and the first success; money by what happened to it."""
    failed, refunded = payment.kind == "failed", payment.kind == "refunded"
    paid = (payment.kind == "succeeded") | (payment.kind == "recovered")
    return {
        "first_at": payment.timestamp,
        "failed_at": only(payment.timestamp, failed),
        "paid_at": only(payment.timestamp, paid),
        "failures": failed,
        "taken": payment.amount * paid,
        "refunded": payment.amount * refunded,
        "missed": payment.amount * failed,
    }


payments.queries += [
    totals(
        "payment_totals",
        of=PaymentQuarter,
        by={**{name: plain(name) for name in ("customer_id", "kind", "currency")}, **days("quarter")},
        time="quarter",
        counts={"customers": "COUNT(DISTINCT customer_id)"},
        reporting=REPORTING,
        summary="Payments, their amounts and the provider's fees, by time of the event.",
    ),
    restatements(
        "restated_payments",
        of=Payment,
        summary="Payments reported again or taken back: from what to what, and when that was known; the newest first.",
    ),
    listing(
        "invoices",
        of=Invoice,
        filters=("customer_id", "invoice_id", "currency"),
        time="first_at",
        summary="One row an invoice: when a charge first failed and when it was paid; null is what has not happened.",
    ),
]
