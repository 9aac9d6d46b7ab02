"""Markets over HTTP: bars, how they moved, what moves together, and what their closes say."""

from __future__ import annotations

from datetime import datetime

import msgspec

from read_api.http.insights import Insights
from read_api.http.openapi import StandsFor
from read_api.http.query_paths import Door

PATH = "/api/v1/markets"


class Market(msgspec.Struct, kw_only=True):
    """A market: last price, change and deepest fall as fractions, annualised volatility, units traded, bars seen."""

    symbol: str
    last: str
    volume: str
    bars: int
    change: float | None
    volatility: float | None
    max_drawdown: float | None
    reasons: dict[str, str] = {}


class Markets(StandsFor, kw_only=True):
    """The markets, by symbol."""

    rows: list[Market]


class Pair(msgspec.Struct, kw_only=True):
    """Two that are compared, how many moves both have, and the correlation of these."""

    first: str
    second: str
    observations: int
    correlation: float | None
    reason: str = ""
    reasons: dict[str, str] = {}


class Correlations(StandsFor, kw_only=True):
    """Every pair once."""

    rows: list[Pair]


class Bar(msgspec.Struct):
    """A bar: prices and volume as decimal text."""

    start: datetime
    open: str
    high: str
    low: str
    close: str
    volume: str


class Bars(StandsFor, kw_only=True):
    """The bars, ascending."""

    rows: list[Bar]


DOORS = (
    Door(PATH, "markets", Markets),
    Door(f"{PATH}/bars", "market_bars", Bars),
    Door(f"{PATH}/correlations", "correlations", Correlations),
    Door(f"{PATH}/insights", "market_insights", Insights),
)
