"""Retention equals a recount, user by user and age by age, for every measure, interval, zone and kind of age."""

from __future__ import annotations

import csv
import gzip
import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.decimals import ONE
from domain.metrics.engagement.activity import active_users
from domain.metrics.engagement.periods import MS_PER_DAY, ROLLING, Interval, begin_of
from domain.metrics.engagement.retention import Did, Matrix, Measure, RetentionQuestion, retention
from domain.metrics.value import Reason, has_value
from tests.domain.metrics.engagement.streams import BEGIN, MOMENTS, SPAN, USERS, ZONES, column, columns, rows_of
from tests.domain.metrics.engagement.test_periods import period

DATA = Path(__file__).parents[3] / "data"
Rows = list[tuple[Any, ...]]
MONEY = st.integers(-5, 2**55)  # more than a float holds exactly


class Recount:
    """Retention by loops over users and ages."""

    def __init__(self, began: Rows, returned: Rows, asked: RetentionQuestion, *, money: bool) -> None:
        self.asked = asked
        self.first = {user: min(at for who, at in began if who == user) for user, _ in began}
        self.returned = [row for row in returned if row[0] in self.first and row[1] >= self.first[row[0]]]
        self.money = money

    def cohort(self, user: int) -> int:
        return period(self.first[user], self.asked.interval, self.asked.zone)

    def age(self, row: tuple[Any, ...]) -> int:
        user, at, _ = row
        if self.asked.rolling:
            return int((at - self.first[user]) // ROLLING[self.asked.interval])
        return period(at, self.asked.interval, self.asked.zone) - self.cohort(user)

    def ages(self, cell: int) -> list[int]:
        """The ages that a cell is about."""
        if self.asked.measure == "brackets":
            ends = [*self.asked.brackets, self.asked.ages]
            return list(range(ends[cell], ends[cell + 1]))
        several = {"on_or_after": range(cell, 500), "on_or_before": range(1, cell + 1)}
        return list(several.get(self.asked.measure, [cell]))

    def cell(self, cohort: int, cell: int) -> int:
        users = [user for user in self.first if self.cohort(user) == cohort]
        if self.asked.measure == "on_or_before" and cell == 0:
            return sum(self.at_start(user) for user in users)
        return sum(self.of_user(user, self.ages(cell)) for user in users)

    def at_start(self, user: int) -> int:
        return self.of_user(user, [0], plain=True) if self.money else 1

    def of_user(self, user: int, ages: list[int], *, plain: bool = False) -> int:
        own = [(self.age(row), row[2]) for row in self.returned if row[0] == user]
        if self.asked.measure == "streak" and not plain and not set(range(ages[0] + 1)) <= {age for age, _ in own}:
            return 0
        if self.money:
            return int(sum(value for age, value in own if age in ages))
        return int(any(age in ages for age, _ in own))

    def ends(self, cohort: int, cell: int) -> int:
        """When the last member's part of a cell ends."""
        last = max(self.ages(cell)) if self.asked.measure == "brackets" else cell
        if not self.asked.rolling:
            return int(begin_of(column([cohort + last + 1]), self.asked.interval, self.asked.zone)[0])
        after = int(begin_of(column([cohort + 1]), self.asked.interval, self.asked.zone)[0])
        return after + (last + 1) * ROLLING[self.asked.interval]

    def check(self, found: Matrix) -> None:
        cohorts = sorted({self.cohort(user) for user in self.first})
        assert found.cohorts.tolist() == cohorts
        for i, cohort in enumerate(cohorts):
            users = [user for user in self.first if self.cohort(user) == cohort]
            assert (found.sizes[i], found.base[i]) == (len(users), sum(map(self.at_start, users)))
            for k in range(found.retained.shape[1]):
                expected = self.cell(cohort, k) if found.begun[i, k] else 0
                assert found.retained[i, k] == expected, (cohort, k)
                assert found.unfinished[i, k] == (self.ends(cohort, k) > self.asked.until), (cohort, k)


@st.composite
def questions(draw: st.DrawFn) -> RetentionQuestion:
    until = BEGIN + draw(st.integers(SPAN, 2 * SPAN)) * MS_PER_DAY
    interval: Interval = draw(st.sampled_from(["day", "day", "week", "month"]))
    brackets = sorted({0, *draw(st.lists(st.integers(0, 10), max_size=4))})
    return RetentionQuestion(
        until,
        interval,
        draw(st.sampled_from(get_args(Measure))),
        draw(st.sampled_from(ZONES)),
        draw(st.booleans()),
        brackets,
        draw(st.integers(11, 60)),
    )


@pytest.mark.parametrize("money", [False, True])
@given(asked=questions(), began=rows_of(USERS, MOMENTS, at_most=8), returned=rows_of(USERS, MOMENTS, MONEY))
def test_equals_a_recount(money: bool, asked: RetentionQuestion, began: Rows, returned: Rows) -> None:
    """Cells, sizes, what rates are a share of, and which cells are unfinished."""
    users, at, values = columns(returned, 3)
    found = retention(Did(*columns(began, 2)), Did(users, at, values if money else None), asked)
    Recount(began, returned, asked, money=money).check(found)


@given(rows_of(USERS, MOMENTS, at_most=12), questions())
def test_means_leave_out_what_is_unfinished(rows: Rows, asked: RetentionQuestion) -> None:
    """Weighted: all retained over all sizes; simple: the mean of the rates."""
    did = Did(*columns(rows, 2))
    found = retention(did, did, asked)
    for age in range(found.retained.shape[1]):
        done = [i for i in range(len(found.cohorts)) if not found.unfinished[i, age]]
        rates = [rate for i in done if has_value(rate := found.rate(i, age))]
        if not done:
            assert found.mean(age) is Reason.NO_DATA
            continue
        assert found.mean(age) == pytest.approx(sum(found.retained[done, age]) / sum(found.base[done]))
        assert found.mean(age, weighted=False) == pytest.approx(sum(rates) / len(rates))


def test_measures_of_a_small_history() -> None:
    """Ann on days 0, 1 and 3; Ben on days 0 and 2; seven days later."""
    rows: Rows = [(1, BEGIN + day * MS_PER_DAY) for day in (0, 1, 3)] + [
        (2, BEGIN + day * MS_PER_DAY) for day in (0, 2)
    ]
    did = Did(*columns(rows, 2))
    expected = {
        "on": [2, 1, 1, 1, 0],
        "on_or_after": [2, 2, 2, 1, 0],
        "on_or_before": [2, 1, 2, 2, 2],
        "brackets": [2, 2, 1],
        "streak": [2, 1, 0, 0, 0],
    }
    for measure in get_args(Measure):
        asked = RetentionQuestion(BEGIN + 7 * MS_PER_DAY, measure=measure, brackets=(0, 1, 3), ages=5)
        assert retention(did, did, asked).retained[0].tolist() == expected[measure], measure


def purchases() -> tuple[Did, int]:
    """The CDNOW purchases, and the end of the data."""
    with gzip.open(DATA / "cdnow_master.csv.gz", "rt") as lines:
        rows = [(int(r["customer"]), r["date"], r["amount"]) for r in csv.DictReader(lines)]
    users = column([user for user, _, _ in rows])
    moments = [datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC) for _, day, _ in rows]
    at = column([round(moment.timestamp() * 1000) for moment in moments])
    money = column([int(Decimal(amount) * ONE) for _, _, amount in rows])
    return Did(users, at, money), round(datetime(1998, 7, 1, tzinfo=UTC).timestamp() * 1000)


