"""Reader of the embedded log: fetches runs of several partitions in one round trip, waits for new ones by wake-up."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from adapters.postgres.connections.link import Link
from adapters.postgres.log.runs import FETCH
from adapters.postgres.log.topics import Topics
from adapters.postgres.log.wakeups import APPENDED, Wakeups, wait_for
from domain.errors import Defect
from domain.events.record_runs import Run, RunRecords
from domain.ports import Chunk

MAX_FETCH = 32 * 1_048_576  # bytes of one read, about: what a reader holds in memory

# Runs are found through their key and come in its order; statistics of a table that grows all the time mislead.
PLAN = "-c enable_seqscan=off -c enable_bitmapscan=off -c enable_sort=off"

Bounds = dict[int, tuple[int, int]]  # by partition: first retained and next free offset


class EmbeddedReader:
    """Reads one topic over a connection of its own."""

    def __init__(self, url: str, topic: str, topics: Topics, wakeups: Wakeups) -> None:
        self._link = Link(url, options=PLAN)
        self._topic, self._topics, self._wakeups = topic, topics, wakeups

    async def read(self, start: Mapping[int, int], *, max_records: int, wait: float) -> list[Chunk]:
        """What is there from `start`; the partitions share `max_records`, and what one does not need others get.

        Raises Defect for a partition or an offset that the log does not hold and where it is damaged, NotFound for a
        topic that was not created, Unavailable.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        ids = await self._topics.ids(self._topic)
        if unknown := [partition for partition in start if not 0 <= partition < len(ids)]:
            raise Defect(f"{self._topic} has no partition {unknown[0]}")
        while True:
            changed = self._wakeups.next(APPENDED, self._topic)
            bounds = await self._bounds({ids[partition]: partition for partition in start})
            self._check(start, bounds)
            stops = share({p: bounds[p][1] - offset for p, offset in start.items()}, max_records)
            if stops:
                return await self._fetch(ids, {p: (start[p], start[p] + count) for p, count in stops.items()}, bounds)
            remaining = deadline - loop.time()
            if remaining <= 0:
                return []
            await wait_for(changed, remaining)
            if not changed.done():
                return []

    async def close(self) -> None:
        """Close the connection."""
        await self._link.close()

    def _check(self, start: Mapping[int, int], bounds: Bounds) -> None:
        for partition, offset in start.items():
            first, head = bounds[partition]
            if not first <= offset <= head:
                raise Defect(
                    f"offset {offset} of {self._topic}:{partition} is not in the log, which holds {first} to {head}",
                    code="out_of_range",
                )

    async def _bounds(self, partitions: Mapping[int, int]) -> Bounds:
        """Bounds by partition number, of the partitions with these ids."""
        async with self._link.use() as connection:
            cursor = await connection.execute(
                "select id, first_offset, next_offset from log.partitions where id = any(%s)", (list(partitions),)
            )
            return {partitions[row[0]]: (row[1], row[2]) for row in await cursor.fetchall()}

    async def _fetch(self, ids: Sequence[int], ranges: Mapping[int, tuple[int, int]], bounds: Bounds) -> list[Chunk]:
        """Records in [start, stop) of each partition, or the first part of them where they are large."""
        numbers = {ids[partition]: partition for partition in ranges}
        starts, stops = zip(*ranges.values(), strict=True)
        parameters = (list(numbers), list(starts), list(stops), MAX_FETCH // len(ranges))
        records: dict[int, list[tuple[int, int, bytes, bytes]]] = {partition: [] for partition in ranges}
        async with self._link.use() as connection:
            cursor = await connection.execute(FETCH, parameters, binary=True)
            for partition_id, *run in await cursor.fetchall():
                records[numbers[partition_id]].append((run[0], run[1], run[2], run[3]))
        return [
            self._chunk(partition, sorted(runs), ranges[partition], bounds[partition][1])
            for partition, runs in records.items()
        ]

    def _chunk(
        self, partition: int, runs: Sequence[tuple[int, int, bytes, bytes]], bounds: tuple[int, int], head: int
    ) -> Chunk:
        """One chunk out of the runs (first offset, time, sizes, records) that hold what is wanted."""
        start, stop = bounds
        end, appended_at = start, 0
        parts, moments = list[Run](), list[tuple[int, int]]()
        for first, written, sizes, records in runs:
            if first > end:
                break  # a hole: caught below when nothing lies before it, by the next read otherwise
            appended_at = written
            parts.append(Run(sizes, records).part(end - first, stop - first))
            moments.append((len(parts[-1]), written))
            end += len(parts[-1])
        if end == start:
            raise Defect(f"{self._topic}:{partition} lacks offset {start}: the log is damaged", code="damaged_log")
        return Chunk(partition, range(start, end), RunRecords(parts), end, appended_at, head, moments)


def share(available: Mapping[int, int], most: int) -> dict[int, int]:
    """How many records to take of each partition: `most` in all, shared evenly as far as each has so many."""
    shares: dict[int, int] = {}
    waiting = sorted((count, partition) for partition, count in available.items() if count > 0)
    for index, (count, partition) in enumerate(waiting):
        part = min(count, -(-most // (len(waiting) - index)))
        if part > 0:
            shares[partition] = part
            most -= part
    return shares
