"""A lane: one topic's way from the log into the rows, for all projections that read it.

Order of work, one function a step: read → decide → fold → commit. While one batch is stored the next is folded and the
one after that is read. Projections that stand at the same offsets are folded from one decoded batch (a cohort); one
that is behind reads again what admission has already decided, until it stands where the others stand.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from domain.ports import Chunk, EventLog, LogReader
from projections.engine.admission import Admission, Facts, Records, readmit
from projections.engine.batch import Admitted, Commit, ProjectionStore
from projections.engine.declare import Projection
from projections.engine.fold import fold
from projections.engine.poison import PoisonGauge

Announce = Callable[[Commit], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Limits:
    """How a lane works: `batch` records at most in one step, `wait` seconds for new ones, `confirm` seconds between
    notes that nothing is missing, `poison` the share of bad events above which the lane stops.
    """

    batch: int = 100_000
    wait: float = 0.25
    confirm: float = 1.0
    poison: float = 0.2


@dataclass
class Cohort:
    """Projections that stand at the same offsets of some partitions; `live` ones stand where admission stands."""

    projections: list[Projection]
    offsets: dict[int, int]
    live: bool


class Lane:
    """Follows some partitions of one topic until it is told to stop or an error ends it."""

    def __init__(
        self,
        topic: str,
        partitions: Sequence[int],
        projections: Sequence[Projection],
        log: EventLog,
        store: ProjectionStore,
        limits: Limits,
        announce: Announce,
    ) -> None:
        self.topic = topic
        self._partitions = sorted(partitions)
        self._projections = list(projections)
        self._log = log
        self._store = store
        self._limits = limits
        self._gauge = PoisonGauge(limits.poison)
        self._stopping = asyncio.Event()
        self._confirmed = 0.0
        self._announce = announce

    def stop(self) -> None:
        """Finish the batch in hand, then return from `run`."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until stopped. Raises Fenced, Unavailable or Defect; whatever was not committed is simply read again."""
        with (
            ThreadPoolExecutor(1, f"store-{self.topic}") as storing,
            ThreadPoolExecutor(1, f"fold-{self.topic}") as folding,
        ):
            admission, cohorts = await asyncio.get_running_loop().run_in_executor(storing, self._load)
            reader = self._log.reader(self.topic)
            try:
                await self._catch_up(cohorts, reader, storing, folding)
                live = Cohort(self._projections, dict(cohorts[0].offsets), live=True)
                await self._follow(live, admission, reader, storing, folding)
            finally:
                await reader.close()

    def _load(self) -> tuple[Admission, list[Cohort]]:
        """Stored positions, as cohorts: first the live one (perhaps of no projection), then those behind it."""
        progress = self._store.progress(self.topic, self._partitions, self._projections)
        live = Cohort([], dict(progress.admission), live=True)
        behind: dict[tuple[tuple[int, int], ...], Cohort] = {}
        for projection in self._projections:
            offsets = dict(progress.projections[projection.name])
            if offsets == live.offsets:
                live.projections.append(projection)
            else:
                key = tuple(sorted(offsets.items()))
                behind.setdefault(key, Cohort([], offsets, live=False)).projections.append(projection)
        highest = self._store.highest(self.topic, self._partitions)
        return Admission(self.topic, self._store.known, highest), [live, *behind.values()]

    async def _catch_up(
        self, cohorts: list[Cohort], reader: LogReader, storing: ThreadPoolExecutor, folding: ThreadPoolExecutor
    ) -> None:
        """Bring every cohort that is behind to where admission stands."""
        loop = asyncio.get_running_loop()
        goal = cohorts[0].offsets
        for cohort in cohorts[1:]:
            while cohort.offsets != goal and not self._stopping.is_set():
                start = {p: o for p, o in cohort.offsets.items() if o < goal[p]}
                chunks = [
                    _until(c, goal[c.partition])
                    for c in await reader.read(start, max_records=self._limits.batch, wait=1)
                ]
                if not chunks:
                    continue
                ranges = {c.partition: (cohort.offsets[c.partition], c.next_offset) for c in chunks}
                aside = await loop.run_in_executor(storing, self._store.set_aside, self.topic, ranges)
                commit = await loop.run_in_executor(folding, self._refold, cohort, chunks, aside)
                await loop.run_in_executor(storing, self._store.commit, commit)
                cohort.offsets.update(commit.reached)
                await self._announce(commit)

    def _refold(self, cohort: Cohort, chunks: Sequence[Chunk], aside: set[tuple[int, int]]) -> Commit:
        return self._commit(cohort, chunks, readmit(self.topic, chunks, aside), None)

    async def _follow(
        self,
        cohort: Cohort,
        admission: Admission,
        reader: LogReader,
        storing: ThreadPoolExecutor,
        folding: ThreadPoolExecutor,
    ) -> None:
        """The live loop. While one batch is stored the next is read and folded; no more than that is under way."""
        loop = asyncio.get_running_loop()
        under_way: asyncio.Task[None] | None = None
        while not self._stopping.is_set():
            chunks = await reader.read(cohort.offsets, max_records=self._limits.batch, wait=self._limits.wait)
            if chunks:
                commit = await loop.run_in_executor(folding, self._fold, cohort, admission, chunks)
                cohort.offsets.update(commit.reached)
            if under_way is not None:
                await under_way
                under_way = None
            if chunks:
                under_way = asyncio.create_task(self._store_batch(storing, admission, commit))
            elif time.monotonic() - self._confirmed > self._limits.confirm:
                await loop.run_in_executor(storing, self._store.confirm, self.topic, dict(cohort.offsets), _now())
                self._confirmed = time.monotonic()
        if under_way is not None:
            await under_way

    async def _store_batch(self, storing: ThreadPoolExecutor, admission: Admission, commit: Commit) -> None:
        await asyncio.get_running_loop().run_in_executor(storing, self._store.commit, commit)
        if commit.admitted is not None:
            admission.stored(commit.admitted)
        await self._announce(commit)

    def _fold(self, cohort: Cohort, admission: Admission, chunks: Sequence[Chunk]) -> Commit:
        records = Records.of(chunks)
        facts, admitted = admission.decide(records)
        self._gauge.count(len(records.values), len(admitted.quarantined))
        return self._commit(cohort, chunks, facts, admitted)

    def _commit(self, cohort: Cohort, chunks: Sequence[Chunk], facts: Facts, admitted: Admitted | None) -> Commit:
        return Commit(
            topic=self.topic,
            expected={c.partition: cohort.offsets[c.partition] for c in chunks},
            reached={c.partition: c.next_offset for c in chunks},
            heads={c.partition: c.head for c in chunks},
            appended_at={c.partition: c.appended_at for c in chunks},
            events=sum(len(c.values) for c in chunks),
            now=_now(),
            folded=[fold(p, facts) for p in cohort.projections],
            admitted=admitted,
        )


def _now() -> int:
    return time.time_ns() // 1_000_000


def _until(chunk: Chunk, goal: int) -> Chunk:
    """The part of a chunk below an offset."""
    if chunk.next_offset <= goal:
        return chunk
    keep = bisect_left(chunk.offsets, goal)
    return replace(chunk, offsets=chunk.offsets[:keep], values=chunk.values[:keep], next_offset=goal)
