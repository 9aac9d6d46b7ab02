"""Engagement: active users, stickiness, life cycle, features and segments, computed from user days when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from domain.company_calendar import begin_of, week_start
from domain.errors import Forbidden
from projections.engine.query.answer_row import Rows, or_reasons
from projections.engine.query.composed import Composed, Part, Select
from projections.engine.query.packed_columns import bounded, days, integers, read_days, read_integers
from projections.engine.query.params import MAX_ROWS, Param, read_choice, read_day, reads_day
from projections.engine.query.plain import Statement
from projections.engine.query.request import Request
from projections.engine.query.row_limit import all_of as no_more
from projections.engine.query.zones import day_of
from projections.engine.store.sql import SHORT
from projections.queries.users.active_days import end_of, read_user_days, user_days
from projections.queries.users.engagement_rows import ActiveDay, DaysActive, FeatureUse, LifecyclePeriod, Segment

if TYPE_CHECKING:
    from domain.metrics.engagement.events import IntArray

MOST_USERS = 500_000
MAU = 28
BEFORE = {"day": 1, "week": 7, "month": 31}  # days before the period that life cycles have to know
SILENCE = 90  # days after which nobody is looked for
EPOCH = date(1970, 1, 1).toordinal()
SEGMENTS = ("new", "activated", "engaged", "power", "at_risk", "dormant", "churned")


@reads_day
def read_event_day(text: str) -> date:
    """A day on which there can be events, from 1970 to 2100. Raises ValueError for any other."""
    day = read_day(text)
    if not 1970 <= day.year <= 2100:
        raise ValueError(f"{text!r} is not within 1970 and 2100")
    return day


PERIOD = (
    Param("from", "first day (inclusive); the first of all by default", read_event_day),
    Param("to", "end (exclusive): a day; after the last of all by default", read_event_day),
)
AT = (
    Param("at", "the last day that counts; the last of all by default", read_event_day, inside=True),
    Param("since", "first day that the tier sees; the service sets it", read_day),
)


def _number(day: date) -> int:
    return day.toordinal() - EPOCH


def _day(number: int) -> date:
    return date.fromordinal(int(number) + EPOCH)


def _ends(request: Request, active: IntArray) -> tuple[int, int]:
    """The first and the last day of the period: as asked, up to today, or of what there is."""
    begin, end = request.get("from"), request.get("to")
    first = _number(begin) if begin is not None else int(active.min())
    last = _number(request.asked_at.capped_day(end - timedelta(days=1))) if end is not None else int(active.max())
    return first, max(first - 1, last)


def activity(request: Request, rows: Mapping[str, Rows]) -> list[ActiveDay]:
    """A row a day: users active on it, in the 7 and in the 28 days that end with it, and the first over the last.

    Raises LimitExceeded for more days of users than are read.
    """
    from domain.metrics.engagement.activity import DAU, MAU, WAU, active_users, stickiness

    users, active, _ = read_user_days(rows["days"][0])
    if not users.size:
        return []
    first, last = _ends(request, active)
    series = [active_users(users, active, first, last, window).tolist() for window in (DAU, WAU, MAU)]
    return [
        ActiveDay(
            day=_day(first + i), dau=daily, wau=weekly, mau=monthly, **or_reasons(stickiness=stickiness(daily, monthly))
        )
        for i, (daily, weekly, monthly) in enumerate(zip(*series, strict=True))
    ]


def read_day_of_answer(request: Request) -> date | None:
    """The day that is asked about, today at the latest. Raises Forbidden for one before all that the tier sees."""
    at, since = request.get("at"), request.get("since")
    if at is not None and since is not None and at < since:
        raise Forbidden(f"the tier sees days from {since} on", code="forbidden_tier")
    return None if at is None else request.asked_at.capped_day(at)


def stickiness_parts(request: Request) -> Mapping[str, Select]:
    """The 28 days that end with the day, or all that is known where none is named.

    Raises Forbidden for a day before all that the tier sees.
    """
    at = read_day_of_answer(request)
    if at is None:
        return {"days": user_days(request, 0)}
    window = {"from": at, "to": at + timedelta(days=1)}
    return {"days": user_days(replace(request, params=window), MAU - 1)}


def histogram(request: Request, rows: Mapping[str, Rows]) -> list[DaysActive]:
    """A row a number of days, 1 to 28: how many users were active on exactly so many of them.

    Raises LimitExceeded for more days of users than are read.
    """
    from domain.metrics.engagement.activity import stickiness_histogram

    users, active, _ = read_user_days(rows["days"][0])
    if not users.size:
        return []
    at = read_day_of_answer(request)
    counts = stickiness_histogram(users, active, int(active.max()) if at is None else _number(at)).tolist()
    return [DaysActive(days=i, users=count, share=count / sum(counts)) for i, count in enumerate(counts, 1)]


def lifecycle_rows(request: Request, rows: Mapping[str, Rows]) -> list[LifecyclePeriod]:
    """A row a period: new, returning, resurrected and dormant users, and the pulse.

    Raises LimitExceeded for more days of users than are read.
    """
    import numpy as np

    from domain.metrics.engagement.lifecycle import lifecycle, pulse
    from domain.metrics.engagement.periods import MS_PER_DAY, period_of
    from domain.metrics.engagement.periods import begin_of as begin_of_periods

    users, days_active, began = read_user_days(rows["days"][0])
    if not users.size:
        return []
    unit = request.get("unit", "day")
    ends = _ends(request, days_active)
    if ends[1] < ends[0]:
        return []
    week = week_start(request.calendar)
    first, last = period_of(np.array(ends) * MS_PER_DAY, unit, week_start=week).tolist()
    active, new_in = (period_of(each * MS_PER_DAY, unit, week_start=week) for each in (days_active, began))
    cycle = lifecycle(users, active, new_in, first, last)
    begins = begin_of_periods(np.arange(first, last + 1), unit, week_start=week) // MS_PER_DAY
    return [
        LifecyclePeriod(
            **dict[str, Any]({unit: f"{_day(begin):%Y-%m}" if unit == "month" else _day(begin)}),
            new_users=new,
            returning_users=returning,
            resurrected_users=back,
            dormant_users=gone,
            **or_reasons(pulse=pulse(new, returning, back, gone)),
        )
        for begin, new, returning, back, gone in zip(begins.tolist(), *(each.tolist() for each in cycle), strict=True)
    ]


FEATURE_USERS = """
    SELECT count(*) AS rows, {users} AS users, {features} AS features,
        array_agg(DISTINCT feature ORDER BY feature) AS texts
    FROM (
        SELECT feature, dense_rank() OVER (ORDER BY user_id)::int AS number,
            (dense_rank() OVER (ORDER BY feature) - 1)::int AS what
        FROM (
            SELECT user_id, feature FROM {{feature_quarter}} WHERE {where} GROUP BY user_id, feature LIMIT {most}
        ) AS picked
    ) AS numbered
