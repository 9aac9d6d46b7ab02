"""When schedules are due: by hand through both edges of daylight saving, and by a calendar that counts every minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.configuration.cron import Cron, next_times

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"


@pytest.mark.parametrize(
    ("zone", "text", "after", "times"),
    [
        # 29 March 2026: the clock goes from 2:00 to 3:00. 25 October: from 3:00 to 2:00.
        (BERLIN, "30 2 * * *", "2026-03-28T12:00", ["29T03:00+02", "30T02:30+02", "31T02:30+02"]),
        (BERLIN, "30 2 * * *", "2026-10-24T12:00", ["25T02:30+02", "26T02:30+01", "27T02:30+01"]),
        (BERLIN, "0 * * * *", "2026-03-29T00:30", ["29T01:00+01", "29T03:00+02", "29T04:00+02"]),
        (BERLIN, "0 * * * *", "2026-10-25T01:30", ["25T02:00+02", "25T02:00+01", "25T03:00+01"]),
        (BERLIN, "0 2,3 * * *", "2026-03-28T12:00", ["29T03:00+02", "30T02:00+02", "30T03:00+02"]),
        (BERLIN, "0 2,4 * * *", "2026-10-25T01:30", ["25T02:00+02", "25T04:00+01", "26T02:00+01"]),
        (BERLIN, "0 7 * * mon", "2026-10-19T07:00", ["26T07:00+01"]),
        # 8 March 2026: from 2:00 to 3:00. 1 November: from 2:00 to 1:00.
        (NEW_YORK, "15 2 * * *", "2026-03-07T12:00", ["08T03:00-04", "09T02:15-04"]),
        (NEW_YORK, "30 1 * * *", "2026-10-31T12:00", ["01T01:30-04", "02T01:30-05"]),
        (NEW_YORK, "*/30 * * * *", "2026-11-01T00:45", ["01T01:00-04", "01T01:30-04", "01T01:00-05", "01T01:30-05"]),
        (NEW_YORK, "0 0 * * sun", "2026-03-01T00:00", ["08T00:00-05", "15T00:00-04"]),
        # Half an hour: 5 April 2026 from 2:00 to 1:30, 4 October from 2:00 to 2:30.
        (LORD_HOWE, "15 2 * * *", "2026-10-03T12:00", ["04T02:30+11", "05T02:15+11"]),
        (LORD_HOWE, "45 1 * * *", "2026-04-04T12:00", ["05T01:45+11", "06T01:45+1030"]),
        (LORD_HOWE, "*/15 * * * *", "2026-04-05T01:15", ["05T01:30+11", "05T01:45+11", "05T01:30+1030"]),
    ],
)
def test_the_next_times_are_those_of_the_clock_that_people_see(
    zone: str, text: str, after: str, times: list[str]
) -> None:
    """Left out at 2:30 it comes after the gap; twice at 2:00 it comes once; every hour goes by real time."""
    here = ZoneInfo(zone)
    found = next_times(text, here, datetime.fromisoformat(after).replace(tzinfo=here), len(times))
    assert [f"{at:%dT%H:%M%z}".removesuffix("00") for at in found] == times


def test_after_the_second_showing_of_an_hour_the_first_is_over() -> None:
    """Whoever looks between them gets the next day, and no time that has passed."""
    here = ZoneInfo(NEW_YORK)
    second = datetime(2026, 11, 1, 1, 10, fold=1, tzinfo=here)
    assert next_times("30 1 * * *", here, second, 1) == [datetime(2026, 11, 2, 1, 30, tzinfo=here)]


MINUTES = st.sampled_from(["0", "*/15", "7,37", "10-20/5"])
HOURS = st.sampled_from(["*", "3", "9-17/4", "0,23"])
DAYS = st.sampled_from([("*", "*"), ("1", "*"), ("*", "mon-fri"), ("13", "fri"), ("*/2", "0,7")])


@given(MINUTES, HOURS, DAYS, st.integers(0, 4 * 365))
def test_times_are_those_that_a_calendar_has(minute: str, hour: str, days: tuple[str, str], start: int) -> None:
    """Minute by minute of UTC, where every day has the same clock: none is left out, none added."""
    begin = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=start)
    text, end = f"{minute} {hour} {days[0]} * {days[1]}", begin + timedelta(days=3)
    found = list(islice(Cron(text).after(begin - timedelta(minutes=1), UTC), 1_000))
    counted = [at for n in range(3 * 24 * 60) if _is_due(at := begin + timedelta(minutes=n), minute, hour, days)]
    assert [at for at in found if at < end] == counted


def _is_due(at: datetime, minute: str, hour: str, days: tuple[str, str]) -> bool:
    minutes = {"0": {0}, "*/15": {0, 15, 30, 45}, "7,37": {7, 37}, "10-20/5": {10, 15, 20}}[minute]
    hours = {"*": set(range(24)), "3": {3}, "9-17/4": {9, 13, 17}, "0,23": {0, 23}}[hour]
    weekday = at.isoweekday()
    due = {
        ("*", "*"): True,
        ("1", "*"): at.day == 1,
        ("*", "mon-fri"): weekday <= 5,
        ("13", "fri"): at.day == 13 or weekday == 5,
        ("*/2", "0,7"): at.day % 2 == 1 and weekday == 7,
    }[days]
    return at.minute in minutes and at.hour in hours and due
