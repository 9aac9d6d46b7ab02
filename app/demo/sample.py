"""The sample as one series of events, always the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from app.demo.behaviour import behaviour_events
from app.demo.billing import billing_events
from app.demo.companies import COMPANIES, Company
from app.demo.market import market_events
from app.demo.purchases import purchase_events
from app.demo.satisfaction import satisfaction_events
from app.demo.services import service_events
from app.demo.subscriptions import subscription_events
from app.demo.trading import trading_events
from eventlog.publish.event import Event

PARTS: tuple[Callable[[Company], Iterator[Event]], ...] = (
    market_events,
    trading_events,
    purchase_events,
    subscription_events,
    billing_events,
    satisfaction_events,
    behaviour_events,
    service_events,
)
EVENTS = 126_355  # how many `sample` gives: what progress is measured by
WHAT_IS_REAL = (
    "Sample data. Real: daily prices of AAPL, SPX and IXIC, and the purchases of cedar's customers (CDNOW, 1997-98).\n"
    "Made up, service_source demo: users, accounts, trades by simple rules on those prices, subscriptions, their\n"
    "payments, campaigns, tickets, surveys, behaviour, measurements of services, and all that happens from now on."
)


def sample() -> Iterator[Event]:
    """All events of all companies, part by part, so that the newest come last."""
    for part in PARTS:
        for company in COMPANIES:
            yield from part(company)
