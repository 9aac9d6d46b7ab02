"""A search for one tenant's events depends on that tenant's events alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from common.envelope_pb2 import AnalyticsProcessingEnvelope

from adapters.postgres.tables.event_index import PostgresEventIndex
from domain.access.rights import OPERATOR
from domain.ports import Chunk, EventLog, LogReader, Record
from eventlog.search import walk as log_walk
from eventlog.search.criteria import Criteria
from eventlog.search.search import EventSearch, Search
from tests.eventlog.search.test_search import NOON, SIZE, in_blocks, summary
from tests.support.event_logs import OpenLog, with_topics

MEMBERS = ("event_id", "user_id", "correlation_id", "causation_id")


def event(number: int) -> AnalyticsProcessingEnvelope:
    """The events of two tenants in turn."""
    company = ("acme", "rival")[number % 2]
    return AnalyticsProcessingEnvelope(
        message_type="user_event",
        company_id=company,
        user_id=f"{company}-u{number // SIZE}",
        event_id=f"{company}-e{number}",
        correlation_id=f"{company}-r{number // 3}",
        causation_id=f"{company}-c{number // 3}",
        timestamp=NOON + number,
    )


class Counting:
    """A log that counts the records that are read of it."""

    def __init__(self, log: EventLog) -> None:
        self._log, self.records = log, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def reader(self, topic: str) -> LogReader:
        """A reader whose records count."""
        reader, read = (opened := self._log.reader(topic)), opened.read

        async def counted(*arguments: Any, **named: Any) -> list[Chunk]:
            chunks = await read(*arguments, **named)
            self.records += sum(len(chunk.values) for chunk in chunks)
            return chunks

        reader.read = counted  # type: ignore[method-assign]  # of this reader alone
        return reader


@pytest.fixture
async def log(open_embedded_log: OpenLog) -> AsyncIterator[EventLog]:
    """A log with the events of both."""
    async with with_topics(await open_embedded_log(), 1) as opened:
        yield opened


@pytest.fixture
async def index(database_url: str, log: EventLog) -> AsyncIterator[PostgresEventIndex]:
    """The index of all of it."""
    values = [event(number).SerializeToString() for number in range(10 * SIZE)]
    places = await log.append([Record("user-behavior", b"k", value, NOON) for value in values])
    opened = PostgresEventIndex(database_url)
    for block in in_blocks(dict(zip(places, values, strict=True))):
        await opened.add(summary(block))
    yield opened
    await opened.close()


def asked(company: str, name: str, text: str) -> Criteria:
    """Events of a company that have one id."""
    event_id, user_id, correlation_id, causation_id = (text if name == member else "" for member in MEMBERS)
    return Criteria(company, event_id, user_id, correlation_id, causation_id)


async def test_a_search_does_not_tell_whether_others_have_an_id(
    log: EventLog, index: PostgresEventIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither its figures nor how much is read depend on it, though both tenants' events lie in the same blocks."""
    monkeypatch.setattr(log_walk, "ASK_RECORDS", 1)

    async def looked_at(wanted: Criteria) -> tuple[int, int, int, int]:
        reading = Counting(log)
        search = EventSearch(cast(EventLog, reading), index)
        walk = await search.walk(OPERATOR, Search(wanted, ["user-behavior"]))
        found = await search.first(walk, 1_000)
        return len(found), walk.scanned.blocks_skipped, walk.scanned.records, reading.records

    read = 0
    for name, text in zip(MEMBERS, ("e331", "u5", "r110", "c110"), strict=True):
        theirs = await looked_at(asked("acme", name, f"rival-{text}"))
        assert theirs[0] == 0
        read += theirs[3]
        assert (await looked_at(asked("rival", name, f"rival-{text}")))[0]
        assert (await looked_at(asked("*", name, f"rival-{text}")))[0]
    assert read < 4 * SIZE  # a filter admits one in a hundred by mistake, not the block of each id
    assert await looked_at(Criteria("acme")) == (5 * SIZE, 0, 5 * SIZE, 10 * SIZE)
