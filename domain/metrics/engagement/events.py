"""What users did, as columns: the input of every statistic of behaviour.

Users, names and times are whole numbers: a user is any number that stands for one, a name likewise, times are ms since
1970 UTC. Columns of one table have the same length.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Events(NamedTuple):
    """One row an event, in any order."""

    users: IntArray
    at: IntArray
    names: IntArray


class Ordered(NamedTuple):
    """The same, each user's events together in the order of time; those of one moment by a rank, if there is one."""

    users: IntArray
    at: IntArray
    names: IntArray


def ordered(events: Events, rank: IntArray | None = None) -> Ordered:
    """Sort by user, time and rank (of each event): nobody knows which of two events of one millisecond came first."""
    order = np.lexsort((events.at, events.users) if rank is None else (rank, events.at, events.users))
    return Ordered(events.users[order], events.at[order], events.names[order])


def starts(keys: IntArray) -> IntArray:
    """Where each run of equal keys begins."""
    if not len(keys):
        return np.empty(0, np.int64)
    return np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))).astype(np.int64)


def distinct(one: IntArray, other: IntArray) -> tuple[IntArray, IntArray]:
    """The different pairs, sorted by the first and then the second.

    Pairs are sorted as one number each, four times as fast as sorting two columns; that needs the product of both
    ranges to fit into 63 bits, which users × days always do.
    """
    if not len(one):
        return one, other
    lowest, low, width = int(one.min()), int(other.min()), int(other.max()) - int(other.min()) + 1
    assert (int(one.max()) - lowest + 1) * width < 2**63, "the pairs do not fit into one number"
    keys = np.sort((one - lowest) * width + (other - low))
    keys = keys[starts(keys)]
    first = keys // width
    return first + lowest, keys - first * width + low


def summed(places: IntArray, length: int, values: IntArray | int = 1) -> IntArray:
    """Whole-number sums by place, exact, of integers of any size: a weighted bincount would add floats."""
    sums = np.zeros(length, values.dtype if isinstance(values, np.ndarray) else np.int64)
    np.add.at(sums, places, values)
    return sums
