"""A made-up stream of good events, the same for the same seed: every kind that a projection reads.

Nothing here is copied from what the service knows: names and fields are those of the published contracts. Where the
last report counts (bars, account values), reports of one thing never share a timestamp, so the answer is one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Payload = dict[str, Any]

BEGIN = 1_759_276_800_000  # 2025-10-01, UTC
DAY = 86_400_000
DAYS = 12
COMPANIES = ("acme", "bolt", "cobalt", "dune")
USERS = 40  # of each company
CUSTOMERS = 250
SYMBOLS = ("AAPL", "BTC", "EURUSD", "MSFT", "OIL")
STRATEGIES = ("donchian", "carry", "")
FEATURES = ("alerts", "charts", "export", "screener", "")
ACTIONS = ("page_view", "page_view", "click", "impression", "impression", "feature_used", "session_started", "signup")
PLANS = {"basic": "basic", "pro": "pro", "desk": "enterprise"}  # plan → tier
INTERVALS = ("day", "week", "month", "quarter", "year")
HELD_BACK = 60  # subscription facts that wait to be sent out of order


class Event(NamedTuple):
    """One good event as its producer means it."""

    kind: str
    id: str
    company: str
    user: str
    timestamp: int
    payload: Payload


class Subscription(NamedTuple):
    """A made-up subscription between two of its facts."""

    id: str
    plan: str
    interval: str
    status: str = ""
    at: int = BEGIN - 60 * DAY
    facts: int = 0


NEXT = {
    "": ("trial_started", "started", "started"),
    "trial": ("trial_converted", "canceled"),
    "active": ("changed", "upgraded", "downgraded", "quantity_changed", "paused", "canceled"),
    "paused": ("resumed",),
    "canceled": ("reactivated",),
}
STATUS = {"trial_started": "trial", "paused": "paused", "canceled": "canceled"}  # after any other fact: active


class Stream:
    """Makes events one by one."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._made = 0
        self._seed = seed
        self._subscriptions: dict[tuple[str, str, int], Subscription] = {}
        self._waiting: list[Event] = []
        makers: dict[Callable[[], Event], int] = {
            self._trade: 34,
            self._trades: 1,
            self._user_event: 30,
            self._user_events: 1,
            self._metric: 12,
            self._operation: 6,
            self._bar: 6,
            self._value: 4,
            self._flow: 3,
            self._subscription: 3,
            self._payment: 3,
            self._cost: 1,
            self._survey: 2,
            self._ticket: 2,
            self._rate: 1,
        }
        self._makers = [maker for maker, weight in makers.items() for _ in range(weight)]

    def events(self, count: int) -> Iterator[Event]:
        """So many events; those held back come last, so that no history stays without its end."""
        for _ in range(count - HELD_BACK):
            yield self._random.choice(self._makers)()
        while len(self._waiting) < HELD_BACK:
            self._waiting.append(self._next_subscription_fact())
        self._random.shuffle(self._waiting)
        yield from self._waiting[:HELD_BACK]

    def _event(self, kind: str, user: str, timestamp: int, payload: Payload, company: str = "") -> Event:
        self._made += 1
        chosen = company or self._random.choice(COMPANIES)
        return Event(kind, f"{self._seed}-{self._made}", chosen, user, timestamp, payload)

    def _moment(self) -> int:
        """Some millisecond of the days; its last three digits count events, so that two rarely share it."""
        return BEGIN + self._random.randrange(DAYS * DAY // 1000) * 1000 + self._made % 1000

    def _user(self) -> str:
        return f"u{int(self._random.random() ** 2 * USERS)}"

    def _seen_from(self, user: str) -> int:
        """Users turn up one after the other, so that every day has new ones."""
        return BEGIN + int(user[1:]) * DAYS * DAY // (2 * USERS)

    def _amount(self, low: float, high: float) -> float:
        """Mostly cents; at times all six places that count, and some that do not."""
        places = self._random.choice((2, 2, 2, 3, 6, 8))
        return round(self._random.uniform(low, high), places)

    def _trade_facts(self, user: str) -> Payload:
        some = self._random
        closed = self._moment()
        self._made += 1
        entry = self._amount(5, 900)
        payload: Payload = {
            "trade_id": f"t{self._seed}-{self._made}",
            "account_id": f"a{user[1:]}-{some.randrange(2)}",
            "symbol": some.choice(SYMBOLS),
            "strategy": some.choice(STRATEGIES),
            "side": some.choice(("long", "short")),
            "quantity": self._amount(0.01, 40),
            "entry_price": entry,
            "exit_price": round(entry * some.uniform(0.9, 1.1), some.choice((2, 4, 7))),
            "fees": self._amount(0, 4),
            "currency": "USD",
            "opened_at": closed - some.randrange(1, 20 * 3_600_000) if some.random() < 0.95 else 0,
            "closed_at": closed,
            "exit_reason": some.choice(("target", "stop", "")),
        }
        if some.random() < 0.75:
            payload["pnl"] = 0.0 if some.random() < 0.05 else self._amount(-400, 420)
        if some.random() < 0.5:
            payload |= {"max_adverse_excursion": -self._amount(0, 90), "max_favourable_excursion": self._amount(0, 90)}
        return payload

    def _trade(self) -> Event:
        user = self._user()
        facts = self._trade_facts(user)
        return self._event("trading_result", user, facts["closed_at"], facts)

    def _trades(self) -> Event:
        user = self._user()
        items = [self._trade_facts(user) for _ in range(self._random.randrange(1, 6))]
        return self._event("trading_result_batch", user, self._moment(), {"items": items})

    def _action(self, user: str) -> Payload:
        name = self._random.choice(ACTIONS) if self._random.random() < 0.97 else "conversion"
        session = self._random.randrange(300)
        payload: Payload = {"name": name, "session_id": f"s{session}" if session else ""}
        if name == "feature_used":
            payload["feature"] = self._random.choice(FEATURES)
        if name == "page_view":
            payload |= {"page": "/trades", "properties": {"from": "menu"}}
        return payload

    def _user_event(self) -> Event:
        user = self._user()
        at = max(self._moment(), self._seen_from(user))
        return self._event("user_event", user, at, self._action(user))

    def _user_events(self) -> Event:
        user = self._user()
        at = max(self._moment(), self._seen_from(user))
        items = [self._action(user) for _ in range(self._random.randrange(1, 8))]
        return self._event("user_event_batch", user, at, {"items": items})

    def _metric(self) -> Event:
        metric = self._random.choice(("latency_ms", "queue", "drift"))
        value = round(self._random.lognormvariate(2, 1.5), 3) * (
            self._random.choice((-1, 0, 1)) if metric == "drift" else 1
        )
        service = self._random.choice(("gateway", "matching", "pricing"))
        payload = {"service": service, "metric": metric, "value": value, "unit": "ms", "labels": {"zone": "a"}}
        return self._event("system_metric", "", self._moment(), payload)

    def _operation(self) -> Event:
        payload: Payload = {
            "service": self._random.choice(("gateway", "matching")),
            "operation": self._random.choice(("place", "cancel", "quote")),
            "duration_ms": round(self._random.lognormvariate(1, 1), 4),
        }
        if outcome := self._random.choice(("ok", "ok", "error", "")):
            payload["outcome"] = outcome
        return self._event("performance_data", "", self._moment(), payload)

    def _bar(self) -> Event:
        """Minutes of the first one and a half days, hours of the four days from the second on."""
        minutes = self._random.random() < 0.8
        length, first, count = (60_000, 0, 2160) if minutes else (3_600_000, DAY, 96)
        start = BEGIN + first + self._random.randrange(count) * length
        low, high = sorted((self._amount(10, 99), self._amount(10, 99)))
        payload = {
            "symbol": self._random.choice(SYMBOLS),
            "interval": "1m" if minutes else "1h",
            "start": start,
            "open": low,
            "high": high,
            "low": low,
            "close": high,
            "volume": self._amount(0, 5000),
        }
        return self._event("market_bar", "", BEGIN + 50 * DAY + self._made, payload)

    def _value(self) -> Event:
        user, at = self._user(), self._moment()
        payload: Payload = {"account_id": f"a{user[1:]}-0", "equity": self._amount(0, 9000), "currency": "USD"}
        payload["balance"] = self._amount(0, 9000)
        if self._random.random() < 0.5:
            payload["at"] = at
        return self._event("account_equity", user, at, payload)

    def _flow(self) -> Event:
        user, amount = self._user(), self._amount(-500, 900)
        payload = {"account_id": f"a{user[1:]}-1", "amount": amount, "currency": "USD", "kind": "adjustment"}
        return self._event("account_flow", user, self._moment(), payload)

    def _payment(self) -> Event:
        """Of few customers, who subscribe as well, over two months: many owe for weeks, and some pay at last."""
        some = self._random
        customer, invoice = f"c{some.randrange(CUSTOMERS // 5)}", some.randrange(4)
        at = self._moment() - some.randrange(60) * DAY
        payload = {
            "customer_id": customer,
            "invoice_id": f"i{invoice}" if invoice else "",
            "kind": some.choice(("succeeded", "succeeded", "failed", "refunded", "recovered")),
            "amount": self._amount(0, 300),
            "fee": self._amount(0, 3),
            "currency": some.choice(("USD", "EUR")),
        }
        return self._event("payment", customer, at, payload)

    def _cost(self) -> Event:
        payload = {
            "channel": self._random.choice(("search", "social")),
            "campaign": self._random.choice(("", "autumn")),
            "cost": self._amount(0, 900),
            "currency": "USD",
        }
        return self._event("acquisition_cost", "", self._moment(), payload)

    def _survey(self) -> Event:
        survey, scale = self._random.choice((("nps", (0, 10)), ("csat", (1, 5)), ("ces", (1, 7))))
        score = float(self._random.randint(*scale))
        return self._event(
            "survey_response", "", self._moment(), {"survey": survey, "score": score, "respondent_id": "r"}
        )

    def _ticket(self) -> Event:
        step = self._random.choice(("opened", "opened", "first_response", "resolved", "reopened"))
        payload = {"ticket_id": f"t{self._random.randrange(200)}", "event": step}
        return self._event("support_ticket", "", self._moment(), payload)

    def _rate(self) -> Event:
        at = self._moment()
        payload: Payload = {
            "base": self._random.choice(("CHF", "GBP", "JPY")),
            "quote": "USD",
            "rate": self._amount(0.5, 1.5),
            "source": self._random.choice(("bank", "ecb")),
        }
        if self._random.random() < 0.5:
            payload["at"] = at
        return self._event("exchange_rate", "", at, payload)

    def _subscription(self) -> Event:
        """One of the facts that wait: a customer's facts arrive in any order."""
        self._waiting.append(self._next_subscription_fact())
        if len(self._waiting) <= HELD_BACK:
            self._waiting.append(self._next_subscription_fact())
        return self._waiting.pop(self._random.randrange(len(self._waiting)))

    def _next_subscription_fact(self) -> Event:
        some = self._random
        company, number = some.choice(COMPANIES), some.randrange(CUSTOMERS)
        customer, second = f"c{number}", int(some.random() < 0.3)
        key = (company, customer, second)
        new = Subscription(f"s{number}-{second}", some.choice(list(PLANS)), some.choice(INTERVALS))
        last = self._subscriptions.get(key, new)
        event = some.choice(NEXT[last.status])
        at = last.at + some.randrange(3_600_000, 4 * DAY)
        facts = last.facts + 1
        self._subscriptions[key] = last._replace(status=STATUS.get(event, "active"), at=at, facts=facts)
        payload: Payload = {
            "event": event,
            "customer_id": customer,
            "subscription_id": last.id,
            "plan": last.plan,
            "tier": PLANS[last.plan],
            "currency": "USD",
            "effective_at": at,
            "recorded_at": at,
            "sequence": facts,
        }
        if event not in ("paused", "canceled"):
            payload |= {"interval": last.interval, "interval_count": 1, "discount_pct": some.choice((0.0, 0.0, 12.5))}
            payload |= {"unit_amount": self._amount(5, 300), "quantity": float(some.randrange(1, 9))}
        # some facts are about the customer, some about the member of staff who entered them
        return self._event("subscription", some.choice((customer, customer, "staff")), at, payload, company)
