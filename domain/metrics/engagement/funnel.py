"""Funnels: how many users get from step to step, how long it takes, and where they stop.

An *attempt* begins with an entry and ends with the window (counted from the entry) or the first excluded event after
it, whichever comes first. Orders:

- `ordered`: the entry is the first step; each further step comes not earlier than the one before, other events between
  them do not matter. Of several events of a step the earliest counts.
- `strict`: the same, with no event of the user between the steps.
- `any`: the steps in any order; the entry is an event of any of them, step k is reached with the k-th different one.

Of a user's attempts the one that gets furthest counts, of those the earliest. Steps are different names. Nobody knows
in which order events of one moment happened: they count in the one that gets furthest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.errors import Invalid
from domain.metrics.engagement.events import Events, Flags, IntArray, Ordered, ordered, starts
from domain.metrics.value import Reason, Stat, ratio

Order = Literal["ordered", "strict", "any"]
NEVER = np.iinfo(np.int64).max


class FunnelQuestion(NamedTuple):
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


def funnel(events: Events, question: FunnelQuestion) -> Attempts:
    """The attempts of all users. Raises Invalid for steps that are not different or are excluded."""
    if (
        len(set(question.steps)) < len(question.steps)
        or not question.steps
        or set(question.steps) & set(question.exclusions)
    ):
        raise Invalid(
            "a funnel needs steps that differ from each other and from what is excluded",
            code="bad_funnel",
            suggested_actions=("name each step once",),
        )
    moments = _moments(ordered(events))
    entries, until = _entries(moments, question)
    find = {"ordered": _in_order, "strict": _at_once, "any": _in_any_order}[question.order]
    return _best(moments.users[entries], find(moments, question, entries, until))


def steps_of(attempts: Attempts, among: Flags | None = None) -> list[Step]:
    """Figures of each step, of all who entered or of some of them (a breakdown asks once for each of its values)."""
    reached = attempts.reached if among is None else attempts.reached[among]
    there = reached != NEVER
    users = [int(n) for n in there.sum(axis=0)]
    figures = []
    for k, number in enumerate(users):
        before = users[max(k - 1, 0)]
        took = reached[there[:, k], k] - reached[there[:, k], max(k - 1, 0)]
        median: Stat = float(np.median(took)) if number else Reason.NO_DATA
        entered = ratio(number, users[0], Reason.NO_DATA)
        figures.append(Step(number, entered, ratio(number, before, Reason.NO_DATA), median))
    return figures


def breakdown(attempts: Attempts, group_of: IntArray) -> dict[int, list[Step]]:
    """Figures by group; `group_of` has the group of each user of the attempts, in their order."""
    return {int(group): steps_of(attempts, group_of == group) for group in np.unique(group_of)}


class Moments(NamedTuple):
    """The moments of a stream, each user's in order: whose it is, when, and how many events it has."""

    users: IntArray
    at: IntArray
    events: IntArray
    having: Callable[[Collection[int]], IntArray]  # moments with an event of any of these names


def _moments(stream: Ordered) -> Moments:
    new = np.ones(len(stream.at), np.bool_)
    new[1:] = (stream.users[1:] != stream.users[:-1]) | (stream.at[1:] != stream.at[:-1])
    number = np.cumsum(new) - 1

    def having(names: Collection[int]) -> IntArray:
        numbers: IntArray = number[np.isin(stream.names, list(names))]
        return numbers[starts(numbers)]

    return Moments(stream.users[new], stream.at[new], np.bincount(number, minlength=new.sum()), having)


def _entries(moments: Moments, question: FunnelQuestion) -> tuple[IntArray, IntArray]:
    """Moments at which attempts begin, and of each the first one that no longer belongs to it.

    What ends an attempt comes last in its moment, and first in that of the entry.
    """
    entries = moments.having(question.steps if question.order == "any" else question.steps[:1])
    firsts = starts(moments.users)
    ends = np.append(firsts[1:], len(moments.users))[np.searchsorted(firsts, entries, side="right") - 1]
    stops = np.append(moments.having(question.exclusions), len(moments.users))
    excluded = stops[np.searchsorted(stops[:-1], entries, side="right")]
    return entries, np.minimum(ends, excluded + 1)


