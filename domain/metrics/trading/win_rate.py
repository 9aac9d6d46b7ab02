"""Share of won trades: wins / all trades, a fraction. Breakevens stay in the denominator.

Null: no_trades.
"""

from __future__ import annotations

from domain.metrics.trading.trades import Trades
from domain.metrics.value import Reason, Stat


def win_rate(trades: Trades) -> Stat:
    """Wins / n."""
    return trades.ratio(trades.wins, trades.count, Reason.NO_TRADES)
