"""Plan mix: the share of each plan (or tier) in MRR and customers, and how many moved to a dearer or cheaper one.

upgrade_rate and downgrade_rate: customers with more, or less, MRR at the end than at the start, of those who paid at
both, over those who paid at the start. Leaving is churn and no downgrade.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from domain.metrics.value import Reason, Stat, ratio


def mix(mrr: Mapping[str, int]) -> dict[str, float]:
    """Shares by name, largest first; nothing without MRR."""
    total = sum(mrr.values())
    if not total:
        return {}
    return {name: float(Fraction(of, total)) for name, of in sorted(mrr.items(), key=lambda item: (-item[1], item[0]))}


def upgrade_rate(customers: Iterable[tuple[int, int]]) -> Stat:
    """From MRR at start and end of each customer."""
    moved = [end > start for start, end in customers if start > 0]
    return ratio(sum(moved), len(moved), Reason.NO_DATA)


def downgrade_rate(customers: Iterable[tuple[int, int]]) -> Stat:
    """From MRR at start and end of each customer."""
    moved = [0 < end < start for start, end in customers if start > 0]
    return ratio(sum(moved), len(moved), Reason.NO_DATA)
