"""What keeps a projection from getting on, judged from what the store knows of it and of the workers.

The reader of these heartbeats is another process than the one that writes them: a worker that hangs, and one that died,
show here all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from projections.engine.project.failure import Failure, Heartbeat
from projections.engine.store.port import ProjectionStatus

SILENT = 15.0  # seconds after which a worker counts as gone


def failure_of(
    status: ProjectionStatus, lagging: Iterable[str], beats: Sequence[Heartbeat], now: float, stuck_seconds: float
) -> Failure | None:
    """Why this version does not get on with the topics in which it lags; `now` in seconds since 1970 UTC."""
    if status.failure is not None or status.state != "running":
        return status.failure
    alive = [beat for beat in beats if beat.age < SILENT]
    for topic in sorted(lagging):
        found = _of_topic(topic, alive, beats, now, stuck_seconds)
        if found is not None:
            return found
    return None


def no_worker(beats: Sequence[Heartbeat]) -> str:
    """What is wrong with the workers as a whole; empty when one of them was heard of lately."""
    if any(beat.age < SILENT for beat in beats):
        return ""
    last = min(beats, key=lambda beat: beat.age, default=None)
    return f"{last.worker} was last heard of {last.age:.0f} s ago" if last else "no projector is running"


def _of_topic(
    topic: str, alive: Sequence[Heartbeat], beats: Sequence[Heartbeat], now: float, stuck_seconds: float
) -> Failure | None:
    if not alive:
        last = min(beats, key=lambda beat: beat.age, default=Heartbeat("", 0.0, {}))
        return Failure("no_worker", no_worker(beats), topic, last.worker, round(1000 * (now - last.age)))
    for beat in alive:
        known = beat.topics.get(topic)
        if known is None or not known.partitions:
            continue
        if known.waiting is not None:
            return known.waiting
        idle = known.idle + beat.age
        if idle > stuck_seconds:
            says = f"has not got on with {topic} for {idle:.0f} s although there is more"
            return Failure("stuck", f"{beat.worker} {says}", topic, beat.worker, round(1000 * (now - idle)))
    return None
