"""What rules watch: rules that watch the same are evaluated together, out of the same answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5

import msgspec

from domain.configuration.alert_rule import AlertRule
from domain.configuration.alert_terms import Anomaly, BurnRate, Change, Condition, Trigger, WatchedMetric
from domain.name_list import name_list

METRIC = "metric"  # the query that answers for a metric of the catalogue
HISTORY = 60  # periods that an anomaly is judged by, its own included


class Window(NamedTuple):
    """A span of time by the end of a period: [end + begin, end + until), in ms; both are 0 or less."""

    begin: int
    until: int


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """A question of a company whose rows are series, and the length of its periods (s)."""

    company: str
    query: str
    measure: str
    params: Mapping[str, str]
    by: tuple[str, ...]
    every: int

    @property
    def watch_id(self) -> str:
        """The same for the same watch."""
        return str(uuid5(NAMESPACE_URL, f"urn:analytics:watch:{msgspec.json.encode(self, order='sorted').decode()}"))

    @property
    def period(self) -> int:
        """Length of its periods in ms."""
        return 1000 * self.every

    def asks(self) -> dict[str, str]:
        """The parameters of its question, but for the period."""
        return {**self.params, **({"by": name_list(self.by)} if self.by else {})}


class Rule(NamedTuple):
    """A rule of a company, as it is from some moment on."""

    rule_id: str
    rule: AlertRule


def watch_of(company: str, trigger: Trigger) -> Watch:
    """What a trigger watches."""
    watched = trigger.watched
    if isinstance(watched, WatchedMetric):
        query, measure, params = METRIC, "value", {**watched.params, "key": watched.key}
    else:
        query, measure, params = watched.query, watched.measure, dict(watched.params)
    return Watch(
        company=company, query=query, measure=measure, params=params, by=watched.by, every=trigger.every_seconds
    )


def windows_of(trigger: Trigger) -> frozenset[Window]:
    """The windows that have to be known to evaluate a trigger."""
    conditions = (window for each in trigger.conditions for window in condition_windows(each, trigger.every_seconds))
    return frozenset({newest(trigger.every_seconds), *conditions})


def newest(every: int) -> Window:
    """The period itself."""
    return Window(-1000 * every, 0)


def condition_windows(condition: Condition, every: int) -> Iterator[Window]:
    """The windows beside the period itself: earlier ones first, the short one of a burn rate last."""
    length = 1000 * every
    match condition:
        case Change(over_seconds=over):
            yield Window(-length - 1000 * over, -1000 * over)
        case Anomaly():
            yield from (Window(-back * length, (1 - back) * length) for back in range(HISTORY, 1, -1))
        case BurnRate(long_seconds=long, short_seconds=short):
            yield Window(-1000 * long, 0)
            yield Window(-1000 * short, 0)
        case _:
            return
