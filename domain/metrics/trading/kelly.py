"""Kelly fraction of a bet that wins the payoff ratio or loses the stake: W − (1 − W) / payoff, W = win rate.

Breakevens are in 1 − W, as in backtesting.py. Negative means that the bet is against the player.
Null: no_trades, no_wins, no_losses (there is no payoff ratio).
"""

from __future__ import annotations

from domain.metrics.trading.payoff_ratio import payoff_ratio
from domain.metrics.trading.trades import Trades
from domain.metrics.trading.win_rate import win_rate
from domain.metrics.value import Stat, finite, has_value, ratio


def kelly(trades: Trades) -> Stat:
    """W − (1 − W) / payoff."""
    return fraction(win_rate(trades), payoff_ratio(trades))


def fraction(share: Stat, payoff: Stat) -> Stat:
    """The Kelly fraction of this share of wins and this payoff ratio; the reason of whichever there is not."""
    if not has_value(payoff):
        return payoff
    if not has_value(share):
        return share
    odds = ratio(1 - share, payoff)  # a payoff can be so small that it is zero
    return finite(share - odds) if has_value(odds) else odds
