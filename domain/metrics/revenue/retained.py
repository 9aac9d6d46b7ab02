"""Net and gross revenue retention: what is left of the MRR of those who were customers at the start.

Customers active at the start only; never from the activity flows, in which somebody who came and went inside the
period would count as lost. Source: the catalogue; worked by hand in `tests/data/oracles/mrr_small.json`.
"""

from __future__ import annotations

from typing import NamedTuple

from domain.metrics.value import Reason, Stat, ratio


class Retained(NamedTuple):
    """MRR and number of those who paid at the start, and of them at the end."""

    start: int = 0  # MRR at the start
    end: int = 0  # of the same customers at the end
    remaining: int = 0  # of each the smaller one of the two
    customers: int = 0
    churned: int = 0  # of them do not pay at the end

    @property
    def nrr(self) -> Stat:
        """End over start. Who left and came back inside the period counts as kept."""
        return ratio(self.end, self.start, Reason.NO_DATA)

    @property
    def grr(self) -> Stat:
        """Expansion left out: at most 1."""
        return ratio(self.remaining, self.start, Reason.NO_DATA)
