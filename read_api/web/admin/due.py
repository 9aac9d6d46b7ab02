"""When a schedule in an editor would next be due, by the clock of its own time zone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from babel import Locale, dates

from domain.configuration.cron import next_times
from domain.configuration.forms import zone_problem
from domain.configuration.report_schedule import Timing
from domain.errors import Invalid

TIMES = 5


class Due(NamedTuple):
    """The next times of an expression: in which zone, each in words there and in UTC."""

    zone: str
    times: Sequence[tuple[str, str]]


def due_of(values: Mapping[str, Any], now: datetime, locale: Locale) -> Due | None:
    """When a draft is due after a moment; None where its timing says nothing, or nothing that can be."""
    try:
        timing = msgspec.convert(values.get("timing"), Timing)
        if next(zone_problem("", timing.time_zone), ""):
            return None
        found = next_times(timing.cron, ZoneInfo(timing.time_zone), now, TIMES)
    except (msgspec.ValidationError, Invalid):
        return None
    return Due(timing.time_zone, [(_words(at, locale), _utc(at)) for at in found])


def _words(at: datetime, locale: Locale) -> str:
    """With the offset, which shows where daylight saving begins or ends."""
    day, zone = dates.format_date(at.date(), "full", locale=locale), at.tzinfo
    time = dates.format_datetime(at, "HH:mm (ZZZZ)", tzinfo=zone, locale=locale)
    return f"{day}, {time}"


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
