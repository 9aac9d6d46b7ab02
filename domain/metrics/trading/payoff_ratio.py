"""How much a win earns for what a loss costs: average win / |average loss|.

Computed as (gross profit × losses) / (gross loss × wins), in whole numbers, so that it is rounded once.
Null: no_trades, no_wins, no_losses; zero_denominator where all losses are breakevens (the platform's form).
"""

from __future__ import annotations

from domain.metrics.trading.trades import Trades
from domain.metrics.value import Reason, Stat, ratio


def payoff_ratio(trades: Trades) -> Stat:
    """Average win / |average loss|."""
    if not trades.wins:
        return Reason.NO_WINS if trades.count else Reason.NO_TRADES
    if not trades.losses:
        return Reason.NO_LOSSES
    return ratio(trades.profit_sum * trades.losses, trades.loss_sum * trades.wins)
