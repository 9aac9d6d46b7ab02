"""The calendar that a question is answered by: the company's, as known when it was asked, but for what it says itself.

Where the company has set none it is UTC, weeks from Monday, years from January and weekdays as trading days.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from domain.company_calendar import UTC_CALENDAR, WEEKDAYS, begin_of, day_at, zone_of
from domain.configuration.company import Calendar
from domain.configuration.forms import time_zones
from domain.suggestion import LONGEST, did_you_mean
from projections.engine.query.formatting import show_time
from projections.engine.query.params import EARLIEST, LATEST, Param, read_choice, read_whole


def read_zone(text: str) -> str:
    """The IANA name of a time zone. Raises ValueError for one that there is not."""
    if text not in time_zones():
        near = did_you_mean(text, time_zones())
        raise ValueError(f"{text[:LONGEST]!r} is no time zone{near}, such as Europe/Berlin")
    return text


ZONE = Param("zone", "time zone of days, weeks, months and years; the company's by default", read_zone)
WEEK_STARTS_ON = Param("week_starts_on", "first day of weeks; the company's by default", read_choice(*WEEKDAYS))
FISCAL_YEAR_STARTS = Param(
    "fiscal_year_starts", "first month of quarters and years, 1 to 12; the company's by default", read_whole(1, 12)
)
TRADING_DAYS = Param(
    "calendar",
    "days of the daily series: weekdays (252 a year) or all (365); the company's by default",
    read_choice("weekdays", "all"),
)
MEMBERS: Mapping[str, str] = {
    ZONE.name: "time_zone",
    WEEK_STARTS_ON.name: "week_starts_on",
    FISCAL_YEAR_STARTS.name: "fiscal_year_starts",
    TRADING_DAYS.name: "trading_days",
}
"""Parameters of questions, and what of the calendar each replaces."""


def with_calendar(params: tuple[Param, ...], *, any_zone: bool) -> tuple[Param, ...]:
    """Parameters of a query, and those that replace the company's calendar where its days can be of any zone."""
    own = {param.name for param in params}
    more = (ZONE, WEEK_STARTS_ON, FISCAL_YEAR_STARTS) if any_zone else ()
    return (*params, *(param for param in more if param.name not in own))


def by_calendar(calendar: Calendar, params: Mapping[str, Any]) -> Calendar:
    """The calendar with what a question says itself, of its parameters as read."""
    own = {member: params[name] for name, member in MEMBERS.items() if name in params}
    return msgspec.structs.replace(calendar, **own) if own else calendar


def in_calendar(param: Param, text: str, calendar: Calendar) -> str:
    """The text of a parameter as it is read in any zone: a date is the first moment of that day, a time without an
    offset one of the zone, and for a day its first moment stands as well. Any other text is as it was.
    """
    moment = _moment(text) if param.is_moment or param.is_day else None
    if moment is None:
        return text
    if param.is_day:
        at = moment if moment.tzinfo else moment.replace(tzinfo=zone_of(calendar))
        day = day_at(at, calendar)
        return day.isoformat() if param.inside or begin_of(day, calendar) == at else text
    if moment.tzinfo or calendar.time_zone == UTC_CALENDAR.time_zone:
        return text
    within = min(max(moment, EARLIEST.replace(tzinfo=None)), LATEST.replace(tzinfo=None))
    return show_time(within.replace(tzinfo=zone_of(calendar)))


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
