"""SQL of times and days as a calendar's clock shows them."""

from __future__ import annotations

from domain.company_calendar import UTC_CALENDAR
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
