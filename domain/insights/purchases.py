"""What a model of repeat purchases needs of each buyer: how often, how recently, how long ago first, how much.

The first purchase makes a buyer and is not a repeat; orders of one day count once, their amounts together. Times are
counted from the first purchase, in units of `unit` days (weeks by default).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from domain.insights.series import Floats

WEEK = 7


class Buyer(msgspec.Struct, frozen=True):
    """The history of one buyer, as far as the models look."""

    key: str
    frequency: int  # days with a repeat purchase
    recency: float  # from the first purchase to the last; 0 without repeats
    age: float  # from the first purchase to the end of the observation
    value: float = 0.0  # mean amount of a repeat day; 0 without repeats


def buyers(purchases: Iterable[tuple[str, int, float]], end: int, unit: int = WEEK) -> tuple[Buyer, ...]:
    """From (buyer, day number, amount), in any order; what is after day `end` is left out."""
    days: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for key, day, amount in purchases:
        if day <= end:
            days[key][day] += amount
    return tuple(_buyer(key, sorted(by_day.items()), end, unit) for key, by_day in sorted(days.items()))


def _buyer(key: str, history: list[tuple[int, float]], end: int, unit: int) -> Buyer:
    (first, _), repeats = history[0], history[1:]
    value = sum(amount for _, amount in repeats) / len(repeats) if repeats else 0.0
    return Buyer(key, len(repeats), (history[-1][0] - first) / unit, (end - first) / unit, value)


def columns(sample: Sequence[Buyer]) -> tuple[Floats, Floats, Floats, Floats]:
    """Frequencies, recencies, ages and values as arrays."""
    import numpy as np

    rows = np.array([(b.frequency, b.recency, b.age, b.value) for b in sample], dtype=np.float64).reshape(-1, 4)
    return rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3]


def usable(sample: Sequence[Buyer]) -> bool:
    """Whether every history is finite and possible: 0 ≤ recency ≤ age, no recency without repeats."""
    import numpy as np

    frequency, recency, age, value = columns(sample)
    finite = bool(np.isfinite(frequency + recency + age + value).all())
    ordered = bool(((recency >= 0) & (recency <= age) & (frequency >= 0) & ((frequency > 0) == (recency > 0))).all())
    return finite and ordered
