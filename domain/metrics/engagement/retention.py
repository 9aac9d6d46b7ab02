"""Retention: of those who began in one period, how many (or how much money) came back at each age.

A user's cohort is the period of the user's first start; the age of what the user does later is counted in calendar
periods since the cohort's, or, rolling, in whole 24 hours (7 or 30 times as many for weeks and months) since that first
start. What a user did before it does not count. Measures, at age k:

- `on`: came back at age k, the usual one.
- `on_or_after`: at age k or any later one: who has not left for good.
- `on_or_before`: at some age from 1 to k; at age 0 all of the cohort.
- `brackets`: at some age of the bracket; the ages of the answer are the brackets, each up to the next one's beginning.
- `streak`: at every age from 0 to k.

Money adds up what was paid at those ages (of a streak: at age k, by those whose streak holds), over what the cohort
paid at age 0. A cell is unfinished as long as its last period has not ended for everybody in it; means leave it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from domain.metrics.engagement.events import Flags, IntArray, distinct, starts, summed
from domain.metrics.engagement.periods import ROLLING, Interval, begin_of, period_of
from domain.metrics.value import Reason, Stat, ratio

Measure = Literal["on", "on_or_after", "on_or_before", "brackets", "streak"]
DAY_BRACKETS = (0, 1, 4, 8, 15, 31, 61)


class RetentionQuestion(NamedTuple):
    """What is asked for. `until`: the moment up to which events are known, ms."""

    until: int
    interval: Interval = "day"
    measure: Measure = "on"
    zone: str = "UTC"
    rolling: bool = False
    brackets: Sequence[int] = DAY_BRACKETS  # first age of each, ascending, below `ages`
    ages: int = 91  # at most so many: 0 to ages − 1
    week_start: int = 0  # day on which weeks begin, 0 for Monday

    @property
    def periods(self) -> tuple[Interval, str, int]:
        """Which periods it counts in."""
        return self.interval, self.zone, self.week_start


class Did(NamedTuple):
    """Starts, or returns: one row an event; `values` is the money of each return, in trillionths."""

    users: IntArray
    at: IntArray
    values: IntArray | None = None


class Matrix(NamedTuple):
    """Cohorts in rows, ages in columns."""

    cohorts: IntArray  # period of each, ascending; only those that have somebody
    sizes: IntArray  # users of each
    base: IntArray  # what a rate is a share of: users, or the money of age 0
    retained: IntArray  # users, or money
    unfinished: Flags
    begun: Flags  # of any cell that is False nothing can be known yet

    def rate(self, cohort: int, age: int) -> Stat:
        """Share of one cell, by places."""
        return ratio(int(self.retained[cohort, age]), int(self.base[cohort]), Reason.NO_DATA)

    def mean(self, age: int, *, weighted: bool = True) -> Stat:
        """Over the finished cells of an age: weighted by what cohorts began with, or every cohort alike."""
        places = np.flatnonzero(~self.unfinished[:, age] & (self.base > 0))
        if not len(places):
            return Reason.NO_DATA
        above, below = self.retained[places, age], self.base[places]
        return float(above.sum() / below.sum()) if weighted else float((above / below).mean())


class _Members(NamedTuple):
    """Returns as (member, age) with money; members are numbers from 0, each in a row of the matrix."""

    row: IntArray  # of each member
    who: IntArray
    age: IntArray
    values: IntArray | None


def retention(began: Did, returned: Did, question: RetentionQuestion) -> Matrix:
    """The matrix. Events later than `until` must not be given."""
    users, first = _first(began)
    cohort_of = period_of(first, *question.periods)
    cohorts, row = np.unique(cohort_of, return_inverse=True)
    members = _members(users, first, cohort_of, row.astype(np.int64), returned, question)
    begins = _cell_begins(cohorts, question)
    width = _columns(begins, question)
    cells = _cells(members, len(cohorts), width, question)
    sizes = summed(members.row, len(cohorts))
    base = sizes if returned.values is None else _money_at_start(members, len(cohorts))
    if question.measure == "on_or_before" and width:
        cells[:, 0] = base
    begun, ended = begins[:, :width] <= question.until, begins[:, 1 : width + 1]
    if question.rolling:
        ended = ended + (begin_of(cohorts + 1, *question.periods) - begins[:, 0])[:, None]
    return Matrix(cohorts, sizes, base, np.where(begun, cells, 0), ended > question.until, begun)


def _first(began: Did) -> tuple[IntArray, IntArray]:
    """Users, ascending, and when each began."""
    users = np.unique(began.users)
    first = np.full(len(users), np.iinfo(np.int64).max)
    np.minimum.at(first, np.searchsorted(users, began.users), began.at)
    return users, first


def _members(
    users: IntArray, first: IntArray, cohort_of: IntArray, row: IntArray, returned: Did, question: RetentionQuestion
) -> _Members:
    """The returns of members, with their ages; none from before their start."""
    place = np.minimum(np.searchsorted(users, returned.users), max(len(users) - 1, 0))
    member = (users[place] == returned.users) if len(users) else np.zeros(len(returned.users), np.bool_)
    member[member] = returned.at[member] >= first[place[member]]
    who, at = place[member].astype(np.int64), returned.at[member]
    if question.rolling:
        age = (at - first[who]) // ROLLING[question.interval]
    else:
        age = period_of(at, *question.periods) - cohort_of[who]
    return _Members(row, who, age, None if returned.values is None else returned.values[member])


def _cell_begins(cohorts: IntArray, question: RetentionQuestion) -> IntArray:
    """When each cell begins for the first of its cohort, ms; one more column for the end of the last."""
    firsts = np.array(question.brackets, np.int64) if question.measure == "brackets" else np.arange(question.ages)
    ages = np.append(firsts, question.ages)
    if question.rolling:
        begins: IntArray = begin_of(cohorts, *question.periods)[:, None] + ages * ROLLING[question.interval]
        return begins
    periods = cohorts[:, None] + ages
    different, place = np.unique(periods, return_inverse=True)
    return begin_of(different, *question.periods)[place].reshape(periods.shape)


def _columns(begins: IntArray, question: RetentionQuestion) -> int:
    """How many ages have begun for the oldest cohort."""
    return int((begins[:, :-1] <= question.until).any(axis=0).sum()) if len(begins) else 0


def _money_at_start(members: _Members, rows: int) -> IntArray:
    assert members.values is not None
    first = members.age == 0
    return summed(members.row[members.who[first]], rows, members.values[first])


def _cells(members: _Members, rows: int, width: int, question: RetentionQuestion) -> IntArray:
    who, age, values = members.who, members.age, members.values
    if question.measure == "brackets":
        bracket = np.searchsorted(np.array(question.brackets), age, side="right").astype(np.int64) - 1
        age = np.where(age < question.ages, bracket, -1)
    if question.measure == "streak":
        holds = age < _streaks(who, age, len(members.row))[who]
        who, age, values = who[holds], age[holds], None if values is None else values[holds]
    if values is None:
        who, age = _counted(who, age, question.measure)
    elif question.measure == "on_or_before":
        later = age > 0
        who, age, values = who[later], age[later], values[later]
    return _spread(members.row[who], age, values, (rows, width), question.measure)


def _spread(
    row: IntArray, age: IntArray, values: IntArray | None, shape: tuple[int, int], measure: Measure
) -> IntArray:
    """Sums by cohort and age, in running order where the measure says so."""
    rows, width = shape
    if measure == "on_or_after":
        age = np.minimum(age, width - 1)  # later than the last column is still after it
    inside = (age >= 0) & (age < width)
    amounts: IntArray | int = 1 if values is None else values[inside]
    cells = summed(row[inside] * width + age[inside], rows * width, amounts).reshape(shape)
    if measure == "on_or_after":
        return cells[:, ::-1].cumsum(axis=1)[:, ::-1]
    return cells.cumsum(axis=1) if measure == "on_or_before" else cells


def _counted(who: IntArray, age: IntArray, measure: Measure) -> tuple[IntArray, IntArray]:
    """Members and the ages at which each counts once: every age, the last one, or the first after the start."""
    if measure == "on_or_before":
        who, age = who[age > 0], age[age > 0]
    who, age = distinct(who, age)
    firsts = starts(who)
    if measure == "on_or_after":
        lasts = np.append(firsts[1:], len(who)) - 1 if len(who) else firsts
        return who[lasts], age[lasts]
    return (who[firsts], age[firsts]) if measure == "on_or_before" else (who, age)


def _streaks(who: IntArray, age: IntArray, members: int) -> IntArray:
    """Of each member the number of ages from 0 on without a gap."""
    one, at = distinct(who, age)
    firsts = starts(one)
    rank = np.arange(len(one)) - np.repeat(firsts, np.diff(np.append(firsts, len(one))))
    return summed(one[at == rank], members)
