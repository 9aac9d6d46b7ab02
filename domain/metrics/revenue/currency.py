"""MRR in several currencies as flows of one: each movement at the rate of its day, and what rates alone moved.

Policy `own_line`: MRR is valued at the rate of the day: S + N + X + R − C − K + currency = E, and the line `currency`
is what the same MRR is worth more or less than before. Policy `ignored`: all is valued at the rates of the last day,
and the line is 0. A missing rate is a reason and never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Literal, NamedTuple

from domain.billing.subscriptions import LOSSES, Movement
from domain.metrics.value import Reason

Rates = Mapping[tuple[str, int], Fraction]  # currency and day (since 1970, UTC) → units of the answer's currency
MS_PER_DAY = 86_400_000


class Converted(NamedTuple):
    """Flows in one currency; exact fractions of twelfths of a millionth."""

    start: Fraction
    flows: Mapping[str, Fraction]  # by kind, positive in its sense
    currency: Fraction  # what rates alone moved
    end: Fraction


def converted(
    start: Mapping[str, int],
    movements: Sequence[Movement],
    days: tuple[int, int],
    rates: Rates,
    policy: Literal["own_line", "ignored"],
) -> Converted | Reason:
    """Flows of the days [first, last] from MRR by currency at the start and the movements of those days."""
    first, last = days
    fixed = policy == "ignored"
    end = dict(start)
    flows: dict[str, Fraction] = {}
    try:
        for moved in movements:
            sign = -1 if moved.kind in LOSSES else 1
            end[moved.cut.currency] = end.get(moved.cut.currency, 0) + sign * moved.amount
            rate = rates[moved.cut.currency, last if fixed else moved.at // MS_PER_DAY]
            flows[moved.kind] = flows.get(moved.kind, Fraction()) + moved.amount * rate
        at_start = _valued(start, last if fixed else first, rates)
        at_end = _valued(end, last, rates)
    except KeyError:
        return Reason.NO_DATA
    moved_by_flows = sum((-f if kind in LOSSES else f for kind, f in flows.items()), Fraction())
    return Converted(at_start, flows, at_end - at_start - moved_by_flows, at_end)


def _valued(mrr: Mapping[str, int], day: int, rates: Rates) -> Fraction:
    return sum((amount * rates[currency, day] for currency, amount in mrr.items() if amount), Fraction())
