"""Cumulative lifetime value by cohort: what the customers of a cohort have paid up to each age, over their number.

Ages are periods since the cohort's own; a cohort's row ends with the last period that is finished for all of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import accumulate

Cohorts = dict[int, list[Fraction]]


def cohort_cumulative_ltv(sizes: Mapping[int, int], paid: Iterable[tuple[int, int, int]], last: int) -> Cohorts:
    """By cohort the mean paid up to each age, in millionths.

    `sizes`: customers by cohort period (a number that rises by one a period); `paid`: cohort, age and amount in
    millionths; `last`: the last finished period.
    """
    by_age: defaultdict[int, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
    for cohort, age, amount in paid:
        by_age[cohort][age] += amount
    return {
        cohort: [Fraction(total, size) for total in accumulate(by_age[cohort][a] for a in range(last - cohort + 1))]
        for cohort, size in sorted(sizes.items())
        if size
    }
