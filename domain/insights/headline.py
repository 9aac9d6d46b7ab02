"""What a finding says in one sentence, and how much attention it deserves. Rules over its numbers, no model.

A finding about the last days deserves more than one about the past: `RECENT` steps. Titles name the metric by its key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import msgspec

RECENT = 7  # steps before the end of a series
LARGE = 0.25  # of a growth: a change by a quarter


class Severity(StrEnum):
    """How much attention."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Headline(msgspec.Struct, frozen=True):
    """A finding in short."""

    title: str
    severity: Severity


Numbers = Mapping[str, Any]  # of a finding, as answers show them


def headline(kind: str, metric: str, finding: Numbers, sample: int) -> Headline:
    """The headline of a finding of that kind in a series of `sample` steps."""
    write = _WRITERS.get(kind)
    return write(metric, finding, sample) if write else Headline(f"{metric}: {kind.replace('_', ' ')}", Severity.INFO)


def _trend(metric: str, finding: Numbers, _sample: int) -> Headline:
    if finding["direction"] == "none":
        return Headline(f"{metric} neither rises nor falls", Severity.INFO)
    return Headline(f"{metric} is {finding['direction']} by {abs(finding['slope']):.4g} a day", Severity.INFO)


def _change_points(metric: str, finding: Numbers, sample: int) -> Headline:
    points: Sequence[Numbers] = finding["points"]
    if not points:
        return Headline(f"{metric} has no break", Severity.INFO)
    last = points[-1]
    way = "up" if last["after"] > last["before"] else "down"
    return Headline(f"{metric} broke {way} on {last['day']}", _recent(last["index"], sample))


def _growth(metric: str, finding: Numbers, _sample: int) -> Headline:
    rate = finding["rate"]
    if rate is None:
        return Headline(f"{metric} has nothing to grow from", Severity.INFO)
    way = "grew" if rate >= 0 else "fell"
    severity = Severity.WARNING if rate <= -LARGE else Severity.INFO
    return Headline(f"{metric} {way} by {abs(rate):.1%} over the matched days before", severity)


def _seasonality(metric: str, finding: Numbers, _sample: int) -> Headline:
    if not finding["seasons"]:
        return Headline(f"{metric} has no season", Severity.INFO)
    strongest = max(finding["seasons"], key=lambda season: float(season["strength"]))
    return Headline(f"{metric} repeats every {strongest['period']} days", Severity.INFO)


def _anomalies(metric: str, finding: Numbers, sample: int) -> Headline:
    points: Sequence[Numbers] = finding["points"]
    if not points:
        return Headline(f"{metric} has no anomaly", Severity.INFO)
    last, severity = points[-1], _recent(points[-1]["index"], sample)
    if severity is Severity.WARNING and abs(last["score"]) >= 2 * finding["threshold"]:
        severity = Severity.CRITICAL
    return Headline(f"{metric} was not as expected on {last['day']}", severity)


def _recent(index: int, sample: int) -> Severity:
    return Severity.WARNING if index >= sample - RECENT else Severity.INFO


_WRITERS: Mapping[str, Callable[[str, Numbers, int], Headline]] = MappingProxyType(
    {
        "trend": _trend,
        "change_points": _change_points,
        "growth": _growth,
        "seasonality": _seasonality,
        "anomalies": _anomalies,
    }
)
