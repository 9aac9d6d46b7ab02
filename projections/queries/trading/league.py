"""Trading tables: strategies, symbols or sides against each other, and results by hour, weekday, month and year."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import UNSET, UnsetType, field

from projections.engine.query.answer_row import AnswerRow, MoneyText, Rows
from projections.engine.query.composed import Composed, Part
from projections.engine.query.params import FROM, TO, Param, read_choice
from projections.engine.query.rates_used import LIST_RATES, RATES
from projections.engine.query.request import Request

FEW_TRADES = 30  # below, a ratio is mostly luck
FILTERS = tuple(
    Param(name, f"only trades with this {name}")
    for name in ("user_id", "account_id", "strategy", "symbol", "side", "currency")
)
LEAGUES = ("strategy", "symbol", "side", "account_id", "user_id", "currency")
RANKS = ("total_pnl", "total_trades", "win_rate", "profit_factor", "payoff_ratio", "expectancy", "turnover")
CALENDARS = {"hour_weekday": ("entry_hour", "weekday"), "month_year": ("year", "month")}


class TradeTotals(AnswerRow, kw_only=True):
    """Totals of closed trades, and whether there are fewer than 30 of them."""

    total_trades: int
    winning_trades: int
    losing_trades: int
    breakeven_trades: int
    total_pnl: MoneyText | None
    gross_profit: MoneyText | None
    gross_loss: MoneyText | None
    total_fees: MoneyText | None
    turnover: MoneyText | None
    largest_win: MoneyText | None
    largest_loss: MoneyText | None
    win_rate: float | None
    average_win: MoneyText | None
    average_loss: MoneyText | None
    profit_factor: float | None
    payoff_ratio: float | None
    expectancy: MoneyText | None
    currency: str | None
    short_sample: bool
    reasons: dict[str, str] = field(default_factory=dict)


class LeagueRow(TradeTotals, kw_only=True):
    """A strategy ('' are trades without one), symbol, side, account, user or currency in its rank."""

    rank: int
    strategy: str | UnsetType = UNSET
    symbol: str | UnsetType = UNSET
    side: str | UnsetType = UNSET
    account_id: str | UnsetType = UNSET
    user_id: str | UnsetType = UNSET


class TimeRow(TradeTotals, kw_only=True):
    """Hour of entry (-1 where it is unknown) and weekday of exit (0 is Monday), or year and month of exit."""

    entry_hour: int | UnsetType = UNSET
    weekday: int | UnsetType = UNSET
    year: int | UnsetType = UNSET
    month: str | UnsetType = UNSET


def totals_by(request: Request, by: str) -> Mapping[str, Part]:
    """The totals of closed trades by these dimensions."""
    names = ("from", "to", *(param.name for param in (*FILTERS, RATES, LIST_RATES)))
    filters = {name: _text(request.get(name)) for name in names if request.get(name) is not None}
    return {"totals": Part("trading_totals", {**filters, "by": by})}


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def league(request: Request, rows: Mapping[str, Rows]) -> list[LeagueRow]:
    """Rows from the best to the worst, those without the measure last; few trades are marked."""
    by, rank_by = request.get("by"), request.get("rank_by", "total_pnl")

    def place(row: Mapping[str, Any]) -> tuple[bool, Decimal, str]:
        value = row[rank_by]
        return value is None, -Decimal(str(value or 0)), row[by]

    ranked = enumerate(sorted(rows["totals"], key=place), start=1)
    return [LeagueRow(rank=rank, **row, short_sample=row["total_trades"] < FEW_TRADES) for rank, row in ranked]


def calendar(request: Request, rows: Mapping[str, Rows]) -> list[TimeRow]:
    """The totals of each cell; few trades are marked."""
    return [TimeRow(**row, short_sample=row["total_trades"] < FEW_TRADES) for row in rows["totals"]]


TRADING_LEAGUE = Composed(
    "trading_league",
    "Strategies, symbols, sides, accounts, users or currencies by what they earned, ranked; few trades are marked.",
    (
        Param("by", f"one of {', '.join(LEAGUES)}", read_choice(*LEAGUES), required=True),
        Param("rank_by", f"one of {', '.join(RANKS)}; total_pnl by default", read_choice(*RANKS)),
        FROM,
        TO,
        *FILTERS,
        RATES,
        LIST_RATES,
    ),
    lambda request: totals_by(request, request.get("by")),
    league,
    LeagueRow,
    any_zone=True,
)
TRADING_TIME = Composed(
    "trading_time",
    "Results by hour of entry and weekday of exit, or by year and month of exit, UTC.",
    (
        Param("by", f"one of {', '.join(CALENDARS)}; the first by default", read_choice(*CALENDARS)),
        FROM,
        TO,
        *FILTERS,
        RATES,
        LIST_RATES,
    ),
    lambda request: totals_by(request, ",".join(CALENDARS[request.get("by", "hour_weekday")])),
    calendar,
    TimeRow,
    any_zone=True,
)
