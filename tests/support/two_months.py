"""Two months of everything that can happen at a company, seeded: what questions are asked about that want to find."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from random import Random

import pytest

from tests.support.instance import Instance

COMPANY = "fullco"
DAY_MS = 86_400_000
END = 1_764_547_200_000  # 1 December 2025
DAYS = 61  # October and November 2025
BEGIN = END - DAYS * DAY_MS
SYMBOLS, STRATEGIES, PLANS = ("AAPL", "SPX"), ("breakout", "reversion", ""), (("basic", 29), ("pro", 99))
STEPS = ("session_started", "page_view", "feature_used", "click", "conversion", "session_ended")

Line = dict[str, object]


def happened(company: str, seed: int = 7) -> Iterator[Line]:
    """Its events, day by day, as lines of NDJSON say them."""
    chance, count = Random(seed), 0
    for day in range(DAYS):
        for line in _of_day(chance, BEGIN + day * DAY_MS, day):
            count += 1
            user = line.pop("user", "u1")
            yield {"company_id": company, "event_id": f"{company}-{count}", "user_id": user, **line}


def _of_day(chance: Random, midnight: int, day: int) -> Iterator[Line]:
    yield from _market(chance, midnight, day)
    yield from _money(chance, midnight, day)
    for trade in range(2 + day % 7 // 3):
        yield _trade(chance, midnight, day * 10 + trade)
    for user in range(6):
        yield from _visit(chance, midnight, day, user)
    yield from _machines(chance, midnight)


def _line(kind: str, at: int, payload: Mapping[str, object], **more: object) -> Line:
    return {"message_type": kind, "timestamp": at, "payload": payload, **more}


def _market(chance: Random, midnight: int, day: int) -> Iterator[Line]:
    for place, symbol in enumerate(SYMBOLS):
        close = round(100 + 20 * place + 5 * math.sin(day / 5 + place) + chance.gauss(0, 1), 2)
        bar = {"symbol": symbol, "interval": "1d", "start": midnight, "open": close - 0.5, "high": close + 1.25}
        yield _line("market_bar", midnight, {**bar, "low": close - 2, "close": close, "volume": 1_000 + day}, user="")


def _money(chance: Random, midnight: int, day: int) -> Iterator[Line]:
    at = midnight + 3_600_000
    if day < len(PLANS) * 4:
        plan, amount = PLANS[day % 2]
        subscribed: Line = {"event": "started", "customer_id": f"c{day}", "subscription_id": f"s{day}", "plan": plan}
        subscribed |= {"tier": plan, "interval": "month", "interval_count": 1, "unit_amount": amount, "quantity": 1}
        yield _line("subscription", at, {**subscribed, "currency": "USD", "effective_at": at, "recorded_at": at})
    paid = {"customer_id": f"c{day % 8}", "invoice_id": f"i{day}", "kind": "succeeded" if day % 9 else "failed"}
    yield _line("payment", at, {**paid, "amount": 29 + day % 5, "fee": 1, "currency": "USD"})
    yield _line("acquisition_cost", at, {"channel": "ads", "campaign": "autumn", "cost": 10 + day, "currency": "USD"})
    if day % 6 == 0:
        yield _line(
            "survey_response", at, {"survey": "nps", "score": chance.randint(0, 10), "respondent_id": f"r{day}"}
        )
        yield _line("support_ticket", at, {"ticket_id": f"k{day}", "event": "opened"})
    if day == 0:
        deposits = ({"account_id": f"a{n}", "amount": 10_000, "currency": "USD", "kind": "deposit"} for n in (1, 2))
        yield from (_line("account_flow", at, flow, user=f"u{n}") for n, flow in enumerate(deposits, 1))


def _trade(chance: Random, midnight: int, number: int) -> Line:
    closed = midnight + chance.randrange(8, 20) * 3_600_000
    owner = 1 + number % 2
    drawn = round(chance.gauss(2, 30), 2)
    pnl = drawn if number % 17 else 0  # some break even
    payload: Line = {
        "trade_id": f"t{number}",
        "account_id": f"a{owner}",
        "symbol": SYMBOLS[number % 2],
        "quantity": 3,
        "strategy": STRATEGIES[number % 3],
        "side": ("long", "short")[number % 2],
        "entry_price": 100.5,
        "exit_price": 101.25,
        "pnl": pnl,
        "fees": 0.35,
        "currency": "USD",
        "closed_at": closed,
        "exit_reason": "target" if pnl > 0 else "stop",
        "tags": ["swing"],
    }
    if number % 5:
        payload["opened_at"] = closed - chance.randrange(1, 30) * 600_000
    return _line("trading_result", closed, payload, user=f"u{owner}")


def _visit(chance: Random, midnight: int, day: int, user: int) -> Iterator[Line]:
    if day == 0 or (user == 5 and day == 20):
        for step, name in enumerate(("signup", "activated")):
            yield _line("user_event", midnight + 60_000 * step, {"name": name, "page": f"/{name}"}, user=f"u{user}")
    if chance.random() < (0.75 if day % 7 < 5 else 0.3):
        at, session = midnight + chance.randrange(6, 22) * 3_600_000, f"v{day}-{user}"
        for step, name in enumerate(STEPS[: chance.randint(3, 6)]):
            about = (
                {"page": "/home"} if name == "page_view" else {"feature": "alerts"} if name == "feature_used" else {}
            )
            told = {"name": name, "session_id": session, **about}
            if name == "click":
                shown = {**told, "name": "impression"}
                yield _line("user_event", at + 45_000 * step - 1, shown, user=f"u{user}")
            yield _line("user_event", at + 45_000 * step, told, user=f"u{user}")


def _machines(chance: Random, midnight: int) -> Iterator[Line]:
    for service in ("gateway", "orders"):
        at = midnight + chance.randrange(24) * 3_600_000
        measured = {"service": service, "metric": "cpu_pct", "value": round(chance.uniform(5, 95), 1), "unit": "%"}
        yield _line("system_metric", at, measured, user="")
        done = {"service": service, "operation": "place", "duration_ms": round(chance.expovariate(0.05), 3)}
        yield _line("performance_data", at, {**done, "outcome": "error" if chance.random() < 0.05 else "ok"}, user="")


@pytest.fixture(scope="session")
def filled(instance: Instance) -> Instance:
    """The shared instance, once it has the two months of COMPANY. Who adds to them adds what nobody else counts."""
    instance.take(list(happened(COMPANY)))
    return instance
