"""Active days of users as packed columns, which engagement is computed from; days are those of the calendar."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from domain.company_calendar import begin_of
from domain.configuration.company import Calendar
from projections.engine.query.composed import Select
from projections.engine.query.packed_columns import bounded, days, integers, read_days, read_integers
from projections.engine.query.plain import Statement
from projections.engine.query.request import Request
from projections.engine.query.zones import day_of

if TYPE_CHECKING:
    from domain.metrics.engagement.events import IntArray

MOST_DAYS = 500_000
USER_DAYS = """
    SELECT count(*) AS rows, {users} AS users, {days} AS days, {began} AS began FROM (
        SELECT dense_rank() OVER (ORDER BY user_id)::int AS number, day, began FROM (
            SELECT DISTINCT user_id, {day} AS day, {first_day} AS began
            FROM {{user_quarter}} JOIN {{user_seen}} USING (company_id, user_id) WHERE {where} LIMIT {most}
        ) AS picked
    ) AS numbered
"""


def user_days(request: Request, before: int) -> Select:
    """Users and their active days in the period, and so many days before it; none that has not begun."""
    end = request.get("to")
    last = request.asked_at.day if end is None else request.asked_at.capped_day(end - timedelta(days=1))
    by = request.calendar
    where, params = ["company_id = %s", "quarter < %s"], list[object]([request.company, end_of(last, by)])
    if (begin := request.get("from")) is not None:
        where.append("quarter >= %s")
        params.append(begin_of(begin - timedelta(days=before), by))
    sql = USER_DAYS.format(
        day=day_of("quarter", by),
        first_day=day_of("first_seen", by),
        users=integers("number"),
        days=days("day"),
        began=days("began"),
        where=" AND ".join(where),
        most=MOST_DAYS + 1,
    )
    return Select("user_activity", Statement(sql, tuple(params)))


def read_user_days(row: Mapping[str, Any]) -> tuple[IntArray, IntArray, IntArray]:
    """Users, days and the day of each user's first event. Raises LimitExceeded for more than are read."""
    bounded(row["rows"], MOST_DAYS, "active days of users")
    return read_integers(row["users"]), read_days(row["days"]), read_days(row["began"])


def end_of(day: date, by: Calendar) -> datetime:
    """The first moment after a day."""
    return begin_of(day + timedelta(days=1), by)
