"""Price bars as columns, and the guard against what is not a number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.errors import Invalid

Column = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Bars:
    """Columns of one length, oldest first. Prices and volume are floats in units, `start` is ms since 1970 UTC."""

    start: NDArray[np.int64]
    open: Column
    high: Column
    low: Column
    close: Column
    volume: Column

    @classmethod
    def of(cls, start: Iterable[int], **columns: Iterable[float]) -> Bars:
        """Bars from sequences; Invalid where a value is not finite, since one NaN poisons a moving average for ever."""
        starts = np.array(list(start), dtype=np.int64)
        made = {name: _finite(name, values, starts.size) for name, values in columns.items()}
        return cls(starts, made["open"], made["high"], made["low"], made["close"], made["volume"])

    def __len__(self) -> int:
        return int(self.start.size)

    def first(self, count: int) -> Bars:
        """The oldest so many of them."""
        prices = (self.open[:count], self.high[:count], self.low[:count], self.close[:count])
        return Bars(self.start[:count], *prices, self.volume[:count])

    @property
    def typical(self) -> Column:
        """(high + low + close) / 3."""
        return np.asarray((self.high + self.low + self.close) / 3, dtype=np.float64)


def _finite(name: str, values: Iterable[float], count: int) -> Column:
    column = np.array(list(values), dtype=np.float64)
    if column.size != count:
        raise Invalid(f"{name} has {column.size} values for {count} bars", suggested_actions=["give one a bar"])
    bad = np.flatnonzero(~np.isfinite(column))
    if bad.size:
        raise Invalid(f"{name} of bar {bad[0]} is not a number", suggested_actions=["leave the bar out or mend it"])
    return column
