"""Cumulative lifetime value of a cohort: what its customers have paid up to each age, over their number.

Ages are periods since the cohort's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import accumulate


def cohort_cumulative_ltv(customers: int, paid: Iterable[int]) -> list[Fraction]:
    """The mean paid up to each age, in trillionths, of what all of them (at least one) paid at each age."""
    return [Fraction(total, customers) for total in accumulate(paid)]
