"""Largest fall of closed equity below its peak so far, a negative fraction of that peak; flows are no part of it.

Closed equity is the starting equity + closed trades' P&L + flows at their time: a deposit counts from the beginning of
its day, a withdrawal from its end. Time-weighted, as the daily series is: each trade returns its P&L over the equity
before it, so that neither a later deposit nor a withdrawal moves the fraction. Without flows that is
(starting equity + Σp) / its peak − 1. Realised: open positions are not in it, so it is shallower than `max_drawdown`
of marked values. Null: no_trades, no_equity (no equity above zero before the first trade), ruin (none before a later
one).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from domain.metrics.engagement.periods import local
from domain.metrics.trading.calendars import MS_PER_DAY, Days
from domain.metrics.trading.daily import NOTHING, Booked, time_weighted
from domain.metrics.trading.max_drawdown import max_drawdown
from domain.metrics.trading.trades import Trades
from domain.metrics.trading.whole import Whole, minus, plus, running, whole
from domain.metrics.value import Reason, Stat


def realised_drawdown(trades: Trades, starting_equity: int, flows: Booked = NOTHING, zone: str = "UTC") -> Stat:
    """Smallest (equity / peak − 1); the starting equity is the first peak, `flows` are those after the start, by day
    of the zone.
    """
    if not trades.count:
        return Reason.NO_TRADES
    earned_before = minus(running(trades.pnl), trades.pnl)
    held = plus(earned_before, whole([starting_equity]))
    if flows.days.size:
        held = plus(held, _flown(flows, local(trades.closed_at, zone) // MS_PER_DAY))
    return max_drawdown(time_weighted(held, np.zeros(trades.count, np.int64), trades.pnl))


def _flown(flows: Booked, days: Days) -> Whole:
    """What had flowed before a trade of each of these days."""
    came = flows.amounts > 0
    return plus(_until(flows, came, days, "right"), _until(flows, ~came, days, "left"))


def _until(flows: Booked, which: NDArray[np.bool_], days: Days, side: Literal["left", "right"]) -> Whole:
    order = np.argsort(flows.days[which], kind="stable")
    summed = running(np.append(0, flows.amounts[which][order]))
    return np.asarray(summed[np.searchsorted(flows.days[which][order], days, side=side)])
