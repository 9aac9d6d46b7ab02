"""History: the facts of one company that a past state was made of, read again from the log.

What counted then counts now: admission's recorded decisions are applied, nothing is decided anew. Of the records read,
those that cannot be the company's are dropped before anything is decoded; blocks that the index rules out are not read.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import polars as pl

from domain.errors import Conflict, LimitExceeded, NotYet
from domain.events.catalogue import BATCHES, BY_NAME, STREAMS
from domain.events.record_runs import RunRecords
from domain.ports import Chunk, EventLog
from domain.position import Position, TopicPartition
from eventlog.read import Reading
from eventlog.search.criteria import NEVER, Criteria, EventIndex, Scanned
from projections.engine.declare.projection import Projection
from projections.engine.fold.additive import looked_at
from projections.engine.fold.admission import Facts, readmit, taken_times
from projections.engine.query.request import Past
from projections.engine.store.port import Aside

READ = 200_000  # records of one read, at most
FOLD = 100_000  # records of the company that are decoded together, about

Ranges = dict[int, list[tuple[int, int]]]  # by partition: what is to be read, ascending
LogPlace = tuple[str, int, int]  # topic, partition, offset


class Stretch(NamedTuple):
    """Records of a topic that may be a company's, and the facts that are."""

    topic: str
    chunks: Sequence[Chunk]
    facts: Facts


class Decisions(Protocol):
    """Admission's decisions, as they are recorded. Blocking; raises Unavailable."""

    def admitted(self) -> Mapping[TopicPartition, int]:
        """What admission has decided: next offset by topic and partition."""
        ...

    def set_aside(self, topic: str, ranges: Mapping[int, tuple[int, int]]) -> Aside:
        """What is not folded of these ranges (from inclusive, to exclusive)."""
        ...


@dataclass(frozen=True, slots=True)
class DecisionsAndRefusals:
    """Recorded decisions, and the events that one projection refused when its past was made."""

    recorded: Decisions
    projection: Projection
    refused: frozenset[LogPlace]

    def admitted(self) -> Mapping[TopicPartition, int]:
        """As recorded."""
        return self.recorded.admitted()

    def set_aside(self, topic: str, ranges: Mapping[int, tuple[int, int]]) -> Aside:
        """What was recorded, and of this projection what it refused."""
        aside, declared = self.recorded.set_aside(topic, ranges), self.projection
        own = frozenset((partition, offset) for name, partition, offset in self.refused if name == topic)
        refused = {(declared.name, declared.definition_version): aside.of(declared) | own}
        return aside._replace(refused={**aside.refused, **refused})


