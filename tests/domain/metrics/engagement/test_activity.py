"""Active users, stickiness, life cycle, features, sessions and segments equal recounts."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.metrics.engagement import usage
from domain.metrics.engagement.activity import active_users, stickiness, stickiness_histogram
from domain.metrics.engagement.lifecycle import lifecycle, pulse
from domain.metrics.engagement.segments import RULES, Habits, habits, user_segment
from domain.metrics.value import Reason
from tests.domain.metrics.engagement.streams import USERS, column, columns, rows_of

DAYS = rows_of(USERS, st.integers(100, 160), at_most=60)
Rows = list[tuple[Any, ...]]


@given(DAYS, st.integers(95, 165), st.integers(0, 30), st.sampled_from([1, 7, 28]))
def test_active_users_of_every_window(rows: Rows, first: int, length: int, window: int) -> None:
    """Different users of the days that end with each day."""
    users, days = columns(rows, 2)
    found = active_users(users, days, first, first + length, window)
    expected = [len({u for u, at in rows if day - window < at <= day}) for day in range(first, first + length + 1)]
    assert found.tolist() == expected


@given(DAYS, st.integers(95, 165))
def test_the_histogram_counts_active_days(rows: Rows, last: int) -> None:
    """Users by number of active days, 1 to 28."""
    days = Counter(user for user, at in set(rows) if last - 28 < at <= last)
    users, active = columns(rows, 2)
    assert stickiness_histogram(users, active, last).tolist() == [
        sum(n == number for n in days.values()) for number in range(1, 29)
    ]


@given(rows_of(USERS, st.integers(0, 8), at_most=40), st.integers(1, 4))
def test_the_life_cycle_equals_a_recount(rows: Rows, first: int) -> None:
    """New, returning, resurrected, dormant; what is active now follows from what was active before."""
    users, periods = columns(rows, 2)
    began = column([min(at for who, at in rows if who == user) for user, _ in rows])
    found = lifecycle(users, periods, began, first, 9)
    active = [{user for user, at in rows if at == period} for period in range(-1, 10)]
    for period in range(first, 10):
        now, before = active[period + 1], active[period]
        seen = {user for user, at in rows if at < period}
        i = period - first
        assert found.new[i] == len(now - seen)
        assert found.returning[i] == len(now & before)
        assert found.resurrected[i] == len((now & seen) - before)
        assert found.dormant[i] == len(before - now)
        assert len(now) == len(before) + found.new[i] + found.resurrected[i] - found.dormant[i]


def test_ratios_of_use() -> None:
    """Worked out by hand, and the reasons where there is nothing."""
    users, features = column([1, 1, 1, 2]), column([7, 7, 8, 7])
    assert usage.feature_adoption_rate(users, features, 4) == {7: 0.5, 8: 0.25}
    assert usage.feature_depth(users, features) == 1.5
    assert usage.sessions_per_user(6, 4) == 1.5
    assert (usage.click_through_rate(1, 4), usage.conversion_rate(1, 8)) == (0.25, 0.125)
    assert (stickiness(5, 20), pulse(3, 5, 2, 10)) == (0.25, 0.5)
    nothing = column([])
    assert usage.feature_depth(nothing, nothing) is Reason.NO_DATA
    assert usage.click_through_rate(0, 0) is Reason.NO_DATA
    assert (stickiness(0, 0), pulse(0, 0, 0, 0)) == (Reason.NO_DATA, Reason.NO_DATA)
    assert {pulse(3, 0, 0, 0), pulse(0, 2, 0, 0)} == {Reason.NO_LOSSES}


def test_one_user_of_each_segment() -> None:
    """The rules in words, one by one."""
    users = habits(
        column([0, 0, 0, 0, 50, 50, 90, 99]),
        column([10, 72, 86, 99, 99, 99, 100, 99]),
        column([0, 0, 1, 4, 14, 6, 2, 2]),
        column([0, 0, 0, 8, 14, 0, 0, 0]),
        np.array([True, True, True, True, True, True, True, False]),
        100,
    )
    assert user_segment(users) == [
        "churned",
        "dormant",
        "at_risk",
        "at_risk",
        "power",
        "engaged",
        "activated",
        "new",
    ]


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200), st.integers(0, 28), st.integers(0, 28))))
def test_every_user_is_in_one_segment(rows: Rows) -> None:
    """Whatever the habits."""
    age, silent, active, before = columns(rows, 4)
    users = Habits(age, silent, active, before, np.zeros(len(rows), np.bool_))
    assert set(user_segment(users)) <= {rule.segment for rule in RULES}
    assert len(user_segment(users)) == len(rows)
    assert len({rule.segment for rule in RULES}) == 7
