"""How much of the profit that was there was taken: Σp / Σ(maximum favourable excursion).

Over the trades that report the excursion; a quotient of sums, so that a trade that was hardly ever ahead does not
outweigh all others. 1 is every exit at the best moment (before fees: p is net, the excursion is not); negative where
what was there was lost and more. Null: no_trades, not_reported, zero_denominator (no trade was ever ahead).
"""

from __future__ import annotations

from domain.metrics.trading.trades import Trades
from domain.metrics.trading.whole import total
from domain.metrics.value import Stat, ratio


def exit_efficiency(trades: Trades) -> Stat:
    """Σp / Σ MFE."""
    carried = trades.carrying(trades.favourable)
    if not carried.any():
        return trades.unreported
    return ratio(total(trades.pnl[carried]), total(trades.favourable[carried]))
