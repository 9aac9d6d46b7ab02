"""SQL of times and days as a calendar's clock shows them."""

from __future__ import annotations

from domain.company_calendar import UTC_CALENDAR, Period, week_start
from domain.configuration.company import Calendar

# PostgreSQL takes these for abbreviations without summer time, not for the zones that they are.
SAME_ZONE = {"CET": "Europe/Brussels", "MET": "Europe/Brussels", "EET": "Europe/Athens", "WET": "Atlantic/Faroe"}


def in_zone(time: str, calendar: Calendar) -> str:
    """SQL of a time as the calendar's clock shows it."""
    return time if calendar.time_zone == UTC_CALENDAR.time_zone else f"({time} AT TIME ZONE {zone_in_sql(calendar)})"


def zone_in_sql(calendar: Calendar) -> str:
    """SQL of the name of the calendar's zone."""
    return f"'{SAME_ZONE.get(calendar.time_zone, calendar.time_zone)}'"


def day_of(time: str, calendar: Calendar) -> str:
    """SQL of the day in which a time lies."""
    return f"{in_zone(time, calendar)}::date"


def fiscal(calendar: Calendar) -> str:
    """SQL that makes of a time one of the calendar year by which its fiscal year is called."""
    months = (13 - calendar.fiscal_year_starts) % 12
    return f" + INTERVAL '{months} months'" if months else ""


def first_day_in_sql(day: str, period: Period, calendar: Calendar) -> str:
    """SQL of the first day of the period in which a day lies."""
    if period == "day":
        return day
    if period == "week":
        return f"({day} - mod(extract(isodow FROM {day})::int + 6 - {week_start(calendar)}, 7))"
    later = "" if period == "month" else fiscal(calendar)
    return f"(date_trunc('{period}', {day}{later}){later.replace('+', '-')})::date"
