"""Periods of metrics: their ends, the one before, and how long what is over of them is, in seconds and in months."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from domain.company_calendar import (
    EDGES,
    PERIODS,
    UTC_CALENDAR,
    begin_of,
    day_at,
    first_day_named,
    next_first_day,
    zone_of,
)
from domain.configuration.company import Calendar
from projections.engine.query.formatting import show_time
from projections.engine.query.params import read_time

FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
WEEK, DAY, YEAR = timedelta(days=7), timedelta(days=1), timedelta(days=365)
LENGTHS: Mapping[str, timedelta] = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}


class Span(NamedTuple):
    """A period [start, end); None where it is open. Its months and days are those of a calendar."""

    start: datetime | None
    end: datetime | None
    by: Calendar = UTC_CALENDAR

    @property
    def ends(self) -> tuple[datetime | None, datetime | None]:
        """Both ends."""
        return self.start, self.end

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """Both ends, as far away as can be where the period is open."""
        return self.start or FIRST, self.end or LAST

    @property
    def months(self) -> float | None:
        """Calendar months, of the last one the share that is in it; None for an open or empty period."""
        if self.start is None or self.end is None or self.start >= self.end:
            return None
        months = _months_between(self.start, self.end, self.by)
        months -= later(self.start, months, self.by) > self.end
        begun = later(self.start, months, self.by)
        return months + (self.end - begun) / (later(self.start, months + 1, self.by) - begun)

    def params(self) -> dict[str, str]:
        """The period as parameters of a query."""
        named = {"from": self.start, "to": self.end}
        return {name: show_time(at) for name, at in named.items() if at is not None}

    def before(self) -> Span:
        """The period before: as many calendar months where it is whole months, and else of the same length.

        None lies before one that is open, nor before one that ends before it begins.
        """
        if self.start is None or self.end is None or self.end < self.start:
            return Span(FIRST, FIRST, self.by)
        if begins_month(self.start, self.by) and begins_month(self.end, self.by):
            months = _months_between(self.start, self.end, self.by)
            return Span(later(self.start, -months, self.by), self.start, self.by)
        return Span(self._as_long_before(self.start, self.end), self.start, self.by)

    def _as_long_before(self, start: datetime, end: datetime) -> datetime:
        """Where a period of the same length begins that ends at the start: of as many days, where it has whole ones."""
        if all(begin_of(day_at(at, self.by), self.by) == at for at in (start, end)):
            first, last = day_at(start, self.by), day_at(end, self.by)
            return begin_of(first - min(last - first, first - FIRST.date()), self.by)
        return start - min(end - start, start - FIRST)

    def until(self, at: datetime) -> Span:
        """What of it lies before a moment."""
        end = min(self.bounds[1], at)
        return Span(self.start and min(self.start, end), end, self.by)

    def seconds(self, cuts: Mapping[str, object]) -> float | None:
        """Its length in these cuts of time, such as one day of it or all its Mondays; None where it is open."""
        within = self
        for name, value in cuts.items():
            within = within & of_cut(name, value, self.by)
        if within.start is None or within.end is None or within.start > within.end:
            return None
        if "weekday" in cuts:
            return within.of_weekday(int(str(cuts["weekday"]))).total_seconds()
        return (within.end - within.start).total_seconds()

    def __and__(self, other: Span) -> Span:
        """What lies in both."""
        starts = [each.start for each in (self, other) if each.start]
        ends = [each.end for each in (self, other) if each.end]
        return Span(max(starts, default=None), min(ends, default=None), self.by)

    def of_weekday(self, weekday: int) -> timedelta:
        """How much of it lies on a day of the week, 0 for Monday."""
        start, end = self.bounds
        day = day_at(start, self.by)
        day += DAY * ((weekday - day.weekday()) % 7) - WEEK
        inside = timedelta()
        while begin_of(day, self.by) < end:
            begin, stop = begin_of(day, self.by), begin_of(day + DAY, self.by)
            inside += max(min(end, stop) - max(start, begin), timedelta())
            day += WEEK
        return inside


def of_cut(name: str, value: object, by: Calendar) -> Span:
    """The period that a value of a cut of time stands for; an open one for any other cut."""
    for period in PERIODS:
        if period == name:
            first = first_day_named(str(value), period, by)
            return Span(begin_of(first, by), begin_of(next_first_day(first, period, by), by), by)
    if name in LENGTHS:
        first = read_time(str(value))
        return Span(first, first + LENGTHS[name], by)
    return Span(None, None, by)


def begins_month(at: datetime, by: Calendar) -> bool:
    """Whether a month begins at a moment."""
    return at == begin_of(day_at(at, by).replace(day=1), by)


def later(at: datetime, months: int, by: Calendar) -> datetime:
    """So many months later or earlier, within the calendar; the month's last day where it has no such day."""
    local = at if at.year in EDGES else at.astimezone(zone_of(by))
    year, month = divmod(max(local.year * 12 + local.month - 1 + months, 12), 12)
    day = min(local.day, monthrange(year, month + 1)[1])
    zone = UTC if year in EDGES else zone_of(by)
    return local.replace(year=year, month=month + 1, day=day, tzinfo=zone).astimezone(UTC)


def year_before(end: datetime, by: Calendar) -> datetime:
    """As many days before as a year has; a day begins there where one does at the end."""
    day = day_at(end, by)
    return begin_of(day - YEAR, by) if begin_of(day, by) == end else end - YEAR


def _months_between(start: datetime, end: datetime, by: Calendar) -> int:
    first, last = day_at(start, by), day_at(end, by)
    return (last.year - first.year) * 12 + last.month - first.month
