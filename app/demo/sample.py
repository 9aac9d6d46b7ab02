"""The sample as one series of events, always the same; loaded, it ends at a moment that is chosen once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from app.demo.behaviour import behaviour_events
from app.demo.billing import billing_events
from app.demo.companies import COMPANIES, Company
from app.demo.market import market_events, symbol_events
from app.demo.purchases import purchase_events
from app.demo.rebase import before, last_day, lives, prices, rebase
from app.demo.satisfaction import satisfaction_events
from app.demo.services import service_events
from app.demo.subscriptions import subscription_events
from app.demo.trading import account_events, accounts, trading_events
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
EVENTS = 103_908  # how many `sample` gives, and `sample_until` at most: what progress is measured by
OF_LIVES = (subscription_events, billing_events, satisfaction_events, behaviour_events)
WHAT_IS_REAL = (
    "Sample data. Real: daily prices of AAPL (1996-2004), SPX and IXIC (1999-2018), each symbol moved by whole weeks\n"
    "so that it ends now, and the purchases of cedar's customers (CDNOW, 1997-98) on their own dates.\n"
    "Made up, service_source demo: users, accounts, trades by simple rules on those prices, subscriptions, their\n"
    "payments, campaigns, tickets, surveys, behaviour, measurements of services, and all that happens from now on."
)


def sample() -> Iterator[Event]:
    """All events of all companies, part by part, so that the newest come last."""
    for part in PARTS:
        for company in COMPANIES:
            yield from part(company)


def sample_until(until: int, companies: Sequence[Company] = COMPANIES) -> Iterator[Event]:
    """The sample so that it ends at this moment (ms); purchases keep their dates. The same moment, the same events."""
    for company in companies:
        for symbol in company.symbols:
            yield from rebase(symbol_events(company, symbol), prices(symbol, until))
    for company in companies:
        for account in accounts(company):
            yield from rebase(account_events(company, account), prices(account.symbol, until))
    for company in companies:
        yield from purchase_events(company)
    for part in OF_LIVES:
        for company in companies:
            yield from before(rebase(part(company), lives(until)), until)
    for company in companies:
        yield from rebase(service_events(company), last_day(until))