def _times(
    moments: Moments, question: FunnelQuestion, entries: IntArray, places: IntArray, valid: npt.NDArray[np.bool_]
) -> tuple[IntArray, Flags]:
    """When these moments were, where they are valid and inside the window of their entry; else NEVER."""
    at = moments.at[np.minimum(places, len(moments.at) - 1)]
    inside = valid & (at - moments.at[entries] <= question.window)
    return np.where(inside, at, NEVER), inside


def _in_order(moments: Moments, question: FunnelQuestion, entries: IntArray, until: IntArray) -> IntArray:
    reached = [moments.at[entries]]
    places, valid = entries, np.ones(len(entries), np.bool_)
    for step in question.steps[1:]:
        of_step = np.append(moments.having((step,)), len(moments.at))
        places = of_step[np.minimum(np.searchsorted(of_step, places), len(of_step) - 1)]
        at, valid = _times(moments, question, entries, places, valid & (places < until))
        reached.append(at)
    return np.stack(reached, axis=1)


def _at_once(moments: Moments, question: FunnelQuestion, entries: IntArray, until: IntArray) -> IntArray:
    """The furthest of the attempts that take the first so many steps in the moment of the entry.

    Whatever else is in that moment comes before the entry; a later moment is passed if it has nothing but the next
    steps, and in the last one whatever else there is comes after them.
    """
    runs = _run_lengths(moments, question.steps)
    reached = np.full((len(entries), len(question.steps)), NEVER)
    depth = np.zeros(len(entries), np.int64)
    for begun in range(len(question.steps), 0, -1):
        tried = np.full_like(reached, NEVER)
        tried[:, :begun] = moments.at[entries][:, None]
        steps, places, valid = np.full(len(entries), begun), entries, runs[entries, 0] >= begun
        far = np.where(valid, begun, 0)
        while valid.any():
            places = places + 1
            at, valid = _times(
                moments, question, entries, places, valid & (places < until) & (steps < len(question.steps))
            )
            here = np.minimum(places, len(moments.at) - 1)
            more = np.where(valid, runs[here, np.minimum(steps, len(question.steps) - 1)], 0)
            place = np.arange(len(question.steps))
            tried = np.where((place >= steps[:, None]) & (place < (steps + more)[:, None]), at[:, None], tried)
            steps = steps + more
            far += more
            valid &= (more > 0) & (more == moments.events[here])
        further = far > depth
        reached, depth = np.where(further[:, None], tried, reached), np.maximum(far, depth)
    return reached


def _run_lengths(moments: Moments, steps: Sequence[int]) -> IntArray:
    """By moment and step: how many steps from this one on the moment has, one after the other."""
    runs = np.zeros((len(moments.at), len(steps) + 1), np.int64)
    for k in range(len(steps) - 1, -1, -1):
        there = moments.having((steps[k],))
        runs[there, k] = 1 + runs[there, k + 1]
    return runs


def _in_any_order(moments: Moments, question: FunnelQuestion, entries: IntArray, until: IntArray) -> IntArray:
    reached = []
    for step in question.steps:
        of_step = np.append(moments.having((step,)), len(moments.at))
        places = of_step[np.searchsorted(of_step[:-1], entries)]
        reached.append(_times(moments, question, entries, places, places < until)[0])
    return np.sort(np.stack(reached, axis=1), axis=1)


def _best(users: IntArray, reached: IntArray) -> Attempts:
    """Of each user the attempt that got furthest, of those the earliest."""
    depth = (reached != NEVER).sum(axis=1)
    order = np.lexsort((np.arange(len(users)), -depth, users))
    firsts = order[starts(users[order])]
    return Attempts(users[firsts], reached[firsts])