@dataclass
class History:
    """Reads the history of companies. At most `most` records are read for one question."""

    log: EventLog
    decisions: Decisions
    most: int
    index: EventIndex | None = None

    def goal(self, projection: Projection, past: Past) -> Position:
        """The position that a past state stands for. Raises NotYet where the log has not been decided so far."""
        admitted = Position(self.decisions.admitted()).of_topics(projection.topics)
        if past.position is None:
            return admitted
        position = past.position.of_topics(projection.topics)
        if not admitted.reaches(position):
            raise NotYet(f"{projection.name} can be told up to {admitted or 'the beginning'}, not at {position}")
        return position

    async def log_time(self, past: Past) -> int:
        """When the log took the last record before the position of a past state (ms).

        Raises NotYet for a position beyond the end of the log, Conflict where it has none of these records any more.
        """
        return NEVER if past.position is None else await self._append_time(past.position)

    async def _append_time(self, position: Position) -> int:
        appended = [
            await self._append_time_of(
                topic, {p: stop for (t, p), stop in position.offsets.items() if t == topic and stop}
            )
            for topic in sorted({topic for topic, _ in position.offsets}.intersection(STREAMS))
        ]
        moments_of_all = [moment for moments in appended for moment in moments]
        if any(position.of_topics(frozenset(STREAMS)).offsets.values()) and not moments_of_all:
            raise Conflict(f"the log has lost what lies before {position} to retention", code="position_expired")
        return max(moments_of_all, default=0)

    async def _append_time_of(self, topic: str, stops: Mapping[int, int]) -> list[int]:
        """When the last record before each of these offsets was taken, of those that the log still has; ms."""
        starts, heads, reader = await self.log.starts(topic), await self.log.heads(topic), self.log.reader(topic)
        if beyond := [p for p, stop in stops.items() if stop > heads.get(p, 0)]:
            raise NotYet(f"position {topic}:{beyond[0]}={stops[beyond[0]]} lies beyond the end of the log")
        retained = [{p: stop - 1} for p, stop in stops.items() if stop > starts.get(p, 0)]
        try:
            read = [await reader.read(start, max_records=1, wait=1) for start in retained]
        finally:
            await reader.close()
        return [chunk.appended_at for chunks in read for chunk in chunks]

    async def read(
        self, projection: Projection, company: str, past: Past, start: Position, goal: Position, scanned: Scanned
    ) -> AsyncGenerator[Stretch]:
        """What the projection folds between two positions.

        Raises LimitExceeded before anything is read, Conflict where the log no longer has all of it.
        """
        plan = {t: await self._ranges(t, projection, company, past, start, goal, scanned) for t in projection.topics}
        records = sum(stop - first for topic in plan.values() for parts in topic.values() for first, stop in parts)
        if records > self.most:
            raise LimitExceeded(
                f"telling this past state would read {records:,} records, and {self.most:,} are allowed",
                code="too_much_history",
                suggested_actions=(
                    "Ask for a state after a snapshot (projections snapshot), or raise ANALYTICS_PAST_RECORDS.",
                ),
            )
        reads = looked_at([projection], "event_id", "user_id")  # by which explanations name events
        for topic, ranges in plan.items():
            async for chunks in self._own(topic, ranges, company, past.log_time, scanned):
                spans = {c.partition: (c.offsets[0], c.offsets[-1] + 1) for c in chunks if c.offsets}
                aside = self.decisions.set_aside(topic, spans)
                facts = readmit(topic, chunks, aside.everywhere | aside.of(projection), reads)
                own = _of_company(facts, company, past.time)
                if own:
                    yield Stretch(topic, chunks, own)

    async def _ranges(
        self,
        topic: str,
        projection: Projection,
        company: str,
        past: Past,
        start: Position,
        goal: Position,
        scanned: Scanned,
    ) -> Ranges:
        ranges = {p: (start[t, p], stop) for (t, p), stop in goal.offsets.items() if t == topic and stop > start[t, p]}
        retained = await self.log.starts(topic)
        if lost := [p for p, (first, _) in ranges.items() if first < retained.get(p, 0)]:
            raise Conflict(
                f"the log has lost the beginning of {topic}:{lost[0]} to retention, and no snapshot replaces it",
                code="position_expired",
            )
        if not ranges:
            return {}
        if self.index is None:
            return {p: [span] for p, span in ranges.items()}
        types = frozenset(name for name in _types(projection) if _stream(name) == topic)
        skips = await self.index.skips(topic, ranges, Criteria(company, message_types=types, to_time=past.time))
        scanned.blocks += sum(s.blocks for s in skips.values())
        scanned.blocks_skipped += sum(s.skipped for s in skips.values())
        return {p: list(_between(*span, skips[p].ranges if p in skips else ())) for p, span in ranges.items()}

    async def _own(
        self, topic: str, ranges: Ranges, company: str, log_time: int, scanned: Scanned
    ) -> AsyncGenerator[list[Chunk]]:
        """Records that may be the company's and were taken by then, some ten thousand at a time, in order within each
        partition.
        """
        needle = company.encode()
        own_chunks: list[Chunk] = []
        async with Reading(self.log, topic, ranges) as reading:
            while reading.left:
                for chunk in await reading.read(READ):
                    own = _only(chunk, needle, log_time)
                    scanned.records += len(own.values)
                    own_chunks.append(own)
                if sum(len(c.values) for c in own_chunks) >= FOLD:
                    yield _joined(own_chunks)
                    own_chunks = []
        yield _joined(own_chunks)


def _only(chunk: Chunk, needle: bytes, log_time: int) -> Chunk:
    """The records that hold these bytes, as every one of the company does, and were taken by then."""
    times = taken_times(chunk)
    hits = [hit for hit in RunRecords.of(chunk.values).holding(needle) if times[hit[0]] <= log_time]
    return replace(
        chunk,
        offsets=[chunk.offsets[i] for i, _ in hits],
        values=[value for _, value in hits],
        taken=[(1, int(times[i])) for i, _ in hits],
    )


def _joined(chunks: list[Chunk]) -> list[Chunk]:
    """One chunk a partition."""
    joined: dict[int, Chunk] = {}
    for chunk in chunks:
        before = joined.get(chunk.partition)
        joined[chunk.partition] = (
            replace(
                chunk,
                offsets=[*before.offsets, *chunk.offsets],
                values=[*before.values, *chunk.values],
                taken=[*before.taken, *chunk.taken],
            )
            if before
            else chunk
        )
    return [c for c in joined.values() if c.values]


def _of_company(facts: Facts, company: str, time: int) -> Facts:
    condition = (pl.col("company_id") == company) & (pl.col("timestamp") < time if time < NEVER else pl.lit(value=True))
    frames = {name: frame.filter(condition) for name, frame in facts.items()}
    return {name: frame for name, frame in frames.items() if frame.height}


def _between(first: int, stop: int, ruled_out: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What is left of [first, stop) without these ranges, which ascend."""
    for begin, end in ruled_out:
        if begin > first:
            yield first, min(begin, stop)
        first = max(first, end)
    if first < stop:
        yield first, stop


def _types(projection: Projection) -> list[str]:
    """Message types that carry facts of the projection."""
    return [name for name, event in (*BY_NAME.items(), *BATCHES.items()) if event.name in projection.reads]


def _stream(message_type: str) -> str:
    return (BY_NAME.get(message_type) or BATCHES[message_type]).stream
