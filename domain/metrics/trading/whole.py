"""Exact arithmetic on columns of whole numbers: money in trillionths, times in milliseconds.

A column is an int64 array, or an array of Python integers where a value leaves ±2⁶² (so that a difference of two values
always fits). Sums are exact whatever the size; only quotients and roots are floats.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[Any]  # int64 or Python integers
UNKNOWN = int(np.iinfo(np.int64).min)  # marks an entry that was not reported: no int64 column has a value beyond SAFE
FAR = -(10**40)  # marks it in a column of Python integers: no amount of money is that small
SAFE = 2**62
HALF = 32  # bits


def whole(values: Iterable[int | None]) -> Whole:
    """The column of these whole numbers; None (not reported) is UNKNOWN or FAR in it. An int64 array costs nothing."""
    if isinstance(values, np.ndarray) and values.dtype != object:
        numbers = values.astype(np.int64, casting="safe", copy=False)
        return _wide(numbers) if numbers.size and _outside(numbers) else numbers
    listed: list[Any] = list(values)
    try:
        column = np.array(listed, dtype=np.int64)
    except (TypeError, OverflowError):  # a gap, or a value beyond 64 bits
        return _gapped(listed)
    return _wide(column) if column.size and _outside(column) else column


def _gapped(listed: list[int | None]) -> Whole:
    if all(value is None or -SAFE < value < SAFE for value in listed):
        return np.array([UNKNOWN if value is None else value for value in listed], dtype=np.int64)
    return np.array([FAR if value is None else value for value in listed], dtype=object)


def _outside(column: Whole) -> bool:
    """Whether any value but UNKNOWN leaves ±2⁶²."""
    if int(column.max()) < SAFE and int(column.min()) > -SAFE:
        return False
    values = column[column != UNKNOWN]
    return bool(values.size) and not -SAFE < int(values.min()) <= int(values.max()) < SAFE


def _wide(column: Whole) -> Whole:
    if column.dtype == object:
        return column
    wide = column.astype(object)
    wide[column == UNKNOWN] = FAR
    return wide


def reported(column: Whole) -> NDArray[np.bool_]:
    """Which entries were reported."""
    return np.asarray(column != (FAR if column.dtype == object else UNKNOWN), dtype=bool)


def total(column: Whole) -> int:
    """The exact sum, in units of the column. Halves of 32 bits are added apart: no partial sum can wrap round."""
    if column.dtype == object:
        return sum(column.tolist())
    return (int((column >> HALF).sum()) << HALF) + int((column & (2**HALF - 1)).sum())


def largest(column: Whole) -> int:
    """The largest magnitude; 0 of an empty column."""
    return max(abs(int(column.max())), abs(int(column.min()))) if column.size else 0


def running(column: Whole) -> Whole:
    """The exact running sums."""
    return np.cumsum(_roomy(column, column.size))


def sums_by(index: NDArray[np.int64], column: Whole, size: int) -> Whole:
    """The exact sum of the entries of each index 0 … size−1."""
    column = _roomy(column, column.size)
    sums = np.zeros(size, dtype=column.dtype)
    np.add.at(sums, index, column)
    return sums


def _roomy(column: Whole, terms: int) -> Whole:
    """The column in a form in which a sum of so many terms cannot wrap round."""
    return column if column.dtype == object or largest(column) * max(1, terms) < SAFE else _wide(column)


def plus(left: Whole, right: Whole) -> Whole:
    """The exact sums, entry by entry."""
    return np.add(*_both_roomy(left, right))


def minus(left: Whole, right: Whole) -> Whole:
    """The exact differences, entry by entry."""
    return np.subtract(*_both_roomy(left, right))


def _both_roomy(left: Whole, right: Whole) -> tuple[Whole, Whole]:
    fits = largest(left) + largest(right) < SAFE
    return (left, right) if fits else (_wide(left), _wide(right))


def products(columns: Sequence[Whole]) -> Whole:
    """The exact products, entry by entry, of columns of one length."""
    size = math.prod(max(1, largest(column)) for column in columns)
    wide = columns if size < SAFE else [_wide(column) for column in columns]
    return np.multiply.reduce(np.array(wide)) if len(wide) else np.empty(0, dtype=np.int64)


def deviation(column: Whole) -> tuple[float, float]:
    """Mean and standard deviation (ddof 1) of at least two entries.

    Values are taken from the whole number nearest to their exact mean before they become floats: 10¹⁵ and 10⁻² in one
    column cost no digit of the mean, and large values that differ little none of the deviation.
    """
    count, added = column.size, total(column)
    middle = added // count
    apart = (column - middle).astype(np.float64) - (added - middle * count) / count
    return added / count, math.sqrt(float(np.square(apart).sum()) / (count - 1))
