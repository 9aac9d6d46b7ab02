"""User journeys: funnels from step to step, and the paths that most users take, from their events when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, UnsetType, field

from domain.access.rights import Feature
from domain.company_calendar import week_start
from domain.name_list import read_name_list
from projections.engine.query.answer_row import AnswerRow, Rows, or_reasons
from projections.engine.query.composed import Composed, Select
from projections.engine.query.packed_columns import bounded, integers, moments, read_integers, read_moments
from projections.engine.query.params import FROM, LISTED, TO, Param, read_choice, read_whole
from projections.engine.query.plain import Statement
from projections.engine.query.request import Request
from projections.engine.query.row_limit import first_of
from projections.queries.users.sessions import PAUSE

if TYPE_CHECKING:
    from domain.metrics.engagement.events import Events, IntArray
    from domain.metrics.engagement.funnel import Attempts

MOST_EVENTS = 500_000
MOST_STEPS, MOST_PATHS, LONGEST_PATH = 10, 1_000, 5
DAY_MS = 86_400_000
ORDERS = ("ordered", "strict", "any")
GROUPS = ("day", "week", "month", "subject")


class FunnelStep(AnswerRow, kw_only=True):
    """A step: its users, their share of all who entered and of the step before, and the median time from that one.

    `day`, `week` (by its first day), `month`, `subject`: of which group, where the funnel is broken down.
    """

    day: str | UnsetType = UNSET
    week: str | UnsetType = UNSET
    month: str | UnsetType = UNSET
    subject: str | UnsetType = UNSET
    step: int
    name: str
    users: int
    rate: float | None
    step_rate: float | None
    median_ms: float | None
    reasons: dict[str, str] = field(default_factory=dict)


class JourneyPath(AnswerRow, kw_only=True):
    """Events in order, and how many users or sessions took them."""

    path: list[str]
    sequences: int


def read_steps(text: str) -> tuple[str, ...]:
    """Names of events, comma-separated, 1 to `MOST_STEPS`. Raises ValueError for anything else."""
    names = read_name_list(text)
    if not 1 <= len(names) <= MOST_STEPS:
        raise ValueError(f"{text!r} is no list of 1 to {MOST_STEPS} names")
    return names


def read_window(text: str) -> int:
    """A length of time in ms, of a number with its unit (s, m, h, d), at most 1000 days: 30m, 12h, 7d.

    Raises ValueError for anything else.
    """
    units = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": DAY_MS}
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or unit not in units or not 0 < int(number) * units[unit] <= 1000 * DAY_MS:
        raise ValueError(f"{text!r} is no length of time such as 30m, 12h or 7d, at most 1000d")
    return int(number) * units[unit]


# `who` and `what` are numbered in the order of their texts; the texts of `what` come along in that order.
EVENTS = """
    SELECT count(*) AS events, {users} AS users, {at} AS at, {names} AS names, {subjects} AS subjects,
        array_agg(DISTINCT what ORDER BY what) AS texts, array_agg(DISTINCT subject ORDER BY subject) AS subject_texts
    FROM (
        SELECT at, what, subject, dense_rank() OVER (ORDER BY who)::int AS number,
            (dense_rank() OVER (ORDER BY what) - 1)::int AS name,
            (dense_rank() OVER (ORDER BY subject) - 1)::int AS about
        FROM (SELECT at, subject, {who} AS who, {what} AS what FROM {of}) AS picked
    ) AS numbered
