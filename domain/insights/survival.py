"""How long customers stay: Kaplan–Meier, with customers who are still there counted for as long as they were seen.

The variance is Greenwood's; the interval is taken on log(−log S), so that it stays within 0 and 1. At the same time
churn comes before the end of observation. From any survival curve P(churn in (t, t + h] | alive at t) is
1 − S(t + h) / S(t).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence

import msgspec

from domain.insights.finding import Basis, Finding, Kind
from domain.metrics.value import Reason, Stat, ratio

METHOD = "Kaplan–Meier; Greenwood's variance, 95 % interval on the log(−log) scale"
MINIMUM = 20  # customers
CERTAIN = 1.959964  # two-sided 95 % of a standard normal


class Step(msgspec.Struct, frozen=True):
    """A time at which somebody churned, and the share that survives it."""

    time: float
    at_risk: int
    churned: int
    survival: float
    low: float
    high: float


class Survival(Finding, frozen=True, tag=Kind.SURVIVAL.value):
    """The curve: 1 until the first step, then level from step to step, unknown after `seen_until`."""

    churned: int  # of the sample; the others were still there when last seen
    seen_until: float
    median: Stat  # lifetime that half of them exceed; unknown while more than half survive
    steps: tuple[Step, ...]

    def at(self, time: float) -> Stat:
        """S(time); NO_DATA after the longest observation."""
        if time > self.seen_until:
            return Reason.NO_DATA
        passed = bisect_right([step.time for step in self.steps], time)
        return self.steps[passed - 1].survival if passed else 1.0

    def churn_within(self, time: float, horizon: float) -> Stat:
        """P(churn in (time, time + horizon] | alive at time)."""
        return conditional_churn(self.at(time), self.at(time + horizon))


def conditional_churn(survival_now: Stat, survival_then: Stat) -> Stat:
    """1 − S(t + h) / S(t)."""
    if isinstance(survival_now, Reason) or isinstance(survival_then, Reason):
        return Reason.NO_DATA
    remaining = ratio(survival_then, survival_now)
    return remaining if isinstance(remaining, Reason) else 1 - remaining


def survival(lifetimes: Sequence[float], churned: Sequence[bool]) -> Survival | Reason:
    """The curve of customers seen for `lifetimes` from their start, who then `churned` or were still there."""
    if not lifetimes:
        return Reason.NO_DATA
    if len(lifetimes) != len(churned) or not all(math.isfinite(time) and time >= 0 for time in lifetimes):
        return Reason.NOT_FINITE
    if len(lifetimes) < MINIMUM:
        return Reason.TOO_FEW
    steps = tuple(_steps(lifetimes, churned))
    median = next((step.time for step in steps if step.survival <= 0.5), Reason.NO_DATA)
    basis = Basis(METHOD, 1, len(lifetimes), MINIMUM)
    return Survival(basis, sum(step.churned for step in steps), float(max(lifetimes)), median, steps)


def _steps(lifetimes: Sequence[float], churned: Sequence[bool]) -> list[Step]:
    deaths = Counter(time for time, gone in zip(lifetimes, churned, strict=True) if gone)
    ends = sorted(lifetimes)
    share, greenwood, steps = 1.0, 0.0, []
    for time in sorted(deaths):
        at_risk = len(ends) - bisect_left(ends, time)
        gone = deaths[time]
        share *= 1 - gone / at_risk
        greenwood += gone / (at_risk * (at_risk - gone)) if at_risk > gone else math.inf
        steps.append(Step(float(time), at_risk, gone, share, *_interval(share, greenwood)))
    return steps


def _interval(share: float, greenwood: float) -> tuple[float, float]:
    if share <= 0.0:
        return 0.0, 0.0  # nobody is left: the estimate has no spread of its own
    width = CERTAIN * math.sqrt(greenwood) / math.log(share)  # negative
    return share ** math.exp(-width), share ** math.exp(width)
