"""Surveys: net promoter score with its interval, customer satisfaction, customer effort.

Scores come as counts by score. nps: share of 9 and 10 less share of 0 to 6, in points from −100 to 100. Its interval is
the normal one of a difference of two shares of one sample: variance (p + d − (p − d)²) / n. csat: the share of the top
two boxes, 4 and 5 of 5. ces: the mean of 1 to 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import NamedTuple

from domain.metrics.value import Reason, Stat, ratio

Z_95 = 1.959963984540054
Scores = Mapping[float, int]  # score → answers


class Interval(NamedTuple):
    """A value and the bounds in which it lies with 95 % confidence, all three in points."""

    value: Stat
    low: Stat
    high: Stat


def nps(scores: Scores) -> Interval:
    """Net promoter score; without answers three reasons, with one answer no bounds."""
    answers = sum(scores.values())
    if not answers:
        return Interval(Reason.NO_DATA, Reason.NO_DATA, Reason.NO_DATA)
    promoters = sum(n for score, n in scores.items() if score >= 9) / answers
    detractors = sum(n for score, n in scores.items() if score <= 6) / answers
    value = promoters - detractors
    if answers == 1:
        return Interval(100 * value, Reason.TOO_FEW, Reason.TOO_FEW)
    half = Z_95 * sqrt(max(0.0, promoters + detractors - value * value) / answers)
    return Interval(100 * value, 100 * max(-1.0, value - half), 100 * min(1.0, value + half))


def csat(scores: Scores) -> Stat:
    """Share of answers of 4 or 5."""
    return ratio(sum(n for score, n in scores.items() if score >= 4), sum(scores.values()), Reason.NO_DATA)


def ces(scores: Scores) -> Stat:
    """Mean score."""
    return ratio(sum(score * n for score, n in scores.items()), sum(scores.values()), Reason.NO_DATA)
