"""Funnels and journeys equal recounts that follow each user event by event, for every order and anchor."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Iterator
from itertools import groupby, permutations, product
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.metrics.engagement.events import Events
from domain.metrics.engagement.funnel import NEVER, FunnelQuestion, Order, breakdown, funnel, steps_of
from domain.metrics.engagement.journey import Path, user_journey
from domain.metrics.value import Reason
from tests.domain.metrics.engagement.streams import USERS, columns, rows_of

NAMES = st.integers(0, 4)
ROWS = rows_of(USERS, st.integers(0, 12), NAMES, at_most=40)
APART = st.lists(st.tuples(USERS, st.integers(0, 40), NAMES), max_size=40, unique_by=lambda row: row[:2])
TOGETHER = rows_of(st.integers(1, 2), st.integers(0, 2), NAMES, at_most=6)  # every order of what is of one moment
Rows = list[tuple[Any, ...]]


def by_user(rows: Rows) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Each user's events as (time, name), in order."""
    in_order = sorted(rows, key=lambda row: (row[0], row[1]))
    for user, own in groupby(in_order, key=lambda row: row[0]):
        yield user, [(at, name) for _, at, name in own]


def attempt(own: list[tuple[int, int]], asked: FunnelQuestion) -> list[int]:
    """When the steps were reached by an attempt that begins with the first of these events."""
    began = own[0][0]
    reached = [began]
    missing = [step for step in asked.steps if step != own[0][1]]
    for at, name in own[1:]:
        if at - began > asked.window or name in asked.exclusions or not missing:
            break
        if name == missing[0] or (asked.order == "any" and name in missing):
            missing.remove(name)
            reached.append(at)
        elif asked.order == "strict":
            break
    return reached


