"""What the statistics of an account, user, strategy or symbol are computed from: its trades and its daily series."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from domain.metrics.trading.daily import Daily
from domain.metrics.trading.trades import Trades
from domain.metrics.value import Stat


@dataclass(frozen=True, eq=False)
class TradingRecord:
    """Closed trades, and the daily series of the same period."""

    trades: Trades
    daily: Daily
    start: int | None = None  # ms since 1970 UTC of the period; by default the first entry
    end: int | None = None  # by default the last exit
    zone: str = "UTC"  # of its days
    currency: str | None = None  # of its amounts; None: they name none


Form = Callable[[TradingRecord], Stat]


def of_trades(statistic: Callable[[Trades], Stat]) -> Form:
    """The form of a statistic that reads the trades."""
    return lambda record: statistic(record.trades)


def of_returns(statistic: Callable[..., Stat]) -> Form:
    """The form of a statistic that reads the returns."""
    return lambda record: statistic(record.daily.returns)


def of_annual_returns(statistic: Callable[..., Stat], **target: float) -> Form:
    """The form of a statistic that reads the returns and how many make a year."""
    return lambda record: statistic(record.daily.returns, record.daily.annual, **target)
