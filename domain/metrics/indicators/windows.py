"""Facts about the last bars of each bar."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from domain.metrics.indicators.bars import Column

Flags = NDArray[np.bool_]


def any_of_last(flags: Flags, window: int) -> Flags:
    """Whether any of the last `window` entries is true, of as many as there are."""
    counts: NDArray[np.int64] = np.cumsum(flags, dtype=np.int64)
    earlier = np.zeros_like(counts)
    earlier[window:] = counts[:-window]
    return counts > earlier


def moved(column: Column) -> Flags:
    """Whether each entry differs from the one before; the first does not."""
    return np.concatenate((np.zeros(min(1, column.size), dtype=bool), column[1:] != column[:-1]))


def without(column: Column, undefined: Flags) -> Column:
    """The column, NaN where it is undefined."""
    return np.where(undefined, np.nan, column)
