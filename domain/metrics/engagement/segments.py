"""User segments: new, activated, engaged, power, at_risk, dormant, churned. One table of rules; the first that holds.

Days are counted up to and including the day that is asked about. The last rule takes everybody, so that each user is in
exactly one segment.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from domain.metrics.engagement.events import Flags, IntArray

WINDOW = 28


class Habits(NamedTuple):
    """What is known of each user: one row a user."""

    age: IntArray  # days since the first event
    silent: IntArray  # days since the last one
    active: IntArray  # active days of the last 28
    active_before: IntArray  # active days of the 28 before
    activated: Flags  # has done what the product is for


class Rule(NamedTuple):
    """A segment, when it holds, and the same in words."""

    segment: str
    holds: Callable[[Habits], Flags]
    meaning: str


RULES: tuple[Rule, ...] = (
    Rule("churned", lambda u: u.silent >= 90, "no event for 90 days or more"),
    Rule("dormant", lambda u: u.silent >= WINDOW, "no event for 28 to 89 days"),
    Rule(
        "at_risk",
        lambda u: (u.silent >= 14) | ((u.active_before >= 4) & (2 * u.active <= u.active_before)),
        "no event for 14 days, or active on at most half as many days as in the 28 days before (of at least 4)",
    ),
    Rule("power", lambda u: u.active >= 14, "active on 14 or more of the last 28 days"),
    Rule("engaged", lambda u: u.active >= 6, "active on 6 to 13 of the last 28 days"),
    Rule(
        "activated", lambda u: u.activated | (u.age >= 14), "activated, or still there two weeks after the first event"
    ),
    Rule("new", lambda u: u.age >= 0, "first seen less than two weeks ago"),
)


def user_segment(users: Habits) -> list[str]:
    """The segment of each user."""
    names = [rule.segment for rule in RULES]
    labels: list[str] = np.select([rule.holds(users) for rule in RULES], names, default=names[-1]).tolist()
    return labels


def habits(
    first_seen: IntArray, last_seen: IntArray, active: IntArray, active_before: IntArray, activated: Flags, day: int
) -> Habits:
    """Habits on a day, from days (since 1970) of the first and last event."""
    return Habits(day - first_seen, day - last_seen, active, active_before, activated)
