"""How the service is: what it needs, what it has done, how far its projections are. The same over HTTP and gRPC."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from domain.errors import AnalyticsError
from domain.ports import LiveBus
from eventlog.shared_call import SharedCall
from projections.engine.project.failure import Heartbeat
from read_api.health.projection_status import Status
from read_api.health.prometheus import Metric, Metrics
from read_api.health.stall_diagnosis import no_worker

T = TypeVar("T")

DAY_MINUTES = 24 * 60
QUERY_PATH = "/api/v1/query"  # under which the time of questions is counted, whatever door they come by
PATIENCE = 1.5  # seconds that log and store may take to answer before they are told as silent


class DailyCount:
    """How often something happened in the last 24 hours, to the minute."""

    def __init__(self) -> None:
        self._minutes: deque[tuple[int, int]] = deque()

    def add(self) -> None:
        """It happened now."""
        minute = int(time.monotonic() // 60)
        if self._minutes and self._minutes[-1][0] == minute:
            self._minutes[-1] = (minute, self._minutes[-1][1] + 1)
        else:
            self._minutes.append((minute, 1))

    def total(self) -> int:
        """How often."""
        oldest = int(time.monotonic() // 60) - DAY_MINUTES
        while self._minutes and self._minutes[0][0] <= oldest:
            self._minutes.popleft()
        return sum(count for _, count in self._minutes)


class Lane(Protocol):
    """What is known of the live lane: whether it is silent, and the figures that it said last."""

    @property
    def silent(self) -> bool:
        """Whether nothing was heard of it lately."""
        ...

    @property
    def figures(self) -> Mapping[str, int]:
        """How much it has seen and holds."""
        ...


class Health:
    """Asked with `()`, answers the body of GET /api/v1/health. It never raises: what is down is told as down."""

    def __init__(
        self,
        version: str,
        statuses: Callable[[], Awaitable[Sequence[Status]]],
        workers: Callable[[], Awaitable[Sequence[Heartbeat]]],
        figures: Callable[[], Awaitable[dict[str, int]]],
        sealer: Callable[[], Awaitable[str]],
        bus: LiveBus,
        metrics: Metrics,
        lane: Lane,
        hit_rates: Callable[[], dict[str, float]] = dict,
    ) -> None:
        self._version = version
        self._statuses = statuses
        self._workers = workers
        self._figures = SharedCall(figures, "the store", PATIENCE)
        self._sealer = SharedCall(sealer, "the store of seals", PATIENCE)
        self._last_statuses: Sequence[Status] | None = None
        self._bus = bus
        self._lane = lane
        self._metrics = metrics
        self._hit_rates = hit_rates
        self._started = time.monotonic()
        self.queries, self.dashboards, self._reports = DailyCount(), DailyCount(), DailyCount()
        self.accuracy: Callable[[], Awaitable[float | None]] = _nobody_knows
        self.scheduler: Callable[[], Awaitable[str | None]] = _nobody_knows
        self.alerter: Callable[[], Awaitable[str | None]] = _nobody_knows
        self._report_ms = (0, 0)  # how many were made since the start, and how long that took

    async def __call__(self) -> dict[str, Any]:
        """Everything that is known now, within PATIENCE; figures that are not known are missing."""
        (statuses, log), (figures, store), (workers, _), (accuracy, _), problems = await asyncio.gather(
            _attempt(self._statuses), _attempt(self._figures), _attempt(self._workers), _attempt(self.accuracy),
            self._roles(),
        )  # fmt: skip
        statuses = self._last_statuses = self._last_statuses if statuses is None else statuses
        components = self._components(log, store)
        if workers is not None:
            components.append(_component("workers", no_worker(workers), down="degraded"))
        components += [_component(name, problem, down="degraded") for name, problem in problems]
        components.append(_component("projections", _hindered(statuses or ()), down="degraded"))
        body = {
            **self.brief(),
            "ready": not (log or store),
            "uptime_seconds": round(time.monotonic() - self._started, 3),
            "components": components,
            **self._work(),
        }
        if self._lane.figures:
            body["live_lane"] = dict(self._lane.figures)
        if rates := self._hit_rates():
            body["cache_hit_rates"] = rates
        body["live_connections"] = int(self._metrics.value(Metric.LIVE))
        if accuracy is not None:
            body["accuracy"] = accuracy
        if figures is not None:
            read = sum(figures[name] for name in ("events", "duplicates", "refused"))
            body["processing_success_rate"] = round(1 - figures["refused"] / read, 6) if read else None
            body |= figures
        if statuses is not None:
            body["projections"] = statuses
        return body

    async def _roles(self) -> list[tuple[str, str]]:
        """Roles that say that they are alive, as far as that is known, and what is wrong with them."""
        asked: dict[str, Callable[[], Awaitable[str | None]]] = {"sealer": self._sealer, "scheduler": self.scheduler}
        asked["alerter"] = self.alerter
        answers = await asyncio.gather(*(_attempt(ask) for ask in asked.values()))
        return [(name, problem) for name, (problem, _) in zip(asked, answers, strict=True) if problem is not None]

    def _components(self, log: str, store: str) -> list[dict[str, str]]:
        """What this process knows without asking, and what is wrong with log and store."""
        return [
            _component("log", log),
            _component("bus", "" if self._bus.connected else "the live bus is not connected", down="degraded"),
            _component("live", "the live lane says nothing" if self._lane.silent else "", down="degraded"),
            _component("store", store),
        ]

    def _work(self) -> dict[str, float]:
        """How much this process was asked for, and how long that takes it."""
        found: dict[str, float] = {
            "queries_24h": self.queries.total(),
            "dashboard_reads_24h": self.dashboards.total(),
            "reports_24h": self._reports.total(),
        }
        count, seconds = self._metrics.observed(Metric.SECONDS, QUERY_PATH)
        reports, ms = self._report_ms
        if count:
            found["average_query_ms"] = round(1000 * seconds / count, 3)
        if reports:
            found["average_report_ms"] = round(ms / reports, 3)
        return found

    def count_report(self, ms: int) -> None:
        """A report was made, in so many milliseconds."""
        made, total = self._report_ms
        self._reports.add()
        self._report_ms = made + 1, total + ms

    def brief(self) -> dict[str, Any]:
        """What anybody may know: that this process runs, and which version."""
        return {"live": True, "version": self._version}


async def _nobody_knows() -> None:
    return None


async def _attempt(ask: Callable[[], Awaitable[T]]) -> tuple[T | None, str]:
    """What it answers, or what is wrong."""
    try:
        return await ask(), ""
    except AnalyticsError as error:
        return None, str(error)


def _hindered(statuses: Sequence[Status]) -> str:
    """Live projections that do not get on, by reason."""
    reasons: dict[str, list[str]] = {}
    for status in statuses:
        if status["live"] and isinstance(status["failure"], dict):
            reasons.setdefault(status["failure"]["category"], []).append(str(status["name"]))
    return "; ".join(f"{reason}: {', '.join(names)}" for reason, names in sorted(reasons.items()))


def _component(name: str, problem: str, *, down: str = "down") -> dict[str, str]:
    return {"name": name, "status": down if problem else "ok", "detail": problem}
