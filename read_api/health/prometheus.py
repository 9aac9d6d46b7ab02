"""The metrics that a read API process shows at /metrics: a closed set with meaning and unit, and their text form.

Prometheus text format 0.0.4. Nothing here names a tenant, so that metrics may go where tenants' data may not.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)  # seconds
ROUTES = ("/api/v1/query", "/api/v1/events", "/api/v1/health", "/api/v1/projections", "/metrics", "/static", "/")


@dataclass(frozen=True, slots=True)
class Definition:
    """One metric: its name with the unit, its type, what it means, and its labels."""

    name: str
    kind: str
    meaning: str
    labels: tuple[str, ...] = ()


class Metric(Enum):
    """Every metric there is."""

    REQUESTS = Definition("analytics_http_requests_total", "counter", "Requests answered.", ("route", "status"))
    SECONDS = Definition("analytics_http_request_seconds", "histogram", "Time to answer a request.", ("route",))
    LIVE = Definition("analytics_live_connections", "gauge", "Open WebSocket connections.")
    LIVE_FEEDS = Definition("analytics_live_feeds", "gauge", "Different questions followed live.")
    LIVE_SENT = Definition("analytics_live_answers_total", "counter", "Answers sent to WebSocket connections.")
    LANE = Definition(
        "analytics_live_lane",
        "gauge",
        "Figures of the live lane: messages, facts, bad, failed, repeated, late, refused, gaps; tenants, panes, rows,"
        " views.",
        ("figure",),
    )
    STORE = Definition(
        "analytics_store_answers", "gauge", "1 while log and store answer, else 0: then the figures are the last known."
    )
    LAG_EVENTS = Definition("analytics_projection_lag_events", "gauge", "Events not yet folded.", ("projection",))
    LAG_SECONDS = Definition(
        "analytics_projection_lag_seconds", "gauge", "Age of the rows of a projection that is behind.", ("projection",)
    )
    STANDS = Definition(
        "analytics_projection_stands_since_seconds",
        "gauge",
        "When a projection ceased to get on, in seconds since 1970 UTC; `position`: of the event, where it is known.",
        ("projection", "category", "position"),
    )
    ANSWERS = Definition(
        "analytics_answers_kept_total", "counter", "Kept answers: hits by tier, misses, what warming made.", ("what",)
    )
    RATE = Definition("analytics_projection_events_per_second", "gauge", "Events folded lately.", ("projection",))


Labels = tuple[str, ...]
_Key = tuple[Metric, Labels]


class Metrics:
    """Values of the metrics of this process. Used from one event loop."""

    def __init__(self) -> None:
        self._values: dict[_Key, float] = {}
        self._buckets: dict[_Key, list[int]] = {}

    def add(self, metric: Metric, amount: float = 1, *labels: str) -> None:
        """Count up, or a gauge up or down, in the units that the metric has."""
        key = (metric, labels)
        self._values[key] = self._values.get(key, 0) + amount

    def request(self, path: str, status: int, seconds: float) -> None:
        """Count one HTTP request and how long it took."""
        counted, timed = _keys(path, status)
        self._values[counted] = self._values.get(counted, 0) + 1
        self._observe(timed, seconds)

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """Set a gauge."""
        self._values[metric, labels] = value

    def clear(self, metric: Metric) -> None:
        """Forget a gauge under all of its labels."""
        for key in [key for key in self._values if key[0] is metric]:
            del self._values[key]

    def observe(self, metric: Metric, seconds: float, *labels: str) -> None:
        """Count a duration in its bucket."""
        self._observe((metric, labels), seconds)

    def _observe(self, key: _Key, seconds: float) -> None:
        counts = self._buckets.get(key)
        if counts is None:
            counts = self._buckets[key] = [0] * (len(BUCKETS) + 1)
        counts[bisect_left(BUCKETS, seconds)] += 1
        self._values[key] = self._values.get(key, 0) + seconds

    def value(self, metric: Metric, *labels: str) -> float:
        """The value of a counter or gauge; 0 where nothing was counted."""
        return self._values.get((metric, labels), 0)

    def observed(self, metric: Metric, *labels: str) -> tuple[int, float]:
        """How many durations were observed and their sum in seconds."""
        return sum(self._buckets.get((metric, labels), ())), self.value(metric, *labels)

    def text(self) -> str:
        """All metrics in the Prometheus text format."""
        return "".join(f"{line}\n" for metric in Metric for line in self._lines(metric))

    def _lines(self, metric: Metric) -> Iterator[str]:
        known = metric.value
        yield f"# HELP {known.name} {known.meaning}"
        yield f"# TYPE {known.name} {known.kind}"
        for (of, labels), value in sorted(self._values.items(), key=lambda item: item[0][1]):
            if of is metric:
                named = dict(zip(known.labels, labels, strict=True))
                if known.kind == "histogram":
                    yield from _histogram(known.name, named, self._buckets[metric, labels], value)
                else:
                    yield f"{known.name}{_shown(named)} {value:.15g}"


@lru_cache(1_000)
def _keys(path: str, status: int) -> tuple[_Key, _Key]:
    """What a request is counted under, and timed."""
    route = _route(path)
    return (Metric.REQUESTS, (route, str(status))), (Metric.SECONDS, (route,))


def _route(path: str) -> str:
    """The path without what varies, out of a closed set: a label for each path asked for would never end."""
    for route in ROUTES:
        if path == route or (route != "/" and path.startswith(f"{route}/")):
            return route
    return "other"


def _histogram(name: str, labels: Mapping[str, str], counts: Sequence[int], total: float) -> Iterator[str]:
    reached = 0
    for bound, count in zip((*(f"{b:g}" for b in BUCKETS), "+Inf"), counts, strict=True):
        reached += count
        yield f"{name}_bucket{_shown({**labels, 'le': bound})} {reached}"
    yield f"{name}_sum{_shown(labels)} {total:g}"
    yield f"{name}_count{_shown(labels)} {reached}"


def _shown(labels: Mapping[str, str]) -> str:
    quoted = (f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{','.join(quoted)}}}" if labels else ""


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
