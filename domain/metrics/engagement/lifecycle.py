"""Life cycle of users: new, returning, resurrected, dormant; and the pulse.

In a period a user is new in the period of the first event ever; returning if active in the period before as well;
resurrected if active now, not in the period before, and not new; dormant if active in the period before and not now.
pulse = (new + resurrected) / dormant: above 1 the number of active users grows, because
active = active before + new + resurrected − dormant.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from domain.metrics.engagement.events import IntArray, distinct, summed
from domain.metrics.value import Reason, Stat, ratio


class Lifecycle(NamedTuple):
    """Numbers of users by period."""

    new: IntArray
    returning: IntArray
    resurrected: IntArray
    dormant: IntArray


def lifecycle(users: IntArray, periods: IntArray, began: IntArray, first: int, last: int) -> Lifecycle:
    """For each period from first to last. `began`: in each row the period of that user's first event ever.

    Rows must include the period before `first`, or nobody is returning or dormant in it.
    """
    who, when = distinct(users, periods)
    order = np.argsort(users, kind="stable")
    begins = began[order][np.searchsorted(users[order], who)]
    again = np.concatenate(([False], (who[1:] == who[:-1]) & (when[1:] == when[:-1] + 1)))[: len(who)]
    stays = np.concatenate((again[1:], [False]))[: len(who)]
    is_new = when == begins

    def counted(rows: np.ndarray[tuple[int], np.dtype[np.bool_]], at: IntArray) -> IntArray:
        inside = rows & (at >= first) & (at <= last)
        return summed(at[inside] - first, last - first + 1)

    return Lifecycle(
        counted(is_new, when),
        counted(again & ~is_new, when),
        counted(~again & ~is_new, when),
        counted(~stays, when + 1),
    )


def pulse(new: int, returning: int, resurrected: int, dormant: int) -> Stat:
    """Users won over users lost; NO_DATA where there was nobody who could be lost or won."""
    somebody = new or returning or resurrected
    return ratio(new + resurrected, dormant, Reason.NO_LOSSES if somebody else Reason.NO_DATA)
