"""How far every projection has got: what the store keeps, beside the heads of the log."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Protocol

from domain.access.rights import EVERY_COMPANY, Principal, Right, may
from domain.errors import Unavailable
from domain.ports import EventLog
from domain.position import Position, TopicPartition
from eventlog.shared_call import SharedCall
from projections.engine.declare.registry import all_projections
from projections.engine.project.backlog import Span, behind
from projections.engine.project.failure import Failure, Heartbeat
from projections.engine.store.port import ProjectionStatus
from read_api.health.stall_diagnosis import failure_of

Status = dict[str, object]
ABOUT_NOBODY = frozenset({"category", "topic", "since"})  # what of a failure tells nothing of a tenant

ARRIVING_OVER = 60.0  # seconds at most over which the rate of what arrives is taken
OF_ALL = frozenset(
    {
        "events", "duplicates", "refused", "quarantined", "processing_success_rate",
        "queries_24h", "average_query_ms", "live_connections", "live_lane", "cache_hit_rates",
        "dashboard_reads_24h", "reports_24h", "average_report_ms",
    }
)  # figures of all companies together: beside one's own they tell how much the others do  # fmt: skip


class StatusStore(Protocol):
    """The part of the projection store that tells how projections and workers are. Blocking."""

    def statuses(self) -> Sequence[ProjectionStatus]:
        """The stored state of every projection version that is in use."""
        ...

    def heartbeats(self) -> Sequence[Heartbeat]:
        """Workers that were heard of lately."""
        ...


class ProjectionStatuses:
    """Answers with one entry a stored version; asked again within `max_age` seconds it answers the same.

    A worker that has not got on for `stuck_seconds` although there is more to fold counts as stuck. The store blocks
    and may be used by one thread at a time.
    """

    def __init__(
        self,
        log: EventLog,
        store: StatusStore,
        stuck_seconds: float = math.inf,
        *,
        max_age: float = 0.25,
        patience: float = math.inf,
    ) -> None:
        self._log = log
        self._store = store
        self._stuck = stuck_seconds
        self._max_age = max_age
        self._refresh = SharedCall(self._look, "the store of the projections, or the log,", patience)
        self._last_report: list[Status] = []
        self._beats: Sequence[Heartbeat] = ()
        self._known_at = float("-inf")
        self._totals: deque[tuple[float, int]] = deque(maxlen=int(ARRIVING_OVER / 0.25))  # monotonic, events in the log
        self.looked_at = 0.0  # seconds since 1970 UTC
        self.heads = Position()  # of the log, as of the last look
        self.backlogs: Mapping[tuple[str, int], Mapping[TopicPartition, Span]] = {}  # likewise, by name and version

    async def __call__(self) -> list[Status]:
        """Entries by name and version. Raises Unavailable when log or store does not answer, within `patience`."""
        if time.monotonic() - self._known_at >= self._max_age:
            await self._refresh()
        return self._last_report

    async def latest(self) -> tuple[list[Status], str]:
        """Entries, and what keeps them from being those of now: then each says so, and since when it is not known.

        Raises Unavailable where nothing was ever known.
        """
        try:
            return await self(), ""
        except Unavailable as error:
            if not self._last_report:
                raise
            since = round(1000 * (time.time() - time.monotonic() + self._known_at))
            silent = _failure_members(Failure(error.code, str(error), "", "", since))
            return [entry | {"error": str(error), "failure": silent} for entry in self._last_report], str(error)

    async def _look(self) -> None:
        stored, beats = await asyncio.to_thread(lambda: (self._store.statuses(), self._store.heartbeats()))
        self.heads = await self.head()
        self.backlogs = {(status.name, status.version): behind(status, self.heads) for status in stored}
        self.looked_at = time.time()
        self._last_report = report(stored, self.heads, self.looked_at, beats, self._stuck)
        self._beats, self._known_at = beats, time.monotonic()
        self._totals.append((self._known_at, sum(self.heads.offsets.values())))

    @property
    def arriving(self) -> float | None:
        """Events a second that the log took between the looks of the last minute; None where there was but one."""
        if not self._totals:
            return None
        now, total = self._totals[-1]
        while now - self._totals[0][0] > ARRIVING_OVER:
            self._totals.popleft()
        begin, before = self._totals[0]
        return round(max(0, total - before) / (now - begin), 1) if now > begin else None

    async def complete_to(self, names: Collection[str]) -> int:
        """Up to when (ms) these projections have folded all that the log had taken by then; 0 where that is not known.

        Raises Unavailable.
        """
        entries = {str(entry["name"]): entry for entry in await self() if entry["live"]}
        behind = [_behind(entries.get(name)) for name in names]
        return max(0, round(1000 * (self.looked_at - max(behind, default=0.0))) if math.inf not in behind else 0)

    async def workers(self) -> Sequence[Heartbeat]:
        """Workers that were heard of lately. Raises Unavailable."""
        await self()
        return self._beats

    async def head(self) -> Position:
        """Where the log ends now, in the topics that projections read. Raises Unavailable."""
        topics = sorted({topic for projection in all_projections().values() for topic in projection.topics})
        heads = await asyncio.gather(*(self._log.heads(topic) for topic in topics))
        return Position({(t, p): offset for t, found in zip(topics, heads, strict=True) for p, offset in found.items()})


def _behind(entry: Status | None) -> float:
    """Seconds that a projection is behind; without end where nobody has ever seen it at the end of the log."""
    if entry is None or (entry["lag_events"] and not entry["lag_seconds"]):
        return math.inf
    return float(str(entry["lag_seconds"]))


def visible_to(principal: Principal, statuses: Sequence[Status]) -> list[Status]:
    """The entries as somebody may see them: at whose event a projection failed is for those who mend it."""
    if may(principal, Right.PROJECTIONS):
        return list(statuses)
    return [{**entry, **_without_tenants(entry)} for entry in statuses]


def health_seen_by(principal: Principal, health: Mapping[str, Any]) -> dict[str, Any]:
    """The figures as somebody may see them: totals of the whole instance are for those who see every company."""
    seen = dict(health)
    if "projections" in health:
        seen["projections"] = visible_to(principal, health["projections"])
    if EVERY_COMPANY in principal.companies:
        return seen
    return {name: figure for name, figure in seen.items() if name not in OF_ALL}


def standing(statuses: Sequence[Status]) -> Iterator[tuple[str, str, str, float]]:
    """Live projections that do not get on: name, category, position of the event, since when (s since 1970 UTC)."""
    for entry in statuses:
        failure = entry["failure"]
        if entry["live"] and isinstance(failure, dict):
            since = datetime.fromisoformat(failure["since"]).timestamp()
            yield str(entry["name"]), failure["category"], failure["position"], since


def _without_tenants(entry: Status) -> Status:
    failure = entry.get("failure")
    if not isinstance(failure, dict):
        return {"failure": None, "error": entry.get("error") and "failed"}
    shown = {name: text if name in ABOUT_NOBODY else "" for name, text in failure.items()}
    return {"failure": shown, "error": failure["category"]}


def report(
    stored: Sequence[ProjectionStatus],
    head: Position,
    now: float,
    beats: Sequence[Heartbeat] = (),
    stuck_seconds: float = math.inf,
) -> list[Status]:
    """One entry for every stored projection version, and one for each declared projection that never ran."""
    seen = {status.name for status in stored}
    never = [
        ProjectionStatus(p.name, p.version, "not started", {}, 0, 0, 0.0, None)
        for p in all_projections().values()
        if p.name not in seen
    ]
    entries = [_entry(status, head, now, beats, stuck_seconds) for status in (*stored, *never)]
    return sorted(entries, key=lambda entry: (str(entry["name"]), entry["version"]))


def _entry(
    status: ProjectionStatus, head: Position, now: float, beats: Sequence[Heartbeat], stuck_seconds: float
) -> Status:
    missing = behind(status, head)
    lag = sum(stop - start for start, stop in missing.values())
    failure = failure_of(status, {topic for topic, _ in missing}, beats, now, stuck_seconds)
    return {
        "name": status.name,
        "version": status.version,
        "live": status.live,
        "state": status.state,
        "position": str(Position(status.offsets)),
        "lag_events": lag,
        "lag_seconds": round(max(0.0, now - status.confirmed_at / 1000), 3) if lag and status.confirmed_at else 0.0,
        "rate": round(status.rate, 1),
        "error": status.error,
        "failure": None if failure is None else _failure_members(failure),
    }


def _failure_members(failure: Failure) -> dict[str, str]:
    members = {name: str(value) for name, value in asdict(failure).items()}
    return members | {"since": datetime.fromtimestamp(failure.since / 1000, UTC).isoformat(timespec="milliseconds")}
