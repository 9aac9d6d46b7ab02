"""Closed trades as columns, ordered by exit time, then position: what every statistic of a trade list reads.

Money, prices and quantities are whole trillionths, times whole milliseconds since 1970 UTC. `pnl` is net of fees. The
other columns may be missing (empty) or have gaps (None when made, UNKNOWN in the column): a statistic uses the trades
that carry what it reads, and says NOT_REPORTED where none does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.decimals import ONE
from domain.metrics.trading.whole import Whole, reported, total, whole
from domain.metrics.value import Reason, Stat, ratio

NONE: Whole = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Trades:
    """Columns of one length (or empty: not known of any trade), made by `Trades.of`."""

    pnl: Whole
    fees: Whole = field(default_factory=lambda: NONE)
    quantity: Whole = field(default_factory=lambda: NONE)  # positive
    multiplier: Whole = field(default_factory=lambda: NONE)  # of the quantity, positive; 1 where it is not reported
    entry_price: Whole = field(default_factory=lambda: NONE)
    exit_price: Whole = field(default_factory=lambda: NONE)
    opened_at: Whole = field(default_factory=lambda: NONE)
    closed_at: Whole = field(default_factory=lambda: NONE)
    adverse: Whole = field(default_factory=lambda: NONE)  # largest loss while open, at most 0
    favourable: Whole = field(default_factory=lambda: NONE)  # largest profit while open, at least 0
    initial_risk: Whole = field(default_factory=lambda: NONE)  # money at risk when opened, positive
    breakeven_loses: bool = False  # the platform's own form counts p = 0 as lost

    @classmethod
    def of(cls, pnl: Iterable[int | None], **columns: Iterable[int | None]) -> Trades:
        """Trades from any sequences of whole numbers."""
        made: dict[str, Any] = {name: whole(values) for name, values in columns.items()}
        return cls(whole(pnl), **made)

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self.pnl.size)

    @cached_property
    def won(self) -> NDArray[np.bool_]:
        """Which trades earned money."""
        return np.asarray(self.pnl > 0, dtype=bool)

    @cached_property
    def lost(self) -> NDArray[np.bool_]:
        """Which trades lost money."""
        return np.asarray(self.pnl <= 0 if self.breakeven_loses else self.pnl < 0, dtype=bool)

    @cached_property
    def wins(self) -> int:
        """How many trades earned money."""
        return int(np.count_nonzero(self.won))

    @cached_property
    def losses(self) -> int:
        """How many trades lost money."""
        return int(np.count_nonzero(self.lost))

    @cached_property
    def pnl_sum(self) -> int:
        """What all of them earned, in trillionths."""
        return total(self.pnl)

    @cached_property
    def profit_sum(self) -> int:
        """What the won ones earned, in trillionths."""
        return total(self.pnl[self.won])

    @property
    def loss_sum(self) -> int:
        """What the lost ones lost, in trillionths, positive."""
        return self.profit_sum - self.pnl_sum

    def ratio(self, numerator: float, denominator: float, reason: Reason) -> Stat:
        """The quotient; `reason` where the denominator is zero, NO_TRADES where there is no trade at all."""
        return ratio(numerator, denominator, reason if self.count else Reason.NO_TRADES)

    def carrying(self, *columns: Whole) -> NDArray[np.bool_]:
        """Which trades carry all of these columns."""
        carried = np.ones(self.count, dtype=bool)
        for column in columns:
            carried &= reported(column) if column.size else False
        return carried

    @cached_property
    def timed(self) -> NDArray[np.bool_]:
        """Which trades know when they were opened (after 1970) and closed."""
        timed = self.carrying(self.opened_at, self.closed_at)
        return np.asarray(timed & (self.opened_at > 0), dtype=bool) if self.opened_at.size else timed

    @cached_property
    def held(self) -> Whole:
        """How long each of the `timed` trades was open, in milliseconds."""
        if not self.timed.any():
            return NONE
        return np.asarray(self.closed_at[self.timed] - self.opened_at[self.timed])

    @cached_property
    def multipliers(self) -> Whole:
        """Of every trade, 1 included."""
        if not self.multiplier.size:
            return np.full(self.count, ONE)
        return np.where(reported(self.multiplier), self.multiplier, ONE)

    @cached_property
    def returns(self) -> NDArray[np.float64]:
        """p / (quantity × multiplier × entry price), where this is above zero: what each trade made of its stake."""
        priced = self.carrying(self.quantity, self.entry_price)
        if not priced.any():
            return np.empty(0, dtype=np.float64)
        stake = self.quantity[priced].astype(np.float64) * self.entry_price[priced].astype(np.float64) / ONE
        stake = stake * self.multipliers[priced].astype(np.float64) / ONE
        staked = stake > 0
        return np.asarray(self.pnl[priced].astype(np.float64)[staked] / stake[staked], dtype=np.float64)

    @property
    def unreported(self) -> Reason:
        """Why a statistic of what trades carry has no value when none carries it."""
        return Reason.NOT_REPORTED if self.count else Reason.NO_TRADES
