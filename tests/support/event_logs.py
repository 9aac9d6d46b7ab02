"""The adapters of the port `EventLog` under test: the contract suite runs for each of them.

An adapter enters by a fixture `open_<name>_log`, which gives an `OpenLog`, and its name in `ADAPTERS`.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import pytest

from adapters.kafka.log import KafkaEventLog
from adapters.kafka.settings import KafkaSettings
from adapters.postgres.log.log import EmbeddedLog
from app.wiring import closed_at_end
from domain.events.catalogue import STREAMS
from domain.ports import EventLog, Record

if TYPE_CHECKING:  # pytest wants to register that module itself, before anybody imports it
    from tests.support.kafka_broker import KafkaBroker

Log = TypeVar("Log", bound=EventLog)
OpenLog = Callable[[], Awaitable[EventLog]]

ADAPTERS = ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)]


@pytest.fixture
def open_embedded_log(database_url: str) -> OpenLog:
    """Opens embedded logs on one database."""

    async def open_log() -> EventLog:
        return EmbeddedLog(database_url)

    return open_log


@pytest.fixture
def open_kafka_log(kafka: KafkaBroker) -> OpenLog:
    """Opens logs on one Kafka broker."""

    async def open_log() -> EventLog:
        return KafkaEventLog(KafkaSettings(bootstrap_servers=kafka.bootstrap))

    return open_log


@pytest.fixture(params=ADAPTERS)
def open_log(request: pytest.FixtureRequest) -> OpenLog:
    """Opens logs that see the same records, as processes would that share a server."""
    opener: OpenLog = request.getfixturevalue(f"open_{request.param}_log")
    return opener


@pytest.fixture
async def event_log(open_log: OpenLog) -> AsyncIterator[EventLog]:
    """An open log."""
    async with closed_at_end(await open_log()) as log:
        yield log


@pytest.fixture
async def other_log(open_log: OpenLog) -> AsyncIterator[EventLog]:
    """The same log as `event_log`, as another process sees it."""
    async with closed_at_end(await open_log()) as log:
        yield log


@asynccontextmanager
async def with_topics(log: Log, partitions: int, topics: Iterable[str] = STREAMS) -> AsyncIterator[Log]:
    """The log with these topics, closed at the end."""
    async with closed_at_end(log):
        await log.create_topics(dict.fromkeys(topics, partitions))
        yield log


@pytest.fixture
async def topic(event_log: EventLog) -> str:
    """An empty topic of four partitions."""
    name = f"contract-{secrets.token_hex(6)}"
    await event_log.create_topics({name: 4})
    return name


def record(topic: str, key: str, value: str | bytes) -> Record:
    """A record; text is encoded."""
    data = value.encode() if isinstance(value, str) else value
    return Record(topic, key.encode(), data, timestamp=1_760_000_000_000)


async def read_all(log: EventLog, topic: str) -> dict[int, list[tuple[int, bytes]]]:
    """Offset and value of every record, by partition, up to the heads of now."""
    heads, position = await log.heads(topic), await log.starts(topic)
    found: dict[int, list[tuple[int, bytes]]] = {partition: [] for partition in heads}
    reader = log.reader(topic)
    try:
        while behind := {p: offset for p, offset in position.items() if offset < heads[p]}:
            chunks = await reader.read(behind, max_records=10_000, wait=5)
            assert chunks, f"nothing to read at {behind} below {heads}"
            for chunk in chunks:
                found[chunk.partition] += zip(chunk.offsets, chunk.values, strict=True)
                position[chunk.partition] = chunk.next_offset
    finally:
        await reader.close()
    return found
