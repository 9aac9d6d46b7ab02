"""Made-up accounts that follow the rules on real prices: their deposits, closed trades, and values day by day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from trading.trading_signals_pb2 import AccountEquity

from app.demo.companies import HOUR, SECOND, Company, User, origin, seeded, users
from app.demo.market import Bar, daily_bars, pieces
from app.demo.rules import AT_CLOSE, RULES, RoundTrip, round_trips
from eventlog.publish import builders
from eventlog.publish.event import Event

FEE = 0.0005  # of the value of each leg
VALUED = 0.1  # share of accounts whose value is marked every day
CURRENCY = "USD"
DAYS_AN_EVENT = 21


@dataclass(frozen=True, slots=True)
class Account:
    """One account: what it trades by which rule from when on (ms), with which share of its deposit in each trade."""

    account_id: str
    user_id: str
    symbol: str
    rule: str
    starts: int
    deposit: float
    stake: float
    delay: int  # ms between the rule's fill and the account's own

    def quantity(self, trip: RoundTrip) -> float:
        """Units in a trade, in hundredths."""
        return round(self.deposit * self.stake / trip.entry_price, 2)

    def fees(self, trip: RoundTrip) -> float:
        """Fees of both legs, in cents."""
        return round(FEE * self.quantity(trip) * (trip.entry_price + trip.exit_price), 2)

    def pnl(self, trip: RoundTrip) -> float:
        """Profit or loss net of fees, in cents."""
        gained = trip.side * (trip.exit_price - trip.entry_price) * self.quantity(trip)
        return round(gained - self.fees(trip), 2)

    def trips(self) -> list[RoundTrip]:
        """The round trips that began after the account did."""
        return [trip for trip in round_trips(self.symbol, self.rule) if trip.opened_at > self.starts]


def accounts(company: Company) -> list[Account]:
    """The accounts of a company; some users have several."""
    chance, owners = seeded("accounts", company.company_id), users(company)
    return [_account(number, chance.choice(owners), company) for number in range(1, company.accounts + 1)]


def _account(number: int, owner: User, company: Company) -> Account:
    chance = seeded("account", company.company_id, number)
    symbol = chance.choice(company.symbols)
    bars = daily_bars(symbol)
    return Account(
        account_id=f"a{number:03}",
        user_id=owner.user_id,
        symbol=symbol,
        rule=chance.choice(sorted(RULES)),
        starts=bars[int(chance.random() ** 2 * 0.8 * len(bars))].start + 10 * HOUR,
        deposit=float(chance.choice((2_000, 5_000, 10_000, 10_000, 25_000, 100_000))),
        stake=chance.choice((0.1, 0.2, 0.3, 0.5)),
        delay=chance.randrange(60 * SECOND),
    )


def trading_events(company: Company) -> Iterator[Event]:
    """What happens on every account."""
    for account in accounts(company):
        yield from account_events(company, account)


def account_events(company: Company, account: Account) -> Iterator[Event]:
    """The deposit and the trades of an account, and the daily values of some."""
    yield builders.account_flow(
        company_id=company.company_id,
        user_id=account.user_id,
        account_id=account.account_id,
        amount=account.deposit,
        currency=CURRENCY,
        kind="deposit",
        **origin(f"deposit/{company.company_id}/{account.account_id}", account.starts),
    )
    yield from (_trade(company.company_id, account, trip) for trip in account.trips())
    if seeded("valued", company.company_id, account.account_id).random() < VALUED:
        yield from _values(company.company_id, account)


def _trade(company_id: str, account: Account, trip: RoundTrip) -> Event:
    quantity, fees, closed_at = account.quantity(trip), account.fees(trip), trip.closed_at + account.delay
    trade_id = f"{account.account_id}-{trip.closed_at // SECOND}"
    best, worst = (trip.highest, trip.lowest) if trip.side == 1 else (trip.lowest, trip.highest)
    excursion = partial(_gained, trip, quantity)
    return builders.trading_result(
        company_id=company_id,
        user_id=account.user_id,
        trade_id=trade_id,
        account_id=account.account_id,
        symbol=account.symbol,
        strategy=account.rule,
        side="long" if trip.side == 1 else "short",
        quantity=quantity,
        entry_price=trip.entry_price,
        exit_price=trip.exit_price,
        pnl=account.pnl(trip),
        fees=fees,
        currency=CURRENCY,
        opened_at=trip.opened_at + account.delay,
        closed_at=closed_at,
        max_adverse_excursion=min(0.0, excursion(worst)),
        max_favourable_excursion=max(0.0, excursion(best)),
        exit_reason="signal",
        **origin(f"trade/{company_id}/{trade_id}", closed_at),
    )


def _gained(trip: RoundTrip, quantity: float, price: float) -> float:
    """What the position has gained at a price, before fees, in cents."""
    return round(trip.side * (price - trip.entry_price) * quantity, 2)


def _values(company_id: str, account: Account) -> Iterator[Event]:
    """The account's value at each close, a month of trading days an event."""
    for values in pieces(_daily_values(account), DAYS_AN_EVENT):
        yield builders.account_equity_batch(
            company_id=company_id,
            user_id=account.user_id,
            items=values,
            **origin(f"values/{company_id}/{account.account_id}/{values[0].at}", values[-1].at),
        )


def _daily_values(account: Account) -> Iterator[AccountEquity]:
    balance, trips = account.deposit, account.trips()
    for bar in daily_bars(account.symbol):
        close = bar.start + AT_CLOSE
        if close < account.starts:
            continue
        while trips and trips[0].closed_at <= close:
            balance = round(balance + account.pnl(trips.pop(0)), 2)
        yield AccountEquity(
            account_id=account.account_id,
            equity=round(balance + _unrealised(account, trips, bar), 2),
            balance=balance,
            currency=CURRENCY,
            at=close,
        )


def _unrealised(account: Account, trips: list[RoundTrip], bar: Bar) -> float:
    """What the position that is open at the bar's close has gained by then; 0 where there is none."""
    if not trips or trips[0].opened_at > bar.start + AT_CLOSE:
        return 0.0
    return _gained(trips[0], account.quantity(trips[0]), bar.close)
