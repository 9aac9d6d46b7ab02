"""Real daily prices: Apple, the S&P 500 and the Nasdaq Composite, as they are."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from trading.trading_signals_pb2 import MarketBar

from app.demo.companies import SECOND, Company, origin
from eventlog.publish import builders
from eventlog.publish.event import Event

DATA = Path(__file__).parent / "data"
FILES: Mapping[str, str] = MappingProxyType(
    {"AAPL": "aapl_ohlcv.csv", "SPX": "sp500_ohlcv.csv.gz", "IXIC": "nasdaq_ohlcv.csv.gz"}
)
BARS_AN_EVENT = 100
T = TypeVar("T")


class Bar(NamedTuple):
    """One trading day; `start` is its midnight UTC in ms."""

    start: int
    open: float
    high: float
    low: float
    close: float
    volume: float


@cache
def daily_bars(symbol: str) -> tuple[Bar, ...]:
    """All days of a symbol, oldest first."""
    return tuple(
        Bar(midnight(row["date"]), *(float(row[name]) for name in ("Open", "High", "Low", "Close", "Volume")))
        for row in table(FILES[symbol])
    )


def table(file: str) -> Iterator[dict[str, str]]:
    """The rows of a sample file by the names of its columns."""
    content = (DATA / file).read_bytes()
    text = (gzip.decompress(content) if file.endswith(".gz") else content).decode()
    return iter(csv.DictReader(text.splitlines()))


def midnight(day: str) -> int:
    """The beginning of an ISO date, UTC, in ms."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * SECOND


def pieces(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """Runs of `size` things, the last one shorter."""
    rest = iter(things)
    while piece := list(islice(rest, size)):
        yield piece


def market_events(company: Company) -> Iterator[Event]:
    """The bars of what the company trades."""
    for symbol in company.symbols:
        yield from symbol_events(company, symbol)


def symbol_events(company: Company, symbol: str) -> Iterator[Event]:
    """The bars of one symbol, a hundred days an event."""
    for part in pieces(daily_bars(symbol), BARS_AN_EVENT):
        yield builders.market_bar_batch(
            company_id=company.company_id,
            items=[MarketBar(symbol=symbol, interval="1d", **bar._asdict()) for bar in part],
            **origin(f"bars/{company.company_id}/{symbol}/{part[0].start}", part[-1].start, FILES[symbol]),
        )
