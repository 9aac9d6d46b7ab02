"""Failures are classified, with the event behind them; workers tell that they are there and what they wait for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
import psycopg
from analytics import user_analytics_pb2 as users
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from hypothesis import given
from hypothesis import strategies as st

from adapters.postgres.projection_store import PostgresProjectionStore
from domain.errors import Unavailable
from domain.position import Position
from projections.engine.batch import Commit, ProjectionStatus
from projections.engine.cohort import Limits
from projections.engine.culprit import first_failing
from projections.engine.declare import Columns, Fact, Projection, Row, State
from projections.engine.failure import Heartbeat, worker_name
from projections.engine.kinds import Count, Key, Own, Sum, Text
from projections.engine.projector import Projector
from projections.engine.tenant_lag import lag_by_tenant
from tests.engine.test_admission import event
from tests.engine.test_projector import PARTITIONS, TOPIC, Bench, bench, clicks

if TYPE_CHECKING:
    from projections.engine.declare import Delta

__all__ = ["bench"]  # the fixture


def named(number: int, name: str) -> bytes:
    """A user event of this name."""
    return AnalyticsProcessingEnvelope(
        message_type="user_event",
        company_id="acme",
        user_id="u1",
        timestamp=1_760_000_000_000 + number,
        event_id=f"e{number}",
        payload=users.UserEvent(name=name).SerializeToString(),
    ).SerializeToString()


def numbers() -> Projection:
    """A projection whose fold works as long as names are numbers."""
    projection = Projection("numbers", version=1)

    class Numbers(Row):
        """Names as numbers."""

        company_id: Key[Text]
        user_id: Key[Text]
        events: Own[Count]

    Numbers.table = replace(Numbers.table, name="numbers_by_user")

    def advance(state: State | None, facts: Sequence[Fact]) -> State:
        return str(int(state or b"0") + sum(int(fact["name"]) for fact in facts)).encode()

    def rows(state: State) -> Mapping[str, list[dict[str, Any]]]:
        return {"numbers_by_user": [{"events": int(state)}]}

    projection.ordered_fold("user_event", by=("company_id", "user_id"), into=[Numbers], advance=advance, rows=rows)
    return projection


def picky() -> Projection:
    """The same as an additive fold."""
    projection = Projection("picky", version=1)

    class Picky(Row):
        """Names as numbers, added up."""

        company_id: Key[Text]
        total: Sum[Count]

    @projection.folds("user_event", into=Picky)
    def by_name(done: Columns) -> Delta:
        return {"total": done.name.cast(pl.Int64)}

    return projection


async def failed(bench: Bench, projection: Projection, *values: bytes) -> ProjectionStatus:
    """The status of the projection after it met these events and stopped."""
    await bench.publish(*values)
    async with bench.working(projection):
        return (await bench.stopped())[0]


async def test_the_event_that_an_additive_fold_fails_on_is_named(bench: Bench) -> None:
    """Position, event id and company of the first one, whatever surrounds it."""
    status = await failed(bench, picky(), *(named(n, str(n)) for n in range(30)), named(30, "x"), named(31, "y"))
    partition = next(p for p, head in (await bench.log.heads(TOPIC)).items() if head)
    assert status.failure is not None
    assert (status.failure.category, status.failure.event_id, status.failure.company_id) == (
        "fold_failed",
        "e30",
        "acme",
    )
    assert status.failure.position == str(Position({(TOPIC, partition): 30}))
    assert status.failure.worker == worker_name()
    assert status.error == status.failure.message


async def test_the_event_that_an_ordered_fold_fails_on_is_named(bench: Bench) -> None:
    """Although it fails where states are stored."""
    status = await failed(bench, numbers(), *(named(n, str(n)) for n in range(9)), named(9, "x"), named(10, "1"))
    assert status.failure is not None
    assert (status.failure.category, status.failure.event_id) == ("fold_failed", "e9")


async def test_rows_that_the_store_refuses_are_told_apart(bench: Bench) -> None:
    """The fold was right, the table does not take what it gave."""
    projection = clicks()
    bench.store.prepare([projection])
    with psycopg.connect(bench.url) as connection:
        connection.execute('ALTER TABLE read_models."clicks_by_day_v1" ADD CHECK (events < 3)')
    status = await failed(bench, projection, *(event(n) for n in range(3)))
    assert status.failure is not None
    assert (status.failure.category, status.failure.event_id) == ("store_rejected", "")
    bench.store.resume("clicks")
    assert bench.store.statuses()[0].failure is None


async def beats(bench: Bench, wanted: Callable[[Heartbeat], bool]) -> Heartbeat:
    """The first heartbeat like this."""
    async with asyncio.timeout(15):
        while True:
            for beat in await asyncio.to_thread(bench.store.heartbeats):
                if wanted(beat):
                    return beat
            await asyncio.sleep(0.05)


async def test_a_worker_tells_that_it_is_there_and_says_goodbye(bench: Bench) -> None:
    """With its partitions; nothing is left of it after it has drained."""
    async with bench.working(clicks()):
        beat = await beats(bench, lambda b: b.topics[TOPIC].partitions == PARTITIONS)
        assert beat.worker == worker_name()
        assert beat.topics[TOPIC].idle < 5
    assert bench.store.heartbeats() == []


async def test_what_a_worker_waits_for_is_told_while_it_lasts(bench: Bench) -> None:
    """A log that does not answer, since when; it is gone from the next heartbeat after the log is back."""
    away = asyncio.Event()
    away.set()
    real = bench.log.reader

    class Reader:
        def __init__(self, topic: str) -> None:
            self.real = real(topic)

        async def read(self, *args: Any, **kwargs: Any) -> Any:
            if away.is_set():
                raise Unavailable("no broker answers")
            return await self.real.read(*args, **kwargs)

        async def close(self) -> None:
            await self.real.close()

    bench.log.reader = Reader  # type: ignore[method-assign]  # as a log that is away now and then
    async with bench.working(clicks()):
        beat = await beats(bench, lambda b: b.topics[TOPIC].waiting is not None)
        waiting = beat.topics[TOPIC].waiting
        assert waiting is not None
        assert (waiting.category, waiting.message) == ("unavailable", "no broker answers")
        away.clear()
        await beats(bench, lambda b: b.topics[TOPIC].waiting is None)


async def test_a_commit_that_hangs_shows_as_idling(bench: Bench) -> None:
    """The projector's loop turns and beats, but its topic rests."""
    hanging = threading.Event()

    class Store(PostgresProjectionStore):
        def commit(self, commit: Commit) -> None:
            hanging.wait()
            super().commit(commit)

    projection = clicks()
    projector = Projector([projection], bench.log, lambda: Store(bench.url), None, Limits(batch=50, wait=0.05))
    await bench.publish(event(1))
    task = asyncio.create_task(projector.run())
    try:
        beat = await beats(bench, lambda b: b.topics[TOPIC].idle > 1)
        assert projector.idle() >= beat.topics[TOPIC].idle
        hanging.set()
        await bench.reached(projection)
        await beats(bench, lambda b: b.topics[TOPIC].idle < 1)
    finally:
        hanging.set()
        projector.stop()
        await asyncio.wait_for(task, 15)
    assert bench.rows(projection) == [("u1", 1)]


