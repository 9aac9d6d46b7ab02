"""The ground that the bench stands on: embedded servers in a temporary folder, and a fresh database for each figure."""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from adapters.kafka.log import KafkaEventLog
from adapters.kafka.settings import KafkaSettings
from adapters.postgres.log.log import EmbeddedLog
from adapters.postgres.migrate import migrate
from adapters.servers.servers import Servers
from app.bench.figures import Figure, quantile
from app.bench.scale import Scale
from app.wiring import closed_at_end
from domain.events.catalogue import STREAMS
from domain.ports import EventLog

PARTITIONS = 4


@dataclass(slots=True)
class Ground:
    """What a stage gets: sizes, where servers are, and where to report. `kafka` is empty where there is no broker."""

    scale: Scale
    folder: Path
    database_url: str
    kafka: str
    report: Callable[[Figure], None]
    numbers: count[int]

    def database(self) -> str:
        """Address of a fresh database with all durable tables."""
        name = f"bench_{next(self.numbers)}"
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        url = urlunsplit(urlsplit(self.database_url)._replace(path=f"/{name}"))
        migrate(url)
        return url

    def report_times(self, name: str, times: Sequence[float], floor: Sequence[float], note: str) -> None:
        """Median and 99th percentile of times in ms beside their floors; the notes are "p50" and "p99" with `note`."""
        for part, share in (("p50", 0.5), ("p99", 0.99)):
            value, least = quantile(times, share), quantile(floor, share)
            self.report(Figure(f"{name}_{part}", value, "ms", least, f"{part} {note}"))

    @asynccontextmanager
    async def embedded_log(self) -> AsyncIterator[tuple[EventLog, str]]:
        """An empty embedded log and the database that it lies in."""
        url = await asyncio.to_thread(self.database)
        async with closed_at_end(EmbeddedLog(url)) as log:
            await log.create_topics(dict.fromkeys(STREAMS, PARTITIONS))
            yield log, url

    @asynccontextmanager
    async def kafka_log(self) -> AsyncIterator[tuple[EventLog, KafkaSettings]]:
        """An empty log on the broker, in topics of its own; they are deleted when this ends."""
        settings = KafkaSettings(bootstrap_servers=self.kafka, topic_prefix=f"analytics-bench-{uuid.uuid4().hex[:8]}-")
        log = KafkaEventLog(settings)
        try:
            await log.create_topics(dict.fromkeys((*STREAMS, "raw"), PARTITIONS))
            yield log, settings
        finally:
            await log.close()
            await _delete_topics(settings)


async def _delete_topics(settings: KafkaSettings) -> None:
    from aiokafka.admin import AIOKafkaAdminClient

    admin = AIOKafkaAdminClient(**settings.connection("analytics-bench"))
    await admin.start()
    try:
        await admin.delete_topics([settings.topic_prefix + topic for topic in (*STREAMS, "raw")])
    finally:
        await admin.close()


@asynccontextmanager
async def ground(scale: Scale, kafka: str, found: Callable[[Figure], None]) -> AsyncIterator[Ground]:
    """Servers in a temporary folder for as long as this lasts. Its name is short, because a socket lies in it."""
    with tempfile.TemporaryDirectory(prefix="analytics-bench-", ignore_cleanup_errors=True) as folder:
        servers = Servers(Path(folder) / "servers", bus=False)
        try:
            addresses = await servers.start()
            yield Ground(scale, Path(folder), addresses.database_url, kafka, found, count(1))
        finally:
            await servers.stop()
