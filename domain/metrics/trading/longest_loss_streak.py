"""Most lost trades in a row, by order of exit. A breakeven ends a streak (and in the platform's form prolongs it)."""

from __future__ import annotations

from domain.metrics.trading.runs import longest_run
from domain.metrics.trading.trades import Trades


def longest_loss_streak(trades: Trades) -> int:
    """The longest run of p < 0."""
    return longest_run(trades.lost)
