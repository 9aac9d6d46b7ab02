"""How the instance runs, as rows of the queries about it: out of what health, limits and evidence know already."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

from domain.access.limits import Use
from domain.access.rate_limits import Rates, TenantUse
from domain.errors import Unavailable
from domain.position import Position, TopicPartition
from domain.reports.run_store import RunFilter
from domain.reports.schedule_runs import Run
from eventlog.seals.chain import Seal
from eventlog.seals.checkpoints import Checkpoint
from projections.engine.query.formatting import show_time
from projections.engine.query.instance_query import of_instance
from projections.engine.query.request import Request
from projections.engine.rebuild_result import RebuildResult
from projections.queries.operations.instance import INTEGRITY, PARTITION, PIPELINE, PROJECTION, SCHEDULE_RUNS, TENANTS
from read_api.health.projection_status import ProjectionStatuses
from read_api.schedules.rows import run_row

Row = dict[str, Any]
HealthFigures = Callable[[], Awaitable[Mapping[str, Any]]]
AGE = 1.0  # seconds that what is known of the evidence counts: reading it goes through files
UNKNOWN = "unknown"  # why there is no figure: whoever has it says nothing
NOT_SEEN = "not_seen"  # of a tenant that asked this process nothing
UNLIMITED = "unlimited"
NOT_COMPARED = "not_compared"  # of a projection: nobody has rebuilt and verified it here


class Seals(Protocol):
    """The part of the seals that is read here."""

    async def last(self) -> Mapping[TopicPartition, Seal]:
        """The newest seal of every partition. Raises Unavailable."""
        ...

    async def problem(self) -> str:
        """What is wrong with the sealer; empty where nothing is. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class EvidenceSource:
    """Seals, the newest signed checkpoint, where the last verification without a finding ended, and how the last
    rebuild of each projection did. All but the seals read files.
    """

    seals: Seals
    checkpoint: Callable[[], Checkpoint | None]
    verified: Callable[[], Position]
    rebuilds: Callable[[], Mapping[str, RebuildResult]]


class _Evidence(NamedTuple):
    """What was found, and when (monotonic)."""

    sealed: Position
    problem: str
    checkpoint: Checkpoint | None
    verified: Position
    rebuilds: Mapping[str, RebuildResult]
    at: float


class InstanceStatus:
    """Answers the queries about the instance. `health` is set once there is somebody who knows it."""

    def __init__(self, statuses: ProjectionStatuses, rates: Rates, evidence: EvidenceSource) -> None:
        self.statuses = statuses
        self.rates = rates
        self._source = evidence
        self._latest: _Evidence | None = None
        self.health: HealthFigures = _nobody
        self.runs: Callable[[RunFilter], Awaitable[Sequence[Run]]] = _no_runs
        self._rows: Mapping[str, Callable[[Request], Awaitable[list[Row]]]] = {
            PIPELINE.name: self._pipeline,
            TENANTS.name: self._tenants,
            INTEGRITY.name: self._integrity,
            SCHEDULE_RUNS.name: self._schedule_runs,
        }

    async def rows(self, query: str, request: Request) -> Sequence[Mapping[str, Any]]:
        """The rows of that query. Raises Unavailable."""
        return await self._rows[query](request)

    async def _pipeline(self, request: Request) -> list[Row]:
        health = await self.health()
        live = [status for status in health.get("projections", ()) if status["live"]]
        if request.get("by") == PROJECTION:
            return [_projection(status, self.statuses.looked_at) for status in live]
        if request.get("by") == PARTITION:
            return self._partitions(live)
        return [_whole(health, live, self.statuses)]

    def _partitions(self, live: Sequence[Mapping[str, Any]]) -> list[Row]:
        """Of each partition how far the projection that is furthest behind has yet to go, and how many are behind."""
        lags: dict[TopicPartition, list[int]] = {at: [] for at in self.statuses.heads.offsets}
        for status in live:
            for at, (start, stop) in self.statuses.backlogs.get((status["name"], status["version"]), {}).items():
                lags.setdefault(at, []).append(stop - start)
        return [
            {"topic": topic, "partition": number, "behind": len(each), "lag_events": max(each, default=0)}
            for (topic, number), each in sorted(lags.items())
        ]

    async def _tenants(self, request: Request) -> list[Row]:
        uses = {use.company: use for use in self.rates.uses(time.monotonic())}
        wanted = sorted({request.company, *(uses if of_instance(request) else ())})
        return [_tenant(company, uses.get(company)) for company in wanted]

    async def _integrity(self, request: Request) -> list[Row]:
        live = [status for status in await self.statuses() if status["live"]]
        heads, found = self.statuses.heads, await self._evidence()
        if request.get("by") == PROJECTION:
            return [_rebuild_row(str(status["name"]), status["version"], found.rebuilds) for status in live]
        if request.get("by") == PARTITION:
            return [
                {"topic": at[0], "partition": at[1], **_offsets(Position({at: end}), found)}
                for at, end in sorted(heads.offsets.items())
            ]
        signed = found.checkpoint
        row: Row = {"sealer": found.problem or "ok", "signed_at": signed and _moment(signed.at / 1000)}
        row |= {"checkpoint": signed and signed.number, **_offsets(heads, found)}
        rebuilt = [_rebuild_row(str(status["name"]), status["version"], found.rebuilds) for status in live]
        row |= {"projections": len(rebuilt), "rebuilt_equal": sum(each["equal"] is True for each in rebuilt)}
        row |= {"rebuilt_different": sum(each["equal"] is False for each in rebuilt)}
        return [row if signed else row | {"reasons": dict.fromkeys(("signed_at", "checkpoint"), "no_checkpoint")}]

    async def _schedule_runs(self, request: Request) -> list[Row]:
        given = {name: request.get(name) for name in ("schedule_id", "state", "limit") if request.get(name) is not None}
        before = request.get("before")
        end = {} if before is None else {"before": round(before.timestamp() * 1000)}
        return [run_row(run) for run in await self.runs(RunFilter(request.company, **given, **end))]

    async def accuracy(self) -> float | None:
        """Share of the projections that were compared with a rebuild whose live rows were the same; None of none.

        Raises Unavailable.
        """
        results = (await self._evidence()).rebuilds.values()
        return sum(each.equal for each in results) / len(results) if results else None

    async def _evidence(self) -> _Evidence:
        if self._latest is None or time.monotonic() - self._latest.at >= AGE:
            last, problem = await self._source.seals.last(), await self._source.seals.problem()
            sealed = Position({at: seal.header.next_offset for at, seal in last.items()})
            source = self._source
            files = await asyncio.to_thread(lambda: (source.checkpoint(), source.verified(), source.rebuilds()))
            self._latest = _Evidence(sealed, problem, *files, time.monotonic())
        return self._latest


