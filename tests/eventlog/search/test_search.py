"""Searches by the index find what reading everything finds, whatever part of the index there is."""

from __future__ import annotations

import asyncio
import random
import tracemalloc
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache

import psycopg
import pytest
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from adapters.postgres.tables.event_index import PostgresDecisions, PostgresEventIndex
from app.wiring import closed_at_end
from domain.access.rights import OPERATOR
from domain.events.catalogue import STREAMS, log_key
from domain.events.partitioning import partition_of
from domain.ports import Chunk, EventLog, LogReader, Placed, Record
from eventlog.search import walk as log_walk
from eventlog.search.blocks import Block
from eventlog.search.bloom import PROBES, checksums, filter_of_checksums, probe
from eventlog.search.criteria import ALWAYS, NEVER, BlockSummary, Criteria
from eventlog.search.event_detail import EventDetails
from eventlog.search.indexer import UNREAD, Filling
from eventlog.search.indexer import index as follow_and_index
from eventlog.search.search import EventSearch, Search
from tests.support.event_logs import OpenLog

NOON = 1_760_000_000_000
SIZE = 64  # offsets of a block here
COUNT = 3_000
TOPICS = ("user-behavior", "trading-events")


def made(number: int) -> AnalyticsProcessingEnvelope:
    """An event, the same for the same number; some members are rare, some are common, some are missing."""
    dice = random.Random(number)
    return AnalyticsProcessingEnvelope(
        message_type=dice.choice(["user_event", "user_event_batch", "trading_result", "payment"]),
        company_id=dice.choice(["acme", "globex", f"c{number // 500}"]),
        user_id=dice.choice(["", "u1", f"u{number // 20}"]),
        event_id=f"e-{number}",
        correlation_id=dice.choice(["", f"r-{number // 7}"]),
        causation_id=dice.choice(["", f"e-{max(0, number - 3)}"]),
        timestamp=NOON + 10 * number + dice.randrange(-500, 500),
    )


async def fill(log: EventLog) -> Mapping[Placed, bytes]:
    """Events and some bytes that are none are in the log; everything that is, by place."""
    await log.create_topics(dict.fromkeys(STREAMS, 2))
    records = []
    for number in range(COUNT):
        event = made(number)
        value = event.SerializeToString() if number % 97 else b"\xff\xffe-5"
        records.append(Record(TOPICS[number % 2], log_key(event.company_id, event.user_id), value, NOON))
    return dict(zip(await log.append(records), (record.value for record in records), strict=True))


def in_blocks(held: Mapping[Placed, bytes], size: int = SIZE) -> list[Block]:
    """The full blocks of what the log holds, cut here by other means than the indexer's."""
    found = []
    for topic in TOPICS:
        for partition in (0, 1):
            of_part = sorted(p.offset for p in held if p[:2] == (topic, partition))
            for first in range(0, len(of_part) - size + 1, size):
                offsets = of_part[first : first + size]
                values = [held[Placed(topic, partition, offset)] for offset in offsets]
                found.append(Block(topic, partition, first, first + size, offsets, values, NOON, len(of_part)))
    return found


@cache
def parsed(value: bytes) -> AnalyticsProcessingEnvelope | None:
    """The event; None where it is none. Parsed once, because hundreds of searches look at each."""
    try:
        return AnalyticsProcessingEnvelope.FromString(value)
    except DecodeError:
        return None


def matching(held: Mapping[Placed, bytes], wanted: Criteria, topics: Sequence[str]) -> set[Placed]:
    """Places of wanted events, found by looking at each one."""
    names = ("company_id", "event_id", "user_id", "correlation_id", "causation_id")
    asked = [(name, text) for name in names if (text := getattr(wanted, name)) not in ("", "*")]
    return {
        place
        for place, value in held.items()
        if place.topic in topics and (event := parsed(value)) is not None
        if all(getattr(event, name) == text for name, text in asked)
        and (not wanted.message_types or event.message_type in wanted.message_types)
        and wanted.from_time <= event.timestamp < wanted.to_time
    }


def summary(block: Block) -> BlockSummary:
    """The row of a block that came in one piece."""
    filling = Filling(block.first_offset)
    filling.add(block)
    return filling.summary(block)


@pytest.fixture
async def log(open_embedded_log: OpenLog) -> AsyncIterator[EventLog]:
    """An open log."""
    async with closed_at_end(await open_embedded_log()) as opened:
        yield opened


@pytest.fixture
async def index(database_url: str) -> AsyncIterator[PostgresEventIndex]:
    """The index, empty."""
    opened = PostgresEventIndex(database_url)
    yield opened
    await opened.close()


