"""Net and gross revenue retention: what is left of the MRR of those who were customers at the start.

Customers active at the start only; never from the activity flows, in which somebody who came and went inside the
period would count as lost. Source: the catalogue; worked by hand in `tests/data/oracles/mrr_small.json`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from domain.metrics.value import Reason, Stat, ratio


class Retained(NamedTuple):
    """MRR and number of those who paid at the start, and of them at the end."""

    start: int = 0  # MRR at the start
    end: int = 0  # of the same customers at the end
    kept: int = 0  # of each the smaller one of the two
    customers: int = 0
    churned: int = 0  # of them do not pay at the end

    @property
    def nrr(self) -> Stat:
        """End over start. Who left and came back inside the period counts as kept."""
        return ratio(self.end, self.start, Reason.NO_DATA)

    @property
    def grr(self) -> Stat:
        """Expansion left out: at most 1."""
        return ratio(self.kept, self.start, Reason.NO_DATA)


def retained(customers: Iterable[tuple[int, int]]) -> Retained:
    """From MRR at the start and at the end of each customer."""
    pairs = [(start, end) for start, end in customers if start > 0]
    return Retained(
        sum(start for start, _ in pairs),
        sum(end for _, end in pairs),
        sum(min(pair) for pair in pairs),
        len(pairs),
        sum(not end for _, end in pairs),
    )
