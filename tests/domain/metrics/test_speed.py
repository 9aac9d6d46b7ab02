"""How long all trading statistics of one user take."""

from __future__ import annotations

import statistics
import time

import numpy as np
import pytest

from domain.metrics.trading.calendars import Calendar
from domain.metrics.trading.daily import Booked, from_flows
from domain.metrics.trading.record import TradingRecord
from domain.metrics.trading.trades import Trades
from tests.domain.metrics.trading.answers import answers

M = 10**6
TRADES, YEARS = 2_000, 2
MS_PER_DAY = 86_400_000


@pytest.mark.check
def test_all_statistics_of_a_user_take_two_milliseconds() -> None:
    """Of 2,000 trades in two years, from columns to every entry of the catalogue; half of the runs are quicker."""
    chance = np.random.default_rng(7)
    closed = np.sort(chance.integers(0, YEARS * 365 * MS_PER_DAY, TRADES)) + 1_700_000_000_000

    def amounts(least: int, most: int) -> np.ndarray:
        return chance.integers(least, most, TRADES)

    pnl = amounts(-90 * M, 100 * M)
    columns = {
        "fees": amounts(0, M),
        "quantity": amounts(1, 100) * M,
        "entry_price": amounts(10, 200) * M,
        "exit_price": amounts(10, 200) * M,
        "opened_at": closed - amounts(60_000, 3 * MS_PER_DAY),
        "closed_at": closed,
        "adverse": amounts(-9 * M, 0),
        "favourable": amounts(0, 9 * M),
        "initial_risk": amounts(1, 9 * M),
    }
    flows = Booked(np.array([closed[0] // MS_PER_DAY]), np.array([100_000 * M]))

    def once() -> float:
        started = time.process_time()
        trades = Trades.of(pnl, **columns)
        series = from_flows(Booked(trades.closed_at // MS_PER_DAY, trades.pnl), flows, Calendar.WEEKDAYS)
        answers(TradingRecord(trades, series))
        return time.process_time() - started

    # the quietest of five rounds: other work on the machine costs processor time too, by way of its caches
    half = min(statistics.median(once() for _ in range(60)) for _ in range(5))
    print(f"all trading statistics of {TRADES} trades: p50 {half * 1e3:.2f} ms of processor time")
    assert half <= 0.002