def orders(own: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Every order in which these events can have happened."""
    moments = [list(permutations(events)) for _, events in groupby(own, key=lambda event: event[0])]
    return ([event for events in order for event in events] for order in product(*moments))


def recount(rows: Rows, asked: FunnelQuestion) -> dict[int, list[int]]:
    """The attempt that counts of each user: the furthest, of those the earliest."""
    begins = asked.steps if asked.order == "any" else asked.steps[:1]
    found = {}
    for user, own in by_user(rows):
        attempts = [
            attempt(order[i:], asked) for order in orders(own) for i, (_, name) in enumerate(order) if name in begins
        ]
        if attempts:
            found[user] = min(attempts, key=lambda reached: (-len(reached), reached))
    return found


@st.composite
def questions(draw: st.DrawFn, order: Order) -> FunnelQuestion:
    names = draw(st.permutations(range(5)))
    steps = names[: draw(st.integers(1, 4))]
    excluded = draw(st.sets(st.sampled_from(names[len(steps) :]), max_size=2)) if len(steps) < 5 else set()
    return FunnelQuestion(steps, draw(st.integers(0, 14)), order, excluded)


@pytest.mark.parametrize("order", get_args(Order))
@given(data=st.data(), rows=st.one_of(APART, TOGETHER))
def test_funnels_equal_a_recount(order: Order, data: st.DataObject, rows: Rows) -> None:
    """Who got how far and when, and the figures of each step."""
    asked = data.draw(questions(order))
    found = funnel(Events(*columns(rows, 3)), asked)
    expected = recount(rows, asked)
    reached = [[at for at in row if at != NEVER] for row in found.reached.tolist()]
    assert dict(zip(found.users.tolist(), reached, strict=True)) == expected
    for k, step in enumerate(steps_of(found)):
        there = [times for times in expected.values() if len(times) > k]
        before = [times for times in expected.values() if len(times) > max(k - 1, 0)]
        assert step.users == len(there)
        assert step.rate == (len(there) / len(expected) if expected else Reason.NO_DATA)
        assert step.step_rate == (len(there) / len(before) if before else Reason.NO_DATA)
        took = [times[k] - times[max(k - 1, 0)] for times in there]
        assert step.median_ms == (statistics.median(took) if took else Reason.NO_DATA)


def test_steps_of_one_moment_convert_in_any_order() -> None:
    """Whatever their names are, and in whichever order they are given; nothing of another moment changes places."""
    for first, second in ((0, 1), (1, 0)):
        for order in get_args(Order):
            together: Rows = [(1, 5, first), (1, 5, second)]
            for rows in (together, together[::-1]):
                found = steps_of(funnel(Events(*columns(rows, 3)), FunnelQuestion((first, second), 0, order)))
                assert [step.users for step in found] == [1, 1]
            later: Rows = [(1, 6, first), (1, 5, second)]
            found = steps_of(funnel(Events(*columns(later, 3)), FunnelQuestion((first, second), 10, order)))
            assert [step.users for step in found] == ([1, 1] if order == "any" else [1, 0])
        (path,) = user_journey(Events(*columns([(1, 5, second), (1, 5, first)], 3)), begin=first)
        assert path.names == (first, second)
        (path,) = user_journey(Events(*columns([(1, 5, second), (1, 5, first)], 3)), to=first)
        assert path.names == (second, first)


@given(ROWS)
def test_a_breakdown_adds_up_to_the_whole(rows: Rows) -> None:
    """Users of all groups at each step."""
    found = funnel(Events(*columns(rows, 3)), FunnelQuestion((0, 1, 2), 10))
    groups = breakdown(found, found.users % 2)
    for k, step in enumerate(steps_of(found)):
        assert sum(of[k].users for of in groups.values()) == step.users


@pytest.mark.parametrize(
    "asked", [FunnelQuestion((), 5), FunnelQuestion((1, 1), 5), FunnelQuestion((1, 2), 5, exclusions=(2,))]
)
def test_a_funnel_that_makes_no_sense_is_refused(asked: FunnelQuestion) -> None:
    """No step, a step twice, a step that is excluded."""
    with pytest.raises(Invalid):
        funnel(Events(*columns([(1, 1, 1)], 3)), asked)


def paths(rows: Rows, begin: int | None, to: int | None, length: int, *, repeats: bool) -> Counter[tuple[int, ...]]:
    """Paths by following each user."""
    found: Counter[tuple[int, ...]] = Counter()
    for _, own in by_user(rows):
        own.sort(key=lambda event: (event[0], event[1] != begin or to is not None, event[1] == to, event[1]))
        names = [name for _, name in own]
        if not repeats:
            names = [name for name, _ in groupby(names)]
        if to is not None:
            if to in names:
                end = names.index(to) + 1
                found[tuple(names[max(0, end - length) : end])] += 1
        elif begin is None or begin in names:
            first = 0 if begin is None else names.index(begin)
            found[tuple(names[first : first + length])] += 1
    return found


@given(ROWS, st.sampled_from(["", "from", "to"]), NAMES, st.integers(1, 5), st.integers(1, 4), st.booleans())
def test_journeys_equal_a_recount(rows: Rows, anchor: str, name: int, length: int, top: int, repeats: bool) -> None:
    """The most frequent paths, without an anchor, from an event and to one."""
    begin, to = (name if anchor == "from" else None), (name if anchor == "to" else None)
    found = user_journey(Events(*columns(rows, 3)), begin=begin, to=to, length=length, top=top, repeats=repeats)
    counted = paths(rows, begin, to, length, repeats=repeats)
    expected = [Path(names, number) for names, number in sorted(counted.items(), key=lambda c: (-c[1], c[0]))]
    assert found == expected[:top]


@pytest.mark.check
def test_two_years_of_100000_users_answer_quickly(capsys: pytest.CaptureFixture[str]) -> None:
    """Five million events: each funnel and the journeys within five seconds of processor time."""
    chance = np.random.default_rng(4)
    size = 5_000_000
    events = Events(
        chance.integers(0, 100_000, size), chance.integers(0, 730 * 86_400_000, size), chance.integers(0, 12, size)
    )
    asked = {order: FunnelQuestion((1, 2, 3, 4), 7 * 86_400_000, order) for order in get_args(Order)}
    for name in (*asked, "journey"):
        clock = time.process_time()
        assert funnel(events, asked[name]) if name in asked else user_journey(events)
        took = time.process_time() - clock
        with capsys.disabled():
            print(f"\n{name} of {size:,} events: {took:.2f} s of processor", end="")
        assert took < 5