async def _nobody() -> Mapping[str, Any]:
    raise Unavailable("this process does not know how the instance is")


async def _no_runs(_criteria: RunFilter) -> Sequence[Run]:
    raise Unavailable("this process does not know the runs of schedules")


def _whole(health: Mapping[str, Any], live: Sequence[Mapping[str, Any]], statuses: ProjectionStatuses) -> Row:
    """The pipeline as one row."""
    wrong = [component["name"] for component in health["components"] if component["status"] != "ok"]
    lag = max((status["lag_seconds"] for status in live), default=None)
    row = {
        "state": ", ".join(wrong) or "ok",
        "watermark": None if lag is None else _moment(statuses.looked_at - lag),
        "lag_seconds": lag,
        "arriving_per_second": statuses.arriving,
        "folded_per_second": sum(status["rate"] for status in live) if live else None,
        "lag_events": max((status["lag_events"] for status in live), default=None),
        "late": health.get("live_lane", {}).get("late"),
        **{name: health.get(name) for name in ("events", "duplicates", "refused", "quarantined")},
    }
    missing = {name: UNKNOWN for name, value in row.items() if value is None}
    return row | ({"reasons": missing} if missing else {})


def _projection(status: Mapping[str, Any], looked_at: float) -> Row:
    failure = status["failure"]
    return {
        "projection": status["name"],
        "version": status["version"],
        "state": failure["category"] if failure else status["state"],
        "watermark": _moment(looked_at - status["lag_seconds"]),
        "lag_seconds": status["lag_seconds"],
        "lag_events": status["lag_events"],
        "folded_per_second": status["rate"],
    }


def _tenant(company: str, use: TenantUse | None) -> Row:
    """What a tenant may ask for, and has open; nothing of it is known of one that was not seen."""
    if use is None:
        nothing = ("tier", *(f"{each}_per_second" for each in Use), *_OPEN)
        return {"company": company, **dict.fromkeys(nothing), "reasons": dict.fromkeys(nothing, NOT_SEEN)}
    row: Row = {"company": company, "tier": use.tier}
    row |= {f"{each}_per_second": use.limits and use.limits.rates[each].per_second for each in Use}
    opened = (use.questions, use.limits and use.limits.at_once, use.feeds, use.limits and use.limits.feeds)
    row |= dict(zip(_OPEN, (*opened, use.connections, round(use.reads, 3)), strict=True))
    return row if use.limits else row | {"reasons": {name: UNLIMITED for name, value in row.items() if value is None}}


_OPEN = ("questions", "most_questions", "feeds", "most_feeds", "connections", "asked_per_second")


def _rebuild_row(name: str, version: object, rebuilds: Mapping[str, RebuildResult]) -> Row:
    """Whether the live rows of a projection are those that a rebuild gives, as far as anybody has compared them."""
    found = rebuilds.get(name)
    if found is None:
        nothing = ("equal", "compared_at", "position", "of_version")
        row: Row = {"projection": name, "version": version, **dict.fromkeys(nothing)}
        return row | {"reasons": dict.fromkeys(nothing, NOT_COMPARED)}
    told = {"equal": found.equal, "compared_at": _moment(found.at), "position": found.position}
    return {"projection": name, "version": version, **told, "of_version": found.version}


def _offsets(heads: Position, found: _Evidence) -> Row:
    """How many events there are, and how many of them are sealed and verified."""
    events = sum(heads.offsets.values())
    sealed, verified = (
        sum(min(to[at], end) for at, end in heads.offsets.items()) for to in (found.sealed, found.verified)
    )
    row = {"events": events, "sealed": sealed, "verified": verified}
    return row | {"not_sealed": events - sealed, "not_verified": events - verified}


def _moment(seconds: float) -> str:
    return show_time(datetime.fromtimestamp(round(seconds, 3), UTC))