"""


def feature_parts(request: Request) -> Mapping[str, Part | Select]:
    """Who used what, how often, and how many users were active at all."""
    where, params = ["company_id = %s"], list[object]([request.company])
    bounds = {}
    for bound, operator in (("from", ">="), ("to", "<")):
        if (day := request.get(bound)) is not None:
            where.append(f"quarter {operator} %s")
            params.append(begin_of(day, request.calendar))
            bounds[bound] = day.isoformat()
    sql = FEATURE_USERS.format(
        users=integers("number"), features=integers("what"), where=" AND ".join(where), most=MOST_USERS + 1
    )
    return {
        "users": Select("user_activity", Statement(sql, tuple(params))),
        "usage": Part("feature_usage", {"by": "feature", **bounds}),
        "active": Part("user_activity", bounds),
    }


def features(_request: Request, rows: Mapping[str, Rows]) -> list[FeatureUse]:
    """A row a feature, the last one without a feature for all: adoption of each, and how many a user uses.

    Raises LimitExceeded for more features than are read.
    """
    from domain.metrics.engagement.usage import feature_adoption_rate, feature_depth

    row, active = rows["users"][0], rows["active"][0]["active_users"]
    bounded(row["rows"], MOST_USERS, "pairs of user and feature")
    users, used = read_integers(row["users"]), read_integers(row["features"])
    rates = feature_adoption_rate(users, used, active)
    of_feature = {text: rates[place] for place, text in enumerate(row["texts"] or ())}
    of_each = [
        FeatureUse(
            feature=each["feature"],
            users=each["users"],
            uses=each["uses"],
            **or_reasons(feature_adoption_rate=of_feature[each["feature"]]),
        )
        for each in rows["usage"]
    ]
    of_all = FeatureUse(
        feature=None,
        users=len(set(users.tolist())),
        uses=sum(each["uses"] for each in rows["usage"]),
        active_users=active,
        **or_reasons(feature_depth=feature_depth(users, used)),
    )
    return [*of_each, of_all]


# Whoever was silent for the whole of SILENCE is churned, whenever the last event before it was.
HABITS = """
    SELECT count(*) AS rows, array_agg(user_id) AS users, MAX(at) AS at,
        {first} AS first, {last} AS last, {active} AS active, {before} AS before
    FROM (
        SELECT seen.user_id, at, {first_day} AS first, COALESCE(MAX(day), at - {silence}) AS last,
            COUNT(day) FILTER (WHERE day > at - 28)::int AS active,
            COUNT(day) FILTER (WHERE day > at - 56 AND day <= at - 28)::int AS before
        FROM (
            SELECT COALESCE(%s, LEAST(%s, (SELECT {last_day} FROM {{user_seen}} WHERE company_id = %s))) AS at
        ) AS day_asked
        CROSS JOIN {{user_seen}} AS seen LEFT JOIN (
            SELECT DISTINCT user_id, {day} AS day FROM {{user_quarter}} WHERE company_id = %s AND quarter < %s {only}
        ) AS active ON active.user_id = seen.user_id AND active.day <= at AND active.day > at - {silence}
        WHERE seen.company_id = %s AND {first_day} <= at {user}
        GROUP BY seen.user_id, at, first_seen ORDER BY seen.user_id LIMIT {most}
    ) AS picked
