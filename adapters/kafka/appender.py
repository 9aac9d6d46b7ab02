"""Appending: records are grouped by partition, batched by us, and acknowledged by all replicas.

One aiokafka producer serves until an append through it fails. Then it is abandoned and the next append starts a new
one: aiokafka gives a batch its sequence numbers when it first sends it and does not take them back when the batch
fails, so after a failure the broker would refuse everything that follows in that partition as out of order.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from adapters.kafka.clients import started
from adapters.kafka.errors import UNAVAILABLE, translated
from adapters.kafka.settings import KafkaSettings
from adapters.kafka.topics import Topics
from domain.errors import LimitExceeded, Unavailable
from domain.events.partitioning import partition_of
from domain.ports import Placed, Record
from eventlog import tasks

Lane = tuple[str, int]


class Session:
    """One producer's life: the producer, the partition counts that it works with, and whether it has failed."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self.producer = producer
        self.partitions: dict[str, int] = {}
        self.failed = asyncio.get_running_loop().create_future()


class Appender:
    """Appends through one producer at a time."""

    def __init__(self, settings: KafkaSettings, topics: Topics) -> None:
        self._settings = settings
        self._topics = topics
        self._opening = asyncio.Lock()
        self._session: Session | None = None
        self._under_way = 0
        self._idle = asyncio.Event()
        self._closed = False

    async def append(self, records: Sequence[Record]) -> list[Placed]:
        """Append; the places in the order given. The port says what may be durable after an error.

        Raises LimitExceeded for a record that is too large, before anything is sent; Unavailable, also once closed;
        NotFound for a topic that there is not, Defect where Kafka refuses us.
        """
        self._refuse_too_large(records)
        if self._closed:
            raise Unavailable("the log is closed", code="log_closed")
        self._under_way += 1
        try:
            return await self._append(records)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def close(self) -> None:
        """Let appends under way end, which they do within their timeout, and disconnect."""
        self._closed = True
        while self._under_way:
            self._idle.clear()
            await self._idle.wait()
        session, self._session = self._session, None
        if session is not None:
            await _abandon(session.producer)

    async def _append(self, records: Sequence[Record]) -> list[Placed]:
        placed: list[Placed | None] = [None] * len(records)
        with translated("append"):
            async with asyncio.timeout(self._settings.append_timeout):
                session = await self._open()
            try:
                await self._send(session, records, placed)
            except BaseException:
                await self._retire(session)
                raise
        return [place for place in placed if place is not None]

    def _refuse_too_large(self, records: Sequence[Record]) -> None:
        """Before anything is sent: the broker would refuse a whole batch, good neighbours included."""
        limit = self._settings.max_record_bytes
        for number, record in enumerate(records):
            if len(record.value) + len(record.key) > limit:
                size = len(record.value) + len(record.key)
                raise LimitExceeded(f"record {number} has {size} bytes, the log takes {limit}", code="record_too_large")

    async def _open(self) -> Session:
        async with self._opening:
            if self._session is None:
                self._session = await self._start()
        return self._session

    async def _start(self) -> Session:
        producer = AIOKafkaProducer(
            **self._settings.connection("analytics-appender"),
            acks="all",
            enable_idempotence=True,
            compression_type=self._settings.compression,
            max_batch_size=self._settings.batch_bytes,
        )
        return Session(await started(producer, _abandon))

    async def _send(self, session: Session, records: Sequence[Record], placed: list[Placed | None]) -> None:
        """Send; ends early when the time is up or when another append has found the producer broken."""
        lanes = await self._lanes(session, records)
        sending = tasks.owned(_send_lanes(session, lanes, records, placed), "an append to Kafka")
        timeout = self._settings.append_timeout
        try:
            await asyncio.wait({sending, session.failed}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await tasks.end(sending)
        if sending.cancelled():
            text = f"append: not acknowledged within {timeout:g} s; it may or may not be durable"
            raise Unavailable(text, code=UNAVAILABLE)
        sending.result()

    async def _lanes(self, session: Session, records: Sequence[Record]) -> dict[Lane, list[int]]:
        """Numbers of the records of each topic and partition, in the order given."""
        lanes: dict[Lane, list[int]] = {}
        counts = session.partitions
        for number, record in enumerate(records):
            topic = record.topic
            if topic not in counts:
                counts[topic] = await self._topics.partitions(topic)
            lane = (topic, partition_of(record.key, counts[topic]))
            if lane in lanes:
                lanes[lane].append(number)
            else:
                lanes[lane] = [number]
        prefix = self._settings.topic_prefix
        return {(prefix + topic, partition): order for (topic, partition), order in lanes.items()}

    async def _retire(self, session: Session) -> None:
        if not session.failed.done():
            session.failed.set_result(None)
            if self._session is session:
                self._session = None
            await _abandon(session.producer)


async def _send_lanes(
    session: Session, lanes: Mapping[Lane, list[int]], records: Sequence[Record], placed: list[Placed | None]
) -> None:
    """Send all lanes at once; the first that fails ends the others, whose producer is of no more use."""
    try:
        async with asyncio.TaskGroup() as group:
            for lane, order in lanes.items():
                group.create_task(_send_lane(session, lane, records, order, placed))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def _send_lane(
    session: Session, lane: Lane, records: Sequence[Record], order: Sequence[int], placed: list[Placed | None]
) -> None:
    """Send one partition's records, a batch only after the one before is acknowledged.

    Two under way would be faster on a slow network, but if the first were refused and the second taken, later events
    would stand before earlier ones. aiokafka has one request a broker under way in any case.
    """
    name, partition = lane
    topic = records[order[0]].topic
    for batch, start in _batches(session.producer, records, order):
        acknowledged = await session.producer.send_batch(batch, name, partition=partition)
        offset = (await acknowledged).offset
        if offset < 0:  # the broker knows that it has this batch, but no longer where
            text = f"append: {name} partition {partition} has the records, but not their offsets"
            raise Unavailable(text, code=UNAVAILABLE)
        for i in range(batch.record_count()):
            placed[order[start + i]] = Placed(topic, partition, offset + i)


def _batches(
    producer: AIOKafkaProducer, records: Sequence[Record], order: Sequence[int]
) -> Iterator[tuple[BatchBuilder, int]]:
    """Record batches with the index in `order` at which each starts; a batch ends when the next record is too much.

    Records carry the present time, not the event's: a broker refuses times that lie far in the future.
    """
    batch, start, now = producer.create_batch(), 0, time.time_ns() // 1_000_000
    for i, number in enumerate(order):
        record = records[number]
        headers = list(record.headers.items())
        if batch.append(key=record.key, value=record.value, timestamp=now, headers=headers) is None:
            yield batch, start
            batch, start = producer.create_batch(), i
            batch.append(key=record.key, value=record.value, timestamp=now, headers=headers)
    batch.close()
    yield batch, start


async def _abandon(producer: AIOKafkaProducer) -> None:
    """Close without delivering what is queued; `stop` would wait for it, for ever where the broker is gone.

    Cancelled once, the sending task waits for the request under way; cancelled again, it ends.
    """
    producer._closed = True
    sender = producer._sender.sender_task
    while sender is not None and not sender.done():
        sender.cancel()
        await asyncio.wait({sender}, timeout=0.05)
    await producer.client.close()
