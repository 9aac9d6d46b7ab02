"""Partitions that are added to a topic while its blocks are followed are followed as well."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from adapters.kafka.log import KafkaEventLog
from adapters.kafka.settings import KafkaSettings
from domain.position import Position
from eventlog.search import blocks
from eventlog.search.blocks import Block, follow_blocks
from tests.adapters.kafka.records import records


async def test_a_partition_that_is_added_is_heard_of(
    log: KafkaEventLog, settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sealer and the indexer work so: without it, what lies there would never be sealed, until a new start."""
    monkeypatch.setattr(blocks, "LOOK_AGAIN", 0.1)
    stop, begun, seen = asyncio.Event(), asyncio.Event(), dict[int, list[bytes]]()

    async def take(block: Block) -> None:
        begun.set()
        seen.setdefault(block.partition, []).extend(block.values)
        if seen.keys() >= {0, 1}:
            stop.set()

    await log.append(records(3, topic="single"))
    following = asyncio.create_task(follow_blocks(log, ["single"], Position(), take, stop, max_age=0.05))
    await begun.wait()
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    await admin.start()
    await admin.create_partitions({f"{settings.topic_prefix}single": NewPartitions(total_count=2)})
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=settings.bootstrap_servers, metadata_max_age_ms=200)
    await producer.start()
    while len(await producer.partitions_for(f"{settings.topic_prefix}single")) < 2:  # noqa: ASYNC110  # it tells nobody
        await asyncio.sleep(0.1)
    await producer.send_and_wait(f"{settings.topic_prefix}single", b"late", partition=1)
    await producer.stop()
    await asyncio.wait_for(following, 60)
    assert seen[1] == [b"late"]
