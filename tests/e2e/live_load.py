"""Events of now for live windows, and what they come to by minute: counted here, in decimals, from what was sent."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from tests.e2e.exactness.doors import HttpDoor, NotTakenError
from tests.e2e.exactness.stream import Event, Payload
from tests.e2e.exactness.wire import line
from tests.support.instance import Instance

MINUTE = 60_000
COMPANIES = ("prompt", "tardy")
PIECE = 0.2  # seconds between two bodies
REPEATED = 0.03  # of the events
SOON = 120_000  # ms within which an event comes again
BEYOND = (12 * MINUTE, 14 * MINUTE)  # ms: later than live windows are revised
Key = tuple[str, ...]
Rows = dict[Key, dict[str, Any]]
Measures = dict[str, Decimal]


def _sum(cells: Measures, **more: Decimal | int) -> None:
    for name, value in more.items():
        cells[name] = cells.get(name, Decimal()) + value


def _extremes(cells: Measures, low: str, high: str, value: Decimal) -> None:
    cells[low], cells[high] = min(cells.get(low, value), value), max(cells.get(high, value), value)


class Load:
    """Makes events, and counts them by company, window and minute: `all_rows`, and `in_time` without the too late."""

    def __init__(self, seed: int, companies: Sequence[str] = COMPANIES) -> None:
        self._companies = companies
        self._random = random.Random(seed)
        self._number = 0
        self._sent: deque[tuple[int, Event]] = deque()
        self.all_rows: dict[tuple[str, str, int], dict[Key, Measures]] = {}
        self.in_time: dict[tuple[str, str, int], dict[Key, Measures]] = {}
        self.events = self.repeated = self.late = self.too_late = 0

    def piece(self, now: int, count: int) -> list[Event]:
        """So many events that are sent now (ms), in no order."""
        while self._sent and self._sent[0][0] < now - SOON:
            self._sent.popleft()
        fresh = [self._event(now) for _ in range(count)]
        again = [self._random.choice(self._sent)[1] for _ in range(count) if self._sent and self._often(REPEATED)]
        self._sent.extend((now, event) for event in fresh)
        self.events += len(fresh)
        self.repeated += len(again)
        piece = [*fresh, *again]
        self._random.shuffle(piece)
        return piece

    def _often(self, share: float) -> bool:
        return self._random.random() < share

    def _delay(self, company: str) -> int:
        """How late (ms) an event is."""
        some = self._random
        if company == "prompt":
            return some.randrange(25_000) if self._often(0.1) else some.randrange(3_000)
        if self._often(0.01):
            return some.randrange(*BEYOND)
        if self._often(0.05):
            return some.randrange(9 * MINUTE)
        return some.randrange(60_000) if self._often(0.1) else some.randrange(3_000)

    def _event(self, now: int) -> Event:
        self._number += 1
        company = self._random.choice(self._companies)
        delay = self._delay(company)
        at = now - delay
        maker = self._random.choice((self._trade, self._trade, self._action, self._metric, self._operation, self._bar))
        kind, payload, window, key, count = maker(company, at)
        place = company, window, at // MINUTE * MINUTE
        self.late += delay > 5_000
        self.too_late += delay >= BEYOND[0]
        for rows in (self.all_rows, self.in_time) if delay < BEYOND[0] else (self.all_rows,):
            count(rows.setdefault(place, {}).setdefault(key, {}))
        return Event(kind, f"live-{self._number}", company, f"u{self._number % 40}", at, payload)

    def _amount(self, low: float, high: float) -> float:
        return round(self._random.uniform(low, high), self._random.choice((2, 2, 3, 6)))

    def _trade(self, _company: str, at: int) -> tuple[str, Payload, str, Key, Callable[[Measures], None]]:
        symbol, strategy = self._random.choice(("AAPL", "BTC", "OIL")), self._random.choice(("carry", "donchian"))
        pnl, fees = self._amount(-90, 100), self._amount(0, 3)
        own: Payload = {"trade_id": f"t{self._number}", "account_id": "a1", "symbol": symbol, "strategy": strategy}
        own |= {"side": "long", "quantity": 1.0, "entry_price": 10.0, "exit_price": 11.0, "pnl": pnl, "fees": fees}
        own |= {"currency": "USD", "opened_at": at - 1_000, "closed_at": at}

        def count(cells: Measures) -> None:
            _sum(cells, total_trades=1, winning_trades=pnl > 0, losing_trades=pnl < 0)
            _sum(cells, total_pnl=Decimal(str(pnl)), total_fees=Decimal(str(fees)), turnover=21)

        return "trading_result", own, "trading", (strategy, symbol, "USD"), count

    def _action(self, _company: str, _at: int) -> tuple[str, Payload, str, Key, Callable[[Measures], None]]:
        name = self._random.choice(("page_view", "click", "impression"))

        def count(cells: Measures) -> None:
            _sum(cells, events=1, page_views=name == "page_view", clicks=name == "click", conversions=0)

        return "user_event", {"name": name, "session_id": "s1"}, "user_activity", (), count

    def _metric(self, _company: str, _at: int) -> tuple[str, Payload, str, Key, Callable[[Measures], None]]:
        service, metric, value = self._random.choice(("gateway", "pricing")), "queue", self._amount(0, 500)

        def count(cells: Measures) -> None:
            _sum(cells, count=1, sum=Decimal(str(value)))
            _extremes(cells, "min", "max", Decimal(str(value)))

        own = {"service": service, "metric": metric, "value": value, "unit": "ms"}
        return "system_metric", own, "system_metrics", (service, metric), count

    def _operation(self, _company: str, _at: int) -> tuple[str, Payload, str, Key, Callable[[Measures], None]]:
        operation, outcome = self._random.choice(("place", "cancel")), self._random.choice(("ok", "ok", "error"))
        took = self._amount(0, 90)

        def count(cells: Measures) -> None:
            _sum(cells, count=1, duration_sum=Decimal(str(took)))
            _extremes(cells, "duration_min", "duration_max", Decimal(str(took)))

        own = {"service": "gateway", "operation": operation, "duration_ms": took, "outcome": outcome}
        return "performance_data", own, "operations", ("gateway", operation, outcome), count

    def _bar(self, company: str, at: int) -> tuple[str, Payload, str, Key, Callable[[Measures], None]]:
        """One and the same however often it is published: which report of a bar is the last the log alone knows."""
        symbol, start = self._random.choice(("AAPL", "BTC")), at // MINUTE * MINUTE
        cents = random.Random(f"{company}{symbol}{start}").randrange(1_000, 90_000)
        own = {"symbol": symbol, "interval": "1m", "start": start, "volume": 1_000.0}
        prices = {"open": cents, "high": cents + 100, "low": cents - 100, "close": cents + 50}
        own |= {name: price / 100 for name, price in prices.items()}

        def count(cells: Measures) -> None:
            cells.update({name: Decimal(str(own[name])) for name in ("open", "high", "low", "close", "volume")})

        return "market_bar", own, "market_bars", (symbol, "1m"), count


def publish(instance: Instance, load: Load, rate: int, over: threading.Event) -> float:
    """Send pieces at that rate; one that is not taken is sent again as it is. The longest time (s) that one took."""
    door = HttpDoor(instance, instance.token("service", "*"))
    began, number, longest = time.monotonic(), 0, 0.0
    while not over.is_set():
        time.sleep(max(0.0, began + number * PIECE - time.monotonic()))
        number += 1
        piece = [line(event) for event in load.piece(time.time_ns() // 1_000_000, round(rate * PIECE))]
        sent = time.monotonic()
        while True:
            try:
                door.send(piece)
                break
            except NotTakenError:
                time.sleep(0.2)
        longest = max(longest, time.monotonic() - sent)
    door.close()
    return longest