def criteria(dice: random.Random) -> Criteria:
    """Some of the members set, to values that are there, or not."""
    event = made(dice.randrange(COUNT + 100))
    begin = NOON + 10 * dice.randrange(COUNT)

    def some(text: str) -> str:
        return text if dice.random() < 0.3 else ""

    return Criteria(
        some(event.company_id) or "*",
        some(event.event_id),
        some(event.user_id),
        some(event.correlation_id),
        some(event.causation_id),
        frozenset({event.message_type}) if dice.random() < 0.3 else frozenset(),
        begin if dice.random() < 0.3 else ALWAYS,
        begin + dice.randrange(1, 5_000) if dice.random() < 0.3 else NEVER,
    )


async def test_the_index_changes_what_is_read_and_never_what_is_found(
    log: EventLog, index: PostgresEventIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random criteria, with no index, one with holes, and a whole one, equal a look at every event."""
    monkeypatch.setattr(log_walk, "ASK_RECORDS", 1)
    held, dice = await fill(log), random.Random(1)
    blocks, search = in_blocks(held), EventSearch(log, index)
    read = []
    for share in (0.0, 0.5, 1.0):
        for block in blocks:
            if dice.random() < share:
                await index.add(summary(block))
        total = 0
        for _ in range(20):
            wanted, topics = criteria(dice), dice.choice([TOPICS, TOPICS[:1]])
            walk = await search.walk(OPERATOR, Search(wanted, topics))
            found = await search.first(walk, 0)
            assert {event.place for event in found} == matching(held, wanted, topics), wanted
            assert [e.place for e in found if held[e.place] != e.value] == []
            assert walk.caught_up
            total += walk.scanned.records
        read.append(total)
    assert read[0] > read[1] > 2 * read[2]


async def test_pages_chained_by_their_cursor_give_every_event_once(
    log: EventLog, index: PostgresEventIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With blocks passed over in between."""
    monkeypatch.setattr(log_walk, "ASK_RECORDS", 1)
    held = await fill(log)
    for block in in_blocks(held):
        await index.add(summary(block))
    wanted, search, position = Criteria("c3"), EventSearch(log, index), ""
    found: list[Placed] = []
    for _ in range(1_000):
        walk = await search.walk(OPERATOR, Search(wanted, TOPICS, position))
        events = await search.first(walk, 7)
        found, position = [*found, *(event.place for event in events)], walk.position
        if len(events) < 7:
            break
    assert len(found) == len(set(found))
    assert set(found) == matching(held, wanted, TOPICS)


class Watched:
    """A reader that notes when it is closed while it reads, or reads on after that."""

    def __init__(self, reader: LogReader, faults: list[str]) -> None:
        self._reader, self._faults = reader, faults
        self._reading = self._closed = False

    async def read(self, start: Mapping[int, int], *, max_records: int, wait: float) -> list[Chunk]:
        """As the reader."""
        if self._closed:
            self._faults.append("read after it was closed")
        self._reading = True
        try:
            return await self._reader.read(start, max_records=max_records, wait=wait)
        finally:
            self._reading = False

    async def close(self) -> None:
        """As the reader."""
        if self._reading:
            self._faults.append("closed while it reads")
        self._closed = True
        await self._reader.close()


async def test_a_walk_that_is_left_reads_no_more_when_its_readers_are_closed(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that reads on opens its connection anew, and nobody closes that."""
    faults: list[str] = []
    opened = log.reader
    monkeypatch.setattr(log, "reader", lambda topic: Watched(opened(topic), faults))
    await fill(log)
    search = EventSearch(log)
    walk = await search.walk(OPERATOR, Search(Criteria("c3"), STREAMS, follow=True))  # most topics wait for events
    assert len(await search.first(walk, 1)) == 1
    assert not faults


async def test_an_indexer_that_was_stopped_goes_on_with_the_same_blocks(
    log: EventLog, index: PostgresEventIndex, database_url: str
) -> None:
    """Stopped at any point, with rows lost, and with rows of a log that is gone: the blocks are those of one pass."""
    held = await fill(log)
    expected = {(b.topic, b.partition, b.first_offset): len(b.values) for b in in_blocks(held)}
    with psycopg.connect(database_url, autocommit=True) as database:
        for rows in (5, 30, len(expected)):
            async with indexed(database, rows, log, index):
                pass
            database.execute("DELETE FROM log_blocks WHERE first_offset = %s", (2 * SIZE,))
        await index.add(summary(Block("user-behavior", 0, 1 << 20, 2 << 20, [], [], NOON, 2 << 20)))
        async with indexed(database, len(expected), log, index):
            assert rows_of(database) == expected


def rows_of(database: psycopg.Connection) -> dict[tuple[str, int, int], int]:
    """Records of each block, by its beginning."""
    rows = database.execute("SELECT topic, partition, first_offset, records FROM log_blocks").fetchall()
    return {(topic, partition, first): records for topic, partition, first, records in rows}


@asynccontextmanager
async def indexed(
    database: psycopg.Connection, rows: int, log: EventLog, index: PostgresEventIndex, size: int = SIZE
) -> AsyncIterator[None]:
    """An indexer runs, and there are so many rows."""
    stop = asyncio.Event()
    running = asyncio.create_task(follow_and_index(log, index, TOPICS, stop, size=size))
    async with asyncio.timeout(20):
        while len(rows_of(database)) < rows:
            assert not running.done(), running.exception()
            await asyncio.sleep(0.01)
        yield
        stop.set()
        await running


async def test_of_blocks_that_are_being_filled_few_records_are_held(
    log: EventLog, index: PostgresEventIndex, database_url: str
) -> None:
    """Three partitions wait for the end of their block with 4 MB each; all that is held is a fraction of it."""
    size, payload = 1_024, random.Random(1).randbytes(4_096)
    await log.create_topics(dict.fromkeys(TOPICS, 4))
    keys = {partition_of(key, 4): key for key in (log_key("acme", f"u{number}") for number in range(100))}
    for partition, count in ((1, size - 1), (2, size - 1), (3, size - 1), (0, size)):
        event = AnalyticsProcessingEnvelope(message_type="payment", company_id="acme", payload=payload)
        await log.append([Record(TOPICS[0], keys[partition], event.SerializeToString(), NOON)] * count)
    with psycopg.connect(database_url, autocommit=True) as database:
        async with indexed(database, 1, log, index, size):  # what is loaded and prepared once is not counted
            pass
        database.execute("DELETE FROM log_blocks")
        tracemalloc.start()
        try:
            async with indexed(database, 1, log, index, size):
                # the last read may be under way
                while tracemalloc.get_traced_memory()[0] > 4 * UNREAD + 500_000:  # noqa: ASYNC110 (no event)
                    await asyncio.sleep(0.01)
        finally:
            tracemalloc.stop()


async def test_one_event_is_told_whole(log: EventLog, index: PostgresEventIndex, database_url: str) -> None:
    """Its causes back to the first, its effects, its neighbours, and what became of it."""
    await log.create_topics(dict.fromkeys(STREAMS, 1))
    events = [
        AnalyticsProcessingEnvelope(message_type="user_event", company_id=c, user_id=u, event_id=e, causation_id=cause)
        for c, u, e, cause in (
            ("acme", "u1", "root", ""),
            ("acme", "u1", "middle", "root"),
            ("other", "u1", "foreign", "middle"),
            ("acme", "u2", "leaf", "middle"),
            ("acme", "u1", "last", "nowhere"),
        )
    ]
    places = await log.append(
        [Record("user-behavior", log_key(e.company_id, e.user_id), e.SerializeToString(), NOON) for e in events]
    )
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute("INSERT INTO duplicates VALUES ('user-behavior', 0, 1)")
    decisions = PostgresDecisions(database_url)
    event_details = EventDetails(EventSearch(log, index), decisions)
    try:
        told = await event_details.detail_of(OPERATOR, "middle", "acme")
        by_place = await event_details.detail_of(OPERATOR, f"user-behavior:0={places[3].offset}")
        last = await event_details.detail_of(OPERATOR, "last")
    finally:
        await decisions.close()
    names = [event["event_id"] for event in (told["event"], *told["causes"], *told["effects"])]
    assert (names, told["root"]) == (["middle", "root", "leaf"], True)
    assert {k: v["event_id"] for k, v in told["neighbours"].items()} == {"before": "root", "after": "last"}
    assert told["decision"] == {"outcome": "duplicate", "reasons": []}
    assert [c["event_id"] for c in by_place["causes"]] == ["middle", "root"]
    assert (by_place["decision"]["outcome"], by_place["neighbours"]) == ("waiting", {"before": None, "after": None})
    assert (last["causes"], last["root"]) == ([], False)


@given(st.sets(st.binary(max_size=40), max_size=300), st.binary(max_size=40))
def test_a_filter_never_denies_what_it_was_made_of(texts: set[bytes], other: bytes) -> None:
    """Looked up bit by bit; the filter has no more bits than it may."""
    made_of = filter_of(texts)
    assert all(admits(made_of, text) for text in texts)
    assert len(made_of) == 8 * max(1, -(-10 * len(texts) // 64))
    assert texts or not admits(made_of, other)


def test_a_filter_admits_few_others_and_keeps_its_form() -> None:
    """One in a hundred, about; stored filters must stay readable."""
    texts = filter_of([f"e-{n}".encode() for n in range(10_000)])
    assert sum(admits(texts, f"x-{n}".encode()) for n in range(20_000)) < 400
    assert (filter_of([b"e-1", b"e-2"]).hex(), probe(b"e-1")) == FORM


def filter_of(texts: Collection[bytes]) -> bytes:
    """The filter of some texts."""
    return filter_of_checksums(checksums(texts))


def admits(made_of: bytes, text: bytes) -> bool:
    """Whether all bits of the text are set."""
    first, second = probe(text)
    bits = [(first + i * second) % (8 * len(made_of)) for i in range(PROBES)]
    return all(made_of[bit // 8] >> (bit % 8) & 1 for bit in bits)


# made once with plain whole numbers, by the description in eventlog/search/bloom.py
FORM = ("0412814020001948", (1901974772, 1461652871))
