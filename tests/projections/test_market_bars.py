"""Market bars: as published, the later publication wins, and coarser intervals are rolled up exactly."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from domain.errors import Invalid
from eventlog.publish.builders import market_bar
from eventlog.publish.event import Event
from tests.projections.harness import ReadModels

MINUTES = {"1m": 1, "5m": 5, "15m": 15, "1h": 60, "1d": 1_440}
MIDNIGHT = datetime(2025, 10, 9, tzinfo=UTC)


class Bar(NamedTuple):
    """One bar; `minute` counts from midnight, prices are in cents and volume in thousandths."""

    minute: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    interval: str = "1m"

    def event(self, symbol: str = "AAPL", published: int = 0) -> Event:
        start = ms(self.minute)
        prices = {name: getattr(self, name) / 100 for name in ("open", "high", "low", "close")}
        return market_bar(
            company_id="acme",
            symbol=symbol,
            interval=self.interval,
            start=start,
            **prices,
            volume=self.volume / 1000,
            timestamp=start + published,
        )

    @property
    def row(self) -> dict[str, str]:
        prices = {name: text(getattr(self, name), 100) for name in ("open", "high", "low", "close")}
        return {"start": shown(self.minute), **prices, "volume": text(self.volume, 1000)}


def ms(minute: int) -> int:
    return round(MIDNIGHT.timestamp() * 1000) + minute * 60_000


def shown(minute: int) -> str:
    return datetime.fromtimestamp(ms(minute) / 1000, UTC).isoformat().replace("+00:00", "Z")


def text(whole: int, parts: int) -> str:
    number = Decimal(whole) / parts
    return f"{number:f}".rstrip("0").rstrip(".") if "." in f"{number:f}" else f"{number:f}"


def random_bars(seed: int, minutes: Sequence[int], interval: str = "1m") -> list[Bar]:
    chance = random.Random(seed)
    bars = []
    for minute in minutes:
        prices = [chance.randrange(10_000, 20_000) for _ in range(4)]
        low, first, last, high = sorted(prices)
        bars.append(Bar(minute, first, high, low, last, chance.randrange(10**9), interval))
    return bars


def rolled(bars: Sequence[Bar], interval: str) -> dict[int, Bar]:
    """The bars of a coarser interval, by their first minute."""
    width = MINUTES[interval]
    cells: dict[int, list[Bar]] = {}
    for bar in sorted(bars):
        cells.setdefault(bar.minute // width * width, []).append(bar)
    return {
        start: Bar(
            start,
            group[0].open,
            max(b.high for b in group),
            min(b.low for b in group),
            group[-1].close,
            sum(b.volume for b in group),
            interval,
        )
        for start, group in cells.items()
    }


def rows_of(bars: Mapping[int, Bar]) -> list[dict[str, Any]]:
    return [bars[start].row for start in sorted(bars)]


async def ask(models: ReadModels, interval: str, **params: str) -> list[dict[str, Any]]:
    return await models.rows("market_bars", **{"symbol": "AAPL", "interval": interval, **params})


async def test_bars_appear_as_published(models: ReadModels) -> None:
    """Prices and volume are exact decimal texts, in order of start; other symbols are not mixed in."""
    models.given([market_bar_at(1, 187.1), market_bar_at(0, 0.000001), Bar(0, 1, 1, 1, 1, 1).event("MSFT")])
    assert [(r["start"], r["open"], r["volume"]) for r in await ask(models, "1m")] == [
        ("2025-10-09T00:00:00Z", "0.000001", "0"),
        ("2025-10-09T00:01:00Z", "187.1", "0"),
    ]
    assert await models.rows("market_bars", symbol="GOOG", interval="1m") == []


def market_bar_at(minute: int, price: float) -> Event:
    return market_bar(
        company_id="acme",
        symbol="AAPL",
        interval="1m",
        start=ms(minute),
        open=price,
        high=price,
        low=price,
        close=price,
    )


@pytest.mark.parametrize("batches_of", [(1,), (10,)])
async def test_a_bar_published_again_replaces_the_earlier(models: ReadModels, batches_of: Sequence[int]) -> None:
    """The publication with the latest event time wins, and the later in the log among equal ones."""
    first, second, third = Bar(0, 100, 400, 50, 200, 7), Bar(0, 101, 401, 51, 201, 8), Bar(0, 102, 402, 52, 202, 9)
    events = [third.event(published=10), first.event(published=5), second.event(published=10)]
    models.given(events, batches_of=batches_of)
    assert await ask(models, "1m") == [second.row]
    assert await ask(models, "1h") == [second.row]


@pytest.mark.parametrize("seed", [1, 2])
async def test_coarser_bars_are_rolled_up_exactly(models: ReadModels, seed: int) -> None:
    """Open of the first, close of the last, extremes and sum, with minutes missing and in any order of arrival."""
    chance = random.Random(seed)
    bars = random_bars(seed, sorted(chance.sample(range(3 * 1_440), 500)))
    shuffled = chance.sample(bars, len(bars))
    models.given((b.event() for b in shuffled), batches_of=(100, 1))
    assert await ask(models, "1m") == [b.row for b in bars]
    for interval in ("5m", "15m", "1h", "1d"):
        assert await ask(models, interval) == rows_of(rolled(bars, interval)), interval


async def test_a_period_holds_whole_bars(models: ReadModels) -> None:
    """A bar belongs to a period if it begins in it, and is then made of all that lies in it."""
    bars = random_bars(3, range(180))
    models.given(b.event() for b in bars)
    hours = rolled(bars, "1h")
    begin, end = "2025-10-09T00:30:00", "2025-10-09T02:30:00"
    assert await ask(models, "1h", from_=begin, to=end) == [hours[60].row, hours[120].row]
    assert await ask(models, "1h", from_="2025-10-09T01:00:00", to="2025-10-09T02:00:00") == [hours[60].row]
    assert await ask(models, "1h", to="9999-12-31T23:59:59") == rows_of(hours)
    assert await ask(models, "1h", limit="2") == [hours[0].row, hours[60].row]


async def test_a_published_bar_is_preferred_to_a_rolled_one(models: ReadModels) -> None:
    """Bar by bar: as published where there is one, or else rolled up from the finest interval that there is."""
    minutes = random_bars(4, range(60, 180))
    fives = random_bars(5, range(0, 180, 5), "5m")
    hour = Bar(60, 2, 4, 1, 3, 5, "1h")
    models.given(b.event() for b in (*minutes, *fives, hour))
    rolled_minutes, rolled_fives = rolled(minutes, "1h"), rolled(fives, "1h")
    assert await ask(models, "1h") == [rolled_fives[0].row, hour.row, rolled_minutes[120].row]
    assert await ask(models, "5m") == [b.row for b in fives]


async def test_days_that_do_not_begin_at_midnight_stand_as_published(models: ReadModels) -> None:
    """A trading day from 04:00 is one bar with its own start, and no second one is rolled up beside it."""
    day = Bar(4 * 60, 2, 4, 1, 3, 5, "1d")
    models.given(b.event() for b in (*random_bars(6, range(4 * 60, 5 * 60)), day))
    assert await ask(models, "1d") == [day.row]


@pytest.mark.parametrize(
    "params", [{"interval": "1m"}, {"symbol": "AAPL"}, {"symbol": "AAPL", "interval": "7m"}, {"symbol": "A", "x": "y"}]
)
async def test_symbol_and_a_known_interval_are_needed(models: ReadModels, params: dict[str, str]) -> None:
    """What the question lacks or does not know is Invalid."""
    with pytest.raises(Invalid):
        await models.answer("market_bars", **params)
