"""The oracles of trading: inputs as this service holds them, and comparison within the tolerance that each states."""

from __future__ import annotations

import csv
import json
import math
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from domain.decimals import ONE
from domain.metrics.trading.calendars import Calendar
from domain.metrics.trading.daily import NOTHING, Booked, Daily, from_values
from domain.metrics.trading.trades import Trades
from domain.metrics.trading.whole import whole
from domain.metrics.value import Stat, has_value

ORACLES = Path(__file__).parents[2] / "data" / "oracles"

EPOCH = date(1970, 1, 1).toordinal()


def oracle(name: str) -> Any:
    """A JSON file of the oracles."""
    return json.loads((ORACLES / name).read_text())


def trillionths(amount: Any) -> int:
    """An amount as the service decodes it."""
    return int((Decimal(str(amount)) * ONE).to_integral_value())


def aapl_trades() -> Trades:
    """The trades of the crossover, in order of exit."""
    rows = oracle("trades_aapl.json")["trades"]
    return Trades.of(
        (trillionths(row["pnl"]) for row in rows),
        fees=(trillionths(row["commission"]) for row in rows),
        quantity=(abs(row["size"]) * ONE for row in rows),
        entry_price=(trillionths(row["entry_price"]) for row in rows),
        exit_price=(trillionths(row["exit_price"]) for row in rows),
        opened_at=(milliseconds(row["entry_time"]) for row in rows),
        closed_at=(milliseconds(row["exit_time"]) for row in rows),
    )


def milliseconds(time: str) -> int:
    """A time of the oracles, which are UTC."""
    return int(datetime.fromisoformat(time + "+00:00").timestamp() * 1000)


def aapl_daily() -> Daily:
    """The marked values of the crossover's account, in its file's unit of 10⁻⁸, in which monthly returns near zero keep
    nine digits; returns do not depend on the unit.
    """
    with (ORACLES / "equity_aapl.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    days = np.array([day_number(row["date"]) for row in rows], dtype=np.int64)
    return from_values(
        Booked(days, whole(int(Decimal(row["Equity"]) * 10**8) for row in rows)), NOTHING, Calendar.WEEKDAYS
    )


def day_number(text: str) -> int:
    """Days since 1970-01-01."""
    return date.fromisoformat(text).toordinal() - EPOCH


def day_text(day: int) -> str:
    """The date of a day number."""
    return date.fromordinal(day + EPOCH).isoformat()


def agrees(got: Stat, expected: float | None, rel: float = 1e-9, absolute: float = 1e-12) -> bool:
    """Whether a value is within tolerance, or a reason stands where nothing is expected."""
    if expected is None or not has_value(got):
        return expected is None and not has_value(got)
    return math.isclose(got, expected, rel_tol=rel, abs_tol=absolute)
