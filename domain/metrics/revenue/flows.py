"""MRR flows of a period: start + new + expansion + reactivated − contraction − churned = end, always and exactly.

Two forms. The *activity* form counts every change, is additive over any periods, and is canonical. The *snapshot* form
compares each customer's MRR at the end of a period with that at its start, so that what happened and was undone inside
the period does not show; it is a view.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from domain.billing.subscriptions import CHURNED, CONTRACTION, EXPANSION, KINDS, LOSSES, NEW, REACTIVATED, Movement

SIGNS: Mapping[str, int] = {kind: -1 if kind in LOSSES else 1 for kind in KINDS}


class Flows(NamedTuple):
    """MRR at the start of a period and what moved in it, each positive in its sense; twelfths of a millionth."""

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

    @property
    def net_new(self) -> int:
        """What was won less what was lost, in twelfths of a millionth."""
        return self.new + self.expansion + self.reactivated - self.contraction - self.churned

    @property
    def end(self) -> int:
        """MRR at the end of the period."""
        return self.start + self.net_new

    def then(self, later: Flows) -> Flows:
        """This period and the one after it, as one."""
        return Flows(self.start, *(a + b for a, b in zip(self[1:], later[1:], strict=True)))


def activity(movements: Iterable[Movement], begin: int, end: int) -> Flows:
    """Flows of all movements in [begin, end), in ms; those before make the start."""
    start, sums, counts = 0, dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0)
    for movement in movements:
        if movement.at < begin:
            start += SIGNS[movement.kind] * movement.amount
        elif movement.at < end:
            sums[movement.kind] += movement.amount
            counts[movement.kind] += movement.counted
    return Flows(start, *sums.values(), *counts.values())


def snapshot(customers: Iterable[tuple[int, int, bool]]) -> Flows:
    """Flows by comparing: for each customer MRR at start and end, and whether it paid at the end of some period before.

    A customer who comes from nothing is reactivated if so, else new: who came and went inside one period was never
    seen. That is asked of those without MRR at the start only.
    """
    start, sums, counts = 0, dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0)
    for before, after, seen in customers:
        start += before
        if before != after:
            kind = kind_of(before, after, seen)
            sums[kind] += abs(after - before)
            counts[kind] += 1
    return Flows(start, *sums.values(), *counts.values())


def kind_of(before: int, after: int, seen: bool) -> str:
    """The kind of a change of one customer's MRR between two moments."""
    if not before:
        return REACTIVATED if seen else NEW
    if not after:
        return CHURNED
    return EXPANSION if after > before else CONTRACTION


def bridge(one: Flows, other: Flows) -> dict[str, int]:
    """From the end of one reading to that of another, line by line: what the other has more (losses count against it).

    Of two presets for the same facts and period. The lines add up to nothing: start + kinds − end = 0.
    """
    lines = {"start": other.start - one.start}
    for kind in KINDS:
        lines[kind] = SIGNS[kind] * (getattr(other, kind) - getattr(one, kind))
    return lines | {"end": one.end - other.end}
