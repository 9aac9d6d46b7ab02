"""Topics: making them, and asking where their partitions start and end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka import errors as kafka
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from adapters.kafka.errors import meaning, translated
from adapters.kafka.settings import KafkaSettings
from domain.errors import Unavailable

READY_SECONDS = 10.0

Offsets = Callable[[list[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]]


class Topics:
    """Two connections, opened at the first question: one asks about topics, one about offsets."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._opening = asyncio.Lock()
        self._admin: AIOKafkaAdminClient | None = None
        self._consumer: AIOKafkaConsumer | None = None

    async def create(self, partitions: Mapping[str, int]) -> None:
        """Create what is missing and return when every partition has a leader. Existing topics stay as they are."""
        wanted = {self._settings.topic_prefix + topic: count for topic, count in partitions.items()}
        with translated("create topics"):
            admin = await self._administration()
            new = [self._new(name, count) for name, count in sorted(wanted.items())]
            answer = await admin.create_topics(new)
        for name, code, text in answer.topic_errors:
            error = kafka.for_code(code)
            if error not in (kafka.NoError, kafka.TopicAlreadyExistsError):
                raise meaning(error(text), f"create topic {name}")
        await self._wait_for_leaders(list(wanted))

    async def partitions(self, topic: str) -> int:
        """How many partitions the topic has now; raises NotFound where there is no such topic."""
        name = self._settings.topic_prefix + topic
        with translated(f"look up topic {name}"):
            admin = await self._administration()
            [found] = await admin.describe_topics([name])
            if found["error_code"] != 0:
                raise kafka.for_code(found["error_code"])(name)
        return len(found["partitions"])

    async def heads(self, topic: str) -> dict[int, int]:
        """Next free offset of every partition, transactions that are still open left out."""
        return await self._offsets(topic, lambda consumer: consumer.end_offsets)

    async def starts(self, topic: str) -> dict[int, int]:
        """First retained offset of every partition."""
        return await self._offsets(topic, lambda consumer: consumer.beginning_offsets)

    async def close(self) -> None:
        """Close both connections."""
        if self._consumer is not None:
            await self._consumer.stop()
        if self._admin is not None:
            await self._admin.close()

    async def _offsets(self, topic: str, question: Callable[[AIOKafkaConsumer], Offsets]) -> dict[int, int]:
        count = await self.partitions(topic)
        name = self._settings.topic_prefix + topic
        with translated(f"ask for offsets of {name}"):
            consumer = await self._questioner()
            offsets = await question(consumer)([TopicPartition(name, p) for p in range(count)])
        return {tp.partition: offset for tp, offset in sorted(offsets.items())}

    async def _wait_for_leaders(self, names: list[str]) -> None:
        """Return when the leaders answer: metadata name a leader some time before it knows that it is one."""
        admin = await self._administration()
        deadline = asyncio.get_running_loop().time() + READY_SECONDS
        while True:
            with translated("create topics"):
                found = await admin.describe_topics(names)
            if all(t["error_code"] == 0 and all(p["leader"] >= 0 for p in t["partitions"]) for t in found):
                break
            if asyncio.get_running_loop().time() > deadline:
                raise Unavailable(f"new topics have no leader after {READY_SECONDS:.0f} s: {', '.join(names)}")
            await asyncio.sleep(0.05)
        with translated("create topics"):
            consumer = await self._questioner()
            partitions = [TopicPartition(t["topic"], p["partition"]) for t in found for p in t["partitions"]]
            await consumer.end_offsets(partitions)  # asks each leader, again where it does not know yet

    async def _administration(self) -> AIOKafkaAdminClient:
        async with self._opening:
            if self._admin is None:
                admin = AIOKafkaAdminClient(**self._settings.connection("analytics-topics"))
                try:
                    await admin.start()
                except BaseException:
                    await admin.close()
                    raise
                self._admin = admin
        return self._admin

    async def _questioner(self) -> AIOKafkaConsumer:
        async with self._opening:
            if self._consumer is None:
                options = self._settings.connection("analytics-offsets")
                consumer = AIOKafkaConsumer(**options, isolation_level="read_committed", enable_auto_commit=False)
                try:
                    await consumer.start()
                except BaseException:
                    await consumer.stop()
                    raise
                self._consumer = consumer
        return self._consumer

    def _new(self, name: str, partitions: int) -> NewTopic:
        configuration = {
            "compression.type": self._settings.compression,
            "retention.ms": str(self._settings.retention_ms),
            "max.message.bytes": str(self._settings.max_message_bytes),
            # The time of the event is in the envelope; the record's time says when the log got it, from one clock.
            "message.timestamp.type": "LogAppendTime",
        }
        # aiokafka takes -1, "as the cluster says", only together with an assignment of replicas; an empty one is none.
        assignment: dict[int, list[int]] | None = {} if self._settings.replication_factor == -1 else None
        return NewTopic(name, partitions, self._settings.replication_factor, assignment, configuration)
