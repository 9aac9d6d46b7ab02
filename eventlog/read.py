"""Reading the log from one position to another: the one loop, which ends exactly at its goal or says why it cannot.

Offsets need not be dense, retention may pass a range, and a server may answer with nothing for ever: whoever reads to
a goal reads through here, where all of that is seen to. Following the log without a goal is another thing.
"""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_left
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from domain.errors import Unavailable
from domain.ports import Chunk, EventLog, LogReader

PATIENCE = 20.0  # seconds for which the log may give nothing before a goal that it is said to hold
WAIT = 1.0  # seconds that one read waits for something
BREATH = 0.01  # seconds before the next one, where a reader did not wait at all
STALLED = "log_stalled"

logger = logging.getLogger(__name__)

Range = tuple[int, int]  # offsets [first, stop)
Ranges = Mapping[int, Iterable[Range]]  # by partition, ascending


@dataclass(slots=True)
class Patience:
    """Notices a log that gives nothing. Time that its reader spends on something else does not count."""

    seconds: float = field(default_factory=lambda: PATIENCE)
    waited: float = 0.0

    def note(self, moved: bool, waited: float, goal: str) -> None:
        """After a read: raises Unavailable when nothing has come for too long, though the goal lies ahead."""
        self.waited = 0.0 if moved else self.waited + waited
        if self.waited >= self.seconds:
            raise Unavailable(
                f"the log gives nothing of {goal}",
                code=STALLED,
                suggested_actions=("See whether the log is complete (analytics log verify), and try again.",),
            )


class Reading:
    """Reads ranges of one topic to their ends: `async with Reading(…) as reading: while reading.left: …`.

    `left`: what is still to be read, by partition, ascending and without empty ranges. It may be set anew between two
    reads, to go on to a later goal or without a partition.
    """

    def __init__(self, log: EventLog, topic: str, ranges: Ranges) -> None:
        self._topic = topic
        self._reader = log.reader(topic)
        self._patience = Patience()
        self.left: dict[int, list[Range]] = ranges_of(ranges)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Give back what the reader holds."""
        await end(self._reader)

    async def read(self, most: int, partitions: Collection[int] | None = None) -> list[Chunk]:
        """What comes next (of these partitions alone), about so many records at most, none outside of its range.

        [] when a second brought nothing. Raises Unavailable with the code STALLED when that lasts, Defect for a range
        that the log does not hold.
        """
        next_ranges = {p: ranges[0] for p, ranges in self.left.items() if partitions is None or p in partitions}
        start = {p: first for p, (first, _) in next_ranges.items()}
        records = min(most, sum(stop - first for first, stop in next_ranges.values()))
        goal = ", ".join(f"{self._topic}:{p} from offset {first} to {stop}" for p, (first, stop) in next_ranges.items())
        clock = asyncio.get_running_loop().time
        began = clock()
        async with within(self._patience.seconds, f"the log does not answer: {goal}"):
            read = await self._reader.read(start, max_records=records, wait=WAIT)
        chunks = [until(chunk, next_ranges[chunk.partition][1]) for chunk in read]
        chunks = [chunk for chunk in chunks if chunk.next_offset > start[chunk.partition]]
        if not chunks:
            await asyncio.sleep(BREATH)
        self._patience.note(bool(chunks), clock() - began, goal)
        for chunk in chunks:
            self._pass(chunk)
        return chunks

    def _pass(self, chunk: Chunk) -> None:
        ranges = self.left[chunk.partition]
        ranges[0] = (chunk.next_offset, ranges[0][1])
        if ranges[0][0] >= ranges[0][1]:
            ranges.pop(0)
        if not ranges:
            del self.left[chunk.partition]


def ranges_of(ranges: Ranges) -> dict[int, list[Range]]:
    """Without those that are empty, and the partitions of which nothing is left then."""
    full = {p: [(first, stop) for first, stop in some if first < stop] for p, some in ranges.items()}
    return {p: some for p, some in full.items() if some}


def between(start: Mapping[int, int], stop: Mapping[int, int]) -> dict[int, list[Range]]:
    """One range for every partition that `stop` names; one that `start` does not name begins at 0."""
    return ranges_of({p: [(start.get(p, 0), end)] for p, end in stop.items()})


def until(chunk: Chunk, goal: int) -> Chunk:
    """The part of a chunk below an offset."""
    if chunk.next_offset <= goal:
        return chunk
    keep = bisect_left(chunk.offsets, goal)
    return replace(chunk, offsets=chunk.offsets[:keep], values=chunk.values[:keep], next_offset=goal)


async def end(reader: LogReader) -> None:
    """Close a reader. One that does not end is left to itself, and nobody waits for it."""
    try:
        async with within(PATIENCE, "a reader of the log does not end"):
            await reader.close()
    except Exception as error:
        logger.warning("a reader of the log was not closed: %s", error)


@asynccontextmanager
async def within(seconds: float, problem: str) -> AsyncIterator[None]:
    """Do what is inside in so many seconds; raises Unavailable with the problem where it takes longer."""
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise Unavailable(f"{problem} (waited for {seconds:.0f} s)") from error
