"""The longest time that a trade was open, in minutes.

Null: no_trades, not_reported (no entry time).
"""

from __future__ import annotations

from domain.metrics.trading.mean_hold_minutes import MS_PER_MINUTE
from domain.metrics.trading.trades import Trades
from domain.metrics.value import Stat


def longest_hold_minutes(trades: Trades) -> Stat:
    """Largest exit − entry."""
    held = trades.held
    return int(held.max()) / MS_PER_MINUTE if held.size else trades.unreported
