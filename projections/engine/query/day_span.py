"""The days that a request is about, for queries over rows that are kept by the day: `from`, `to`, `day` and `month`."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from domain.errors import Invalid
from projections.engine.query.params import read_month
from projections.engine.query.request import Request

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def day_span(request: Request) -> tuple[date, date]:
    """First day and end (exclusive) of what is asked for."""
    lows, highs = [date.min], [date.max]
    if request.get("from"):
        lows.append(_day_of("from", request.get("from")))
    if request.get("to"):
        highs.append(_day_of("to", request.get("to")))
    if day := request.get("day"):
        lows.append(day)
        highs.append(_later(day, 1))
    if month := request.get("month"):
        lows.append(month)
        highs.append(_later(month, 31).replace(day=1))
    return max(lows), max(*lows, min(highs))


def _day_of(bound: str, at: datetime) -> date:
    days, rest = divmod(at - EPOCH, timedelta(days=1))
    if rest:
        raise Invalid(
            f"parameter {bound}: movements are kept by the day, {at.isoformat()} is inside one", code="bad_parameter"
        )
    return _later(EPOCH.date(), days)


def _later(day: date, days: int) -> date:
    """So many days later, within the calendar."""
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))


def read_first_of_month(text: str) -> date:
    """The first day of a month given as YYYY-MM. Raises ValueError for anything else."""
    return date.fromisoformat(f"{read_month(text)}-01")
