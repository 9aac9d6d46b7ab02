"""The relay at work: nothing skipped, one at a time, and everything again for a log that lacks it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast

import psycopg
import pytest
from common.envelope_pb2 import AnalyticsProcessingEnvelope

from adapters.postgres.configuration_store.relay import PostgresRelayProgress, PostgresRelaySource
from adapters.postgres.log.log import EmbeddedLog
from domain.errors import Fenced, Unavailable
from domain.ports import EventLog
from domain.position import Position
from eventlog.relay.record import relay_record
from eventlog.relay.relay import Relay
from projections.engine.fold.admission import Admission, Records
from tests.projections.harness import Logged, chunks_of
from tests.support.event_logs import read_all, with_topics
from tests.support.event_store import decide, state
from tests.support.faults import FAULTS, Faulty

TOPIC = "config-events"
COMPANIES = [f"company-{n}" for n in range(6)]


@pytest.fixture
async def log(database_url: str) -> AsyncIterator[EmbeddedLog]:
    """An embedded log with an empty topic of four partitions."""
    async with with_topics(EmbeddedLog(database_url), 4, [TOPIC]) as opened:
        yield opened


@asynccontextmanager
async def relaying(url: str, log: EventLog) -> AsyncIterator[asyncio.Event]:
    """A relay at work; the event is set with each batch that it announces."""
    stop, told = asyncio.Event(), asyncio.Event()

    async def announce() -> None:
        told.set()

    working = asyncio.create_task(Relay(PostgresRelaySource(url), log, announce).run(stop))
    try:
        yield told
    finally:
        stop.set()
        await asyncio.wait_for(working, 5)


async def filled(url: str, count: int, hold: float = 0.0, first: int = 0) -> list[int]:
    """So many events of all companies, of aggregates numbered from `first`; their numbers."""

    def fill() -> list[int]:
        with psycopg.connect(url, autocommit=True) as connection:
            return [
                decide(connection, f"d{n}", 1, state(COMPANIES[n % 6], body={"n": n}), hold=hold)
                for n in range(first, first + count)
            ]

    return await asyncio.to_thread(fill)


async def eventually(fact: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(20):
        while not await fact():  # noqa: ASYNC110  # the fact is another process's, nothing tells of it
            await asyncio.sleep(0.02)


async def numbers(log: EventLog) -> list[list[int]]:
    """The stamps in each partition, in the order of the log."""
    found = await read_all(log, TOPIC)
    return [[AnalyticsProcessingEnvelope.FromString(v).producer_seq for _, v in rows] for rows in found.values()]


def admitted(records: Sequence[Logged]) -> int:
    """How many of these records the projector counts."""
    _, decision = Admission(TOPIC, lambda _: {}, {}).decide(Records.of(chunks_of(records)))
    assert not decision.quarantined
    return decision.admitted


async def test_events_lie_in_the_log_in_commit_order_where_the_progress_says(
    database_url: str, log: EmbeddedLog
) -> None:
    """Each at its place; the place of a number covers every event before it."""
    expected = await filled(database_url, 120)
    progress = PostgresRelayProgress(database_url)
    async with relaying(database_url, log):
        await eventually(lambda: _reached(progress, expected[-1]))
    found = await numbers(log)
    assert sorted(n for lane in found for n in lane) == expected
    assert all(lane == sorted(lane) for lane in found)
    for number in (1, 17, 60, expected[-1] + 1):
        ends = (await progress.before(number)).position
        before = {n for p, lane in enumerate(found) for n in lane[: ends[TOPIC, p]]}
        assert before == {n for n in expected if n < number}
    await progress.close()


async def _reached(progress: PostgresRelayProgress, number: int) -> bool:
    return (await progress.before(number)).next_number > number


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_at_any_call_holds_up_and_loses_nothing(
    database_url: str, log: EmbeddedLog, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever store, log or bus answer: once it is over everything is relayed, in order."""
    progress = PostgresRelayProgress(database_url)
    store, faulty_log = FaultyStore(database_url), Faulty(log, "append", "heads")
    stop = asyncio.Event()
    bus = Faulty(Announced(), "say")
    relay = Relay(store, cast(EventLog, faulty_log), bus.say, limit=0.3, pause=0.02)
    working = asyncio.create_task(relay.run(stop))
    expected: list[int] = []
    for port, at in [(store.calls, c) for c in TURN] + [(faulty_log, "append"), (faulty_log, "heads"), (bus, "say")]:
        port._at = (at,)
        port.begin(fault)
        if at in ("last", "placed", "heads"):
            store.lose_turn()
        expected += await filled(database_url, 4, first=len(expected))
        async with asyncio.timeout(30):
            await port.occurred.wait()
            await asyncio.sleep(0.05)
            port.end()
            await eventually(partial(_reached, progress, expected[-1]))
        port.occurred.clear()
    stop.set()
    await asyncio.wait_for(working, 5)
    if fault == "runtime":
        assert "nobody expected this" in caplog.text
    lanes = [list(dict.fromkeys(lane)) for lane in await numbers(log)]
    assert sorted({n for lane in lanes for n in lane}) == expected
    assert all(lane == sorted(lane) for lane in lanes)
    await progress.close()


