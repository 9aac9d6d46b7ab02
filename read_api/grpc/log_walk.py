"""Walking through several topics of the log at once, from a position to a position or on and on.

One read a topic is under way at any time and no more: whoever takes the chunks sets the pace.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import NamedTuple

from domain.errors import Invalid, Unavailable
from domain.ports import Chunk, EventLog, LogReader
from domain.position import Position, TopicPartition

READ_RECORDS = 2_000  # filtering that many takes some milliseconds, for which nothing else of the process runs
READ_WAIT = 1.0  # seconds
QUIET_READS = 10  # reads without a record before the end of a range, after which the log is taken to be stuck


class Walked(NamedTuple):
    """Consecutive records of one partition, none of them beyond the end of the range; None when time only passed."""

    topic: str
    chunk: Chunk | None


@dataclass(slots=True)
class LogWalk:
    """Where a walk stands: `reached` and `ends` by partition. `ends` grows with the log when `follow`."""

    reached: dict[TopicPartition, int]
    ends: dict[TopicPartition, int]
    follow: bool = False
    _quiet: dict[str, int] = field(default_factory=dict)

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
        """The records, in log order within each partition; the taker moves `reached` before it asks for more."""
        async with AsyncExitStack() as stack:
            reads: dict[asyncio.Task[list[Chunk]], tuple[str, LogReader]] = {}
            stack.push_async_callback(_cancelled, reads)
            for topic in topics:
                if self.open_in(topic):
                    reader = log.reader(topic)
                    stack.push_async_callback(reader.close)
                    reads[self._read(topic, reader)] = (topic, reader)
            while reads:
                done, _ = await asyncio.wait(reads, timeout=READ_WAIT, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    topic, reader = reads.pop(task)
                    for walked in self._within(topic, task.result()):
                        yield walked
                    if self.open_in(topic):
                        reads[self._read(topic, reader)] = (topic, reader)
                yield Walked("", None)

    def _read(self, topic: str, reader: LogReader) -> asyncio.Task[list[Chunk]]:
        start = self.open_in(topic)
        return asyncio.create_task(reader.read(start, max_records=READ_RECORDS, wait=READ_WAIT))

    def _within(self, topic: str, chunks: Sequence[Chunk]) -> list[Walked]:
        self._quiet[topic] = 0 if chunks else self._quiet.get(topic, 0) + 1
        if self._quiet[topic] >= QUIET_READS and not self.follow:
            # an answer that stops short without a word would pass for the whole history
            raise Unavailable(f"the log gave nothing more of {topic} before the end of the range")
        return [Walked(topic, self._cut(topic, chunk)) for chunk in chunks]

    def _cut(self, topic: str, chunk: Chunk) -> Chunk:
        place = (topic, chunk.partition)
        if self.follow:
            self.ends[place] = max(self.ends[place], chunk.head)
            return chunk
        end = self.ends[place]
        if chunk.next_offset <= end:
            return chunk
        count = sum(offset < end for offset in chunk.offsets)
        return Chunk(chunk.partition, chunk.offsets[:count], chunk.values[:count], end, chunk.appended_at, chunk.head)


async def begin(log: EventLog, topics: Sequence[str], begins: Position, ends: Position | None, follow: bool) -> LogWalk:
    """A walk from `begins` (partitions it does not name: the first retained event) to `ends` (None: the head now).

    Raises Invalid when `begins` names an offset that the log no longer has.
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
    asked = begins[place]
    if 0 < asked < retained:
        raise Invalid(
            f"{place[0]} partition {place[1]} is retained from offset {retained} on, not from {asked}",
            code="position_expired",
        )
    return max(asked, retained)


async def _cancelled(reads: Mapping[asyncio.Task[list[Chunk]], object]) -> None:
    for task in reads:
        task.cancel()
    await asyncio.gather(*reads, return_exceptions=True)
