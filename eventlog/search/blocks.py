"""Following the log in blocks: runs of records between two offsets that are multiples of the block's size.

Boundaries depend on offsets alone, so whoever follows again from any boundary gets the same blocks. Where a partial
block may be handed out (`max_age`, `max_bytes`), the next one begins where it ended and stops at the same boundary.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf

from domain.ports import Chunk, EventLog, LogReader
from domain.position import Position
from eventlog import tasks
from eventlog.read import PATIENCE, end, within

BLOCK = 4_096  # offsets
READ_RECORDS = 2_048  # of a topic: every topic may hold so many while another's block is under way
READ_WAIT = 1.0  # seconds
LOOK_AGAIN = 10.0  # seconds after which partitions that were added meanwhile are seen


@dataclass(frozen=True, slots=True)
class Block:
    """Records of one partition in [first_offset, next_offset): `offsets` and `values` are parallel and ascending.

    `appended_at` is when the last record was written to the log, as far as the reader tells it (ms since 1970 UTC);
    `head` the partition's next free offset when the block was read. A block may be empty: offsets need not be dense.
    """

    topic: str
    partition: int
    first_offset: int
    next_offset: int
    offsets: Sequence[int]
    values: Sequence[bytes]
    appended_at: int
    head: int


OnBlock = Callable[[Block], Awaitable[None]]


async def follow_blocks(
    log: EventLog,
    topics: Sequence[str],
    start: Position,
    on_block: OnBlock,
    stop: asyncio.Event,
    size: int = BLOCK,
    max_age: float | None = 5.0,
    max_bytes: int | None = None,
) -> None:
    """Call `on_block` with every block from `start` on, one call at a time, until `stop` is set.

    Partitions that `start` does not name, or names before the first retained offset, begin at that offset, and so do
    those that are added meanwhile. A block that
    is not full is handed out once its first record has waited for `max_age` seconds, or once it
    holds `max_bytes`; None waits until it is full.
    Whatever the log or `on_block` raises ends it. A block under way when `stop` is set is not handed out.
    """
    turn = asyncio.Lock()

    async def in_turn(block: Block) -> None:
        async with turn:
            await on_block(block)

    following = [tasks.owned(_follow(log, t, start, in_turn, size, max_age, max_bytes), f"follow-{t}") for t in topics]
    stopping = tasks.owned(stop.wait(), "follow-stop")
    try:
        done, _ = await asyncio.wait((stopping, *following), return_when=asyncio.FIRST_COMPLETED)
        if stopping in done:
            async with turn:  # the call under way ends by itself
                pass
        for task in done - {stopping}:
            task.result()
    finally:
        await tasks.end(stopping, *following)


async def _follow(
    log: EventLog,
    topic: str,
    start: Position,
    on_block: OnBlock,
    size: int,
    max_age: float | None,
    max_bytes: int | None,
) -> None:
    parts: dict[int, _Part] = {}
    looked = -inf
    wait = READ_WAIT if max_age is None else min(READ_WAIT, max(0.01, max_age / 2))
    reader = log.reader(topic)
    try:
        while True:
            if time.monotonic() - looked >= LOOK_AGAIN:
                for p, first in (await _starts(log, topic)).items():
                    parts.setdefault(p, _Part(topic, p, max(start[topic, p], first), size, max_bytes))
                looked = time.monotonic()
            await _read(reader, parts, on_block, wait)
            if max_age is not None:
                for part in parts.values():
                    if part.waits_since is not None and time.monotonic() - part.waits_since >= max_age:
                        await on_block(part.handed_out())
    finally:
        await end(reader)


async def _starts(log: EventLog, topic: str) -> dict[int, int]:
    async with within(PATIENCE, f"the log does not answer: {topic}"):
        return await log.starts(topic)


async def _read(reader: LogReader, parts: dict[int, _Part], on_block: OnBlock, wait: float) -> None:
    """Read once; of what was read, this holds nothing while the next read waits."""
    places = {p: part.next_offset for p, part in parts.items()}
    async with within(PATIENCE, "the log does not answer"):
        chunks = await reader.read(places, max_records=READ_RECORDS, wait=wait)
    for chunk in chunks:
        for block in parts[chunk.partition].take(chunk):
            await on_block(block)


@dataclass(slots=True)
class _Part:
    """The block of one partition that is being filled."""

    topic: str
    partition: int
    first_offset: int
    size: int
    max_bytes: int | None
    next_offset: int = 0
    offsets: list[int] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)
    appended_at: int = 0
    head: int = 0
    waits_since: float | None = None

    def __post_init__(self) -> None:
        self.next_offset = self.first_offset

    def take(self, chunk: Chunk) -> Iterator[Block]:
        """Add the chunk's records; gives every block that became full, and what is as large as may be held."""
        self.head, self.appended_at = chunk.head, chunk.appended_at
        begin = 0
        while self.next_offset < chunk.next_offset:
            boundary = (self.next_offset // self.size + 1) * self.size
            end = bisect_left(chunk.offsets, boundary)
            self.offsets += chunk.offsets[begin:end]
            self.values += chunk.values[begin:end]
            begin, self.next_offset = end, min(boundary, chunk.next_offset)
            if self.next_offset == boundary or self._is_large():
                yield self.handed_out()
            else:
                self.waits_since = self.waits_since or time.monotonic()

    def _is_large(self) -> bool:
        return self.max_bytes is not None and sum(map(len, self.values)) >= self.max_bytes

    def handed_out(self) -> Block:
        """What has come together; the next block begins where it ends."""
        block = Block(
            self.topic,
            self.partition,
            self.first_offset,
            self.next_offset,
            self.offsets,
            self.values,
            self.appended_at,
            self.head,
        )
        self.first_offset, self.offsets, self.values, self.waits_since = self.next_offset, [], [], None
        return block
