"""Plan mix: the share of each plan (or tier) in MRR and customers."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction


def mix(mrr: Mapping[str, int]) -> dict[str, float]:
    """Shares by name, largest first; nothing without MRR."""
    total = sum(mrr.values())
    if not total:
        return {}
    return {name: float(Fraction(of, total)) for name, of in sorted(mrr.items(), key=lambda item: (-item[1], item[0]))}
