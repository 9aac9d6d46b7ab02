"""Round trips from fills: which closing belongs to which opening, first in first out or at average cost.

One round trip per closing fill; a fill larger than the position is split into a closing and an opening part. The value
of a fill (quantity × price) is rounded half even to whole millionths once, and every part of it is a share whose rest
stays behind, so nothing is made or lost by rounding: realised + unrealised = cash + quantity × last price, exactly.
Fees are shared the same way; profit is net of those of both legs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from domain.billing.monthly_price import MILLIONTHS, half_even
from domain.errors import Invalid


class Matching(StrEnum):
    """Which open quantity a closing fill closes."""

    FIFO = "fifo"  # the oldest
    AVERAGE = "average"  # a share of all, at the average cost


@dataclass(frozen=True)
class Fill:
    """An execution. Quantity is signed (bought is positive) and never 0; all but `at` (ms) in millionths."""

    at: int
    quantity: int
    price: int
    fee: int = 0


@dataclass
class Lot:
    """What was opened together: signed quantity and value, the fees paid for it."""

    opened_at: int
    quantity: int
    value: int
    fees: int

    def take(self, quantity: int) -> Lot:
        """Splits off that much of the quantity (same sign, not more than there is) with its share of value and fees."""
        part, entire = abs(quantity), abs(self.quantity)
        value, fees = half_even(self.value * part, entire), half_even(self.fees * part, entire)
        self.quantity, self.value, self.fees = self.quantity - quantity, self.value - value, self.fees - fees
        return Lot(self.opened_at, quantity, value, fees)


@dataclass(frozen=True)
class RoundTrip:
    """A closing with what it closed. Quantity and values are positive, pnl is net of fees."""

    opened_at: int
    closed_at: int
    long: bool
    quantity: int
    entry_value: int
    exit_value: int
    fees: int
    pnl: int


@dataclass
class Matched:
    """What fills of one account and symbol came to."""

    round_trips: list[RoundTrip] = field(default_factory=list)
    open_lots: deque[Lot] = field(default_factory=deque)
    cash: int = 0  # received less paid, fees included
    quantity: int = 0  # the open position, signed

    @property
    def realised(self) -> int:
        """Net profit of the round trips, in millionths."""
        return sum(trip.pnl for trip in self.round_trips)

    def unrealised(self, last_price: int) -> int:
        """Net profit of the open position at a price: its value there, less what it cost and its fees so far.

        Both in millionths.
        """
        paid = sum(lot.value + lot.fees for lot in self.open_lots)
        return half_even(self.quantity * last_price, MILLIONTHS) - paid


def round_trips(fills: Iterable[Fill], matching: Matching = Matching.FIFO) -> Matched:
    """Match the fills of one account and symbol, in the order of their log position.

    Raises Invalid for one of quantity 0.
    """
    matched = Matched()
    for fill in fills:
        if not fill.quantity:
            raise Invalid(f"fill at {fill.at} has no quantity", suggested_actions=["leave fills of nothing out"])
        value = half_even(fill.quantity * fill.price, MILLIONTHS)
        matched.cash -= value + fill.fee
        _book(matched, Lot(fill.at, fill.quantity, value, fill.fee), matching)
    return matched


def _book(matched: Matched, arrived: Lot, matching: Matching) -> None:
    """Close what the fill closes, open the rest of it."""
    held = matched.quantity
    matched.quantity += arrived.quantity
    if held * arrived.quantity < 0:
        closing = arrived.take(min(abs(arrived.quantity), abs(held)) * (1 if arrived.quantity > 0 else -1))
        matched.round_trips.append(_close(matched.open_lots, closing))
    if not arrived.quantity:
        return
    if matching is Matching.AVERAGE and matched.open_lots:
        pool = matched.open_lots[0]
        pool.quantity, pool.value = pool.quantity + arrived.quantity, pool.value + arrived.value
        pool.fees += arrived.fees
    else:
        matched.open_lots.append(arrived)


def _close(lots: deque[Lot], closing: Lot) -> RoundTrip:
    """The round trip that closes so much of the oldest lots."""
    left, closed = -closing.quantity, []
    while left:
        oldest = lots[0]
        whole = abs(oldest.quantity) <= abs(left)
        closed.append(lots.popleft() if whole else oldest.take(left))
        left -= closed[-1].quantity
    entry, fees = sum(lot.value for lot in closed), closing.fees + sum(lot.fees for lot in closed)
    return RoundTrip(
        opened_at=closed[0].opened_at,
        closed_at=closing.opened_at,
        long=closing.quantity < 0,
        quantity=abs(closing.quantity),
        entry_value=abs(entry),
        exit_value=abs(closing.value),
        fees=fees,
        pnl=-closing.value - entry - fees,
    )
