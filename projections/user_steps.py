"""User steps: every event of every user at its moment, for funnels, journeys and retention; and each user's firsts.

Additive: counts and extremes. A row is a user, a millisecond and what was done, so that nothing of the order is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from projections.engine.declare.merge_rules import Count, Day, Key, Max, Min, Moment, Sum, Text
from projections.engine.declare.projection import Delta, Projection
from projections.engine.declare.rows import Columns, Row
from projections.engine.fold.expressions import only
from projections.engine.query.listing import listing
from projections.engine.query.totals import days, plain, totals

if TYPE_CHECKING:
    import polars as pl

user_steps = Projection("user_steps", version=1)


class UserStep(Row):
    """What a user did at one moment; the day comes first, because periods are what is asked for."""

    company_id: Key[Text]
    day: Key[Day]
    user_id: Key[Text]
    at: Key[Moment]
    name: Key[Text]
    subject: Key[Text]  # the feature or else the page, '' where the event names neither
    session_id: Key[Text]
    times: Sum[Count]


class UserFirst(Row, indexed=("first_at",)):
    """When a user first and last did something, and how often."""

    company_id: Key[Text]
    name: Key[Text]
    user_id: Key[Text]
    first_at: Min[Moment]
    last_at: Max[Moment]
    times: Sum[Count]


@user_steps.folds("user_event", into=UserStep)
def steps(event: Columns) -> Delta:
    """Each event is a step; the same one twice in a millisecond is one row."""
    return {"day": event.timestamp, "at": event.timestamp, "subject": subject(event), "times": 1}


def subject(event: Columns) -> pl.Expr:
    """What the event is about."""
    return only(event.feature, event.feature != "").fill_null(event.page)


@user_steps.folds("user_event", into=UserFirst)
def firsts(event: Columns) -> Delta:
    """Signups, activations, conversions: whatever events are called."""
    return {"first_at": event.timestamp, "last_at": event.timestamp, "times": 1}


user_steps.queries += [
    listing(
        "user_steps",
        of=UserStep,
        filters=("user_id", "name", "subject", "session_id"),
        time="at",
        summary="What users did, event by event, by day, user and moment.",
    ),
    totals(
        "user_step_totals",
        of=UserStep,
        by={**{name: plain(name) for name in ("name", "subject", "user_id")}, **days("at")},
        time="at",
        within="day",
        counts={"users": "COUNT(DISTINCT user_id)"},
        summary="How often anything was done and by how many users, by time of the event.",
    ),
    listing(
        "user_firsts",
        of=UserFirst,
        filters=("name", "user_id"),
        time="first_at",
        summary="When each user first and last did something, by its name; from and to cut by the first time.",
    ),
]
