"""The publisher: both lanes, order, repetition, back-pressure, draining."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from adapters.nats.bus import NatsBus
from adapters.postgres.log.log import EmbeddedLog
from domain.errors import LimitExceeded, Unavailable
from domain.ports import EventLog, Placed, Record
from eventlog.publish.durable_lane import Limits
from eventlog.publish.publisher import Publisher
from tests.eventlog.publish.samples import logged, trade

QUICK = Limits(deadline=0.3, first_pause=0.01, longest_pause=0.02)


class TroubledLog(EmbeddedLog):
    """A real log whose answers can be withheld: before an append (nothing is written) or after it (all is)."""

    before = after = False
    refuses: bytes | None = None
    appends = 0

    async def append(self, records: Sequence[Record]) -> list[Placed]:
        """Append, or be in trouble."""
        self.appends += 1
        if self.before:
            raise Unavailable("the log is away")
        if self.refuses is not None and any(self.refuses in record.value for record in records):
            raise LimitExceeded("a record that can never be taken")
        placed = await super().append(records)
        if self.after:
            raise Unavailable("the answer was lost")
        return placed


@pytest.fixture
async def troubled(database_url: str, log: EventLog) -> TroubledLog:
    """A log with all topics, not yet in trouble."""
    return TroubledLog(database_url)


async def test_both_lanes_take_an_event(log: EventLog, bus: NatsBus) -> None:
    """The receipt names both lanes and the place; whoever listens has the event."""
    heard: list[bytes] = []

    async def hear(subject: str, data: bytes) -> None:
        heard.append(data)

    subscription = await bus.subscribe("analytics.trading-events.both-lanes", hear)
    await bus.flush()
    publisher = Publisher(log, bus)
    event = trade(company_id="both-lanes")
    receipt = await publisher.publish(event)
    await publisher.close()
    for _ in range(100):
        if heard:
            break
        await asyncio.sleep(0.01)
    await subscription.stop()
    assert (receipt.durable, receipt.live, receipt.placed.topic) == (True, True, "trading-events")
    assert heard == [event.record.value]
    (envelope,) = await logged(log)
    assert (envelope.event_id, envelope.producer_seq, len(envelope.producer_id)) == (event.event_id, 1, 36)


async def test_the_log_takes_events_while_the_bus_is_down(log: EventLog) -> None:
    """A bus that cannot be reached costs nothing but the live lane."""
    bus = await NatsBus.connect("nats://127.0.0.1:9", patience=0.05)
    publisher = Publisher(log, bus)
    receipt = await publisher.publish(trade())
    await publisher.close()
    await bus.close()
    assert (receipt.durable, receipt.live) == (True, False)


async def test_the_bus_takes_events_while_the_log_is_down(troubled: TroubledLog, bus: NatsBus) -> None:
    """The caller hears that only the live lane has the event; it goes into the log when that is back."""
    heard = asyncio.Event()

    async def hear(subject: str, data: bytes) -> None:
        heard.set()

    subscription = await bus.subscribe("analytics.trading-events.log-down", hear)
    await bus.flush()
    troubled.before = True
    publisher = Publisher(troubled, bus, limits=QUICK)
    event = trade(company_id="log-down")
    with pytest.raises(Unavailable) as raised:
        await publisher.publish(event)
    assert raised.value.code == "live_only"
    await asyncio.wait_for(heard.wait(), 2)
    troubled.before = False
    await publisher.close()
    await subscription.stop()
    assert [envelope.event_id for envelope in await logged(troubled)] == [event.event_id]
    await troubled.close()


async def test_a_repetition_after_unavailable_is_the_same_event(troubled: TroubledLog) -> None:
    """An event that is published again is written once, whether the log was away or only its answer was lost."""
    publisher = Publisher(troubled, limits=QUICK)
    for trouble in ("before", "after"):
        setattr(troubled, trouble, True)
        with pytest.raises(Unavailable):
            await publisher.publish(trade(trouble))
        setattr(troubled, trouble, False)
        first = await publisher.publish(trade(trouble))
        assert await publisher.publish(trade(trouble)) == first
    await publisher.close()
    envelopes = await logged(troubled)
    assert {(e.event_id, e.producer_seq) for e in envelopes} == {("event-of-before", 1), ("event-of-after", 2)}
    await troubled.close()


async def test_order_survives_trouble(troubled: TroubledLog) -> None:
    """One user's events lie in the log in the order of publishing; repeated records carry lower or equal numbers."""
    publisher = Publisher(troubled, limits=Limits(first_pause=0.001, longest_pause=0.005, batch_events=7))
    tasks = []
    for number in range(60):
        troubled.before, troubled.after = number % 10 == 3, number % 10 == 6
        tasks.append(asyncio.create_task(publisher.publish(trade(f"t{number}"))))
        await asyncio.sleep(0.002)
    troubled.before = troubled.after = False
    await asyncio.gather(*tasks)
    await publisher.close()
    admitted: list[str] = []
    highest = 0
    for envelope in await logged(troubled):  # as projectors admit them
        if envelope.producer_seq > highest:
            highest = envelope.producer_seq
            admitted.append(envelope.event_id)
    assert admitted == [f"event-of-t{number}" for number in range(60)]
    await troubled.close()


