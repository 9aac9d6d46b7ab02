"""Rows of the questions about a trading record: statistics, curves, windows and periods."""

from __future__ import annotations

from datetime import date

from msgspec import UNSET, UnsetType, field

from projections.engine.query.answer_row import AnswerRow, AnswerTime, MoneyText


class Statistic(AnswerRow, kw_only=True):
    """A statistic: money as decimal text, counts and ratios as numbers, dates as text; null with its reason.

    Those of returns say what the returns are taken of (marked, equity or pnl), how many days there are and whether
    these are fewer than 30.
    """

    key: str
    value: float | str | None
    unit: str
    convention: str
    reason: str = ""
    currency: str | UnsetType | None = UNSET  # of money
    basis: str = ""
    days: int | UnsetType = UNSET
    short_sample: bool | UnsetType = UNSET


class UserShare(Statistic, kw_only=True):
    """The share, of how many users who traded, and how many of them earned money."""

    users: int
    profitable_users: int


class EquityRow(AnswerRow, kw_only=True):
    """A day: summed profit and loss, equity with the day's flows, and how far that profit is below its peak, as money;
    the index of returns (1 at the start), how far it is below its peak, and the day's return, as fractions.

    `basis`: what the returns are taken of, marked, equity or pnl.
    """

    day: date
    basis: str
    pnl: MoneyText
    equity: MoneyText
    flows: MoneyText
    drawdown_money: MoneyText
    equity_index: float | None
    underwater: float | None
    returned: float | None = field(name="return")
    reasons: dict[str, str] = field(default_factory=dict)


class RollingRow(AnswerRow, kw_only=True):
    """A window, by the day of its last return or the exit of its last trade, with the statistic under its name."""

    day: date | UnsetType = UNSET
    closed_at: AnswerTime | UnsetType = UNSET
    sharpe: float | UnsetType | None = UNSET
    sortino: float | UnsetType | None = UNSET
    volatility: float | UnsetType | None = UNSET
    win_rate: float | UnsetType = UNSET
    basis: str = ""
    reasons: dict[str, str] = field(default_factory=dict)


class ReturnRow(AnswerRow, kw_only=True):
    """A month (YYYY-MM) or year, and its return as a fraction."""

    month: str | UnsetType = UNSET
    year: int | UnsetType = UNSET
    returned: float | None = field(name="return")
    basis: str
    reasons: dict[str, str] = field(default_factory=dict)
