"""The time that a request is about, for queries that cut it themselves: `from`, `to`, `day` and `month`."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from domain.company_calendar import begin_of, next_first_day
from domain.errors import Invalid
from projections.engine.declare.merge_rules import MS_PER_QUARTER
from projections.engine.query.params import read_month
from projections.engine.query.request import Request

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
QUARTER = timedelta(milliseconds=MS_PER_QUARTER)


def time_span(request: Request) -> tuple[datetime, datetime]:
    """First moment and end (exclusive) of what is asked for, UTC. Raises Invalid for one inside a stored row."""
    lows, highs, by = [FIRST], [LAST], request.calendar
    if request.get("from"):
        lows.append(_on_the_grid("from", request.get("from")))
    if request.get("to"):
        highs.append(_on_the_grid("to", request.get("to")))
    if day := request.get("day"):
        lows.append(begin_of(day, by))
        highs.append(begin_of(next_first_day(day, "day", by), by))
    if month := request.get("month"):
        lows.append(begin_of(month, by))
        highs.append(begin_of(next_first_day(month, "month", by), by))
    return max(lows), max(*lows, min(highs))


def _on_the_grid(bound: str, at: datetime) -> datetime:
    if (at - EPOCH) % QUARTER:
        raise Invalid(
            f"parameter {bound}: the rows are kept by the quarter of an hour, {at.isoformat()} is inside one",
            code="bad_parameter",
        )
    return at


def read_first_of_month(text: str) -> date:
    """The first day of a month given as YYYY-MM. Raises ValueError for anything else."""
    return date.fromisoformat(f"{read_month(text)}-01")
