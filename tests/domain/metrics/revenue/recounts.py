"""MRR flows and retained MRR recounted customer by customer, for what the product sums in its read models.

Two forms. The *activity* form counts every change, is additive over any periods, and is canonical. The *snapshot* form
compares each customer's MRR at the end of a period with that at its start, so that what happened and was undone inside
the period does not show; it is a view.
"""

from __future__ import annotations

from collections.abc import Iterable

from domain.billing.subscriptions import CHURNED, CONTRACTION, EXPANSION, KINDS, NEW, REACTIVATED, Movement
from domain.metrics.revenue.flows import SIGNS, Flows
from domain.metrics.revenue.retained import Retained


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
