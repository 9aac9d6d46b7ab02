"""Use of the product: feature adoption and depth, sessions, click-through and conversion.

feature_adoption_rate: users of a feature over active users. feature_depth: different features per user who used any,
mean. sessions_per_user: sessions over active users. median_session_minutes: first to last event of a session.
click_through_rate: clicks over impressions. conversion_rate: conversions over sessions. A session is a user's events of
one session_id, or a run of those that name none without a pause of more than 30 minutes; it counts where it began.
"""

from __future__ import annotations

import numpy as np

from domain.metrics.engagement.events import IntArray, distinct
from domain.metrics.value import Reason, Stat, ratio

MS_PER_MINUTE = 60_000


def feature_adoption_rate(users: IntArray, features: IntArray, active: int) -> dict[int, Stat]:
    """By feature; one row or more for each user and feature."""
    _, used = distinct(users, features)
    present, times = np.unique(used, return_counts=True)
    pairs = zip(present.tolist(), times.tolist(), strict=True)
    return {feature: ratio(number, active, Reason.NO_DATA) for feature, number in pairs}


def feature_depth(users: IntArray, features: IntArray) -> Stat:
    """Different features per user of any."""
    who, _ = distinct(users, features)
    return ratio(len(who), len(np.unique(who)), Reason.NO_DATA)


def sessions_per_user(sessions: int, active: int) -> Stat:
    """Mean number of sessions."""
    return ratio(sessions, active, Reason.NO_DATA)


def click_through_rate(clicks: int, impressions: int) -> Stat:
    """Clicks over impressions."""
    return ratio(clicks, impressions, Reason.NO_DATA)


def conversion_rate(conversions: int, sessions: int) -> Stat:
    """Conversions over sessions."""
    return ratio(conversions, sessions, Reason.NO_DATA)
