"""Random event streams: few users, few moments, so that everything meets everything."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from domain.metrics.engagement.events import IntArray
from domain.metrics.engagement.periods import MS_PER_DAY

BEGIN = 1_710_000_000_000 // MS_PER_DAY * MS_PER_DAY  # 2024-03-09: clocks change in New York one day later
SPAN = 40  # days: past the change in Berlin on 31 March
ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Apia")
HOUR = 3_600_000

USERS = st.integers(1, 5)
MOMENTS = st.one_of(
    st.integers(0, 12 * 24).map(lambda hours: BEGIN + hours * HOUR),
    st.integers(0, SPAN * MS_PER_DAY).map(lambda ms: BEGIN + ms),
)


def column(values: list[int]) -> IntArray:
    return np.array(values, np.int64)


def columns(rows: list[tuple[int, ...]], width: int) -> tuple[IntArray, ...]:
    """Rows as so many columns."""
    return tuple(column([row[i] for row in rows]) for i in range(width))


def rows_of(*fields: st.SearchStrategy[int], at_most: int = 25) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    """Lists of rows with these fields."""
    return st.lists(st.tuples(*fields), max_size=at_most)
