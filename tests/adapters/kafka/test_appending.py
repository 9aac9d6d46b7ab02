"""Appending to Kafka."""

from __future__ import annotations

import time

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.partitioner import DefaultPartitioner

from adapters.kafka.log import KafkaEventLog
from adapters.kafka.settings import KafkaSettings
from domain.errors import LimitExceeded, NotFound
from domain.ports import Record
from tests.adapters.kafka.records import numbers, read_to_head, records


async def test_keys_go_where_other_kafka_clients_put_them(log: KafkaEventLog) -> None:
    """Our partition of a key is that of Kafka's default partitioner, so foreign producers keep an order with us."""
    appended = records(200, users=200)
    choose = DefaultPartitioner()
    placed = await log.append(appended)
    assert [p.partition for p in placed] == [choose(r.key, [0, 1, 2, 3], [0, 1, 2, 3]) for r in appended]


async def test_order_is_kept_across_record_batches(log: KafkaEventLog) -> None:
    """Three megabytes for one partition, in two appends, are several record batches and still in order."""
    await log.append(records(1500, topic="single", size=1000))
    await log.append(records(1500, topic="single", size=1000, start=1500))
    assert numbers(await read_to_head(log, "single")) == {0: list(range(3000))}


async def test_other_clients_see_headers_and_the_time_of_writing(log: KafkaEventLog, settings: KafkaSettings) -> None:
    """Metadata travels as headers; the record's time is the broker's, even if the event's lies in 2099."""
    before = time.time() * 1000
    await log.append(records(1, topic="single"))
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    consumer.assign([TopicPartition(f"{settings.topic_prefix}single", 0)])
    record = await consumer.getone()
    await consumer.stop()
    assert record.headers == (("message_type", b"test"),)
    assert record.key == b"acme:u0"
    assert before - 1000 <= record.timestamp <= time.time() * 1000 + 1000
    [chunk] = await read_to_head(log, "single")
    assert chunk.appended_at == record.timestamp


async def test_after_a_refusal_by_the_broker_appending_goes_on(log: KafkaEventLog, settings: KafkaSettings) -> None:
    """The broker takes less than we think: LimitExceeded; the next append works, with a new producer."""
    await log.append(records(1, topic="single"))
    await _limit_messages(settings, "single", 10_000)
    with pytest.raises(LimitExceeded):
        await log.append([Record("single", b"acme", _incompressible(100_000), 1)])
    await log.append(records(5, topic="single", start=1))
    assert numbers(await read_to_head(log, "single")) == {0: list(range(6))}


async def test_an_unknown_topic_is_named(log: KafkaEventLog) -> None:
    """Appending to a topic that nobody has created says so at once."""
    with pytest.raises(NotFound, match="nowhere"):
        await log.append(records(1, topic="nowhere"))


async def _limit_messages(settings: KafkaSettings, topic: str, limit: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    await admin.start()
    name = settings.topic_prefix + topic
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, {"max.message.bytes": str(limit)})])
    await admin.close()


def _incompressible(size: int) -> bytes:
    state, out = 1, bytearray()
    while len(out) < size:
        state = state * 6364136223846793005 % 2**64 + 1442695040888963407
        out += (state >> 16 & 0xFFFFFFFF).to_bytes(4)
    return bytes(out)
