"""Reading one topic: fetch requests to the leaders of its partitions, one ahead of the caller."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition
from aiokafka import errors as kafka
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest

from adapters.kafka.errors import UNAVAILABLE, translated
from adapters.kafka.fetched import Fetched
from adapters.kafka.settings import KafkaSettings
from domain.errors import Unavailable
from domain.ports import Chunk
from eventlog import tasks

LONG_POLL_MS = 500  # a broker that has nothing new holds its answer back this long
READ_COMMITTED = 1
NO_LEADER = (None, -1)
LOOK_AGAIN_SECONDS = 0.1
MOVED = (
    kafka.NotLeaderForPartitionError,
    kafka.LeaderNotAvailableError,
    kafka.ReplicaNotAvailableError,
    kafka.UnknownTopicOrPartitionError,
    kafka.KafkaStorageError,
)

Flight = asyncio.Task[list[Fetched]]


class KafkaReader:
    """Holds, for each broker, one answer that is being taken and one that is on its way.

    A broker is asked again, for all its partitions, once all that it has answered is taken: a request that waits for
    new records in one partition would hold up a later one for old records in another.
    """

    def __init__(self, settings: KafkaSettings, topic: str) -> None:
        self._settings = settings
        self._topic = settings.topic_prefix + topic
        self._client: AIOKafkaClient | None = None
        self._next: dict[int, int] = {}
        self._waiting: dict[int, Fetched] = {}
        self._flights: dict[int, Flight] = {}
        self._leaderless_since: float | None = None

    async def read(self, start: Mapping[int, int], *, max_records: int, wait: float) -> list[Chunk]:
        """See the port. A chunk may be without records where only a transaction's marks lie before its next offset.

        Raises Unavailable, also while a broker does not know the topic; Defect for an offset that the log does not
        hold.
        """
        self._go_to(start)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        with translated(f"read {self._topic}"), self._of_existing_topic():
            await self._ask()
            chunks = self._take(max_records)
            while not chunks and self._flights and (left := deadline - loop.time()) > 0:
                await asyncio.wait(self._flights.values(), timeout=left, return_when=asyncio.FIRST_COMPLETED)
                await self._ask()
                chunks = self._take(max_records)
            await self._ask()
        return chunks

    @contextmanager
    def _of_existing_topic(self) -> Iterator[None]:
        """Who reads has offsets of the topic: a broker that does not know it has not yet come to all that it holds."""
        try:
            yield
        except kafka.UnknownTopicOrPartitionError as error:
            raise Unavailable(
                f"read {self._topic}: the broker does not know the topic, as after its start: {error}",
                code=UNAVAILABLE,
                suggested_actions=("Wait; where the topic was deleted, run `analytics topics create`.",),
            ) from error

    async def close(self) -> None:
        """Disconnect and drop what was not taken."""
        await tasks.end(*self._flights.values())
        self._flights.clear()
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _go_to(self, start: Mapping[int, int]) -> None:
        """Keep what was fetched ahead for partitions that go on where they stood, drop it for all others."""
        self._waiting = {p: f for p, f in self._waiting.items() if start.get(p) == self._next.get(p)}
        # The order stays, served partitions last: a broker fills its answer in the order of the request.
        assigned = [p for p in self._next if p in start]
        self._next = {p: start[p] for p in [*assigned, *(start.keys() - assigned)]}

    def _take(self, max_records: int) -> list[Chunk]:
        chunks = []
        for partition, fetched in list(self._waiting.items()):
            if max_records <= 0:
                break
            chunk = fetched.take(max_records)
            if fetched.exhausted:
                del self._waiting[partition]
            if chunk.next_offset > self._next.pop(partition):
                chunks.append(chunk)
                max_records -= len(chunk.offsets)
            self._next[partition] = chunk.next_offset
        return chunks

    async def _ask(self) -> None:
        """Collect the answers that have come, then ask every broker of which nothing is waiting or on its way."""
        for node, flight in list(self._flights.items()):
            if flight.done():
                del self._flights[node]
                for fetched in flight.result():
                    if self._next.get(fetched.partition) == fetched.next_offset:
                        self._waiting[fetched.partition] = fetched
        for node, partitions in (await self._leaders()).items():
            if node not in self._flights and not any(p in self._waiting for p in partitions):
                offsets = [(p, self._next[p], self._settings.partition_fetch_bytes) for p in partitions]
                self._flights[node] = tasks.owned(self._fetch(node, offsets), f"fetching {self._topic}")

    async def _leaders(self) -> dict[int, list[int]]:
        """Partitions that are read, by the broker that leads them now."""
        client = await self._connected()
        led: dict[int, list[int]] = defaultdict(list)
        for partition in self._next:
            place = TopicPartition(self._topic, partition)
            if client.cluster.leader_for_partition(place) in NO_LEADER:  # as of a partition that was just added
                await client.force_metadata_update()
            leader = client.cluster.leader_for_partition(place)
            if leader is None or leader in NO_LEADER:
                raise kafka.LeaderNotAvailableError(f"{self._topic} partition {partition}")
            led[leader].append(partition)
        return led

    async def _connected(self) -> AIOKafkaClient:
        if self._client is None:
            client = AIOKafkaClient(**self._settings.connection("analytics-reader"))
            try:
                await client.bootstrap()
                await client._wait_on_metadata(self._topic)
            except BaseException:
                await client.close()
                raise
            self._client = client
        return self._client

    async def _fetch(self, node: int, offsets: list[tuple[int, int, int]]) -> list[Fetched]:
        client = await self._connected()
        topics = [(self._topic, offsets)]
        request = FetchRequest(LONG_POLL_MS, 1, self._settings.fetch_bytes, READ_COMMITTED, topics)
        response = await client.send(node, request)
        starts = {partition: start for partition, start, _ in offsets}
        answers = [Answer.of(answer, response.API_VERSION) for _, answers in response.topics for answer in answers]
        await self._look_again_for_leaders(client, [a for a in answers if a.error in MOVED])
        for answer in answers:
            if answer.error not in (kafka.NoError, *MOVED):
                raise answer.error(f"partition {answer.partition} at offset {starts[answer.partition]}")
        return [a.fetched(starts[a.partition]) for a in answers if a.error is kafka.NoError and a.data]

    async def _look_again_for_leaders(self, client: AIOKafkaClient, moved: list[Answer]) -> None:
        """While a partition changes its leader nothing of it can be read; that is over soon, or else an error."""
        if not moved:
            self._leaderless_since = None
            return
        now = asyncio.get_running_loop().time()
        self._leaderless_since = self._leaderless_since or now
        if now - self._leaderless_since > self._settings.request_timeout:
            raise moved[0].error(f"partition {moved[0].partition}")
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        await client.force_metadata_update()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a broker says of one partition: an error, or the last stable offset, aborted transactions and records."""

    partition: int
    error: type[kafka.KafkaError]
    stable: int
    aborted: Sequence[tuple[int, int]]
    data: bytes

    @classmethod
    def of(cls, fields: tuple[Any, ...], version: int) -> Answer:
        """From the fields of the protocol: partition, error, high watermark, last stable offset, …, records.

        Before version 11 the aborted transactions stand just before the records, from then on at index 5.
        """
        partition, code, _, stable, *rest = fields
        aborted = rest[1] if version >= 11 else rest[-2]
        return cls(partition, kafka.for_code(code), stable, aborted or (), rest[-1] or b"")

    def fetched(self, start: int) -> Fetched:
        """The records, to be taken from `start` on."""
        return Fetched(self.partition, start, self.stable, self.aborted, self.data)
