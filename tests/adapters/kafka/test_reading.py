"""Reading from Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from adapters.kafka.log import KafkaEventLog
from adapters.kafka.settings import KafkaSettings
from domain.errors import Defect, NotFound, Unavailable
from domain.ports import LogReader
from tests.adapters.kafka.records import numbers, read_some, read_to_head, records


@pytest.fixture
async def reader(log: KafkaEventLog) -> AsyncIterator[LogReader]:
    """A reader of `single`, into which the numbers 0 to 99 were appended."""
    await log.append(records(100, topic="single"))
    reader = log.reader("single")
    yield reader
    await reader.close()


async def test_the_partitions_may_change_between_reads(log: KafkaEventLog) -> None:
    """A reader takes up and drops partitions as the mapping says."""
    await log.append(records(400))
    everything = numbers(await read_to_head(log))
    reader = log.reader("events")
    for wanted in ({0}, {0, 1, 2, 3}, {2, 3}, {1}):
        found: dict[int, list[int]] = {}
        position = dict.fromkeys(wanted, 0)
        while found.keys() < wanted:
            chunks = await read_some(reader, position)
            position |= {chunk.partition: chunk.next_offset for chunk in chunks}
            found |= numbers(chunks)
        assert found == {p: everything[p] for p in wanted}
    await reader.close()


async def test_an_offset_that_retention_has_passed_is_an_error(
    log: KafkaEventLog, reader: LogReader, settings: KafkaSettings
) -> None:
    """What is no longer retained is shown, not jumped over; the first retained offset is known and readable."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    await admin.start()
    await admin.delete_records({TopicPartition(f"{settings.topic_prefix}single", 0): RecordsToDelete(30)})
    await admin.close()
    assert await log.starts("single") == {0: 30}
    with pytest.raises(Defect):
        await read_some(reader, {0: 29})
    assert numbers(await read_some(reader, {0: 30})) == {0: list(range(30, 100))}


async def test_transactions_of_others(log: KafkaEventLog, settings: KafkaSettings) -> None:
    """Committed ones are read, aborted ones never; reading reaches the head although marks lie before it."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.bootstrap_servers, transactional_id=settings.topic_prefix)
    await producer.start()
    topic = f"{settings.topic_prefix}single"
    for number, aborts in ((0, False), (1, True), (2, True), (3, False), (4, True)):
        await producer.begin_transaction()
        await producer.send_and_wait(topic, str(number).encode())
        await (producer.abort_transaction() if aborts else producer.commit_transaction())
    await producer.stop()
    await _head_reaches(log, 10)
    chunks = await read_to_head(log, "single")
    assert numbers(chunks) == {0: [0, 3]}
    assert chunks[-1].next_offset == 10


async def test_an_open_transaction_is_not_yet_there(log: KafkaEventLog, settings: KafkaSettings) -> None:
    """Head and reads stop before a transaction that is still open, and go on once it is committed."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.bootstrap_servers, transactional_id=settings.topic_prefix)
    await producer.start()
    async with producer.transaction():
        await producer.send_and_wait(f"{settings.topic_prefix}single", b"0")
        await log.append(records(1, topic="single", start=1))
        assert await log.heads("single") == {0: 0}
        reader = log.reader("single")
        assert await read_some(reader, {0: 0}, wait=0.7) == []
    await producer.stop()
    await reader.close()
    await _head_reaches(log, 3)
    assert numbers(await read_to_head(log, "single")) == {0: [0, 1]}


async def test_a_topic_that_does_not_exist(log: KafkaEventLog) -> None:
    """Its heads and its first offsets cannot be asked for."""
    with pytest.raises(NotFound):
        await log.heads("nowhere")
    with pytest.raises(NotFound):
        await log.starts("nowhere")


async def test_a_reader_waits_for_a_topic_that_the_broker_does_not_know(settings: KafkaSettings) -> None:
    """Whoever has offsets of it knows that it is there: a broker that has just started may not, and no lane stops."""
    log = KafkaEventLog(replace(settings, request_timeout=0.5))
    reader = log.reader("nowhere")
    try:
        with pytest.raises(Unavailable, match="does not know the topic"):
            await reader.read({0: 0}, max_records=1, wait=0)
    finally:
        await reader.close()
        await log.close()


async def _head_reaches(log: KafkaEventLog, offset: int) -> None:
    """A commit is answered before its mark is in the partition."""
    async with asyncio.timeout(10):
        while await log.heads("single") != {0: offset}:  # noqa: ASYNC110  the broker sends no signal
            await asyncio.sleep(0.02)


async def test_a_topic_may_be_read_as_soon_as_it_is_created(log: KafkaEventLog) -> None:
    """New partitions, whose leaders have only just been chosen, are read and written at once."""
    for number in range(5):
        topic = f"fresh{number}"
        await log.create_topics({topic: 8})
        reader = log.reader(topic)
        reading = asyncio.create_task(read_some(reader, dict.fromkeys(range(8), 0)))
        await log.append(records(1, topic=topic))
        assert [value for chunk in await reading for value in chunk.values] == [b"0"]
        await reader.close()
