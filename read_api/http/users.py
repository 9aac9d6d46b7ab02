"""Users over HTTP: retention, funnels, journeys and engagement, each the answer of a registered query."""

from __future__ import annotations

from datetime import date

import msgspec

from read_api.http.openapi import StandsFor
from read_api.http.query_paths import Door

PATH = "/api/v1/users"


class Cell(msgspec.Struct, kw_only=True):
    """An age of a cohort: who came back (or what they paid), as a share, and whether the period has not ended yet.

    A mean has the share alone.
    """

    age: int
    rate: float | None
    retained: int | str | None = None
    unfinished: bool | None = None
    reason: str = ""


class Cohort(msgspec.Struct, kw_only=True):
    """A cohort by its first day, its users, and what rates are a share of; without a day: the means over all."""

    cohort: date | None
    users: int
    base: int | str
    ages: list[Cell]


class RetentionCohorts(StandsFor, kw_only=True):
    """The cohorts, the oldest first, then the means."""

    rows: list[Cohort]


class Step(msgspec.Struct, kw_only=True):
    """A step: its users, their share of all who entered and of the step before, and the median time from that one."""

    step: int
    name: str
    users: int
    rate: float | None
    step_rate: float | None
    median_ms: float | None
    day: date | None = None
    week: date | None = None
    month: date | None = None
    subject: str | None = None
    reasons: dict[str, str] = {}


class Funnel(StandsFor, kw_only=True):
    """The steps, of each group where they are broken down."""

    rows: list[Step]


class Path(msgspec.Struct):
    """Events in order, and how many users or sessions took them."""

    path: list[str]
    sequences: int


class Journey(StandsFor, kw_only=True):
    """Paths, the most frequent first."""

    rows: list[Path]


class ActiveDay(msgspec.Struct, kw_only=True):
    """Users active on a day, in 7 and in 28 days, and the first over the last."""

    day: date
    dau: int
    wau: int
    mau: int
    stickiness: float | None
    reasons: dict[str, str] = {}


class Activity(StandsFor, kw_only=True):
    """Every day of the period."""

    rows: list[ActiveDay]


class DaysActive(msgspec.Struct):
    """How many users were active on exactly so many of 28 days, and which share of those active at all."""

    days: int
    users: int
    share: float | None


class Stickiness(StandsFor, kw_only=True):
    """1 to 28 days."""

    rows: list[DaysActive]


class Period(msgspec.Struct, kw_only=True):
    """A day, week or month, by its first day: users won, kept and lost, and the first over the last."""

    day: date | None = None
    week: date | None = None
    month: date | None = None
    new_users: int
    returning_users: int
    resurrected_users: int
    dormant_users: int
    pulse: float | None
    reasons: dict[str, str] = {}


class Lifecycle(StandsFor, kw_only=True):
    """Every period."""

    rows: list[Period]


class FeatureUse(msgspec.Struct, kw_only=True):
    """A feature: its users, uses, and share of active users; without a feature: all, and features a user."""

    feature: str | None
    users: int
    uses: int
    feature_adoption_rate: float | None = None
    feature_depth: float | None = None
    active_users: int | None = None
    reasons: dict[str, str] = {}


class Features(StandsFor, kw_only=True):
    """The features by name, then all together."""

    rows: list[FeatureUse]


class Segment(msgspec.Struct, kw_only=True):
    """A segment with its users and its rule; or a user with the segment and what it rests on."""

    segment: str
    users: int | None = None
    share: float | None = None
    meaning: str | None = None
    user_id: str | None = None
    first_day: date | None = None
    active_days: int | None = None
    active_days_before: int | None = None


class Segments(StandsFor, kw_only=True):
    """The segments, or users by id."""

    rows: list[Segment]


DOORS = (
    Door(f"{PATH}/retention", "retention", RetentionCohorts),
    Door(f"{PATH}/funnel", "funnel", Funnel),
    Door(f"{PATH}/journey", "journey", Journey),
    Door(f"{PATH}/features", "features", Features),
    Door(f"{PATH}/segments", "segments", Segments),
    Door(f"{PATH}/stickiness", "stickiness", Stickiness),
    Door(f"{PATH}/lifecycle", "lifecycle", Lifecycle),
    Door(f"{PATH}/activity", "active_users", Activity),
)
