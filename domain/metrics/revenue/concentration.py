"""Concentration: how much of MRR depends on few customers.

top10_concentration is the share of the ten largest. revenue_hhi is the Herfindahl–Hirschman index, the sum of squared
shares: 1/n for n equal customers, 1 for a single one.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from domain.metrics.value import Reason, Stat, ratio


def top_concentration(mrr: Sequence[int], largest: int = 10) -> Stat:
    """Share of the largest customers in all MRR; whole numbers of any unit."""
    return ratio(sum(heapq.nlargest(largest, mrr)), sum(mrr), Reason.NO_DATA)


def hhi(mrr: Sequence[int]) -> Stat:
    """Sum of squared shares, by exact whole numbers."""
    total = sum(mrr)
    return ratio(sum(value * value for value in mrr), total * total, Reason.NO_DATA)
