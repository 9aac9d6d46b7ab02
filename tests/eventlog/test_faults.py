"""Faults at every await of publishing: nobody waits beyond the deadline, nothing dies, nothing accepted is lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest

from adapters.files.audit_spill import SpillFiles
from adapters.nats.bus import NatsBus
from adapters.postgres.log.log import EmbeddedLog
from domain.audit import Actor, Door, Note
from domain.errors import AnalyticsError, LimitExceeded
from domain.events.catalogue import STREAMS
from domain.ports import EventLog, LiveBus
from eventlog.publish.audit_writer import LogTrail
from eventlog.publish.durable_lane import Limits
from eventlog.publish.publisher import Publisher, Receipt
from read_api.live.changes import PROJECTED, ProjectionChanges, wait_for
from tests.eventlog.publish.samples import logged, trade
from tests.support.event_logs import with_topics
from tests.support.faults import FAULTS, HANG, Faulty

LIMITS = Limits(deadline=1.5, live_deadline=0.2, attempt=0.3, first_pause=0.01, longest_pause=0.05)
FOR_EVER = 30.0  # seconds after which a test takes a wait for one without an end
FINAL = {"limit", "defect"}  # errors that say that nothing was written


@pytest.fixture
async def real_log(module_database_url: str) -> AsyncIterator[EmbeddedLog]:
    """A log with all topics, shared by the cases, each of which has a company of its own."""
    async with with_topics(EmbeddedLog(module_database_url), 2) as opened:
        yield opened


async def counted(log: EventLog, company: str) -> list[str]:
    """Event ids of the company as projectors count them: by rising stamps, each once."""
    found: list[str] = []
    highest: dict[str, int] = {}
    for envelope in await logged(log):
        if envelope.company_id == company and envelope.producer_seq > highest.get(envelope.producer_id, 0):
            highest[envelope.producer_id] = envelope.producer_seq
            found.append(envelope.event_id)
    return found


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", ["append", "publish", "flush"])
async def test_publishing_meets_a_fault_and_goes_on(
    real_log: EmbeddedLog, bus: NatsBus, call: str, fault: str, after: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Each caller is answered or refused; afterwards the lanes work, and the log has what it was said to have."""
    company = f"{call}-{fault}-{after}"
    log, live = Faulty(real_log, "append"), Faulty(bus, "publish", "flush")
    publisher = Publisher(cast(EventLog, log), cast(LiveBus, live), limits=LIMITS)
    port = log if call == "append" else live
    port._at = (call,)
    port.begin(fault, late=after)
    with caplog.at_level(logging.INFO):
        async with asyncio.timeout(FOR_EVER):
            given_up = asyncio.create_task(publisher.publish(trade("given-up", company_id=company)))
            asked = [asyncio.create_task(publisher.publish(trade(f"t{n}", company_id=company))) for n in range(3)]
            await asyncio.sleep(0.05)
            given_up.cancel()
            answers = await asyncio.gather(*asked, return_exceptions=True)
        port.end()
        async with asyncio.timeout(FOR_EVER):
            last = await publisher.publish(trade("last", company_id=company))
            await publisher.close()
    assert all(isinstance(answer, Receipt | AnalyticsError) for answer in answers)
    assert last.durable
    assert port.met > 0
    if fault == "runtime":
        assert "nobody expected this" in caplog.text
    found = await counted(real_log, company)
    accepted = [f"event-of-t{n}" for n, answer in enumerate(answers) if isinstance(answer, Receipt)]
    assert [i for i in found if i in accepted] == accepted
    assert found[-1] == "event-of-last"
    if call != "append":
        assert len(accepted) == 3  # the bus is no reason to refuse
    elif fault not in FINAL | {"runtime"}:
        assert found == ["event-of-given-up", *(f"event-of-t{n}" for n in range(3)), "event-of-last"]


