"""The broker is killed with kill -9 and started again on the same data: the same objects go on."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from adapters.kafka.log import KafkaEventLog
from adapters.kafka.settings import KafkaSettings
from domain.errors import Unavailable
from domain.ports import LogReader
from tests.kafka.records import numbers, read_some, read_to_head, records
from tests.support.kafka_broker import KafkaBroker


async def test_an_append_under_way_survives(log: KafkaEventLog, settings: KafkaSettings, mortal: KafkaBroker) -> None:
    """Appends that run while the broker dies and comes back return late, and every record is there once, in order."""
    patient = KafkaEventLog(replace(settings, append_timeout=60.0))
    await patient.append(records(100, topic="single"))

    async def keep_appending() -> None:
        for start in range(100, 3000, 100):
            await patient.append(records(100, topic="single", start=start))
            some.set()

    some = asyncio.Event()
    appending = asyncio.create_task(keep_appending())
    await some.wait()
    mortal.kill()
    assert not appending.done()
    await asyncio.to_thread(mortal.restart)
    await appending
    await patient.close()
    assert numbers(await read_to_head(log, "single")) == {0: list(range(3000))}


async def test_what_was_not_acknowledged_can_be_repeated(settings: KafkaSettings, mortal: KafkaBroker) -> None:
    """While the broker is away an append says Unavailable in time; repeated on the same object, it works."""
    hasty = KafkaEventLog(replace(settings, append_timeout=1.0))
    await hasty.create_topics({"single": 1})
    await hasty.append(records(10, topic="single"))
    mortal.kill()
    for _ in range(3):
        with pytest.raises(Unavailable):
            await asyncio.wait_for(hasty.append(records(10, topic="single", start=10)), 5)
    await asyncio.to_thread(mortal.restart)
    await _repeat_until_available(hasty)
    await hasty.append(records(10, topic="single", start=20))
    found = numbers(await read_to_head(hasty, "single"))[0]
    await hasty.close()
    assert list(dict.fromkeys(found)) == list(range(30)), "none is lost, and first appearances are in order"


async def test_a_reader_says_so_and_goes_on(log: KafkaEventLog, mortal: KafkaBroker) -> None:
    """Reads say Unavailable while the broker is away; afterwards the same reader goes on where it stood."""
    await log.append(records(10, topic="single"))
    reader = log.reader("single")
    assert numbers(await read_some(reader, {0: 0}, most=5)) == {0: list(range(5))}
    mortal.kill()
    with pytest.raises(Unavailable):
        await _read_until_refused(reader)
    await asyncio.to_thread(mortal.restart)
    found: dict[int, list[int]] = {}
    while not found:
        try:
            found = numbers(await read_some(reader, {0: 5}, wait=1))
        except Unavailable:
            await asyncio.sleep(0.1)
    assert found == {0: list(range(5, 10))}
    assert await log.heads("single") == {0: 10}
    await reader.close()


async def test_a_member_stays(log: KafkaEventLog, mortal: KafkaBroker) -> None:
    """A group of one owns everything again, or still, after the broker was away for longer than a session."""
    member = await log.join("survivors", ["events"])
    mortal.kill()
    await asyncio.sleep(3)
    await asyncio.to_thread(mortal.restart)
    second = await log.join("survivors", ["events"])
    while {len(member.assigned()), len(second.assigned())} != {2}:
        await asyncio.wait_for(member.wait_changed(1), 20)
    assert member.assigned().isdisjoint(second.assigned())
    await member.leave()
    await second.leave()


async def test_leaving_and_closing_without_a_broker(settings: KafkaSettings, mortal: KafkaBroker) -> None:
    """What cannot say goodbye goes all the same, within the time of a drain."""
    log = KafkaEventLog(replace(settings, append_timeout=1.0))
    await log.create_topics({"single": 1})
    await log.append(records(1, topic="single"))
    member, reader = await log.join("leavers", ["single"]), log.reader("single")
    await read_some(reader, {0: 0})
    mortal.kill()
    async with asyncio.timeout(5):
        await member.leave()
        await reader.close()
        await log.close()


async def _read_until_refused(reader: LogReader) -> None:
    for _ in range(10):
        await read_some(reader, {0: 10}, wait=1)


async def _repeat_until_available(log: KafkaEventLog) -> None:
    while True:
        try:
            await log.append(records(10, topic="single", start=10))
            return
        except Unavailable:
            await asyncio.sleep(0.2)
