"""Calls that stay open, that are tried again, and that meet a database without answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from adapters.postgres.migrate import migrate
from adapters.postgres.tables.quarantine import PostgresQuarantine
from adapters.postgres.tables.seen import PostgresSeenEvents
from adapters.servers.servers import Servers
from domain.errors import Unavailable
from domain.events.identity import identity
from eventlog.intake import intake as module
from eventlog.intake.framing import Item, ndjson
from eventlog.intake.intake import Ingest
from eventlog.intake.json_mapping import from_json
from eventlog.intake.quarantine import Filter
from eventlog.publish.durable_lane import Limits
from eventlog.publish.publisher import Publisher
from tests.eventlog.intake.test_intake import content_of, lines, take
from tests.eventlog.publish.samples import Door, chunks_of, logged
from tests.eventlog.publish.test_publisher import QUICK, TroubledLog
from tests.support.frozen import frozen

BAD = b"{nothing}\n"


async def quarantined_lines(door: Door) -> list[int | None]:
    """Lines of the entries in quarantine, oldest first."""
    return [entry.line for entry in reversed(await door.quarantine.entries(Filter(limit=1000, status=None)))]


async def test_few_events_of_an_open_stream_are_written_soon(door: Door) -> None:
    """Good and bad ones, while the stream stays open and long before a batch is full."""
    more = asyncio.Event()

    async def stream() -> AsyncIterator[list[Item]]:
        yield [Item(1, lines("e1").strip()), Item(2, b"nothing")]
        await more.wait()
        yield [Item(3, lines("e2").strip())]

    call = asyncio.create_task(door.ingest.take(stream(), from_json, door="test"))
    async with asyncio.timeout(30):
        while len(await logged(door.log)) < 1 or not await quarantined_lines(door):  # noqa: ASYNC110 (the log tells nobody)
            await asyncio.sleep(0.05)
        more.set()
        outcome = await call
    assert (outcome.accepted, outcome.quarantined, len(await logged(door.log))) == (2, 1, 2)


async def test_an_endless_stream_remembers_little(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever companies and bad bytes it names."""
    monkeypatch.setattr(module, "CACHED", 20)
    call = module.Intake(door.ingest, from_json, door="test", allows=lambda _: False, keep_stamps=False, tenant="acme")
    for number in range(100):
        text = lines("e1").replace(b'"acme"', b'"company-%d"' % number).strip()
        await call.add([Item(number, text), Item(number, b"bad %d" % number)])
    outcome = await call.finish()
    assert outcome.quarantined == 200
    assert max(len(call._allowed), len(call._verdicts), len(call._bad_times)) <= 20


async def test_a_repeated_call_adds_nothing_to_quarantine(door: Door) -> None:
    """Equal lines of one call are several events; the call again, or a part of it, brings none of them anew."""
    data = lines("e1") + 3 * BAD + lines("e2") + b"[1]\n"
    for again in (data, data, 2 * BAD + b"[1]\n"):
        assert (await take(door.ingest, again)).quarantined in (3, 4)
    assert await quarantined_lines(door) == [2, 3, 4, 6]


async def test_equal_bad_bytes_of_two_tenants_are_two_events(door: Door) -> None:
    """Neither hides the other's."""
    for tenant in ("acme", "borealis", "acme"):
        await door.ingest.take(ndjson(chunks_of(BAD)), from_json, door="test", tenant=tenant)
    assert len(await quarantined_lines(door)) == 2


async def test_a_log_that_is_away_leaves_no_trace_in_quarantine(door: Door) -> None:
    """The call that succeeds at last puts the bad ones there, once."""
    log = TroubledLog(door.database_url)
    publisher = Publisher(log, limits=QUICK, stamp=False)
    ingest = Ingest(publisher, door.quarantine, door.seen)
    log.before = True
    for _ in range(3):
        with pytest.raises(Unavailable):
            await take(ingest, lines("e1") + BAD)
    assert await quarantined_lines(door) == []
    log.before = False
    async with asyncio.timeout(30):
        while True:
            try:
                await take(ingest, lines("e1") + BAD)
                break
            except Unavailable:
                await asyncio.sleep(0.1)
    await publisher.close()
    await log.close()
    assert await quarantined_lines(door) == [2]


async def test_duplicates_of_another_process_are_answered_with_the_position_that_covers_them(door: Door) -> None:
    """Who lost the first answer can wait for what it wrote."""
    known = identity("acme", "", "e1"), content_of(lines("e1"))
    with psycopg.connect(door.database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO seen_events VALUES (encode(%s, 'hex')::uuid, %s, 41, 2, 'trading-events')", known
        )
    outcome = await take(door.ingest, lines("e1"))
    assert (outcome.duplicates, str(outcome.position)) == (1, "trading-events:2=42")


@pytest.mark.slow
async def test_a_frozen_database_holds_up_no_good_event(door: Door, own_servers: Servers) -> None:
    """They are in the log (which is elsewhere, as Kafka is); a call with a bad one fails soon and succeeds later."""
    addresses = await own_servers.start()
    await asyncio.to_thread(migrate, addresses.database_url)
    quarantine, seen = PostgresQuarantine(addresses.database_url), PostgresSeenEvents(addresses.database_url)
    publisher = Publisher(door.log, limits=Limits(deadline=5.0), stamp=False)
    ingest = Ingest(publisher, quarantine, seen)
    await take(ingest, lines("e1") + BAD)
    with frozen(addresses.pids["postgres"]):
        async with asyncio.timeout(30):
            assert (await take(ingest, lines("e2"))).accepted == 1
            assert (await take(ingest, lines("e3"))).accepted == 1
            with pytest.raises(Unavailable):
                await take(ingest, lines("e4") + b"[2]\n")
        assert [e.event_id for e in await logged(door.log)] == ["e1", "e2", "e3", "e4"]
    for _ in range(2):
        outcome = await take(ingest, lines("e4") + b"[2]\n")
        assert (outcome.accepted, outcome.duplicates, outcome.quarantined) == (0, 1, 1)
    assert len(await quarantine.entries(Filter())) == 2
    await publisher.close()
    await quarantine.close()
    await seen.close()
