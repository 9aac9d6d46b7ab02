"""MRR flows of a period, always and exactly: start + new + expansion + reactivated − contraction − churned + what rates
of exchange moved = end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from domain.billing.subscriptions import KINDS, LOSSES

SIGNS: Mapping[str, int] = {kind: -1 if kind in LOSSES else 1 for kind in KINDS}


class Flows(NamedTuple):
    """MRR at the start of a period and what moved in it, each positive in its sense; twelfths of a trillionth."""

    start: int = 0
    new: int = 0
    expansion: int = 0
    contraction: int = 0
    churned: int = 0
    reactivated: int = 0
    new_count: int = 0
    expansion_count: int = 0
    contraction_count: int = 0
    churned_count: int = 0
    reactivated_count: int = 0
    currency: int = 0  # what rates of exchange moved, of MRR in several currencies; either sign

    @property
    def net_new(self) -> int:
        """What was won less what was lost, in twelfths of a trillionth."""
        return self.new + self.expansion + self.reactivated - self.contraction - self.churned

    @property
    def end(self) -> int:
        """MRR at the end of the period."""
        return self.start + self.net_new + self.currency

    def then(self, later: Flows) -> Flows:
        """This period and the one after it, as one."""
        return Flows(self.start, *(a + b for a, b in zip(self[1:], later[1:], strict=True)))


def bridge(one: Flows, other: Flows) -> dict[str, int]:
    """From the end of one reading to that of another, line by line: what the other has more (losses count against it).

    Of two presets for the same facts and period. The lines add up to nothing: start + kinds − end = 0.
    """
    lines = {"start": other.start - one.start}
    for kind in KINDS:
        lines[kind] = SIGNS[kind] * (getattr(other, kind) - getattr(one, kind))
    return lines | {"currency": other.currency - one.currency, "end": one.end - other.end}
