"""The largest profit of one trade, in whole trillionths.

Null: no_trades, no_wins.
"""

from __future__ import annotations

from domain.metrics.trading.trades import Trades
from domain.metrics.value import Reason, Stat


def largest_win(trades: Trades) -> Stat:
    """The largest p > 0."""
    if not trades.wins:
        return Reason.NO_WINS if trades.count else Reason.NO_TRADES
    return int(trades.pnl.max())
