"""Funnels: how many users get from step to step, how long it takes, and where they stop.

An *attempt* begins with an entry and ends with the window (counted from the entry) or the first excluded event after
it, whichever comes first. Orders:

- `ordered`: the entry is the first step; each further step comes later than the one before, other events between them
  do not matter. Of several events of a step the earliest counts.
- `strict`: the same, with no event of the user between the steps.
- `any`: the steps in any order; the entry is an event of any of them, step k is reached with the k-th different one.

Of a user's attempts the one that gets furthest counts, of those the earliest. Steps are different names. Events of one
moment are in the order in which they are given.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.errors import Invalid
from domain.metrics.engagement.events import Events, Flags, IntArray, Ordered, ordered, starts
from domain.metrics.value import Reason, Stat, ratio

Order = Literal["ordered", "strict", "any"]
NEVER = np.iinfo(np.int64).max


class Asked(NamedTuple):
    """Steps as names (numbers), the window in ms, names that end an attempt."""

    steps: Sequence[int]
    window: int
    order: Order = "ordered"
    exclusions: Collection[int] = ()


class Attempts(NamedTuple):
    """The attempt that counts of each user who entered: users ascending, and when each step was reached (or NEVER)."""

    users: IntArray
    reached: IntArray  # users × steps


class Step(NamedTuple):
    """One step of a funnel."""

    users: int
    rate: Stat  # of those who entered
    step_rate: Stat  # of those who reached the step before
    median_ms: Stat  # from the step before; of the first step 0


def funnel(events: Events, asked: Asked) -> Attempts:
    """The attempts of all users. Raises Invalid for steps that are not different or are excluded."""
    if len(set(asked.steps)) < len(asked.steps) or not asked.steps or set(asked.steps) & set(asked.exclusions):
        raise Invalid(
            "a funnel needs steps that differ from each other and from what is excluded",
            code="bad_funnel",
            suggested_actions=("name each step once",),
        )
    stream = ordered(events)
    entries, until = _entries(stream, asked)
    find = {"ordered": _in_order, "strict": _at_once, "any": _in_any_order}[asked.order]
    return _best(stream.users[entries], find(stream, asked, entries, until))


def steps_of(attempts: Attempts, among: Flags | None = None) -> list[Step]:
    """Figures of each step, of all who entered or of some of them (a breakdown asks once for each of its values)."""
    reached = attempts.reached if among is None else attempts.reached[among]
    there = reached != NEVER
    users = [int(n) for n in there.sum(axis=0)]
    found = []
    for k, number in enumerate(users):
        before = users[max(k - 1, 0)]
        took = reached[there[:, k], k] - reached[there[:, k], max(k - 1, 0)]
        median: Stat = float(np.median(took)) if number else Reason.NO_DATA
        entered = ratio(number, users[0], Reason.NO_DATA)
        found.append(Step(number, entered, ratio(number, before, Reason.NO_DATA), median))
    return found


def breakdown(attempts: Attempts, group_of: IntArray) -> dict[int, list[Step]]:
    """Figures by group; `group_of` has the group of each user of the attempts, in their order."""
    return {int(group): steps_of(attempts, group_of == group) for group in np.unique(group_of)}


def _entries(stream: Ordered, asked: Asked) -> tuple[IntArray, IntArray]:
    """Rows with which attempts begin, and of each the first row that no longer belongs to it."""
    begins = asked.steps if asked.order == "any" else asked.steps[:1]
    entries = np.flatnonzero(np.isin(stream.names, begins)).astype(np.int64)
    firsts = starts(stream.users)
    ends = np.append(firsts[1:], len(stream.users))[np.searchsorted(firsts, entries, side="right") - 1]
    stops = np.append(np.flatnonzero(np.isin(stream.names, list(asked.exclusions))), len(stream.users))
    excluded = stops[np.searchsorted(stops, entries)]
    return entries, np.minimum(ends, excluded)


def _times(
    stream: Ordered, asked: Asked, entries: IntArray, rows: IntArray, valid: npt.NDArray[np.bool_]
) -> tuple[IntArray, Flags]:
    """When these rows happened, where they are valid and inside the window of their entry; else NEVER."""
    at = stream.at[np.minimum(rows, len(stream.at) - 1)]
    inside = valid & (at - stream.at[entries] <= asked.window)
    return np.where(inside, at, NEVER), inside


def _in_order(stream: Ordered, asked: Asked, entries: IntArray, until: IntArray) -> IntArray:
    reached = [stream.at[entries]]
    rows, valid = entries, np.ones(len(entries), np.bool_)
    for step in asked.steps[1:]:
        of_step = np.append(np.flatnonzero(stream.names == step), len(stream.at)).astype(np.int64)
        rows = of_step[np.minimum(np.searchsorted(of_step, rows, side="right"), len(of_step) - 1)]
        at, valid = _times(stream, asked, entries, rows, valid & (rows < until))
        reached.append(at)
    return np.stack(reached, axis=1)


def _at_once(stream: Ordered, asked: Asked, entries: IntArray, until: IntArray) -> IntArray:
    reached = [stream.at[entries]]
    valid = np.ones(len(entries), np.bool_)
    for k, step in enumerate(asked.steps[1:], start=1):
        rows = entries + k
        names = stream.names[np.minimum(rows, len(stream.names) - 1)]
        at, valid = _times(stream, asked, entries, rows, valid & (rows < until) & (names == step))
        reached.append(at)
    return np.stack(reached, axis=1)


def _in_any_order(stream: Ordered, asked: Asked, entries: IntArray, until: IntArray) -> IntArray:
    reached = []
    for step in asked.steps:
        of_step = np.append(np.flatnonzero(stream.names == step), len(stream.at)).astype(np.int64)
        rows = of_step[np.searchsorted(of_step, entries)]
        reached.append(_times(stream, asked, entries, rows, rows < until)[0])
    return np.sort(np.stack(reached, axis=1), axis=1)


def _best(users: IntArray, reached: IntArray) -> Attempts:
    """Of each user the attempt that got furthest, of those the earliest."""
    depth = (reached != NEVER).sum(axis=1)
    order = np.lexsort((np.arange(len(users)), -depth, users))
    firsts = order[starts(users[order])]
    return Attempts(users[firsts], reached[firsts])