async def test_an_event_that_the_log_can_never_take_harms_no_other(troubled: TroubledLog) -> None:
    """Its publisher hears why, events of the same batch go in."""
    troubled.refuses = b"t-refused"
    publisher = Publisher(troubled, limits=Limits(linger=0.01))
    events = [trade("t1"), trade("t-refused"), trade("t2")]
    answers = await asyncio.gather(*map(publisher.publish, events), return_exceptions=True)
    await publisher.close()
    assert [isinstance(answer, LimitExceeded) for answer in answers] == [False, True, False]
    assert [envelope.event_id for envelope in await logged(troubled)] == ["event-of-t1", "event-of-t2"]
    await troubled.close()


async def test_what_comes_during_an_append_goes_as_one_batch(troubled: TroubledLog) -> None:
    """A thousand callers at once need few appends."""
    publisher = Publisher(troubled)
    await asyncio.gather(*(publisher.publish(trade(f"t{n}")) for n in range(1_000)))
    await publisher.close()
    assert troubled.appends <= 3
    assert len(await logged(troubled)) == 1_000
    await troubled.close()


async def test_publishing_waits_while_too_much_is_pending(troubled: TroubledLog) -> None:
    """Memory is bounded: what finds no room in time is refused, and is not written later."""
    troubled.before = True
    limits = Limits(deadline=1.0, pending_events=5, first_pause=0.01, longest_pause=0.02)
    publisher = Publisher(troubled, limits=limits)
    answers = await asyncio.gather(*(publisher.publish(trade(f"t{n}")) for n in range(8)), return_exceptions=True)
    assert all(isinstance(answer, Unavailable) for answer in answers)
    troubled.before = False
    for number in (5, 6, 7, 0):
        await publisher.publish(trade(f"t{number}"))
    await publisher.close()
    assert sorted(e.event_id for e in await logged(troubled)) == [f"event-of-t{n}" for n in range(8)]
    await troubled.close()


async def test_closing_drains_and_then_refuses(log: EventLog) -> None:
    """What was given before close is in the log after it; what comes later is refused."""
    publisher = Publisher(log)
    waiting = asyncio.create_task(publisher.publish_many([trade(f"t{n}") for n in range(50)]))
    await asyncio.sleep(0)
    await publisher.close()
    assert [receipt.durable for receipt in await waiting] == [True] * 50
    with pytest.raises(Unavailable, match="closed"):
        await publisher.publish(trade("late"))


async def test_closing_tells_what_the_log_does_not_have(troubled: TroubledLog) -> None:
    """A log that stays away makes close fail, with the number of events."""
    troubled.before = True
    publisher = Publisher(troubled, limits=QUICK)
    with pytest.raises(Unavailable):
        await publisher.publish_many([trade("t1"), trade("t2")])
    with pytest.raises(Unavailable, match="2 events"):
        await publisher.close()
    await troubled.close()
