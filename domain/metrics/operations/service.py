"""Throughput, errors, availability and what is left of the error budget, burn rates, apdex.

An objective (SLO) is the share that must succeed, for example 0.999. The error budget is 1 − SLO of all operations.
burn_rate is how many times faster than allowed it is used up: 1 uses exactly all of it over the SLO's period. Two
windows are looked at together, the short one so that an alert ends soon after the trouble: 1 h + 5 m, 6 h + 30 m, 3 d
(with 6 h). Source: The Site Reliability Workbook, chapter 5. Apdex: (satisfied + tolerating / 2) / all, with tolerating
up to 4 T and failures frustrated. Source: Apdex Alliance technical specification 1.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from domain.metrics.value import Reason, Stat, has_value, ratio

MINUTE, HOUR, DAY = 60, 3_600, 86_400


class Window(NamedTuple):
    """Windows of a burn rate in seconds, and above which rate in both of them somebody should act."""

    long: int
    short: int
    threshold: float


WINDOWS: Mapping[str, Window] = MappingProxyType(
    {
        "1h": Window(HOUR, 5 * MINUTE, 14.4),
        "6h": Window(6 * HOUR, 30 * MINUTE, 6.0),
        "3d": Window(3 * DAY, 6 * HOUR, 1.0),
    }
)


def throughput(count: int, seconds: float) -> Stat:
    """Operations a second."""
    return ratio(count, seconds, Reason.NO_DATA)


def error_rate(errors: int, count: int) -> Stat:
    """Share of the operations that failed."""
    return ratio(errors, count, Reason.NO_DATA)


def availability(errors: int, count: int) -> Stat:
    """Share that succeeded."""
    return ratio(count - errors, count, Reason.NO_DATA)


def error_budget_left(errors: int, count: int, objective: float) -> Stat:
    """Share of the budget that is left; negative once more has failed than may."""
    used = burn_rate(errors, count, objective)
    return 1 - used if has_value(used) else used


def burn_rate(errors: int, count: int, objective: float) -> Stat:
    """Error rate over the rate that the objective allows. An objective of 1 allows nothing: ZERO_DENOMINATOR."""
    failed = error_rate(errors, count)
    return ratio(failed, 1 - objective) if has_value(failed) else failed


def burns(long: Stat, short: Stat, window: Window) -> bool:
    """Whether the budget is used up too fast, in the long window and still in the short one."""
    return has_value(long) and has_value(short) and long > window.threshold and short > window.threshold


def apdex(durations: Iterable[tuple[float, int]], failures: int, threshold: float) -> Stat:
    """From durations of successes with their numbers (of buckets: the middle, at most 1 % off), in one unit."""
    satisfied = tolerating = count = 0
    for duration, number in durations:
        count += number
        satisfied += number if duration <= threshold else 0
        tolerating += number if threshold < duration <= 4 * threshold else 0
    return ratio(satisfied + tolerating / 2, count + failures, Reason.NO_DATA)
