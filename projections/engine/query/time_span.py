"""The time that a request is about, for queries that cut it themselves: `from`, `to`, and a day, week … or year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from domain.company_calendar import PERIODS, begin_of, first_day_named, next_first_day
from domain.errors import Invalid
from projections.engine.declare.merge_rules import MS_PER_QUARTER
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
    for period in PERIODS:
        if named := request.get(period):
            first = first_day_named(str(named), period, by)
            lows.append(begin_of(first, by))
            highs.append(begin_of(next_first_day(first, period, by), by))
    return max(lows), max(*lows, min(highs))


def _on_the_grid(bound: str, at: datetime) -> datetime:
    if (at - EPOCH) % QUARTER:
        raise Invalid(
            f"parameter {bound}: the rows are kept by the quarter of an hour, {at.isoformat()} is inside one",
            code="bad_parameter",
        )
    return at
