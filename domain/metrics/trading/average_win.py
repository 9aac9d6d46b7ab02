"""Mean profit of the won trades: gross profit / wins, in trillionths (the exact quotient, rounded once to a float).

Null: no_trades, no_wins.
"""

from __future__ import annotations

from domain.metrics.trading.trades import Trades
from domain.metrics.value import Reason, Stat


def average_win(trades: Trades) -> Stat:
    """Gross profit / wins."""
    return trades.ratio(trades.profit_sum, trades.wins, Reason.NO_WINS)
