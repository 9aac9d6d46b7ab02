"""Walking through several topics of the log at once, from a position to a position or on and on.

One read a topic is under way at any time and no more: whoever takes the chunks sets the pace.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import NamedTuple

from domain.errors import Invalid
from domain.ports import Chunk, EventLog, LogReader
from domain.position import Position, TopicPartition
from eventlog import tasks
from eventlog.read import Patience, until, within
from eventlog.search.criteria import Criteria, EventIndex, Scanned, Skips

READ_RECORDS = 2_000  # filtering that many takes some milliseconds, for which nothing else of the process runs
READ_WAIT = 1.0  # seconds
ASK_RECORDS = 1_000  # records that are rather read than asked for
ASK_AHEAD = 50_000_000  # offsets of a partition that the index is asked for at once: some ten thousand blocks


class Walked(NamedTuple):
    """Consecutive records of one partition, none of them beyond the end of the range; None when time only passed."""

    topic: str
    chunk: Chunk | None


@dataclass(slots=True)
class _Ahead:
    """What the index said of a partition: `skips` to come, and `known_until` where it is to be asked again."""

    skips: deque[tuple[int, int]] = field(default_factory=deque)
    known_until: int = 0
    indexed_until: int = 0


@dataclass(slots=True)
class LogWalk:
    """Where a walk stands: `reached` and `ends` by partition. `ends` grows with the log when `follow`.

    Blocks in which the index rules out the `criteria` are passed over; `scanned` counts what was looked at.
    """

    reached: dict[TopicPartition, int]
    ends: dict[TopicPartition, int]
    follow: bool = False
    index: EventIndex | None = None
    criteria: Criteria = field(default_factory=Criteria)
    scanned: Scanned = field(default_factory=Scanned)
    _patience: dict[str, Patience] = field(default_factory=dict)
    _ahead: dict[TopicPartition, _Ahead] = field(default_factory=dict)

    @property
    def position(self) -> str:
        """Position token of what was walked through."""
        return str(Position(self.reached))

    @property
    def caught_up(self) -> bool:
        """Whether every partition was walked to its end, as far as that is known."""
        return all(self.reached[place] >= end for place, end in self.ends.items())

    def open_in(self, topic: str) -> dict[int, int]:
        """Partitions of a topic that are to be read, with their next offsets."""
        places = ((place, offset) for place, offset in self.reached.items() if place[0] == topic)
        return {place[1]: offset for place, offset in places if self.follow or offset < self.ends[place]}

    async def chunks(self, log: EventLog, topics: Sequence[str]) -> AsyncGenerator[Walked]:
        """The records, in log order within each partition; the taker moves `reached` before it asks for more.

        Raises Unavailable when the log falls silent before an end, and what the log and the index raise.
        """
        async with AsyncExitStack() as stack:
            readers = {topic: log.reader(topic) for topic in topics if self.open_in(topic)}
            for reader in readers.values():
                stack.push_async_callback(reader.close)
            reads: dict[asyncio.Task[list[Chunk]], tuple[str, LogReader]] = {}
            stack.push_async_callback(_cancelled, reads)  # comes before the closing: who reads on would connect anew
            for topic, reader in readers.items():
                reads[tasks.owned(self._read(topic, reader), f"walk-{topic}")] = (topic, reader)
            while reads:
                done, _ = await asyncio.wait(reads, timeout=READ_WAIT, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    topic, reader = reads.pop(task)
                    for walked in self._within(topic, task.result()):
                        yield walked
                    if self.open_in(topic):
                        reads[tasks.owned(self._read(topic, reader), f"walk-{topic}")] = (topic, reader)
                yield Walked("", None)

    async def _read(self, topic: str, reader: LogReader) -> list[Chunk]:
        await self._pass_over(topic)
        start = self.open_in(topic)
        if not start:
            return []
        budget = READ_RECORDS if self.follow else sum(self._stop((topic, p)) - offset for p, offset in start.items())
        patience, began = self._patience.setdefault(topic, Patience()), time.monotonic()
        async with within(patience.seconds, f"the log does not answer: {topic}"):
            chunks = await reader.read(start, max_records=min(READ_RECORDS, budget), wait=READ_WAIT)
        if not self.follow:  # an answer that stops short without a word would pass for the whole history
            patience.note(bool(chunks), time.monotonic() - began, f"{topic} before the end of the range")
        return chunks

    async def _pass_over(self, topic: str) -> None:
        """Move past everything that the index rules out, asking it where nothing is known yet."""
        while True:
            unknown = {}
            for partition, offset in self.open_in(topic).items():
                place = (topic, partition)
                ahead = self._ahead.setdefault(place, _Ahead())
                while ahead.skips and ahead.skips[0][0] <= self.reached[place]:
                    passed = min(ahead.skips.popleft()[1], self.ends[place])
                    offset = self.reached[place] = max(self.reached[place], passed)
                if offset >= ahead.known_until and self.ends[place] - offset >= ASK_RECORDS:
                    unknown[partition] = (offset, min(self.ends[place], offset + ASK_AHEAD))
            if not unknown or self.index is None:
                return
            skips = await self.index.skips(topic, unknown, self.criteria)
            for partition, (_, end) in unknown.items():
                self._learn((topic, partition), end, skips.get(partition, Skips()))

    def _learn(self, place: TopicPartition, until: int, skips: Skips) -> None:
        self._ahead[place] = _Ahead(deque(skips.ranges), until, skips.indexed_until)
        self.scanned.blocks += skips.blocks
        self.scanned.blocks_skipped += skips.skipped

    def _stop(self, place: TopicPartition) -> int:
        """Where reading on from `reached` is to stop: at the next range to be passed over, or at the end."""
        ahead = self._ahead.get(place)
        return ahead.skips[0][0] if ahead and ahead.skips else self.ends[place]

    def _within(self, topic: str, chunks: Sequence[Chunk]) -> list[Walked]:
        return [Walked(topic, self._cut(topic, chunk)) for chunk in chunks]

    def _cut(self, topic: str, chunk: Chunk) -> Chunk:
        place = (topic, chunk.partition)
        ahead = self._ahead.get(place) or _Ahead()
        indexed = bisect_left(chunk.offsets, ahead.indexed_until)
        self.scanned.records += sum(self.criteria.own in value for value in chunk.values)
        self.scanned.unindexed_records += sum(self.criteria.own in value for value in chunk.values[indexed:])
        if self.follow:
            self.ends[place] = max(self.ends[place], chunk.head)
        stop = self._stop(place) if ahead.skips or not self.follow else chunk.next_offset
        return until(chunk, stop)


async def begin(
    log: EventLog, topics: Sequence[str], begins: Position, ends: Position | None = None, follow: bool = False
) -> LogWalk:
    """A walk from `begins` (partitions it does not name: the first retained event) to `ends` (None: the head now).

    Raises Invalid when `begins` names an offset that the log no longer has, Unavailable.
    """
    reached: dict[TopicPartition, int] = {}
    until: dict[TopicPartition, int] = {}
    for topic in topics:
        starts, heads = await log.starts(topic), await log.heads(topic)
        for partition, head in heads.items():
            place = (topic, partition)
            reached[place] = _first(place, begins, starts)
            until[place] = head if ends is None else min(head, ends[place])
    return LogWalk(reached, until, follow)


def _first(place: TopicPartition, begins: Position, starts: Mapping[int, int]) -> int:
    retained = starts.get(place[1], 0)
    bound = begins[place]
    if 0 < bound < retained:
        raise Invalid(
            f"{place[0]} partition {place[1]} is retained from offset {retained} on, not from {bound}",
            code="position_expired",
        )
    return max(bound, retained)


async def _cancelled(reads: Mapping[asyncio.Task[list[Chunk]], object]) -> None:
    await tasks.end(*reads)
