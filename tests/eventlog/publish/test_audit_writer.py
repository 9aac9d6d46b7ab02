"""The trail's writer on a real log: every note once, whatever becomes of the database and of the process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from analytics.control_events_pb2 import AuditEvent
from common.envelope_pb2 import AnalyticsProcessingEnvelope

from adapters.files.audit_spill import SpillFiles
from adapters.postgres.log.log import EmbeddedLog
from adapters.postgres.migrate import migrate
from adapters.servers.servers import Servers
from domain.audit import NOBODY, Actor, Door, Note
from domain.errors import Unavailable
from domain.events.catalogue import MAX_TEXT
from domain.events.validation import judge
from eventlog.publish.audit_events import audit_record
from eventlog.publish.audit_writer import AT_ONCE, LogTrail
from tests.support.event_logs import read_all, with_topics

ANN = Actor("ann", "auditor")


def note(target: str, actor: Actor = ANN, code: str = "") -> Note:
    """Something that Ann asked for."""
    return Note(actor, "query", target, Door.HTTP, "acme", "refused" if code else "ok", code)


async def recorded(log: EmbeddedLog) -> list[AuditEvent]:
    """All audit events of the log, each event id once, as readers count them."""
    found = {}
    for rows in (await read_all(log, "audit-events")).values():
        for _, value in rows:
            envelope = AnalyticsProcessingEnvelope.FromString(value)
            found[envelope.event_id] = AuditEvent.FromString(envelope.payload)
    return list(found.values())


@pytest.fixture
async def log(database_url: str) -> AsyncIterator[EmbeddedLog]:
    """An empty log."""
    async with with_topics(EmbeddedLog(database_url), 2, ["audit-events"]) as opened:
        yield opened


async def test_notes_come_to_the_log_by_themselves_and_all_of_them_when_it_drains(
    log: EmbeddedLog, tmp_path: Path
) -> None:
    """More than one batch, and the rest at the end."""
    trail = LogTrail(log, SpillFiles(tmp_path), most=10_000)
    for number in range(AT_ONCE + 7):
        trail.note(note(f"q{number}"))
    async with asyncio.timeout(10):
        while len(await recorded(log)) < AT_ONCE + 7:  # noqa: ASYNC110 (the log tells nobody)
            await asyncio.sleep(0.05)
    trail.note(note("last"))
    await trail.close(5)
    counted = Counter(event.target for event in await recorded(log))
    assert counted == Counter({**{f"q{n}": 1 for n in range(AT_ONCE + 7)}, "last": 1})


async def test_what_is_awaited_is_on_record_when_it_returns(log: EmbeddedLog, tmp_path: Path) -> None:
    """With those that waited before it."""
    trail = LogTrail(log, SpillFiles(tmp_path), most=10)
    trail.note(note("before"))
    await trail.record(note("command"))
    assert {event.target for event in await recorded(log)} == {"before", "command"}
    await trail.close(5)


async def test_refusals_of_strangers_are_counted_and_cannot_flood_the_log(log: EmbeddedLog, tmp_path: Path) -> None:
    """The first is told at once, the others together when their time is over; those of somebody known one by one."""
    trail = LogTrail(log, SpillFiles(tmp_path), most=10_000, window=0.2)
    for number in range(3_000):
        trail.note(note(f"made-up-{number}", NOBODY, "unauthenticated"))
    trail.note(note("other", NOBODY, "bad_token"))
    for _ in range(2):
        trail.note(note("mine", ANN, "forbidden_company"))
    async with asyncio.timeout(30):
        while sum(event.count for event in await recorded(log)) < 3_003:  # noqa: ASYNC110  # nobody says that it grew
            await asyncio.sleep(0.05)
    await trail.close(5)
    told = sorted((event.subject, event.code, event.count) for event in await recorded(log))
    assert told == [
        ("ann", "forbidden_company", 1),
        ("ann", "forbidden_company", 1),
        ("nobody", "bad_token", 1),
        ("nobody", "unauthenticated", 1),
        ("nobody", "unauthenticated", 2_999),
    ]


async def test_notes_that_neither_the_log_nor_the_disk_takes_are_told_to_be_lost(
    log: EmbeddedLog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The process drains all the same."""
    await log.close()
    (tmp_path / "trail").write_text("a file where the folder should be")
    trail = LogTrail(log, SpillFiles(tmp_path / "trail"), most=10)
    trail.note(note("q"))
    await trail.close(0.2)
    assert "1 audit events are lost" in caplog.text


