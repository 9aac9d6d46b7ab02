"""The event log on Apache Kafka."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.kafka.appender import Appender
from adapters.kafka.membership import KafkaMembership
from adapters.kafka.reader import KafkaReader
from adapters.kafka.settings import KafkaSettings
from adapters.kafka.topics import Topics
from domain.ports import LogReader, Membership, Placed, Record


class KafkaEventLog:
    """`domain.ports.EventLog` on Kafka. Connects when first used, and again by itself when brokers come back.

    Belongs to one event loop. Readers and memberships are closed by those who asked for them.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._topics = Topics(settings)
        self._appender = Appender(settings, self._topics)

    async def create_topics(self, partitions: Mapping[str, int]) -> None:
        """Create topics that are missing, compressed and kept as the settings say. Raises Unavailable, Defect."""
        await self._topics.create(partitions)

    async def append(self, records: Sequence[Record]) -> list[Placed]:
        """Append and return places once all in-sync replicas have the records. Raises as `Appender.append` does."""
        return await self._appender.append(records)

    async def heads(self, topic: str) -> dict[int, int]:
        """Next free offset of every partition. Raises NotFound, Unavailable."""
        return await self._topics.heads(topic)

    async def starts(self, topic: str) -> dict[int, int]:
        """First retained offset of every partition. Raises NotFound, Unavailable."""
        return await self._topics.starts(topic)

    def reader(self, topic: str) -> LogReader:
        """A new reader with a connection and buffers of its own."""
        return KafkaReader(self._settings, topic)

    async def join(self, group: str, topics: Sequence[str]) -> Membership:
        """Join a Kafka consumer group of that name. Raises Defect for topics without append times, Unavailable."""
        await self._topics.check_times(topics)
        membership = KafkaMembership(self._settings, group, topics)
        await membership.join()
        return membership

    async def close(self) -> None:
        """Wait for appends under way and disconnect."""
        await self._appender.close()
        await self._topics.close()
