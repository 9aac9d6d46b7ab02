"""What a trade earns on average: Σp / n, in trillionths; equal to win rate × average win + losses/n × average loss.

Null: no_trades.
"""

from __future__ import annotations

from domain.metrics.trading.trades import Trades
from domain.metrics.value import Reason, Stat


def expectancy(trades: Trades) -> Stat:
    """Σp / n."""
    return trades.ratio(trades.pnl_sum, trades.count, Reason.NO_TRADES)
