"""Rebuild: a projection made anew beside the one that readers see, from the log and admission's recorded decisions.

Order of work: plan → begin → workers fold shares of the log → finish. A share is a range of offsets of one partition. A
worker takes one after the other, folds them in memory and stores what it got now and then, together with how far it is:
whatever is killed, the next run goes on from there. Nothing with side effects runs here: no announcement, no admission.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import polars as pl

from domain.ports import Chunk, EventLog
from domain.position import Position, TopicPartition
from eventlog.columns import fault
from eventlog.read import Reading
from projections.engine.declare.projection import AdditiveFold, Projection
from projections.engine.declare.rows import Table
from projections.engine.fold.additive import changes, fold, looked_at
from projections.engine.fold.admission import Facts, readmit
from projections.engine.fold.deltas import deltas, merge_deltas
from projections.engine.store import port
from projections.engine.store.port import Aside, Changes, Checksum, FoldFailed

SHARES = 16  # at least this many for each worker, so that all have something to do until the end
SMALLEST = 20_000  # records: below this a share is not worth its round trips
BATCH = 100_000  # records read and folded at once, at most
MERGE = 250_000  # delta rows of a table, or as many as it had after the last time, that are merged into one a key
FLUSH = 1_000_000  # rows and facts held in memory before they are stored: rows of the same key become one until then
OFTEN = 10.0  # seconds after which they are stored anyway, so that progress is seen and little is lost


@dataclass(frozen=True, slots=True)
class LogRange:
    """Offsets [`next_offset`, `stop`) of one partition that are still to be folded; it began at `start`."""

    number: int
    topic: str
    partition: int
    start: int
    next_offset: int
    stop: int


@dataclass(frozen=True, slots=True)
class Folded:
    """What a worker has folded since it last stored: its shares and how far each is, and what they come to."""

    reached: Sequence[tuple[LogRange, int]]
    changes: Changes


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored version as the registry has it; `reason` is why readers were switched to it."""

    version: int
    definition: int
    fingerprint: str
    state: str
    live: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that differs: its key, and the columns that do in the old and in the new version (None: no such row)."""

    table: str
    key: Mapping[str, object]
    old: Mapping[str, object] | None
    new: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions at the same position: their checksums and the first rows of each table that differ."""

    old: Checksum
    new: Checksum
    differences: Sequence[Difference]

    @property
    def equal(self) -> bool:
        """Whether both are the same, bit for bit."""
        return self.old.checksum == self.new.checksum


class BuildStore(Protocol):
    """Where a version that is being built lies. Blocking; raises Unavailable when the store does not answer."""

    def claim(self) -> LogRange | None:
        """Another share that is not finished and that nobody works on; it is ours until it is stored to its end."""
        ...

    def set_aside(self, topic: str, ranges: Mapping[int, tuple[int, int]]) -> Aside:
        """What is not folded of these ranges (from inclusive, to exclusive)."""
        ...

    def save(self, folded: Folded) -> None:
        """Rows and progress in one transaction. Raises Fenced when a share has moved meanwhile, FoldFailed."""
        ...

    def save_narrowed(self, share: LogRange, chunk: Chunk, folded: port.Folded) -> None:
        """The same for one batch, but the events that are refused, which are set aside."""
        ...


