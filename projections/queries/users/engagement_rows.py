"""Rows of the questions about engagement."""

from __future__ import annotations

from datetime import date

from msgspec import UNSET, UnsetType, field

from projections.engine.query.answer_row import AnswerRow


class ActiveDay(AnswerRow, kw_only=True):
    """Users active on a day, in the 7 and the 28 days that end with it, and the first over the last."""

    day: date
    dau: int
    wau: int
    mau: int
    stickiness: float | None
    reasons: dict[str, str] = field(default_factory=dict)


class DaysActive(AnswerRow, kw_only=True):
    """How many users were active on exactly so many of 28 days, and which share of those active at all."""

    days: int
    users: int
    share: float


class LifecyclePeriod(AnswerRow, kw_only=True):
    """A day, a week by its first day, or a month: users won, kept and lost, and the first over the last."""

    day: date | UnsetType = UNSET
    week: date | UnsetType = UNSET
    month: str | UnsetType = UNSET
    new_users: int
    returning_users: int
    resurrected_users: int
    dormant_users: int
    pulse: float | None
    reasons: dict[str, str] = field(default_factory=dict)


class FeatureUse(AnswerRow, kw_only=True):
    """A feature: its users, uses, and share of active users; without a feature: all, and features a user."""

    feature: str | None
    users: int
    uses: int
    active_users: int | UnsetType = UNSET
    feature_adoption_rate: float | UnsetType | None = UNSET
    feature_depth: float | UnsetType | None = UNSET
    reasons: dict[str, str] = field(default_factory=dict)


class Segment(AnswerRow, kw_only=True):
    """A segment with its users and its rule; or a user with the segment and what it rests on."""

    user_id: str | UnsetType = UNSET
    segment: str
    users: int | UnsetType = UNSET
    share: float | UnsetType = UNSET
    meaning: str | UnsetType = UNSET
    first_day: date | UnsetType = UNSET
    active_days: int | UnsetType = UNSET
    active_days_before: int | UnsetType = UNSET