async def test_lag_is_counted_by_tenant(bench: Bench) -> None:
    """Records of each company that a version has not folded; bytes without a company are of nobody; the cap is told."""
    projection = clicks()
    await bench.publish(*(event(n) for n in range(4)))
    async with bench.working(projection):
        await bench.reached(projection)
    await bench.publish(*(event(n, company="acme") for n in range(4, 6)), b"\xff")
    await bench.publish(*(event(n, company="zeta") for n in range(5)), partitions_of="zeta:u1")
    head = Position({(TOPIC, p): o for p, o in (await bench.log.heads(TOPIC)).items()})
    stored = bench.store.statuses()
    found = await lag_by_tenant(bench.log, stored, head, most=1000)
    assert {(f["company_id"], f["lag_events"], f["complete"]) for f in found} == {
        ("acme", 2, True),
        ("zeta", 5, True),
        ("", 1, True),
    }
    assert next(f["company_id"] for f in found) == "zeta"
    assert all(f["name"] == "clicks" and float(str(f["lag_seconds"])) > 0 for f in found)
    assert len(await lag_by_tenant(bench.log, stored, head, most=1000, only="acme")) == 1
    capped = await lag_by_tenant(bench.log, stored, head, most=3)
    assert not any(f["complete"] for f in capped)
    assert sum(int(str(f["lag_events"])) for f in capped) == 3


@given(st.integers(1, 500), st.data())
def test_halving_finds_the_first_that_fails(count: int, data: st.DataObject) -> None:
    """Whatever their number, and wherever it is."""
    bad = data.draw(st.integers(1, count))
    assert first_failing(lambda n: n >= bad, count) == bad
