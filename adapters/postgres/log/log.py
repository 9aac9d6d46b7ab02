"""The embedded event log: the port `EventLog` on PostgreSQL, as durable as its write-ahead log.

Keys decide the partition and headers serve brokers' own tools; neither is stored, because the value holds all of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from adapters.postgres.connections.link import Link
from adapters.postgres.log.membership import EmbeddedMembership
from adapters.postgres.log.reader import EmbeddedReader
from adapters.postgres.log.runs import APPEND, Runs
from adapters.postgres.log.topics import Topics
from adapters.postgres.log.wakeups import Wakeups
from domain.errors import AnalyticsError, Defect, LimitExceeded, Unavailable
from domain.events.catalogue import MAX_EVENT
from domain.events.partitioning import partition_of
from domain.ports import LogReader, Membership, Placed, Record
from eventlog import tasks

logger = logging.getLogger(__name__)

MAX_RECORD = 2 * MAX_EVENT  # bytes of one value: a quarantined event carries a whole other event
MAX_TRANSACTION = 8 * MAX_EVENT  # bytes after which no further waiting append joins the transaction


class _Lane(NamedTuple):
    """One partition of one topic."""

    partition_id: int
    topic: str
    partition: int


@dataclass(slots=True, eq=False)
class _Append:
    """One call of `append` that waits for its transaction."""

    values: dict[int, list[bytes]]  # by partition id
    size: int
    first_offsets: asyncio.Future[dict[int, int]]  # by partition id

    def fail(self, error: Exception) -> None:
        """Give the error to the caller, unless that one has been cancelled."""
        if not self.first_offsets.done():
            self.first_offsets.set_exception(error)


class EmbeddedLog:
    """The event log in the PostgreSQL at `url`. Opens connections when they are first needed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._writing = Link(url)
        self._asking = Link(url)
        self._topics = Topics(self._asking)
        self._wakeups = Wakeups(url)
        self._waiting: deque[_Append] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._closed = False

    async def create_topics(self, partitions: Mapping[str, int]) -> None:
        """Create topics that are missing. Raises Unavailable, Defect."""
        await self._topics.create(partitions)

    async def append(self, records: Sequence[Record]) -> list[Placed]:
        """Append in one transaction, shared with the other appends of this process that wait at the moment.

        Raises LimitExceeded for a record of more than `MAX_RECORD` bytes and NotFound for a topic that was not created,
        before anything is written; Unavailable, also once closed; Defect where the database refuses.
        """
        if self._closed:
            raise Unavailable("the log is closed")
        if not records:
            return []
        lanes = await self._lanes(records)
        values = {lane.partition_id: [records[index].value for index in indices] for lane, indices in lanes.items()}
        size = sum(len(record.value) for record in records)
        call = _Append(values, size, asyncio.get_running_loop().create_future())
        self._waiting.append(call)
        if self._writer is None or self._writer.done():
            self._writer = tasks.start(self._write(), "the embedded log's writer")
        try:
            first_offsets = await call.first_offsets
        except asyncio.CancelledError:
            if call in self._waiting:  # nobody asks for it any more, and it has not been begun
                self._waiting.remove(call)
            raise
        placed: dict[int, Placed] = {}
        for lane, indices in lanes.items():
            for offset, index in enumerate(indices, first_offsets[lane.partition_id]):
                placed[index] = Placed(lane.topic, lane.partition, offset)
        return [placed[index] for index in range(len(records))]

    async def heads(self, topic: str) -> dict[int, int]:
        """Next free offset of every partition. Raises NotFound, Unavailable."""
        return {partition: head for partition, (_, head) in (await self._bounds(topic)).items()}

    async def starts(self, topic: str) -> dict[int, int]:
        """First retained offset of every partition. Raises NotFound, Unavailable."""
        return {partition: start for partition, (start, _) in (await self._bounds(topic)).items()}

    def reader(self, topic: str) -> LogReader:
        """A reader with a connection of its own."""
        return EmbeddedReader(self._url, topic, self._topics, self._wakeups)

    async def join(self, group: str, topics: Sequence[str]) -> Membership:
        """Become a member of the group; the others hear of it at once. Raises NotFound, Unavailable."""
        owned = [(topic, number) for topic in topics for number in range(len(await self._topics.ids(topic)))]
        return await EmbeddedMembership.join(self._asking, self._wakeups, group, owned)

    async def close(self) -> None:
        """Write what waits, then close the connections."""
        self._closed = True
        if self._writer is not None:
            await asyncio.wait({self._writer})
        await self._wakeups.close()
        await self._writing.close()
        await self._asking.close()

    async def _lanes(self, records: Sequence[Record]) -> dict[_Lane, list[int]]:
        """Which records (by number) go to which partition; raises for a record that the log cannot take."""
        lanes: dict[str, list[tuple[_Lane, list[int]]]] = {}
        for index, record in enumerate(records):
            if len(record.value) > MAX_RECORD:
                raise LimitExceeded(
                    f"a record of {len(record.value)} bytes; at most {MAX_RECORD} fit", code="too_large"
                )
            of_topic = lanes.get(record.topic)
            if of_topic is None:
                ids = await self._topics.ids(record.topic)
                of_topic = [(_Lane(partition_id, record.topic, number), []) for number, partition_id in enumerate(ids)]
                lanes[record.topic] = of_topic
            of_topic[partition_of(record.key, len(of_topic))][1].append(index)
        return {lane: indices for of_topic in lanes.values() for lane, indices in of_topic if indices}

    async def _write(self) -> None:
        """Write what waits, one transaction after the other: while one commits, the next ones gather."""
        while self._waiting:
            group, size = [self._waiting.popleft()], 0
            while self._waiting and size < MAX_TRANSACTION:
                size += group[-1].size
                group.append(self._waiting.popleft())
            await self._commit(group)

    async def _commit(self, group: Sequence[_Append]) -> None:
        """Append the records of these calls in one transaction and answer each of them, whatever happens."""
        try:
            await self._append(group)
        except Unavailable as error:
            for call in group:
                call.fail(Unavailable(str(error), code=error.code))
        except Exception as error:
            if len(group) > 1:  # refused as a whole: what is wrong with one of them is no reason for the others to fail
                for call in group:
                    if not call.first_offsets.done():
                        await self._commit([call])
            elif isinstance(error, AnalyticsError):
                group[0].fail(error)
            else:
                logger.exception("an append failed in a way that nobody expected")
                group[0].fail(Defect(f"the log cannot append these records: {type(error).__name__}"))

    async def _append(self, group: Sequence[_Append]) -> None:
        runs = Runs()
        together: dict[int, list[bytes]] = {}
        befores: list[dict[int, int]] = []
        for call in group:
            befores.append({partition_id: len(together.get(partition_id, ())) for partition_id in call.values})
            for partition_id, values in call.values.items():
                together.setdefault(partition_id, []).extend(values)
        for partition_id, values in together.items():
            runs.add(partition_id, values)
        async with self._writing.use() as connection:
            cursor = await connection.execute(APPEND, runs.parameters(), binary=True)
            firsts = {partition_id: first for partition_id, first, _ in await cursor.fetchall()}
        for call, before in zip(group, befores, strict=True):
            if not call.first_offsets.done():  # its caller may have been cancelled
                call.first_offsets.set_result({i: firsts[i] + count for i, count in before.items()})

    async def _bounds(self, topic: str) -> dict[int, tuple[int, int]]:
        """First retained and next free offset by partition."""
        ids = await self._topics.ids(topic)
        async with self._asking.use() as connection:
            cursor = await connection.execute(
                "select partition, first_offset, next_offset from log.partitions where id = any(%s) order by id",
                (list(ids),),
            )
            return {partition: (first, head) for partition, first, head in await cursor.fetchall()}
