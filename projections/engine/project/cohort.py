"""A cohort: projections that stand at the same offsets of some partitions, and so are folded from one decoded batch."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from domain.ports import Chunk
from eventlog.intake.event_tokens import EventTokens
from projections.engine.declare.projection import Projection
from projections.engine.fold.additive import fold, without
from projections.engine.fold.admission import Facts
from projections.engine.store.port import Admitted, Aside, Commit, Offsets

SMALL = 0.03  # of the largest batch: below this, what a batch costs anyway is most of it
NOTHING = Aside(frozenset(), {})
Announce = Callable[[Commit], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Limits:
    """How a lane works: `batch` records at most in one step, `wait` seconds for new ones while one is stored, `pace`
    seconds at least from one small batch to the next, `confirm` seconds between notes that nothing is missing, `poison`
    the share of bad events above which the lane stops, `tokens` who judges the tokens on events (None: nobody does).
    """

    batch: int = 100_000
    wait: float = 0.25
    pace: float = 0.05
    confirm: float = 1.0
    poison: float = 0.2
    tokens: EventTokens | None = None

    def rest(self, commit: Commit, worked: float) -> float:
        """Seconds to wait after a batch that took so long.

        A batch costs some milliseconds however few its events are. So that lanes with few events leave the processors
        to those with many, a small batch after which nothing is left to read is followed by twice its time.
        """
        if commit.events >= self.batch * SMALL or commit.left:
            return 0.0
        return min(self.wait, max(self.pace - worked, 2 * worked))


@dataclass
class Cohort:
    """Projections and the offsets that they stand at."""

    projections: list[Projection]
    offsets: dict[int, int]

    def behind(self, goal: Offsets) -> int:
        """How many offsets lie between here and the goal."""
        return sum(max(0, offset - self.offsets.get(partition, 0)) for partition, offset in goal.items())

    def commit(
        self, topic: str, chunks: Sequence[Chunk], facts: Facts, admitted: Admitted | None, aside: Aside = NOTHING
    ) -> Commit:
        """Fold the facts of these chunks for every projection of the cohort: one transaction's worth."""
        return Commit(
            topic=topic,
            expected={c.partition: self.offsets[c.partition] for c in chunks},
            chunks=chunks,
            events=sum(len(c.values) for c in chunks),
            size=sum(int(f.estimated_size()) for f in facts.values()),
            now=now_ms(),
            folded=[fold(p, without(facts, aside.of(p))) for p in self.projections],
            admitted=admitted,
        )


def cohorts(projections: Iterable[Projection], offsets: Mapping[tuple[str, int], Offsets]) -> list[Cohort]:
    """The projections by where they stand."""
    by_position: dict[tuple[tuple[int, int], ...], Cohort] = {}
    for projection in projections:
        own = dict(offsets[projection.name, projection.version])
        by_position.setdefault(tuple(sorted(own.items())), Cohort([], own)).projections.append(projection)
    return list(by_position.values())


def now_ms() -> int:
    """The wall clock, ms since 1970 UTC: for freshness alone, never for a fold."""
    return time.time_ns() // 1_000_000


class Threads:
    """One thread that folds and one that stores, so that neither blocks the event loop or the other."""

    def __init__(self, name: str) -> None:
        self.storing = ThreadPoolExecutor(1, f"store-{name}")
        self.folding = ThreadPoolExecutor(1, f"fold-{name}")

    def shutdown(self) -> None:
        """Wait for what is under way (blocking)."""
        self.storing.shutdown()
        self.folding.shutdown()
