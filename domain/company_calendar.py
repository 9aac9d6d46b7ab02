"""Days, weeks, months, quarters and years as a company's calendar cuts them.

A day begins at the zone's midnight (where the clocks skip it, at the first moment after it), a week on the company's
first weekday, quarters and years with the first month of its fiscal year. A fiscal year has the number of the calendar
year in which it ends, so that one from January on is the calendar year itself.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from domain.configuration.company import Calendar
from domain.configuration.forms import Weekday

UTC_CALENDAR = Calendar()
WEEKDAYS: tuple[str, ...] = get_args(Weekday)  # from Monday on
Period = Literal["day", "week", "month", "quarter", "year"]
PERIODS: tuple[Period, ...] = get_args(Period)
MONTHS = {"month": 1, "quarter": 3, "year": 12}
LATEST = date.max - timedelta(days=400)  # whose periods end within the calendar
EDGES = (date.min.year, date.max.year)  # years that stand for open ends, in which no zone is looked at


@lru_cache(1_000)
def zone_of(calendar: Calendar) -> ZoneInfo:
    """Its time zone."""
    return ZoneInfo(calendar.time_zone)


def day_at(at: datetime, calendar: Calendar) -> date:
    """The day in which a moment lies."""
    return at.date() if at.year in EDGES else at.astimezone(zone_of(calendar)).date()


def begin_of(day: date, calendar: Calendar) -> datetime:
    """The first moment of a day, UTC."""
    zone = UTC if day.year in EDGES else zone_of(calendar)
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def first_day(day: date, period: Period, calendar: Calendar) -> date:
    """The first day of the period in which a day lies."""
    if period == "day":
        return day
    if period == "week":
        return day - timedelta(days=(day.weekday() - week_start(calendar)) % 7)
    months = (day.month - (1 if period == "month" else calendar.fiscal_year_starts)) % MONTHS[period]
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, 1)


def next_first_day(first: date, period: Period, calendar: Calendar) -> date:
    """The first day of the period after the one that begins with a day."""
    longest = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}[period]
    return first_day(min(first, LATEST) + timedelta(days=longest), period, calendar)


def period_name(day: date, period: Period, calendar: Calendar) -> str:
    """What answers call the period in which a day lies: a day or week by its first day, YYYY-MM, YYYY-Qn, YYYY."""
    first = first_day(day, period, calendar)
    if period in ("day", "week"):
        return first.isoformat()
    if period == "month":
        return f"{first:%Y-%m}"
    year = (next_first_day(first_day(day, "year", calendar), "year", calendar) - timedelta(days=1)).year
    quarter = (first.month - calendar.fiscal_year_starts) % 12 // 3 + 1
    return f"{year:04}-Q{quarter}" if period == "quarter" else f"{year:04}"


def first_day_named(name: str, period: Period, calendar: Calendar) -> date:
    """The first day of the period that `period_name` calls so; any day names its week. Raises ValueError."""
    if period in ("day", "week"):
        return first_day(date.fromisoformat(name[:10]), period, calendar)
    if period == "month":
        return date.fromisoformat(f"{name}-01")
    year, _, quarter = name.partition("-Q")
    months = int(year) * 12 - (13 - calendar.fiscal_year_starts) % 12 + 3 * (int(quarter or 1) - 1)
    return date(months // 12, months % 12 + 1, 1)


def week_start(calendar: Calendar) -> int:
    """The first day of its weeks, 0 for Monday."""
    return WEEKDAYS.index(calendar.week_starts_on)
