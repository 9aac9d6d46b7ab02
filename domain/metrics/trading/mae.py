"""Mean maximum adverse excursion: how far trades went against the trader while open, at most 0, in trillionths.

Over the trades that report it. Null: no_trades, not_reported.
"""

from __future__ import annotations

from domain.metrics.trading.trades import Trades
from domain.metrics.trading.whole import reported, total
from domain.metrics.value import Stat, ratio


def mae(trades: Trades) -> Stat:
    """Mean of the largest loss while open."""
    carried = trades.adverse[reported(trades.adverse)]
    return ratio(total(carried), carried.size, trades.unreported)