def cut(starts: Position, goal: Position, workers: int, smallest: int = SMALLEST) -> list[LogRange]:
    """The log between two positions in shares: several for each worker, also where there is one partition alone."""
    total = sum(max(0, stop - starts[place]) for place, stop in goal.offsets.items())
    size = max(smallest, -(-total // (SHARES * workers)))
    ranges: list[LogRange] = []
    for (topic, partition), stop in sorted(goal.offsets.items()):
        for start in range(starts[topic, partition], stop, size):
            ranges.append(LogRange(len(ranges), topic, partition, start, start, min(start + size, stop)))
    return ranges


@dataclass
class Folding:
    """What one worker holds in memory of a share: delta rows by table, and facts of ordered folds and of ledgers."""

    projection: Projection
    deltas: dict[Table, list[pl.DataFrame]] = field(default_factory=dict)
    facts: dict[str, list[pl.DataFrame]] = field(default_factory=dict)

    @property
    def held(self) -> int:
        """Rows and facts in memory."""
        return sum(frame.height for frames in (*self.deltas.values(), *self.facts.values()) for frame in frames)

    def add(self, facts: Facts) -> None:
        """Fold a batch. Raises FoldFailed."""
        try:
            for table, delta in deltas(self._at_once, facts):
                self._hold(table, delta)
        except BaseException as error:  # a fold is code of a projection
            raise FoldFailed(self.projection, fault(error)) from error
        for name in self._later & facts.keys():
            self.facts.setdefault(name, []).append(facts[name])

    @property
    def _at_once(self) -> tuple[AdditiveFold, ...]:
        """The folds of facts that are never reported again."""
        again = {fold for ledger in self.projection.ledgers for fold in (*ledger.folds, *ledger.counting)}
        return tuple(fold for fold in self.projection.additive if fold not in again)

    @property
    def _later(self) -> frozenset[str]:
        """Types of which the facts themselves are held."""
        reported = [fold.reads for ledger in self.projection.ledgers for fold in ledger.folds]
        return frozenset(e.name for e in (*reported, *(e for f in self.projection.ordered for e in f.reads)))

    def _hold(self, table: Table, delta: pl.DataFrame) -> None:
        frames = self.deltas.setdefault(table, [])
        frames.append(delta)
        if sum(frame.height for frame in frames[1:]) > max(MERGE, frames[0].height):
            self.deltas[table] = [merge_deltas(table, frames)]

    def changes(self) -> Changes:
        """What it all comes to: rows of every table, one a key, and the rest. Raises FoldFailed."""
        facts = {name: pl.concat(frames) for name, frames in self.facts.items()}
        try:
            return changes(self.projection, facts, self.deltas)
        except BaseException as error:  # a fold is code of a projection
            raise FoldFailed(self.projection, fault(error)) from error


class Worker:
    """Folds shares of the log into a version that is being built, and stores what it has now and then."""

    def __init__(self, projection: Projection, log: EventLog, store: BuildStore, going: Callable[[], bool]) -> None:
        self._projection, self._log, self._store, self._going = projection, log, store, going
        self._reads = looked_at([projection], "event_id")  # which is told of an event that is refused
        self._begin()

    def _begin(self) -> None:
        self._folding = Folding(self._projection)
        self._reached: dict[int, tuple[LogRange, int]] = {}
        self._began = time.monotonic()

    async def run(self) -> None:
        """One share after the other, until none is left or `going` says no more."""
        while self._going() and (share := self._store.claim()) is not None:
            await self._fold(share)
        if self._going() and self._reached:
            try:
                self._save()
            except FoldFailed:
                await self._narrow()

    async def _narrow(self, *begun: LogRange) -> None:
        """Fold again, batch by batch, what was not stored, so that what is refused is traced to its events."""
        shares = {s.number: s for s in (*begun, *(share for share, _ in self._reached.values()))}
        self._begin()
        for share in shares.values():
            async for chunk, facts in self._facts(share):
                self._store.save_narrowed(share, chunk, fold(self._projection, facts))
                share = replace(share, next_offset=chunk.next_offset)

    async def _fold(self, share: LogRange) -> None:
        try:
            async for chunk, facts in self._facts(share):
                self._folding.add(facts)
                self._reached[share.number] = share, chunk.next_offset
                if self._folding.held >= FLUSH or time.monotonic() - self._began >= OFTEN:
                    self._save()
                    share = replace(share, next_offset=chunk.next_offset)
        except FoldFailed:
            await self._narrow(share)  # from where it was stored last

    async def _facts(self, share: LogRange) -> AsyncGenerator[tuple[Chunk, Facts]]:
        """The share's records and their facts, batch by batch, to its end or until `going` says no more."""
        offset = share.next_offset
        async with Reading(self._log, share.topic, {share.partition: [(offset, share.stop)]}) as reading:
            while reading.left and self._going():
                for chunk in await reading.read(BATCH):
                    aside = self._store.set_aside(share.topic, {share.partition: (offset, chunk.next_offset)})
                    out = aside.everywhere | aside.of(self._projection)
                    yield chunk, readmit(share.topic, [chunk], out, self._reads)
                    offset = chunk.next_offset

    def _save(self) -> None:
        reached = list(self._reached.values())
        self._store.save(Folded(reached, self._folding.changes()))
        self._begin()


async def work(projection: Projection, log: EventLog, store: BuildStore, going: Callable[[], bool]) -> None:
    """Fold one share after the other until none is left, or `going` says no more.

    Raises FoldFailed, Fenced, Unavailable; what was not stored is simply folded again.
    """
    await Worker(projection, log, store, going).run()


def goal_of(projection: Projection, admitted: Mapping[TopicPartition, int]) -> Position:
    """What a rebuild reads: all that admission has decided of the projection's topics."""
    return Position(admitted).of_topics(projection.topics)
