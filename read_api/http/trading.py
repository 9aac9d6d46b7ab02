"""Trading over HTTP: statistics, tables, curves and indicators, each the answer of a registered query."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from read_api.http.openapi import Answer, Page, StandsFor
from read_api.http.query_paths import Door

PATH = "/api/v1/trading"


class Statistic(msgspec.Struct, kw_only=True):
    """A statistic: money as decimal text, counts and ratios as numbers, dates as text; null with its reason.

    Those of returns say what the returns are taken of (marked, equity or pnl), how many days there are and whether
    these are fewer than 30.
    """

    key: str
    value: float | str | None
    unit: str
    convention: str
    reason: str = ""
    basis: str = ""
    days: int = 0
    short_sample: bool = False


class Statistics(StandsFor, kw_only=True):
    """The statistics, in the order of the catalogue."""

    rows: list[Statistic]


class UserShare(Statistic, kw_only=True):
    """The share, of how many users who traded, and how many of them earned money."""

    users: int
    profitable_users: int


class UserShares(StandsFor, kw_only=True):
    """One row."""

    rows: list[UserShare]


class Totals(msgspec.Struct, kw_only=True):
    """Totals of closed trades, and whether there are fewer than 30 of them."""

    total_trades: int
    winning_trades: int
    losing_trades: int
    breakeven_trades: int
    total_pnl: str
    gross_profit: str
    gross_loss: str
    total_fees: str
    turnover: str
    largest_win: str | None
    largest_loss: str | None
    win_rate: float | None
    average_win: str | None
    average_loss: str | None
    profit_factor: float | None
    payoff_ratio: float | None
    expectancy: str | None
    short_sample: bool
    reasons: dict[str, str] = {}


class StrategyRow(Totals, kw_only=True):
    """A strategy in its rank; '' are trades without one."""

    rank: int
    strategy: str


class SymbolRow(Totals, kw_only=True):
    """A symbol in its rank."""

    rank: int
    symbol: str


class SideRow(Totals, kw_only=True):
    """Long or short in its rank."""

    rank: int
    side: str


class StrategyLeague(StandsFor, kw_only=True):
    """Strategies, the best first."""

    rows: list[StrategyRow]


class SymbolLeague(StandsFor, kw_only=True):
    """Symbols, the best first."""

    rows: list[SymbolRow]


class SideLeague(StandsFor, kw_only=True):
    """Sides, the best first."""

    rows: list[SideRow]


class TimeRow(Totals, kw_only=True):
    """Hour of entry (-1 where it is unknown) and weekday of exit (0 is Monday), or year and month of exit."""

    entry_hour: int | None = None
    weekday: int | None = None
    year: int | None = None
    month: str | None = None


class TimeTable(StandsFor, kw_only=True):
    """A row a cell that has trades."""

    rows: list[TimeRow]


class EquityRow(msgspec.Struct, kw_only=True):
    """A day: summed profit and loss, the index of returns (1 at the start), how far it is below its peak.

    `basis`: what the returns are taken of, marked, equity or pnl.
    """

    day: date
    basis: str
    pnl: str
    equity_index: float | None
    underwater: float | None
    reasons: dict[str, str] = {}


class EquityCurve(StandsFor, kw_only=True):
    """The start, then every day."""

    rows: list[EquityRow]


class RollingRow(msgspec.Struct, kw_only=True):
    """A window, by the day of its last return or the exit of its last trade, with the statistic under its name."""

    day: date | None = None
    closed_at: datetime | None = None
    sharpe: float | None = None
    sortino: float | None = None
    volatility: float | None = None
    win_rate: float | None = None
    basis: str = ""
    reasons: dict[str, str] = {}


class Rolling(StandsFor, kw_only=True):
    """The windows."""

    rows: list[RollingRow]


class ReturnRow(msgspec.Struct, kw_only=True, rename={"returned": "return"}):
    """A month (YYYY-MM) or year, and its return as a fraction."""

    month: str | None = None
    year: int | None = None
    returned: float | None
    basis: str
    reasons: dict[str, str] = {}


class Returns(StandsFor, kw_only=True):
    """The months or years that have returns."""

    rows: list[ReturnRow]


class Setting(msgspec.Struct, kw_only=True):
    """A setting of an indicator: its default, and its choices or bounds."""

    name: str
    default: float | str
    choices: list[str] = []
    least: float = 0
    most: float = 0


class IndicatorEntry(msgspec.Struct, kw_only=True):
    """An indicator: what it takes, what it gives, and where its formula is from."""

    indicator: str
    title: str
    params: list[Setting]
    outputs: list[str]
    source: str


class Indicators(StandsFor, kw_only=True):
    """The indicators, by key."""

    rows: list[IndicatorEntry]


class IndicatorValues(Answer, kw_only=True):
    """A row a bar: `start`, and each output of the indicator under its name, null in the warm-up."""

    rows: list[dict[str, Any]]


DOORS = (
    Door(f"{PATH}/metrics", "trading_metrics", Statistics),
    Door(f"{PATH}/strategies", "trading_league", StrategyLeague, {"by": "strategy"}),
    Door(f"{PATH}/symbols", "trading_league", SymbolLeague, {"by": "symbol"}),
    Door(f"{PATH}/sides", "trading_league", SideLeague, {"by": "side"}),
    Door(f"{PATH}/time", "trading_time", TimeTable),
    Door(f"{PATH}/equity", "trading_equity", EquityCurve),
    Door(f"{PATH}/rolling", "trading_rolling", Rolling),
    Door(f"{PATH}/returns", "trading_returns", Returns),
    Door(f"{PATH}/profitable-users", "profitable_users", UserShares),
    Door(f"{PATH}/trades", "trades", Page),
    Door(f"{PATH}/indicators", "indicators", Indicators),
    Door(f"{PATH}/indicator", "indicator", IndicatorValues),
)
