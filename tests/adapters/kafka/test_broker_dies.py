"""The broker is killed with kill -9 and started again on the same data: the same objects go on.

To start a broker again takes ten seconds, so that all of them live through one death of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from adapters.kafka.log import KafkaEventLog
from adapters.kafka.settings import KafkaSettings
from domain.errors import Unavailable
from domain.ports import LogReader
from tests.adapters.kafka.records import numbers, read_some, read_to_head, records
from tests.support.kafka_broker import KafkaBroker

Life = Callable[[KafkaSettings], AsyncIterator[None]]  # halts where the broker is killed, and where it is back


async def opened(settings: KafkaSettings) -> KafkaEventLog:
    """A log with an empty topic `events` of four partitions, and `single` of one."""
    log = KafkaEventLog(settings)
    await log.create_topics({"events": 4, "single": 1})
    return log


async def an_append_under_way(settings: KafkaSettings) -> AsyncIterator[None]:
    """Appends that run while the broker dies and comes back return late, and every record is there once, in order."""
    log = await opened(replace(settings, append_timeout=60.0))
    appended, some, back = 0, asyncio.Event(), asyncio.Event()

    async def keep_appending() -> None:
        nonlocal appended
        while not back.is_set():
            await log.append(records(100, topic="single", start=appended))
            appended += 100
            some.set()

    appending = asyncio.create_task(keep_appending())
    await some.wait()
    yield
    before = appended
    yield
    back.set()
    await appending
    assert appended > before > 0
    assert numbers(await read_to_head(log, "single")) == {0: list(range(appended))}
    await log.close()


async def what_was_not_acknowledged(settings: KafkaSettings) -> AsyncIterator[None]:
    """While the broker is away an append says Unavailable in time; repeated on the same object, it works."""
    hasty = await opened(replace(settings, append_timeout=1.0))
    await hasty.append(records(10, topic="single"))
    yield
    for _ in range(3):
        with pytest.raises(Unavailable):
            await asyncio.wait_for(hasty.append(records(10, topic="single", start=10)), 5)
    yield
    await _repeat_until_available(hasty)
    await hasty.append(records(10, topic="single", start=20))
    found = numbers(await read_to_head(hasty, "single"))[0]
    await hasty.close()
    assert list(dict.fromkeys(found)) == list(range(30)), "none is lost, and first appearances are in order"


async def a_reader(settings: KafkaSettings) -> AsyncIterator[None]:
    """Reads say Unavailable while the broker is away; afterwards the same reader goes on where it stood."""
    log = await opened(settings)
    await log.append(records(10, topic="single"))
    reader = log.reader("single")
    assert numbers(await read_some(reader, {0: 0}, most=5)) == {0: list(range(5))}
    yield
    with pytest.raises(Unavailable):
        await _read_until_refused(reader)
    yield
    found: dict[int, list[int]] = {}
    while not found:
        try:
            found = numbers(await read_some(reader, {0: 5}, wait=1))
        except Unavailable:
            await asyncio.sleep(0.1)
    assert found == {0: list(range(5, 10))}
    assert await log.heads("single") == {0: 10}
    await reader.close()
    await log.close()


async def a_member(settings: KafkaSettings) -> AsyncIterator[None]:
    """A group of one owns everything again, or still, after the broker was away for longer than a session."""
    log = await opened(settings)
    member = await log.join("survivors", ["events"])
    yield
    await asyncio.sleep(3)
    yield
    second = await log.join("survivors", ["events"])
    while {len(member.assigned()), len(second.assigned())} != {2}:
        await asyncio.wait_for(member.wait_changed(1), 20)
    assert member.assigned().isdisjoint(second.assigned())
    await member.leave()
    await second.leave()
    await log.close()


async def who_leaves_and_closes_without_a_broker(settings: KafkaSettings) -> AsyncIterator[None]:
    """What cannot say goodbye goes all the same, within the time of a drain."""
    log = await opened(replace(settings, append_timeout=1.0))
    await log.append(records(1, topic="single"))
    member, reader = await log.join("leavers", ["single"]), log.reader("single")
    await read_some(reader, {0: 0})
    yield
    async with asyncio.timeout(5):
        await member.leave()
        await reader.close()
        await log.close()
    yield


LIVES: tuple[Life, ...] = (
    an_append_under_way,
    what_was_not_acknowledged,
    a_reader,
    a_member,
    who_leaves_and_closes_without_a_broker,
)


@pytest.mark.ci
async def test_whoever_works_with_the_broker_lives_through_its_death(
    settings: KafkaSettings, mortal: KafkaBroker
) -> None:
    """Each with topics of its own; their sentences say what is held to be true of them.

    A broker of its own starts twice, half a minute of one core.
    """
    lives = [life(replace(settings, topic_prefix=f"{settings.topic_prefix}{life.__name__}-")) for life in LIVES]
    await _all_go_on(lives)
    mortal.kill()
    await _all_go_on(lives)
    await asyncio.to_thread(mortal.restart)
    await _all_go_on(lives)


async def _all_go_on(lives: list[AsyncIterator[None]]) -> None:
    """Each up to where it halts, or to its end."""
    await asyncio.gather(*(anext(life, None) for life in lives))


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
