"""Cron expressions: five fields (minute, hour, day of the month, month, day of the week) as sets of numbers.

A field is `*`, a number, a range `a-b`, each with an optional step `/n`, or a list of these with commas. Months and
days of the week also have names of three letters (jan, mon); 7 is Sunday as 0 is. Where both days are restricted, one
of them is enough, as in Vixie cron.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice

from domain.errors import Invalid

_MONTHS = dict(jan=1, feb=2, mar=3, apr=4, may=5, jun=6, jul=7, aug=8, sep=9, oct=10, nov=11, dec=12)
_DAYS = dict(sun=0, mon=1, tue=2, wed=3, thu=4, fri=5, sat=6)
_PART = re.compile(r"(?:\*|(?P<low>[0-9a-z]{1,3})(?:-(?P<high>[0-9a-z]{1,3}))?)(?:/(?P<step>[0-9]{1,3}))?")
HOURS = 24
_LONGEST_MONTH = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    lowest: int
    highest: int
    names: Mapping[str, int]


_FIELDS = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of the month", 1, 31, {}),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 7, _DAYS),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """When something is due: weekdays are 0 (Sunday) to 6. `either_day`: both days are restricted, one is enough."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Read an expression; raises Invalid naming the field that is wrong, also for one that is never due."""
        words = text.lower().split()
        if len(words) != len(_FIELDS):
            raise Invalid(f"{text!r} has {len(words)} fields, not minute hour day month weekday", code="bad_cron")
        minutes, hours, days, months, weekdays = (_values(f, w) for f, w in zip(_FIELDS, words, strict=True))
        either = not words[2].startswith("*") and not words[4].startswith("*")
        schedule = cls(minutes, hours, days, months, frozenset(day % 7 for day in weekdays), either)
        if not either and all(min(days) > _LONGEST_MONTH.get(month, 31) for month in months):
            raise Invalid(f"{text!r} names a day that none of its months has", code="bad_cron")
        return schedule

    def on(self, day: date) -> bool:
        """Whether it is due at some time of a day."""
        days = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and (any(days) if self.either_day else all(days))

    @property
    def closest_minutes(self) -> int:
        """Minutes from one time to the next, the fewest there are within a day."""
        times = sorted(60 * hour + minute for hour in self.hours for minute in self.minutes)
        return min(after - before for before, after in zip(times, [*times[1:], times[0] + HOURS * 60], strict=True))


def next_times(text: str, zone: tzinfo, after: datetime, number: int) -> list[datetime]:
    """The next times after a moment, by the clock of a zone. Raises Invalid for what is no expression.

    A time that the clock leaves out in spring comes as much later as was left out. One that it shows twice in autumn
    counts the first time; both count for what is due in every hour.
    """
    due = _due(Cron.parse(text), zone, after.astimezone(UTC))
    return [at.astimezone(zone) for at in islice(due, number)]


def _due(cron: Cron, zone: tzinfo, after: datetime) -> Iterator[datetime]:
    """In UTC: times of one zone are compared by what its clock shows."""
    folds = (0, 1) if len(cron.hours) == HOURS else (0,)
    day = after.astimezone(zone).date()
    while True:
        if cron.on(day):
            shown = [datetime.combine(day, time(hour, minute)) for hour in cron.hours for minute in cron.minutes]
            moments = {_moment(each, zone, fold) for each in shown for fold in folds}
            yield from sorted(at for at in moments if at is not None and at > after)
        day += timedelta(days=1)


def _moment(shown: datetime, zone: tzinfo, fold: int) -> datetime | None:
    """When the clock shows this for the first or the second time; None where there is no second time."""
    moment = shown.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    again = moment.astimezone(zone)
    return moment if not fold or (again.fold and again.replace(tzinfo=None, fold=0) == shown) else None


def _values(field: _Field, word: str) -> frozenset[int]:
    return frozenset(value for part in word.split(",") for value in _range(field, part))


def _range(field: _Field, part: str) -> range:
    match = _PART.fullmatch(part)
    if match is None:
        raise Invalid(f"{field.name}: {part!r} is no number, range, step or *", code="bad_cron")
    low, high, step = match["low"], match["high"], int(match["step"] or 1)
    first = field.lowest if low is None else _number(field, low)
    last = field.highest if low is None or (high is None and match["step"]) else _number(field, high or low)
    if first > last or step == 0:
        raise Invalid(f"{field.name}: {part!r} is empty", code="bad_cron")
    return range(first, last + 1, step)


def _number(field: _Field, word: str) -> int:
    value = field.names.get(word, int(word) if word.isdecimal() else -1)
    if not field.lowest <= value <= field.highest:
        raise Invalid(f"{field.name}: {word!r} is not within {field.lowest} to {field.highest}", code="bad_cron")
    return value