TURN = ("after", "advance", "last", "placed", "woken")


class FaultyStore(PostgresRelaySource):
    """A real store whose turns meet faults, and may be lost."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.calls = Faulty(None)
        self._lost = False

    def lose_turn(self) -> None:
        """The next call fails, and the relay begins anew."""
        self._lost = True

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Any]:
        """A turn."""
        async with super().turn() as turn:
            self.calls._real = turn
            yield self if turn is not None else None

    def __getattr__(self, name: str) -> Any:
        if self._lost and name in ("after", "woken"):
            self._lost = False
            raise Unavailable("the turn is lost")
        return getattr(self.calls, name)


class Announced:
    """Nobody hears."""

    async def say(self) -> None:
        """A batch is relayed."""


async def test_a_slow_committer_is_waited_for_and_not_skipped(database_url: str, log: EmbeddedLog) -> None:
    """Its event has the lower number and commits late; those who come after it wait behind it, the relay sees all."""
    progress = PostgresRelayProgress(database_url)

    def slowly(name: str, hold: float) -> int:
        with psycopg.connect(database_url, autocommit=True) as connection:
            return decide(connection, name, 1, state("acme"), hold=hold)

    async with relaying(database_url, log):
        slow = [asyncio.create_task(asyncio.to_thread(slowly, f"slow{n}", 0.4)) for n in range(3)]
        await asyncio.sleep(0.1)
        fast = [asyncio.create_task(asyncio.to_thread(slowly, f"fast{n}", 0)) for n in range(10)]
        expected = sorted(await asyncio.gather(*slow, *fast))
        await eventually(lambda: _reached(progress, expected[-1]))
    assert [lane for lane in await numbers(log) if lane] == [expected]
    await progress.close()


async def test_numbers_that_were_rolled_back_hold_nothing_up(database_url: str, log: EmbeddedLog) -> None:
    """Numbers are not dense, and the relay does not wait for one that never comes."""
    first = await filled(database_url, 2)
    with psycopg.connect(database_url, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.UniqueViolation):
            decide(connection, "d0", 1, state("acme"))
        last = decide(connection, "later", 1, state("acme"))
    assert last > first[-1] + 1
    progress = PostgresRelayProgress(database_url)
    async with relaying(database_url, log):
        await eventually(lambda: _reached(progress, last))
    assert sorted(n for lane in await numbers(log) for n in lane) == [*first, last]
    await progress.close()


async def test_a_commit_wakes_the_relay(database_url: str, log: EmbeddedLog) -> None:
    """It need not look again and again: what is committed is in the log long before the next look."""
    async with relaying(database_url, log) as told:
        await filled(database_url, 1)
        await told.wait()
        for number in range(5):
            await asyncio.sleep(0.1)
            told.clear()
            with psycopg.connect(database_url, autocommit=True) as connection:
                decide(connection, f"woken{number}", 1, state("acme"))
            await asyncio.wait_for(told.wait(), 0.4)


async def test_one_relay_works_and_another_takes_its_turn_when_it_goes(database_url: str, log: EmbeddedLog) -> None:
    """Two at once would be harmless, and are not there; the second goes on where the first ended."""
    store, progress = PostgresRelaySource(database_url), PostgresRelayProgress(database_url)
    async with store.turn() as first:
        assert first is not None
        async with store.turn() as second:
            assert second is None
        async with relaying(database_url, log):
            expected = await filled(database_url, 10)
            await asyncio.sleep(0.8)
            assert not any(await numbers(log)), "it stands by"
            with psycopg.connect(database_url, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                )
            await eventually(lambda: _reached(progress, expected[-1]))
        with pytest.raises(Unavailable):
            await first.last()
    await progress.close()


async def test_a_relay_that_lost_its_turn_records_nothing(database_url: str, log: EmbeddedLog) -> None:
    """Progress moves by compare-and-set: whoever stands where it was is fenced."""
    await filled(database_url, 3)
    async with PostgresRelaySource(database_url).turn() as turn:
        assert turn is not None
        events = await turn.after(0, 10)
        places = await log.append([relay_record(event) for event in events])
        await turn.advance(0, events, places)
        with pytest.raises(Fenced):
            await turn.advance(0, events, places)
        assert await turn.last() == events[-1].number


async def test_a_log_that_lacks_what_was_relayed_gets_everything(
    database_url: str, new_database: Callable[[], str], log: EmbeddedLog
) -> None:
    """Who moves to other brokers finds the whole configuration there, without asking for it."""
    expected = await filled(database_url, 12)
    progress = PostgresRelayProgress(database_url)
    async with relaying(database_url, log):
        await eventually(lambda: _reached(progress, expected[-1]))
    other = EmbeddedLog(new_database())
    await other.create_topics({TOPIC: 2})
    async with relaying(database_url, other):
        await eventually(lambda: _all_in(other, expected))
    await other.close()
    await progress.close()


async def _all_in(log: EventLog, expected: list[int]) -> bool:
    return sorted(n for lane in await numbers(log) for n in lane) == expected


async def test_repeats_and_late_repeats_count_once(database_url: str, log: EmbeddedLog) -> None:
    """A relay that forgot, and a zombie whose append arrives last: the projector counts every event once."""
    expected = await filled(database_url, 30)
    progress = PostgresRelayProgress(database_url)
    for _ in range(2):
        async with relaying(database_url, log):
            await eventually(lambda: _reached(progress, expected[-1]))
        async with PostgresRelaySource(database_url).turn() as turn:
            assert turn is not None
            await turn.begin_anew()
            early = (await turn.after(0, 100))[:20]
    await log.append([relay_record(event) for event in early])
    found = await read_all(log, TOPIC)
    records = [Logged(TOPIC, p, offset, value) for p, rows in found.items() for offset, value in rows]
    assert len(records) == 2 * 30 + 20
    assert admitted(records) == 30
    await progress.close()


async def test_a_state_that_cannot_be_read_does_not_stop_the_relay(database_url: str, log: EmbeddedLog) -> None:
    """It goes into the log for the projector to set aside; what follows flows."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        decide(connection, "bad", 1, b"\xff no state")
        last = decide(connection, "good", 1, json.dumps(state("acme")).encode())
    progress = PostgresRelayProgress(database_url)
    async with relaying(database_url, log):
        await eventually(lambda: _reached(progress, last))
    found = await read_all(log, TOPIC)
    records = [Logged(TOPIC, p, offset, value) for p, rows in found.items() for offset, value in rows]
    _, decision = Admission(TOPIC, lambda _: {}, {}).decide(Records.of(chunks_of(records)))
    assert [bad.code for bad in decision.quarantined] == ["missing_field"]
    assert decision.admitted == 1
    await progress.close()


async def test_progress_of_an_untouched_store_is_the_beginning(database_url: str) -> None:
    """Nothing decided, nothing relayed, no position."""
    progress = PostgresRelayProgress(database_url)
    found = await progress.before(1)
    assert (found.head, found.next_number, found.position) == (1, 1, Position())
    await progress.close()
