"""Real purchases: the orders of CDNOW's customers, as they are, as payments to one company."""

from __future__ import annotations

from collections.abc import Iterator

from app.demo.companies import HOUR, PURCHASES_OF, Company, origin
from app.demo.market import midnight, table
from eventlog.publish import builders
from eventlog.publish.event import Event

FILE = "cdnow_sample.csv"


def purchase_events(company: Company) -> Iterator[Event]:
    """One payment an order, at noon of its day, because the source knows no time of day."""
    if company.company_id != PURCHASES_OF:
        return
    for line, order in enumerate(table(FILE), 2):
        day = order["date"]
        yield builders.payment(
            company_id=company.company_id,
            customer_id=f"cdnow-{order['customer']}",
            invoice_id=f"cdnow-line-{line}",
            kind="succeeded",
            amount=float(order["amount"]),
            currency="USD",
            **origin(f"order/{line}", midnight(f"{day[:4]}-{day[4:6]}-{day[6:]}") + 12 * HOUR, FILE),
        )
