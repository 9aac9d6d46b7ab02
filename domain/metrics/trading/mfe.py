"""Mean maximum favourable excursion: how far trades went the trader's way while open, at least 0, in trillionths.

Over the trades that report it. Null: no_trades, not_reported.
"""

from __future__ import annotations

from domain.metrics.trading.trades import Trades
from domain.metrics.trading.whole import reported, total
from domain.metrics.value import Stat, ratio


def mfe(trades: Trades) -> Stat:
    """Mean of the largest profit while open."""
    carried = trades.favourable[reported(trades.favourable)]
    return ratio(total(carried), carried.size, trades.unreported)
