"""Steps of winning a user: visitor to signup, activation, time to value, trial conversion, viral factor.

A share "within w days" is of those whose w days are over, or who have done it already: the others may still do it.
"""

from __future__ import annotations

import numpy as np

from domain.metrics.engagement.events import IntArray
from domain.metrics.value import Reason, Stat, ratio

MS_PER_DAY = 86_400_000


def visitor_to_signup_rate(signups: int, visitors: int) -> Stat:
    """Signups over different visitors of the period."""
    return ratio(signups, visitors, Reason.NO_DATA)


def activation_rate(signed_up: IntArray, activated: IntArray, now: int, days: int = 7) -> Stat:
    """Of those who signed up, the share activated within `days`. Times in ms, 0 where it has not happened."""
    until = signed_up + days * MS_PER_DAY
    in_time = (activated >= signed_up) & (activated <= until)
    decided = in_time | (until <= now)
    return ratio(int(in_time.sum()), int(decided.sum()), Reason.NO_DATA)


def time_to_value(signed_up: IntArray, activated: IntArray) -> Stat:
    """Median ms from signup to activation, of those who were activated."""
    took = (activated - signed_up)[activated >= signed_up]
    return float(np.median(took)) if len(took) else Reason.NO_DATA


def trial_conversion_rate(began: IntArray, converted: IntArray, first: int, end: int) -> Stat:
    """Of the trials begun in [first, end), the share that became paying, whenever; times in ms, 0 for never."""
    inside = (began >= first) & (began < end)
    return ratio(int((converted[inside] >= began[inside]).sum()), int(inside.sum()), Reason.NO_DATA)


def trial_conversion_rolling(began: IntArray, converted: IntArray, now: int, days: int = 30) -> Stat:
    """Conversions of the last `days` over trials begun in them: known at once, but of two different groups."""
    first = now - days * MS_PER_DAY
    conversions = ((converted > first) & (converted <= now)).sum()
    return ratio(int(conversions), int(((began > first) & (began <= now)).sum()), Reason.NO_DATA)


def viral_factor(invitations: int, accepted: int, users: int) -> Stat:
    """Invitations per user × share accepted: users that each user brings. Undefined without invitations."""
    return ratio(accepted, users, Reason.NO_DATA) if invitations else Reason.NO_DATA
