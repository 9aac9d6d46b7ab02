"""Log: how fast events are appended and read back, beside the same bytes through a bare client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import psycopg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from adapters.kafka.settings import KafkaSettings
from app.bench.environment import PARTITIONS, Ground
from app.bench.events import MIX, envelopes, pieces
from app.bench.figures import Figure
from domain.events.catalogue import STREAMS
from domain.events.partitioning import partition_of
from domain.ports import EventLog, Record
from domain.position import Position
from eventlog.read import Reading, between

BATCH = 100_000
DISTINCT = 500_000  # events of a long log: to make all of it would take longer than anything that is measured


async def append(log: EventLog, some: Iterable[Sequence[Record]]) -> tuple[int, float]:
    """Append pieces one after the other; how many events, and the seconds of appending alone."""
    events, seconds = 0, 0.0
    for piece in some:
        began = time.perf_counter()
        await log.append(piece)
        seconds += time.perf_counter() - began
        events += len(piece)
    return events, seconds


async def read(log: EventLog, topics: Iterable[str]) -> tuple[int, float]:
    """Read these topics to their heads, each record in hand; how many events, and the seconds."""
    began, events = time.perf_counter(), 0
    for topic in topics:
        async with Reading(log, topic, between(await log.starts(topic), await log.heads(topic))) as reading:
            while reading.left:
                for chunk in await reading.read(BATCH):
                    events += len(list(chunk.values))  # what came packed becomes records here
    return events, time.perf_counter() - began


async def long_log(log: EventLog, url: str, count: int, types: Sequence[str] = tuple(MIX)) -> Position:
    """Append about so many events, the same ones over and over, each of which admission counts as having taken; gives
    where the log ends.
    """
    distinct = min(count, DISTINCT)
    parts = list(pieces(envelopes(distinct, types)))
    for _ in range(count // distinct):
        await append(log, iter(parts))
    heads = {(topic, p): head for topic in STREAMS for p, head in (await log.heads(topic)).items()}
    insert = "INSERT INTO admissions VALUES (%s, %s, %s, 0, 0, 0)"

    def note() -> None:
        with psycopg.connect(url) as connection, connection.cursor() as cursor:
            cursor.executemany(insert.encode(), [(topic, p, head) for (topic, p), head in heads.items()])

    await asyncio.to_thread(note)
    return Position(heads)


def _sample(ground: Ground) -> Iterator[list[Record]]:
    return pieces(envelopes(max(1, ground.scale.one // 4), ("user_event",)))


async def embedded(ground: Ground) -> None:
    """Append to and read from the embedded log, and the same values as rows by COPY and SELECT."""
    async with ground.embedded_log() as (log, url):
        events, seconds = await append(log, _sample(ground))
        copied, fetched = _bare_rows(url, _sample(ground))
        note = "events/s appended in pieces of 5,000 (floor: COPY of the same values as rows, committed as often)"
        ground.report(Figure("log_append", events / seconds, "events/s", copied, note))
        events, seconds = await read(log, ["user-behavior"])
        note = "events/s read by one reader (floor: bare SELECT of the same values as rows)"
        ground.report(Figure("log_read", events / seconds, "events/s", fetched, note))


def _bare_rows(url: str, some: Iterable[Sequence[Record]]) -> tuple[float, float]:
    """Rows a second by COPY and by SELECT."""
    rows, seconds = 0, 0.0
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table bare (partition int, number bigint, value bytea)")
        for piece in some:
            began = time.perf_counter()
            with connection.cursor().copy("copy bare from stdin (format binary)") as copy:
                copy.set_types(["int4", "int8", "bytea"])
                for number, record in enumerate(piece, rows):
                    copy.write_row((number % PARTITIONS, number, record.value))
            seconds += time.perf_counter() - began
            rows += len(piece)
        copied = rows / seconds
        began = time.perf_counter()
        with connection.transaction(), connection.cursor("bare", binary=True) as cursor:
            cursor.execute("select value from bare")
            fetched = sum(len(some) for some in iter(lambda: cursor.fetchmany(BATCH), []))
        assert fetched == rows
        return copied, fetched / (time.perf_counter() - began)


async def kafka(ground: Ground) -> None:
    """Append to and read from Kafka, and the same values through a raw aiokafka client."""
    async with ground.kafka_log() as (log, settings):
        events, seconds = await append(log, _sample(ground))
        produced = await _bare_produce(settings, _sample(ground))
        note = "events/s appended to Kafka in pieces of 5,000 (floor: raw aiokafka send_batch, acks=all, zstd)"
        ground.report(Figure("kafka_append", events / seconds, "events/s", produced, note))
        events, seconds = await read(log, ["user-behavior"])
        note = "events/s read from Kafka by one reader (floor: raw aiokafka getmany)"
        ground.report(Figure("kafka_read", events / seconds, "events/s", await _bare_consume(settings), note))


async def _bare_produce(settings: KafkaSettings, some: Iterable[Sequence[Record]]) -> float:
    producer = AIOKafkaProducer(
        **settings.connection("analytics-bench"), acks="all", enable_idempotence=True, compression_type="zstd"
    )
    await producer.start()
    events, seconds = 0, 0.0
    try:
        for piece in some:
            began = time.perf_counter()
            await _send(producer, settings.topic_prefix + "raw", piece)
            seconds += time.perf_counter() - began
            events += len(piece)
    finally:
        await producer.stop()
    return events / seconds


async def _send(producer: AIOKafkaProducer, topic: str, piece: Sequence[Record]) -> None:
    lanes: dict[int, list[Record]] = {}
    for record in piece:
        lanes.setdefault(partition_of(record.key, PARTITIONS), []).append(record)
    sent = []
    for partition, records in lanes.items():
        waiting = iter(records)
        while some := list(islice(waiting, 50)):  # some 10 kB: fits the producer's default batch
            batch = producer.create_batch()
            for record in some:
                batch.append(key=record.key, value=record.value, timestamp=None)
            batch.close()
            sent.append(await producer.send_batch(batch, topic, partition=partition))
    for acknowledged in sent:
        await acknowledged


async def _bare_consume(settings: KafkaSettings) -> float:
    consumer = AIOKafkaConsumer(**settings.connection("analytics-bench"), enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(settings.topic_prefix + "raw", p) for p in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        wanted = sum((await consumer.end_offsets(partitions)).values())
        began, events = time.perf_counter(), 0
        while events < wanted:
            found = await consumer.getmany(*partitions, timeout_ms=1_000, max_records=BATCH)
            events += sum(len(some) for some in found.values())
        return events / (time.perf_counter() - began)
    finally:
        await consumer.stop()
