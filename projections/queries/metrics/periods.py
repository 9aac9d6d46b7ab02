"""Periods of metrics: their ends, the one before, and how long what is over of them is, in seconds and in months."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from projections.engine.query.formatting import show_time
from projections.engine.query.params import read_time

FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
WEEK, DAY = timedelta(days=7), timedelta(days=1)
LENGTHS: Mapping[str, timedelta] = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": DAY}


class Span(NamedTuple):
    """A period [start, end), UTC; None where it is open."""

    start: datetime | None
    end: datetime | None

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """Both ends, as far away as can be where the period is open."""
        return self.start or FIRST, self.end or LAST

    @property
    def days(self) -> tuple[date, date]:
        """First day and end (exclusive), of whole days."""
        return self.bounds[0].date(), self.bounds[1].date()

    @property
    def months(self) -> float | None:
        """Calendar months, of the last one the share that is in it; None for an open or empty period."""
        if self.start is None or self.end is None or self.start >= self.end:
            return None
        months = (self.end.year - self.start.year) * 12 + self.end.month - self.start.month
        months -= _later(self.start, months) > self.end
        begun = _later(self.start, months)
        return months + (self.end - begun) / (_later(self.start, months + 1) - begun)

    def params(self) -> dict[str, str]:
        """The period as parameters of a query."""
        named = {"from": self.start, "to": self.end}
        return {name: show_time(at) for name, at in named.items() if at is not None}

    def before(self) -> Span:
        """The period before: as many calendar months where it is whole months, and else of the same length.

        None lies before one that is open, nor before one that ends before it begins.
        """
        if self.start is None or self.end is None or self.end < self.start:
            return Span(FIRST, FIRST)
        if self.start == first_of_month(self.start) and self.end == first_of_month(self.end):
            months = (self.end.year - self.start.year) * 12 + self.end.month - self.start.month
            return Span(_later(self.start, -months), self.start)
        return Span(self.start - min(self.end - self.start, self.start - FIRST), self.start)

    def until(self, at: datetime) -> Span:
        """What of it lies before a moment."""
        end = min(self.bounds[1], at)
        return Span(self.start and min(self.start, end), end)

    def seconds(self, cuts: Mapping[str, object]) -> float | None:
        """Its length in these cuts of time, such as one day of it or all its Mondays; None where it is open."""
        within = self
        for name, value in cuts.items():
            within = within & of_cut(name, value)
        if within.start is None or within.end is None or within.start > within.end:
            return None
        if "weekday" in cuts:
            return within.of_weekday(int(str(cuts["weekday"]))).total_seconds()
        return (within.end - within.start).total_seconds()

    def __and__(self, other: Span) -> Span:
        """What lies in both."""
        starts = [each.start for each in (self, other) if each.start]
        ends = [each.end for each in (self, other) if each.end]
        return Span(max(starts, default=None), min(ends, default=None))

    def of_weekday(self, weekday: int) -> timedelta:
        """How much of it lies on a day of the week, 0 for Monday."""
        start, end = self.bounds
        weeks = (end - start) // WEEK
        start += weeks * WEEK
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
        first = midnight + DAY * ((weekday - midnight.weekday()) % 7)
        parts = (min(end, day + DAY) - max(start, day) for day in (first, first + WEEK))
        return weeks * DAY + sum((max(part, timedelta()) for part in parts), timedelta())


def of_cut(name: str, value: object) -> Span:
    """The period that a value of a cut of time stands for; an open one for any other cut."""
    if name == "year":
        first = datetime(int(str(value)), 1, 1, tzinfo=UTC)
        return Span(first, _later(first, 12))
    if name == "month":
        first = read_time(f"{value}-01")
        return Span(first, _later(first, 1))
    if name in LENGTHS:
        first = read_time(str(value))
        return Span(first, first + LENGTHS[name])
    return Span(None, None)


def first_of_month(at: datetime) -> datetime:
    """The month's beginning, UTC."""
    return datetime(at.year, at.month, 1, tzinfo=UTC)


def _later(at: datetime, months: int) -> datetime:
    """So many months later or earlier, within the calendar; the month's last day where it has no such day."""
    year, month = divmod(max(at.year * 12 + at.month - 1 + months, 12), 12)
    first = at.replace(year=year, month=month + 1, day=1)
    length = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - first
    return first + timedelta(days=min(at.day, length.days) - 1)
