"""Mean time that a trade was open, in minutes: of all trades, of the won or of the lost ones.

Reads entry and exit times; trades without an entry time are left out.
Null: no_trades, not_reported (no entry time among them), no_wins, no_losses.
"""

from __future__ import annotations

from domain.metrics.trading.trades import Trades
from domain.metrics.trading.whole import total
from domain.metrics.value import Reason, Stat, ratio

MS_PER_MINUTE = 60_000


def mean_hold_minutes(trades: Trades) -> Stat:
    """Mean of exit − entry."""
    held = trades.held
    return ratio(total(held), held.size * MS_PER_MINUTE, trades.unreported)


def mean_hold_minutes_winners(trades: Trades) -> Stat:
    """Mean of exit − entry over p > 0."""
    held = trades.held[trades.won[trades.timed]]
    return trades.ratio(total(held), held.size * MS_PER_MINUTE, Reason.NOT_REPORTED if trades.wins else Reason.NO_WINS)


def mean_hold_minutes_losers(trades: Trades) -> Stat:
    """Mean of exit − entry over p < 0."""
    held = trades.held[trades.lost[trades.timed]]
    absent = Reason.NOT_REPORTED if trades.losses else Reason.NO_LOSSES
    return trades.ratio(total(held), held.size * MS_PER_MINUTE, absent)
