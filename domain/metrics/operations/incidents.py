"""Incidents: mean time to acknowledge (mtta) and to resolve (mttr), both from the moment of opening.

Only incidents that have been acknowledged, or resolved, count: the others have no such time yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from domain.metrics.value import Reason, Stat, ratio


class Incident(NamedTuple):
    """Times in ms; 0 where it has not happened."""

    opened: int
    acknowledged: int = 0
    resolved: int = 0


def mtta(incidents: Iterable[Incident]) -> Stat:
    """Mean ms from opening to acknowledgement; resolving without a word acknowledges too."""
    return _mean((i.acknowledged or i.resolved) - i.opened for i in incidents if i.acknowledged or i.resolved)


def mttr(incidents: Iterable[Incident]) -> Stat:
    """Mean ms from opening to resolution."""
    return _mean(i.resolved - i.opened for i in incidents if i.resolved)


def _mean(times: Iterable[int]) -> Stat:
    found = list(times)
    return ratio(sum(found), len(found), Reason.NO_DATA)
