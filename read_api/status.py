"""How far every projection has got: what the store keeps, beside the heads of the log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from domain.ports import EventLog
from domain.position import Position
from projections.engine.batch import ProjectionStatus
from projections.engine.registry import all_projections

Status = dict[str, object]


class ProjectionStatuses:
    """Answers with one entry a stored version; asked again within `max_age` seconds it answers the same.

    `stored` blocks and may be used by one thread at a time.
    """

    def __init__(
        self, log: EventLog, stored: Callable[[], Sequence[ProjectionStatus]], *, max_age: float = 0.25
    ) -> None:
        self._log = log
        self._stored = stored
        self._max_age = max_age
        self._asking = asyncio.Lock()
        self._known: list[Status] = []
        self._known_at = float("-inf")

    async def __call__(self) -> list[Status]:
        """Entries by name and version. Raises Unavailable when log or store does not answer."""
        async with self._asking:
            if time.monotonic() - self._known_at >= self._max_age:
                stored = await asyncio.to_thread(self._stored)
                self._known = report(stored, await self.head(), time.time())
                self._known_at = time.monotonic()
            return self._known

    async def head(self) -> Position:
        """Where the log ends now, in the topics that projections read."""
        topics = sorted({topic for projection in all_projections().values() for topic in projection.topics})
        heads = await asyncio.gather(*(self._log.heads(topic) for topic in topics))
        return Position({(t, p): offset for t, found in zip(topics, heads, strict=True) for p, offset in found.items()})


def report(stored: Sequence[ProjectionStatus], head: Position, now: float) -> list[Status]:
    """One entry for every stored projection version, and one for each declared projection that never ran."""
    seen = {status.name for status in stored}
    entries = [_entry(status, head, now) for status in stored]
    entries += [_waiting(name, p.version, p.topics, head) for name, p in all_projections().items() if name not in seen]
    return sorted(entries, key=lambda entry: (str(entry["name"]), entry["version"]))


def _entry(status: ProjectionStatus, head: Position, now: float) -> Status:
    projection = all_projections().get(status.name)
    topics = projection.topics if projection else {topic for topic, _ in status.offsets}
    lag = _missing(head.of_topics(topics), status.offsets)
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
    }


def _waiting(name: str, version: int, topics: frozenset[str], head: Position) -> Status:
    lag = _missing(head.of_topics(topics), {})
    return {
        "name": name,
        "version": version,
        "live": True,
        "state": "not started",
        "position": "",
        "lag_events": lag,
        "lag_seconds": 0.0,
        "rate": 0.0,
        "error": None,
    }


def _missing(head: Position, reached: Mapping[tuple[str, int], int]) -> int:
    return sum(max(0, offset - reached.get(partition, 0)) for partition, offset in head.offsets.items())