"""


def segment_parts(request: Request) -> Mapping[str, Select]:
    """The habits of users on the day, and who has done what the product is for.

    Raises Forbidden for a day before all that the tier sees.
    """
    company, at, user = request.company, read_day_of_answer(request), request.get("user_id")
    latest = request.asked_at.day if at is None else at
    end = end_of(latest, request.calendar)
    only, named = ("AND user_id = %s", (user,)) if user is not None else ("", ())
    by = request.calendar
    habits = HABITS.format(
        day=day_of("quarter", by),
        first_day=day_of("first_seen", by),
        last_day=day_of("MAX(last_seen)", by),
        only=only,
        first=days("first"),
        last=days("last"),
        active=integers("active"),
        before=integers("before"),
        silence=SILENCE,
        user=only and "AND seen.user_id = %s",
        most=MOST_USERS + 1,
    )
    activated = (
        "SELECT array_agg(user_id) AS users FROM {user_first}"
        f" WHERE company_id = %s AND {SHORT}(name) = 'activated' {only} AND first_at < %s"
    )
    return {
        "habits": Select(
            "user_activity", Statement(habits, (at, latest, company, company, end, *named, company, *named))
        ),
        "activated": Select("user_steps", Statement(activated, (company, *named, end))),
    }


def segments(request: Request, rows: Mapping[str, Rows]) -> list[Segment]:
    """A row a segment, or a row a user where a segment or a user is named.

    Raises LimitExceeded for more users than are read.
    """
    import numpy as np

    from domain.metrics.engagement.segments import RULES, habits, user_segment

    row = rows["habits"][0]
    bounded(row["rows"], MOST_USERS, "users")
    users = row["users"] or []
    if not users:
        return []
    activated = set(rows["activated"][0]["users"] or ())
    first, last = read_days(row["first"]), read_days(row["last"])
    active, before = read_integers(row["active"]), read_integers(row["before"])
    done = np.array([user in activated for user in users], np.bool_)
    of_user = user_segment(habits(first, last, active, before, done, _number(row["at"])))
    if request.get("user_id") is None and request.get("segment") is None:
        sizes = [(rule, of_user.count(rule.segment)) for rule in RULES]
        return [
            Segment(segment=rule.segment, users=size, share=size / len(users), meaning=rule.meaning)
            for rule, size in sizes
        ]
    only = request.get("segment")
    shown = [i for i, segment in enumerate(of_user) if only in (None, segment)][: MAX_ROWS + 1]
    return [
        Segment(
            user_id=users[i],
            segment=of_user[i],
            first_day=_day(first[i]),
            active_days=int(active[i]),
            active_days_before=int(before[i]),
        )
        for i in no_more(request, shown)
    ]


ACTIVITY = Composed(
    "active_users",
    "Users active on each day, in the 7 and the 28 days that end with it, and stickiness (daily over 28 days).",
    PERIOD,
    lambda request: {"days": user_days(request, MAU - 1)},
    activity,
    ActiveDay,
    slow=True,
    any_zone=True,
)
STICKINESS = Composed(
    "stickiness",
    "How many users were active on exactly 1, 2, … 28 of the 28 days that end with a day.",
    AT,
    stickiness_parts,
    histogram,
    DaysActive,
    slow=True,
    any_zone=True,
)
LIFECYCLE = Composed(
    "lifecycle",
    "New, returning, resurrected and dormant users of each period, and the pulse: users won over users lost.",
    (*PERIOD, Param("unit", "day (default), week or month", read_choice("day", "week", "month"))),
    lambda request: {"days": user_days(request, 2 * BEFORE[request.get("unit", "day")])},
    lifecycle_rows,
    LifecyclePeriod,
    slow=True,
    any_zone=True,
)
FEATURES = Composed(
    "features",
    "Use of each feature: users, uses, the share of active users who adopted it; and how many features a user uses.",
    PERIOD,
    feature_parts,
    features,
    FeatureUse,
    slow=True,
    any_zone=True,
)
SEGMENTATION = Composed(
    "segments",
    "Users by segment on a day: new, activated, engaged, power, at risk, dormant or churned; or who is in one.",
    (
        *AT,
        Param("segment", f"list its users: {', '.join(SEGMENTS)}", read_choice(*SEGMENTS)),
        Param("user_id", "the segment of this user"),
    ),
    segment_parts,
    segments,
    Segment,
    slow=True,
    any_zone=True,
)
