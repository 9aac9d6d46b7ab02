"""Calendar periods of times in any zone equal what the standard library says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.metrics.engagement.periods import EPOCH, Interval, begin_of, local, period_of
from tests.domain.metrics.engagement.streams import ZONES, column

EVER = st.integers(0, 2_000_000_000_000)


def utc(at: int) -> datetime:
    return EPOCH + timedelta(milliseconds=at)


def period(at: int, interval: Interval, zone: str) -> int:
    """The period of one time, by the calendar of the standard library."""
    day = utc(at).astimezone(ZoneInfo(zone)).date()
    if interval == "month":
        return (day.year - 1970) * 12 + day.month - 1
    if interval == "week":
        monday = day - timedelta(days=day.weekday())
        return (monday - date(1969, 12, 29)).days // 7
    return (day - date(1970, 1, 1)).days


@given(st.lists(EVER, min_size=1, max_size=20), st.sampled_from(ZONES))
def test_periods_equal_the_calendar(times: list[int], zone: str) -> None:
    """Days, weeks and months, before and after every change of the clocks in 60 years."""
    for interval in ("day", "week", "month"):
        assert period_of(column(times), interval, zone).tolist() == [period(at, interval, zone) for at in times]


@given(EVER, st.sampled_from(ZONES), st.sampled_from(["day", "week", "month"]))
def test_a_period_begins_with_its_first_moment(at: int, zone: str, interval: Interval) -> None:
    """No earlier moment belongs to it. (Apia has left out a whole day once: its beginning is that of the next.)"""
    found = period_of(column([at]), interval, zone)
    begin = int(begin_of(found, interval, zone)[0])
    assert begin <= at
    assert period(begin, interval, zone) == found[0]
    assert period(begin - 1, interval, zone) < found[0]


def test_a_day_of_a_clock_change() -> None:
    """10 March 2024 has 23 hours in New York."""
    days = period_of(column([round(datetime(2024, 3, 10, 12, tzinfo=UTC).timestamp() * 1000)]), "day")
    begins = begin_of(column([int(days[0]), int(days[0]) + 1]), "day", "America/New_York")
    assert begins[1] - begins[0] == 23 * 3_600_000


@pytest.mark.parametrize("zone", ZONES)
def test_no_times_have_no_periods(zone: str) -> None:
    """The empty column stays empty."""
    assert local(column([]), zone).tolist() == []
