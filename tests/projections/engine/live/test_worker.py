"""The live lane at work on a real bus and a real database: what waits is bounded, and what is lost is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import msgspec
import pytest

from domain.ports import LiveBus
from eventlog import tasks
from projections.engine.declare.registry import all_windows
from projections.engine.live.question import FOLLOW_SUBJECT, FollowRequest, ViewQuestion, subject_of
from projections.engine.live.view import moment
from projections.engine.live.waiting import Waiting
from projections.engine.live.watermark import GRACE, IDLE
from projections.engine.live.worker import LiveWorker
from tests.projections.engine.live.test_windows import MINUTE, TOPIC, total, trade
from tests.projections.harness import Logged, ReadModels
from tests.support.memory import held_by

BEGIN = 1_760_000_400_000  # a full hour, and long gone: the projections have all that the log took then
QUESTION = ViewQuestion("acme", "trading")
FEW = 10
PATIENCE = 120  # seconds of silence


async def messages_of(bus: LiveBus) -> AsyncGenerator[dict[str, Any]]:
    """What is said of the question, which somebody says to follow again and again: the lane may not listen yet."""
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def hear(_subject: str, data: bytes) -> None:
        heard.put_nowait(data)

    await bus.subscribe(subject_of(QUESTION), hear)
    silent = 0
    while silent < PATIENCE:
        await bus.publish(FOLLOW_SUBJECT, msgspec.json.encode(FollowRequest(QUESTION)))
        try:
            message = await asyncio.wait_for(heard.get(), 1)
        except TimeoutError:
            silent += 1
        else:
            silent = 0
            yield msgspec.json.decode(message, type=dict[str, Any])


async def test_what_finds_no_room_makes_its_minute_partial_until_the_projection_has_it(
    live_bus: LiveBus, other_bus: LiveBus, new_database: Callable[[], str]
) -> None:
    """A burst that folding is not as fast as: the client is told that something lacks, and at the end all is there."""
    models, now = ReadModels(new_database(), [all_windows()["trading"][0]]), BEGIN - 1
    await models.reads.open()
    worker = LiveWorker(live_bus, models.reads, lambda: now, most_messages=FEW)
    working = tasks.owned(worker.run(), "the live lane")
    said = messages_of(other_bus)
    await anext(said)
    now = BEGIN + 2_000
    burst = [trade(BEGIN + 1_000, 1, number=number) for number in range(3_000)]
    for message in burst:
        await other_bus.publish(f"analytics.{TOPIC}.acme", message)
    models.fold([Logged(TOPIC, 0, number, message) for number, message in enumerate(burst)])
    of_burst = (message async for message in said if message["start"] == moment(BEGIN))
    partial = await anext(message async for message in of_burst if message["partial"])
    assert (partial["kind"], partial["partial_reasons"], total(partial)[0] < len(burst)) == ("early", ["gap"], True)
    assert worker.windows.figures()["gaps"] >= 1
    now = BEGIN + MINUTE + GRACE + IDLE
    durable = await anext(message async for message in of_burst if message["kind"] == "durable")
    assert (durable["partial"], total(durable)) == (False, (3_000, "3000"))
    worker.stop()
    await working
    await models.close()


async def test_messages_that_come_to_nothing_make_their_minute_partial(
    live_bus: LiveBus, other_bus: LiveBus, new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever fails between taking messages out and folding them: they are lost, and that is said."""
    models, now = ReadModels(new_database(), [all_windows()["trading"][0]]), BEGIN - 1
    await models.reads.open()
    worker = LiveWorker(live_bus, models.reads, lambda: now)
    working = tasks.owned(worker.run(), "the live lane")
    said = messages_of(other_bus)
    await anext(said)
    now = BEGIN + 2_000

    def failing(*_given: object) -> None:
        monkeypatch.undo()
        raise MemoryError

    monkeypatch.setattr(worker.windows, "take", failing)
    await other_bus.publish(f"analytics.{TOPIC}.acme", trade(BEGIN, 1))
    partial = await anext(message async for message in said if message["partial"] and message["start"] == moment(BEGIN))
    assert (partial["kind"], partial["partial_reasons"], total(partial)[0]) == ("early", ["gap"], 0)
    worker.stop()
    await working
    await models.close()


def test_memory_of_what_waits_is_bounded() -> None:
    """A hundred megabytes come while nothing is folded: sixteen are kept, and the rest is counted."""
    waiting = Waiting((TOPIC,), 1_000_000, 16 * 2**20)

    def come() -> None:
        for number in range(100_000):
            waiting.put(TOPIC, bytes(1_000) + str(number).encode())

    assert held_by(come) < 20 * 2**20
    assert waiting.size <= 16 * 2**20
    assert len(waiting) + waiting.refused == 100_000
    taken = waiting.take(TOPIC, 500)
    assert [message[1_000:] for message in taken] == [str(number).encode() for number in range(500)]
    while waiting:
        waiting.take(TOPIC, 500)
    assert waiting.size == 0
