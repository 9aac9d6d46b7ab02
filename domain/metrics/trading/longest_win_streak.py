"""Most won trades in a row, by order of exit. A breakeven ends a streak. 0 without wins."""

from __future__ import annotations

from domain.metrics.trading.runs import longest_run
from domain.metrics.trading.trades import Trades


def longest_win_streak(trades: Trades) -> int:
    """The longest run of p > 0."""
    return longest_run(trades.won)