"""
PICKED = "(SELECT * FROM {{user_step}} WHERE {where} LIMIT {most}) AS events"
# With the number of the session of those that name none, as far as it lies in the period.
IN_SESSIONS = """(
    SELECT *, COUNT(*) FILTER (WHERE begins) OVER (PARTITION BY user_id, session_id ORDER BY at) AS visit
    FROM (SELECT *, session_id = '' AND at > LAG(at) OVER (PARTITION BY user_id, session_id ORDER BY at) + {pause}
            AS begins FROM {picked}) AS ordered
) AS cut"""
IN_ORDER = " ORDER BY number, at, name, about"


def events(request: Request, names: tuple[str, ...] = (), who: str = "user_id", what: str = "name") -> Select:
    """The events of the period, of these names or all, in the order of users and time."""
    where, params = ["company_id = %s"], list[object]([request.company])
    for bound, operator in (("from", ">="), ("to", "<")):
        if (at := request.get(bound)) is not None:
            where.append(f"day {operator if bound == 'from' else '<='} %s::date AND at {operator} %s")
            params += [at, at]
    if names:
        where.append("name = ANY(%s)")
        params.append(list(names))
    picked = PICKED.format(where=" AND ".join(where), most=MOST_EVENTS + 1)
    sql = EVENTS.format(
        users=integers("number", IN_ORDER),
        at=moments("at", IN_ORDER),
        names=integers("name", IN_ORDER),
        subjects=integers("about", IN_ORDER),
        who="ROW(user_id, session_id, visit)" if who == "session_id" else who,
        what=what,
        of=IN_SESSIONS.format(pause=PAUSE, picked=picked) if who == "session_id" else picked,
    )
    return Select("user_steps", Statement(sql, tuple(params)))


def read_events(row: Mapping[str, Any]) -> Events:
    """The events as columns. Raises LimitExceeded for more than are read."""
    from domain.metrics.engagement.events import Events

    bounded(row["events"], MOST_EVENTS, "events")
    return Events(read_integers(row["users"]), read_moments(row["at"]), read_integers(row["names"]))


def funnel_parts(request: Request) -> Mapping[str, Select]:
    """Only events that matter; where nothing may come between two steps, all of them."""
    names = (*request.get("steps"), *request.get("exclude", ()))
    return {"events": events(request, () if request.get("order") == "strict" else names)}


def funnel_rows(request: Request, rows: Mapping[str, Rows]) -> list[FunnelStep]:
    """A row a step, or a step of each group. Raises LimitExceeded, Invalid."""
    from domain.metrics.engagement.funnel import FunnelQuestion, breakdown, funnel, steps_of

    stream, row = read_events(rows["events"][0]), rows["events"][0]
    texts = row["texts"] or []
    steps, excluded = request.get("steps"), request.get("exclude", ())
    unknown = {name: len(texts) + i for i, name in enumerate({*steps, *excluded} - set(texts))}
    number = {name: i for i, name in enumerate(texts)} | unknown
    asks = FunnelQuestion(
        [number[name] for name in steps],
        request.get("window", 7 * DAY_MS),
        request.get("order", "ordered"),
        [number[name] for name in excluded],
    )
    attempts = funnel(stream, asks)
    by = request.get("by")
    if by is None:
        return [_step(name, step, k) for k, (name, step) in enumerate(zip(steps, steps_of(attempts), strict=True), 1)]
    groups = (
        _subjects(attempts, stream, row, asks.order, asks.steps) if by == "subject" else _periods(attempts, by, request)
    )
    shown = _group_names(by, row, request)
    return [
        _step(name, step, k, **{by: shown(group)})
        for group, figures in breakdown(attempts, groups).items()
        for k, (name, step) in enumerate(zip(steps, figures, strict=True), 1)
    ]


def _step(name: str, step: Any, place: int, **group: Any) -> FunnelStep:
    stats = or_reasons(rate=step.rate, step_rate=step.step_rate, median_ms=step.median_ms)
    return FunnelStep(step=place, name=name, users=step.users, **stats, **group)


def _periods(attempts: Attempts, by: Any, request: Request) -> IntArray:
    from domain.metrics.engagement.periods import period_of

    return period_of(attempts.reached.min(axis=1), by, request.calendar.time_zone, week_start(request.calendar))


def _subjects(attempts: Attempts, stream: Events, row: Mapping[str, Any], order: str, steps: Any) -> IntArray:
    """What the event was about with which each attempt began."""
    import numpy as np

    begins = np.isin(stream.names, steps if order == "any" else steps[:1])
    users, at, subjects = stream.users[begins], stream.at[begins], read_integers(row["subjects"])[begins]
    if not len(users):
        return attempts.users
    low = int(at.min())
    width = int(at.max()) - low + 1
    keys = users * width + (at - low)
    entered: IntArray = attempts.users * width + (attempts.reached.min(axis=1) - low)
    of_entry: IntArray = subjects[np.searchsorted(keys, entered)]
    return of_entry


def _group_names(by: str, row: Mapping[str, Any], request: Request) -> Any:
    import numpy as np

    from domain.metrics.engagement.periods import begin_of

    if by == "subject":
        return lambda group: row["subject_texts"][group]

    def begin(group: int) -> str:
        periods, first = np.array([group], np.int64), week_start(request.calendar)
        moment = begin_of(periods, by, week_start=first)  # type: ignore[arg-type]  # one of GROUPS
        return str(moment.astype("datetime64[ms]").astype("datetime64[M]" if by == "month" else "datetime64[D]")[0])

    return begin


def journey_parts(request: Request) -> Mapping[str, Select]:
    """All events of the period."""
    plain = r"replace(replace(name, '\', '\\'), ':', '\:')"  # so that no name and subject read like others
    detail = f"CASE subject WHEN '' THEN {plain} ELSE {plain} || ':' || subject END"
    what = detail if request.get("detail") == "subject" else "name"
    return {"events": events(request, (), "session_id" if request.get("of") == "sessions" else "user_id", what)}


def journey_rows(request: Request, rows: Mapping[str, Rows]) -> list[JourneyPath]:
    """A row a path, the most frequent first."""
    from domain.metrics.engagement.journey import user_journey

    stream, texts = read_events(rows["events"][0]), rows["events"][0]["texts"] or []
    anchors = {bound: request.get(name) for bound, name in (("begin", "begin"), ("to", "end"))}
    if any(anchor is not None and anchor not in texts for anchor in anchors.values()):
        return []
    top = request.get("top", 20)
    paths = user_journey(
        stream,
        begin=None if anchors["begin"] is None else texts.index(anchors["begin"]),
        to=None if anchors["to"] is None else texts.index(anchors["to"]),
        length=request.get("length", LONGEST_PATH),
        top=top + 1,
        repeats=request.get("repeats") == "true",
    )
    return [
        JourneyPath(path=[texts[name] for name in path.names], sequences=path.sequences)
        for path in first_of(request, paths, top)
    ]


FUNNEL = Composed(
    "funnel",
    "A funnel: how many users get from step to step, and how long it takes them.",
    (
        Param("steps", f"names of events, {LISTED}, in order", read_steps, required=True),
        FROM,
        TO,
        Param("order", f"one of {', '.join(ORDERS)}; ordered by default", read_choice(*ORDERS)),
        Param("window", "time from the first step to the last, such as 30m, 12h or 7d; 7d by default", read_window),
        Param("exclude", f"names of events that end an attempt, {LISTED}", read_steps),
        Param("by", "break down by the day, week or month of the entry, or its subject", read_choice(*GROUPS)),
    ),
    funnel_parts,
    funnel_rows,
    FunnelStep,
    feature=Feature.FUNNELS,
    version=2,
    slow=True,
    any_zone=True,
)
JOURNEY = Composed(
    "journey",
    "The paths that most users, or sessions, take: their events in order, from an event or to one.",
    (
        FROM,
        TO,
        Param("begin", "name of the event that a path begins with"),
        Param("end", "name of the event that a path ends with; then `begin` means nothing"),
        Param("length", f"events of a path at most, 1 to {LONGEST_PATH}", read_whole(1, LONGEST_PATH)),
        Param("top", "paths at most; 20 by default", read_whole(1, MOST_PATHS)),
        Param("of", "users (default) or sessions", read_choice("users", "sessions")),
        Param(
            "detail",
            r"name (default), or subject: with the feature or page, after a colon; : and \ of the name have a \ before",
            read_choice("name", "subject"),
        ),
        Param("repeats", "true: the same event several times in a row counts as often", read_choice("true", "false")),
    ),
    journey_parts,
    journey_rows,
    JourneyPath,
    feature=Feature.FUNNELS,
    version=3,
    slow=True,
    any_zone=True,
)
