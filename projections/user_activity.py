"""User activity: what each user did when, when users were first seen, their sessions and the features they use.

Additive: counts and extremes, so any order of batches gives the same rows, by quarter of an hour, of which days of any
time zone are made. A user is active on a day with any event, and new on the day of the user's first event ever.

A session is a user's events of one `session_id`, from the first to the last, whatever lies between; and of the events
that name none each run without a pause of more than 30 minutes. It counts where it began. What events are called says
nothing: `session_started` is one like any other.
"""

from __future__ import annotations

from projections.engine.declare.live_window import live_window
from projections.engine.declare.merge_rules import Count, Key, Max, Min, Minute, Moment, Quarter, Sum, Text
from projections.engine.declare.projection import Delta, Projection
from projections.engine.declare.rows import Columns, Row
from projections.engine.query.listing import Made, listing
from projections.engine.query.totals import days, plain, totals
from projections.queries.users.sessions import beginnings, session_rows

user_activity = Projection("user_activity", version=4)
user_activity_minutes = Projection(
    "user_activity_minutes", version=2, summary="What all users of a company did, by minute: what live windows end as."
)


class Activity:
    """What was done, by its kind."""

    events: Sum[Count]
    page_views: Sum[Count]
    impressions: Sum[Count]
    clicks: Sum[Count]
    feature_uses: Sum[Count]
    conversions: Sum[Count]


class UserQuarter(Activity, Row):
    """What one user did in a quarter of an hour."""

    company_id: Key[Text]
    quarter: Key[Quarter]
    user_id: Key[Text]


class ActivityQuarter(Activity, Row):
    """What all users did in a quarter of an hour: sums over a period read a row for it, not one for each user."""

    company_id: Key[Text]
    quarter: Key[Quarter]


class ActivityMinute(Activity, Row):
    """The same by minute, for what is shown live."""

    company_id: Key[Text]
    minute: Key[Minute]
    session_starts: Sum[Count]  # events that are called session_started: sessions are no sum of minutes


class UserSeen(Row):
    """The first and the last event of each user."""

    company_id: Key[Text]
    user_id: Key[Text]
    first_seen: Min[Moment]
    last_seen: Max[Moment]


class FeatureQuarter(Row):
    """How often each user used each feature in each quarter of an hour."""

    company_id: Key[Text]
    quarter: Key[Quarter]
    feature: Key[Text]  # '' where the event names none
    user_id: Key[Text]
    uses: Sum[Count]


class Session(Row, indexed=("started",)):
    """The sessions that events name."""

    company_id: Key[Text]
    user_id: Key[Text]
    session_id: Key[Text]
    started: Min[Moment]  # first event
    ended: Max[Moment]  # last event
    events: Sum[Count]


class UnnamedQuarter(Row):
    """What a user did in a quarter of an hour in events that name no session, which sessions are cut from: no pause in
    it is as long as one that ends them.
    """

    company_id: Key[Text]
    quarter: Key[Quarter]
    user_id: Key[Text]
    first_at: Min[Moment]
    last_at: Max[Moment]
    events: Sum[Count]


class AnySession(Row):
    """A session, named or not."""

    company_id: Key[Text]
    user_id: Key[Text]
    session_id: Key[Text]  # '' where its events name none
    started: Key[Moment]  # first event
    ended: Max[Moment]  # last event
    events: Sum[Count]


@user_activity_minutes.folds("user_event", into=ActivityMinute)
@user_activity.folds("user_event", into=ActivityQuarter)
@user_activity.folds("user_event", into=UserQuarter)
def by_quarter(event: Columns) -> Delta:
    """Every event counts, those with a measure of their own also there; by user, and for all users together."""
    return {
        "quarter": event.timestamp,
        "minute": event.timestamp,
        "events": 1,
        "session_starts": event.name == "session_started",
        "page_views": event.name == "page_view",
        "impressions": event.name == "impression",
        "clicks": event.name == "click",
        "feature_uses": event.name == "feature_used",
        "conversions": event.name == "conversion",
    }


@user_activity.folds("user_event", into=UserSeen)
def seen(event: Columns) -> Delta:
    """Any event shows the user."""
    return {"first_seen": event.timestamp, "last_seen": event.timestamp}


@user_activity.folds("user_event", into=FeatureQuarter, where=lambda event: event.name == "feature_used")
def features(event: Columns) -> Delta:
    """Only events that are the use of a feature."""
    return {"quarter": event.timestamp, "uses": 1}


@user_activity.folds("user_event", into=Session, where=lambda event: event.session_id != "")
def named(event: Columns) -> Delta:
    """A session lasts from its first event to its last."""
    return {"started": event.timestamp, "ended": event.timestamp, "events": 1}


@user_activity.folds("user_event", into=UnnamedQuarter, where=lambda event: event.session_id == "")
def unnamed(event: Columns) -> Delta:
    """Only events that name no session."""
    return {"quarter": event.timestamp, "first_at": event.timestamp, "last_at": event.timestamp, "events": 1}


user_activity_minutes.windows += [
    live_window(
        "user_activity",
        of=ActivityMinute,
        time="minute",
        summary="What users do, by minute of the event: events, starts of sessions, page views, clicks, conversions.",
    )
]

USERS = "COUNT(DISTINCT user_id)"
NAMED = Session.table, "started"
QUARTER_OF_FIRST = "date_bin(INTERVAL '15 minutes', first_seen, TIMESTAMPTZ 'epoch')"

user_activity.queries += [
    totals(
        "user_activity",
        of=UserQuarter,
        by={"user_id": plain("user_id"), **days("quarter")},
        time="quarter",
        source="{user_quarter} JOIN {user_seen} USING (company_id, user_id)",
        # A user has one row a quarter of an hour, and one of them is that of the first event: so rows are users.
        counts={"active_users": USERS, "new_users": f"COUNT(*) FILTER (WHERE quarter = {QUARTER_OF_FIRST})"},
        begun={"sessions": beginnings},
        summary="What users did, how many were active and how many new, by time of the event.",
    ),
    totals(
        "activity_totals",
        of=ActivityQuarter,
        by=days("quarter"),
        time="quarter",
        begun={"sessions": beginnings},
        summary="What all users together did, by time of the event; `user_activity` also counts the users.",
    ),
    totals(
        "feature_usage",
        of=FeatureQuarter,
        by={"feature": plain("feature"), "user_id": plain("user_id"), **days("quarter")},
        time="quarter",
        counts={"users": USERS},
        summary="How often features were used and by how many users, by time of the event.",
    ),
    listing(
        "sessions",
        of=AnySession,
        made=Made(
            lambda request: (UserQuarter.table, "quarter") if request.get("session_id") is None else NAMED,
            lambda request: session_rows(request.get("from"), request.get("to")),
        ),
        filters=("user_id", "session_id"),
        time="started",
        summary="One row a session: when it began and ended, and its events; those whose events name none as well.",
    ),
    listing(
        "users_seen",
        of=UserSeen,
        filters=("user_id",),
        time="first_seen",
        summary="The first and the last event of each user; from and to cut by the first.",
    ),
]