def test_a_note_is_a_good_event_whatever_its_texts_are() -> None:
    """Subjects and targets come from outside."""
    for text in ("", "x" * 100_000, "n\0l", "\ud800", "ü" * MAX_TEXT):
        made = audit_record(Note(Actor(f"s{text}", "viewer"), "read", text, Door.WS, "acme", correlation_id="c-1"))
        assert judge(made.value, "audit-events") is None


@pytest.mark.slow
async def test_no_note_is_lost_while_the_database_is_killed_and_back(own_servers: Servers, tmp_path: Path) -> None:
    """Notes wait, then new requests are refused; once the log is back everything that was taken is on record."""
    addresses = await own_servers.start()
    await asyncio.to_thread(migrate, addresses.database_url)
    log = EmbeddedLog(addresses.database_url)
    await log.create_topics({"audit-events": 2})
    trail = LogTrail(log, SpillFiles(tmp_path), most=600, patience=0.3)
    await trail.record(note("first"))
    os.kill(addresses.pids["postgres"], signal.SIGKILL)
    taken = 0
    while taken < 600:
        await trail.admit()
        trail.note(note(f"q{taken}"))
        taken += 1
    with pytest.raises(Unavailable, match="nothing is answered off the record") as refused:
        await trail.admit()
    assert refused.value.code == "trail_unavailable"
    with pytest.raises(Unavailable):
        await trail.record(note("awaited"))
    watching = asyncio.create_task(own_servers.watch(lambda line: None))
    async with asyncio.timeout(30):
        while True:
            with suppress(Unavailable):
                await trail.admit()
                break
    await trail.close(20)
    counted = Counter(event.target for event in await recorded(log))
    assert counted == Counter({"first": 1, "awaited": 1, **{f"q{n}": 1 for n in range(600)}})
    watching.cancel()
    await log.close()


@pytest.mark.slow
async def test_what_a_process_could_not_write_is_written_by_the_next_one(own_servers: Servers, tmp_path: Path) -> None:
    """Draining while the log is away leaves a file; the next trail appends it and removes it."""
    addresses = await own_servers.start()
    await asyncio.to_thread(migrate, addresses.database_url)
    log, spill = EmbeddedLog(addresses.database_url), SpillFiles(tmp_path / "trail")
    await log.create_topics({"audit-events": 2})
    trail = LogTrail(log, spill, most=100)
    await trail.record(note("first"))
    postgres = psutil.Process(addresses.pids["postgres"])
    serving = [postgres, *postgres.children(recursive=True)]
    postgres.kill()
    await asyncio.to_thread(psutil.wait_procs, serving, 30)  # what serves a connection outlives it by a moment
    for number in range(3):
        trail.note(note(f"q{number}"))
    await trail.close(0.3)
    assert len(list((tmp_path / "trail").iterdir())) == 1
    await own_servers.start()
    watching = asyncio.create_task(own_servers.watch(lambda line: None))
    again = LogTrail(log, spill, most=100)
    again.open()
    async with asyncio.timeout(30):
        while list((tmp_path / "trail").iterdir()):  # noqa: ASYNC110 (nobody tells)
            await asyncio.sleep(0.05)
    await again.close(5)
    assert Counter(event.target for event in await recorded(log)) == Counter(["first", "q0", "q1", "q2"])
    watching.cancel()
    await log.close()