def test_the_cdnow_cohorts() -> None:
    """Every month's active customers, retention and revenue, to the cent."""
    oracle = json.loads((DATA / "oracles" / "cdnow_cohorts.json").read_text())
    bought, until = purchases()
    asked = RetentionQuestion(until, "month", ages=24)
    active = retention(bought, bought._replace(values=None), asked)
    revenue = retention(bought, bought, asked)
    assert len(bought.users) == oracle["rows"]
    assert active.sizes.sum() == oracle["customers"]
    for i, (name, cells) in enumerate(oracle["cohorts"].items()):
        assert active.cohorts[i] == (int(name[:4]) - 1970) * 12 + int(name[5:]) - 1
        for age, cell in ((int(age), cell) for age, cell in cells.items()):
            assert active.retained[i, age] == cell["active"]
            assert active.rate(i, age) == pytest.approx(cell["retention"], abs=1e-12)
            assert Decimal(int(revenue.retained[i, age])) / ONE == Decimal(cell["revenue"])
    days = bought.at // MS_PER_DAY
    first = int(days.min())
    daily = active_users(bought.users, days, first, first + 19, 1)
    assert daily.tolist() == list(oracle["dau_first_20"].values())
    months = bought.at.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
    monthly = active_users(bought.users, months, int(months.min()), int(months.max()), 1)
    assert dict(zip(oracle["monthly_active"], monthly.tolist(), strict=True)) == oracle["monthly_active"]


@pytest.mark.check
def test_two_years_of_100000_users_answer_quickly(capsys: pytest.CaptureFixture[str]) -> None:
    """Five million user days: the matrix of every measure within five seconds of processor time."""
    chance = np.random.default_rng(3)
    users = np.repeat(np.arange(100_000), 50)
    began = np.repeat(chance.integers(0, 700, 100_000), 50)
    days = np.minimum(began + chance.exponential(60, len(users)).astype(np.int64), 729)
    did = Did(users, BEGIN + days * MS_PER_DAY)
    for measure in get_args(Measure):
        clock = time.process_time()
        retention(did, did, RetentionQuestion(BEGIN + 730 * MS_PER_DAY, measure=measure, zone="Europe/Berlin"))
        took = time.process_time() - clock
        with capsys.disabled():
            print(f"\nretention {measure} of {len(users):,} user days: {took:.2f} s of processor", end="")
        assert took < 5
