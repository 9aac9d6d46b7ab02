"""Fixtures of the tests of publishing and of the doors: a log with its topics, a bus, the ingest service on top."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.nats.bus import NatsBus
from adapters.postgres.log.log import EmbeddedLog
from adapters.postgres.tables.quarantine import PostgresQuarantine
from adapters.postgres.tables.seen import PostgresSeenEvents
from app.wiring import closed_at_end
from eventlog.intake.intake import Ingest
from eventlog.publish.durable_lane import Limits
from eventlog.publish.publisher import Publisher
from tests.eventlog.publish.samples import Door
from tests.support.event_logs import with_topics


@pytest.fixture
async def log(database_url: str) -> AsyncIterator[EmbeddedLog]:
    """An empty log with all topics."""
    async with with_topics(EmbeddedLog(database_url), 4) as opened:
        yield opened


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[NatsBus]:
    """A connected live bus."""
    async with closed_at_end(await NatsBus.connect(nats_url)) as opened:
        yield opened


@pytest.fixture
async def door(database_url: str, log: EmbeddedLog) -> AsyncIterator[Door]:
    """An ingest service over an empty log and an empty quarantine."""
    publisher = Publisher(log, limits=Limits(deadline=5.0), stamp=False)
    quarantine, seen = PostgresQuarantine(database_url), PostgresSeenEvents(database_url)
    yield Door(Ingest(publisher, quarantine, seen), log, quarantine, seen, database_url)
    await publisher.close()
    await quarantine.close()
    await seen.close()
