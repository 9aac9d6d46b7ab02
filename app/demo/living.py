"""What happens at the companies from now on, made up: prices that move, trades, visits, measurements.

Prices walk at random from the last real ones. Nothing here looks at a clock or opens anything: `step` is told the time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from random import Random

from analytics.performance_data_pb2 import SystemMetric

from app.demo.behaviour import Step, next_step, rests, steps_of_visit
from app.demo.companies import COMPANIES, DAY, MADE_UP, MINUTE, UNTIL, Company, User, users
from app.demo.market import FILES, daily_bars
from app.demo.rebase import WEEK
from app.demo.rules import RULES
from app.demo.services import busyness, latency, operation
from app.demo.trading import CURRENCY, FEE, Account, accounts
from eventlog.publish import builders
from eventlog.publish.event import Event, Origin

VOLATILITY = 0.0002  # of a price from one step to the next
REMEMBERED = 3_000  # steps a trade may last at most
VISITORS = 12  # users of a company who are there at a time
EVENTS_A_STEP = 6


@dataclass
class Visit:
    """A visit under way."""

    user: User
    session: str
    left: int  # steps until it ends


class Living:
    """The companies as they go on. Each step gives some events that have just happened."""

    def __init__(self, chance: Random, now: int) -> None:
        self._chance = chance
        self._prices = {symbol: daily_bars(symbol)[-1].close for symbol in FILES}
        self._past: deque[tuple[int, dict[str, float]]] = deque([(now, dict(self._prices))], maxlen=REMEMBERED)
        self._minutes = {symbol: Minute(now, price) for symbol, price in self._prices.items()}
        self._users = {company: [user for user in users(company) if _comes(company, user)] for company in COMPANIES}
        self._accounts = {company: accounts(company) for company in COMPANIES}
        self._visits: dict[Company, list[Visit]] = {company: [] for company in COMPANIES}
        self._count = 0

    def step(self, now: int) -> list[Event]:
        """What has happened by now (ms) since the last step."""
        events = self._move_prices(now)
        for _ in range(EVENTS_A_STEP):
            company = self._chance.choices(COMPANIES, [company.users for company in COMPANIES])[0]
            happens = self._chance.choices((self._visited, self._measured, self._operated, self._traded), (6, 2, 1, 1))
            events.append(happens[0](company, now))
        return events

    def _move_prices(self, now: int) -> list[Event]:
        """New prices, and the bars of the minute that they end, if they do."""
        bars = []
        for symbol, price in self._prices.items():
            self._prices[symbol] = price = round(price * (1 + self._chance.gauss(0, VOLATILITY)), 6)
            minute = self._minutes[symbol]
            if now // MINUTE > minute.start // MINUTE:
                bars += [minute.bar(company, symbol, now) for company in COMPANIES if symbol in company.symbols]
                minute = self._minutes[symbol] = Minute(now, price)
            minute.take(price, float(self._chance.randrange(1, 500)))
        self._past.append((now, dict(self._prices)))
        return bars

    def _visited(self, company: Company, now: int) -> Event:
        visits = self._visits[company]
        if len(visits) < VISITORS:
            return self._begins(company, now)
        visit = self._chance.choice(visits)
        visit.left -= 1
        if visit.left < 0:
            visits.remove(visit)
        step = Step("session_ended") if visit.left < 0 else next_step(self._chance)
        return _user_event(company, visit, step, now)

    def _begins(self, company: Company, now: int) -> Event:
        self._count += 1
        user = self._chance.choice(self._users[company])
        visit = Visit(user, f"{company.company_id}-live-{now}-{self._count}", steps_of_visit(self._chance))
        self._visits[company].append(visit)
        return _user_event(company, visit, Step("session_started"), now)

    def _measured(self, company: Company, now: int) -> Event:
        service = self._chance.choice(company.services)
        values = [
            SystemMetric(
                service=service,
                metric="latency_ms",
                value=latency(service, self._chance, busyness(now)),
                unit="ms",
            )
            for _ in range(3)
        ]
        return builders.system_metric_batch(company_id=company.company_id, items=values, **_now(now))

    def _operated(self, company: Company, now: int) -> Event:
        items = [operation(self._chance.choice(company.services), self._chance)]
        return builders.performance_data_batch(company_id=company.company_id, items=items, **_now(now))

    def _traded(self, company: Company, now: int) -> Event:
        self._count += 1
        account = self._chance.choice(self._accounts[company])
        opened_at, prices = self._chance.choice(self._past)
        entry, exit_ = prices[account.symbol], self._prices[account.symbol]
        return self._trade(company, account, f"live-{now}-{self._count}", (opened_at, entry), (now, exit_))

    def _trade(
        self, company: Company, account: Account, trade_id: str, entry: tuple[int, float], exit_: tuple[int, float]
    ) -> Event:
        long = self._chance.random() < 0.5
        quantity = round(account.deposit * account.stake / entry[1], 2)
        fees = round(FEE * quantity * (entry[1] + exit_[1]), 2)
        return builders.trading_result(
            company_id=company.company_id,
            user_id=account.user_id,
            trade_id=trade_id,
            account_id=account.account_id,
            symbol=account.symbol,
            strategy=self._chance.choice(sorted(RULES)),
            side="long" if long else "short",
            quantity=quantity,
            entry_price=entry[1],
            exit_price=exit_[1],
            fees=fees,
            currency=CURRENCY,
            opened_at=entry[0],
            closed_at=exit_[0],
            exit_reason="manual",
            **_now(exit_[0]),
        )


class Minute:
    """The bar of one minute while it lasts."""

    def __init__(self, now: int, price: float) -> None:
        self.start = now // MINUTE * MINUTE
        self._open = self._high = self._low = self._close = price
        self._volume = 0.0

    def take(self, price: float, volume: float) -> None:
        """So many units traded at a price, in whole quote currency."""
        self._high, self._low, self._close = max(self._high, price), min(self._low, price), price
        self._volume += volume

    def bar(self, company: Company, symbol: str, now: int) -> Event:
        """The bar as an event of a company; its time is its start, as of every bar."""
        return builders.market_bar(
            company_id=company.company_id,
            symbol=symbol,
            interval="1m",
            start=self.start,
            open=self._open,
            high=self._high,
            low=self._low,
            close=self._close,
            volume=self._volume,
            **_now(now),
        )


def _comes(company: Company, user: User) -> bool:
    """Whether a user is about when the sample ends; who joined in its last week may not be in one that was moved."""
    return user.joined < UNTIL - WEEK and user.left > UNTIL and not rests(company, user, UNTIL - DAY)


def _user_event(company: Company, visit: Visit, step: Step, now: int) -> Event:
    return builders.user_event(
        company_id=company.company_id,
        user_id=visit.user.user_id,
        name=step.name,
        session_id=visit.session,
        page=step.page,
        feature=step.feature,
        **_now(now),
    )


def _now(now: int) -> Origin:
    return Origin(timestamp=now, service_source=MADE_UP)