async def test_a_message_too_large_for_the_bus_harms_no_other(real_log: EmbeddedLog, bus: NatsBus) -> None:
    """It is in the log alone; those sent beside it are on the bus as well."""

    class Small:
        """A bus that takes small messages only."""

        connected = True
        flush = bus.flush

        async def publish(self, subject: str, data: bytes) -> None:
            if len(data) > 1_000:
                raise LimitExceeded("too large for the live bus")
            await bus.publish(subject, data)

    publisher = Publisher(real_log, cast(LiveBus, Small()))
    events = [trade("t1"), trade("t2" + "x" * 2_000, event_id="t2"), trade("t3")]
    async with asyncio.timeout(FOR_EVER):
        receipts = await asyncio.gather(*map(publisher.publish, events))
        await publisher.close()
    assert [(r.durable, r.live) for r in receipts] == [(True, True), (True, False), (True, True)]


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_embedded_logs_writer_answers_everybody(
    module_database_url: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever happens in the transaction: who waits is answered, and the next append goes in."""
    log = EmbeddedLog(module_database_url)
    await log.create_topics(dict.fromkeys(STREAMS, 2))
    port = Faulty(log, "_append")
    port.begin(fault)
    real = log._append
    monkeypatch.setattr(log, "_append", lambda group: port._meet() if port.fault else real(group))
    records = [trade(f"{fault}-{n}").record for n in range(3)]
    async with asyncio.timeout(FOR_EVER):
        asked = [asyncio.create_task(log.append([record])) for record in records]
        await asyncio.sleep(0.05)
        if fault == HANG:
            for task in asked:
                task.cancel()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        port.end()
        monkeypatch.undo()
        assert len(await log.append(records)) == 3
        await log.close()
    assert all(isinstance(a, asyncio.CancelledError if fault == HANG else AnalyticsError) for a in answers)


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_trail_keeps_every_note(real_log: EmbeddedLog, fault: str, tmp_path: Path) -> None:
    """What the log does not take goes to the file, and what comes afterwards into the log."""
    port = Faulty(real_log, "append")
    trail = LogTrail(cast(EventLog, port), SpillFiles(tmp_path), most=100, patience=0.2)
    trail._lane._limits = LIMITS
    port.begin(fault)
    note = Note(Actor("ann", "auditor"), "query", f"q-{fault}", Door.HTTP, "acme", "ok", "")
    async with asyncio.timeout(FOR_EVER):
        with suppress(AnalyticsError):
            await trail.record(note)
        await asyncio.sleep(0.1)
        port.end()
        trail._patience = FOR_EVER  # a machine with other work takes more than a fault may
        await trail.record(note._replace(target=f"last-{fault}"))
        await trail.close(5)
    written = b"".join(e.payload for e in await logged(real_log, ["audit-events"]))
    spilled = b"".join(value for _, values in SpillFiles(tmp_path).batches() for value in values)
    assert f"last-{fault}".encode() in written
    assert f"q-{fault}".encode() in written + spilled


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_lease_is_renewed_again(module_database_url: str, fault: str) -> None:
    """A failed renewal ends no membership: once it succeeds, the worker owns its partitions."""
    log = EmbeddedLog(module_database_url)
    await log.create_topics({"leases": 2})
    member = cast(Any, await log.join(f"group-{fault}", ["leases"]))
    real, port = member._renew, Faulty(member, "_renew")
    port.begin(fault)

    async def renew() -> None:
        if port.fault:
            await port._meet()
        await real()

    member._renew = renew
    member._changed.set()
    async with asyncio.timeout(FOR_EVER):
        await port.occurred.wait()
        member._valid_until = 0.0  # as if the lease had run out meanwhile
        port.end()
        while not member.assigned():
            await member.wait_changed(0.1)
        await member.leave()
        await log.close()


@pytest.mark.parametrize("fault", FAULTS)
async def test_movements_are_heard_once_the_bus_takes_subscriptions(
    bus: NatsBus, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it failed before."""
    monkeypatch.setattr("read_api.live.changes.RETRY", 0.05)
    monkeypatch.setattr("read_api.live.changes.PATIENCE", 0.2)
    port = Faulty(bus, "subscribe")
    port.begin(fault)
    movements = ProjectionChanges(cast(LiveBus, port))
    movements.start()
    async with asyncio.timeout(FOR_EVER):
        await port.occurred.wait()
        port.end()
        heard = False
        while not heard:
            moved = movements.next(f"of-{fault}")
            await bus.publish(f"{PROJECTED}.of-{fault}", b"")
            heard = await wait_for(moved, 0.1)
        await movements.stop()
