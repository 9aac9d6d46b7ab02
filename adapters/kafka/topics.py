"""Topics: making them, and asking where their partitions start and end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka import errors as kafka
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from adapters.kafka.clients import started
from adapters.kafka.errors import domain_error, translated
from adapters.kafka.settings import KafkaSettings
from domain.errors import Defect, Unavailable

READY_SECONDS = 10.0
TIMES, APPENDED = "message.timestamp.type", "LogAppendTime"

Offsets = Callable[[list[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]]


class Topics:
    """Two connections, opened at the first question: one asks about topics, one about offsets."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._opening = asyncio.Lock()
        self._admin: AIOKafkaAdminClient | None = None
        self._consumer: AIOKafkaConsumer | None = None

    async def create(self, partitions: Mapping[str, int]) -> None:
        """Create what is missing and return when every partition has a leader. Existing topics stay as they are.

        Raises Unavailable where Kafka does not answer or a topic has no leader in time, Defect where it refuses what is
        asked.
        """
        counts = {self._settings.topic_prefix + topic: count for topic, count in partitions.items()}
        with translated("create topics"):
            admin = await self._administration()
            new = [self._new(name, count) for name, count in sorted(counts.items())]
            answer = await admin.create_topics(new)
        for name, code, text in answer.topic_errors:
            error = kafka.for_code(code)
            if error not in (kafka.NoError, kafka.TopicAlreadyExistsError):
                raise domain_error(error(text), f"create topic {name}")
        await self._wait_for_leaders(list(counts))

    async def partitions(self, topic: str) -> int:
        """How many partitions the topic has now; raises NotFound where there is no such topic, Unavailable."""
        name = self._settings.topic_prefix + topic
        with translated(f"look up topic {name}"):
            admin = await self._administration()
            [description] = await admin.describe_topics([name])
            if description["error_code"] != 0:
                raise kafka.for_code(description["error_code"])(name)
        return len(description["partitions"])

    async def check_times(self, topics: Sequence[str]) -> None:
        """Raises Defect for a topic whose records do not carry the time at which the broker took them.

        By that time events from the future are told, alike whenever the log is read; a producer's own says nothing.
        """
        names = [self._settings.topic_prefix + topic for topic in topics]
        with translated("look up how topics keep times"):
            admin = await self._administration()
            answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
        for _, _, _, name, entries in (resource for answer in answers for resource in answer.resources):
            timestamps = {entry[0]: entry[1] for entry in entries}.get(TIMES, APPENDED)
            if timestamps != APPENDED:
                raise Defect(
                    f"topic {name} keeps {timestamps}, not the time at which the broker took a record",
                    code="no_append_times",
                    suggested_actions=(f"Set {TIMES}={APPENDED} on it (kafka-configs --alter), and start again.",),
                )

    async def heads(self, topic: str) -> dict[int, int]:
        """Next free offset of every partition, transactions that are still open left out.

        Raises NotFound, Unavailable.
        """
        return await self._offsets(topic, lambda consumer: consumer.end_offsets)

    async def starts(self, topic: str) -> dict[int, int]:
        """First retained offset of every partition. Raises NotFound, Unavailable."""
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
                descriptions = await admin.describe_topics(names)
            if all(t["error_code"] == 0 and all(p["leader"] >= 0 for p in t["partitions"]) for t in descriptions):
                break
            if asyncio.get_running_loop().time() > deadline:
                raise Unavailable(f"new topics have no leader after {READY_SECONDS:.0f} s: {', '.join(names)}")
            await asyncio.sleep(0.05)
        with translated("create topics"):
            consumer = await self._questioner()
            partitions = [TopicPartition(t["topic"], p["partition"]) for t in descriptions for p in t["partitions"]]
            await consumer.end_offsets(partitions)  # asks each leader, again where it does not know yet

    async def _administration(self) -> AIOKafkaAdminClient:
        async with self._opening:
            if self._admin is None:
                admin = AIOKafkaAdminClient(**self._settings.connection("analytics-topics"))
                self._admin = await started(admin, AIOKafkaAdminClient.close)
        return self._admin

    async def _questioner(self) -> AIOKafkaConsumer:
        async with self._opening:
            if self._consumer is None:
                options = self._settings.connection("analytics-offsets")
                consumer = AIOKafkaConsumer(**options, isolation_level="read_committed", enable_auto_commit=False)
                self._consumer = await started(consumer, AIOKafkaConsumer.stop)
        return self._consumer

    def _new(self, name: str, partitions: int) -> NewTopic:
        configuration = {
            "compression.type": self._settings.compression,
            "retention.ms": str(self._settings.retention_ms),
            "max.message.bytes": str(self._settings.max_message_bytes),
            # The time of the event is in the envelope; the record's time says when the log got it, from one clock.
            TIMES: APPENDED,
        }
        # aiokafka takes -1, "as the cluster says", only together with an assignment of replicas; an empty one is none.
        assignment: dict[int, list[int]] | None = {} if self._settings.replication_factor == -1 else None
        return NewTopic(name, partitions, self._settings.replication_factor, assignment, configuration)
