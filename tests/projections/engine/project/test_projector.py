"""The projector at the real log and store: rows appear, nothing twice, zombies fenced, failures contained."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import psycopg
import pytest

from adapters.postgres.log.log import EmbeddedLog
from adapters.postgres.read_models.projection_store import PostgresProjectionStore
from domain.errors import Fenced
from domain.ports import Record
from projections.engine.declare.merge_rules import Count, Day, Key, Sum, Text
from projections.engine.declare.projection import Delta, Projection
from projections.engine.declare.rows import Columns, Row
from projections.engine.fold.admission import Admission, Records
from projections.engine.project.cohort import Cohort, Limits
from projections.engine.project.projector import Projector
from projections.engine.store.port import ProjectionStatus
from tests.projections.engine.fold.test_admission import chunk, event

TOPIC = "user-behavior"
PARTITIONS = 3
LIMITS = Limits(batch=50, wait=0.05, confirm=0.1)


def clicks(name: str = "clicks", broken: bool = False) -> Projection:
    """A projection that counts events by day and user, in tables of its own."""
    projection = Projection(name, version=1)

    class Clicks(Row):
        """Counted events."""

        company_id: Key[Text]
        day: Key[Day]
        user_id: Key[Text]
        events: Sum[Count]

    Clicks.table = replace(Clicks.table, name=f"{name}_by_day")

    @projection.folds("user_event", into=Clicks)
    def by_day(done: Columns) -> Delta:
        if broken:
            raise ValueError("this fold is broken")
        return {"day": done.timestamp, "events": 1}

    return projection


class Bench:
    """One log, one store and any number of projectors on them."""

    def __init__(self, url: str, log: EmbeddedLog) -> None:
        self.url, self.log = url, log
        self.store = PostgresProjectionStore(url)

    async def publish(self, *values: bytes, partitions_of: str = "acme:u1") -> None:
        """Append events, all with one key."""
        await self.log.append([Record(TOPIC, partitions_of.encode(), v, 1_760_000_000_000) for v in values])

    @asynccontextmanager
    async def working(self, *projections: Projection, limits: Limits = LIMITS) -> AsyncIterator[Projector]:
        """A projector at work; it has drained when this ends."""
        projector = Projector(list(projections), self.log, lambda: PostgresProjectionStore(self.url), None, limits)
        task = asyncio.create_task(projector.run())
        try:
            yield projector
        finally:
            projector.stop()
            await asyncio.wait_for(task, 15)

    async def reached(self, *projections: Projection, patience: float = 60) -> None:
        """Return when all of them stand at the head of the log."""
        heads = {(TOPIC, p): o for p, o in (await self.log.heads(TOPIC)).items() if o}
        async with asyncio.timeout(patience):
            while True:
                states = {s.name: s for s in await asyncio.to_thread(self.store.statuses)}
                known = [states.get(p.name) for p in projections]
                if all(s is not None and all(s.offsets.get(k, 0) >= o for k, o in heads.items()) for s in known):
                    return
                await asyncio.sleep(0.02)

    async def stopped(self) -> list[ProjectionStatus]:
        """Return when some projection has stopped, with its status."""
        async with asyncio.timeout(20):
            while True:
                if found := [s for s in await asyncio.to_thread(self.store.statuses) if s.state == "stopped"]:
                    return found
                await asyncio.sleep(0.05)

    def rows(self, projection: Projection) -> list[tuple[str, int]]:
        """Users and their counted events."""
        table = f'read_models."{projection.tables[0].name}_v1"'
        with psycopg.connect(self.url) as connection:
            query = f"SELECT user_id, sum(events)::int FROM {table} GROUP BY 1 ORDER BY 1"
            return connection.execute(query.encode()).fetchall()


@pytest.fixture
async def bench(database_url: str) -> AsyncIterator[Bench]:
    """A log with an empty topic, and a store."""
    log = EmbeddedLog(database_url)
    await log.create_topics({TOPIC: PARTITIONS})
    bench = Bench(database_url, log)
    yield bench
    bench.store.close()
    await log.close()


async def test_events_become_rows_once(bench: Bench) -> None:
    """What is appended before and while the projector works is counted once, duplicates left out."""
    projection = clicks()
    await bench.publish(*(event(i) for i in range(120)))
    async with bench.working(projection):
        await bench.publish(*(event(i) for i in range(100, 130)))
        await bench.reached(projection)
    assert bench.rows(projection) == [("u1", 130)]
    async with bench.working(projection):
        await bench.publish(event(5), event(130, user="u2"))
        await bench.reached(projection)
    assert bench.rows(projection) == [("u1", 130), ("u2", 1)]


async def test_a_zombie_writes_nothing(bench: Bench) -> None:
    """A worker whose checkpoint was moved by another is fenced, and no row of it is stored."""
    projection = clicks()
    bench.store.prepare([projection])
    progress = bench.store.progress(TOPIC, [0], [projection])
    chunks = [chunk([event(1), event(2)])]
    facts, admitted = Admission(TOPIC, bench.store.admitted_before, {}).decide(Records.of(chunks))
    commit = Cohort([projection], dict(progress.admission)).commit(TOPIC, chunks, facts, admitted)
    bench.store.commit(commit)
    zombie = PostgresProjectionStore(bench.url)
    with pytest.raises(Fenced):
        zombie.commit(commit)
    zombie.close()
    assert bench.rows(projection) == [("u1", 2)]


async def test_bad_events_are_set_aside_and_their_neighbours_flow(bench: Bench) -> None:
    """A poisoned record lands in quarantine with its bytes and place; the events around it are counted."""
    projection = clicks()
    async with bench.working(projection):
        await bench.publish(event(1), b"\xff poison", event(2))
        await bench.reached(projection)
    assert bench.rows(projection) == [("u1", 2)]
    with psycopg.connect(bench.url) as connection:
        found = connection.execute("SELECT code, raw, topic, door FROM quarantine").fetchall()
    assert found == [("undecodable", b"\xff poison", TOPIC, "log")]


async def test_bad_events_of_most_companies_stop_the_projection(bench: Bench) -> None:
    """Then the code must be wrong: the projection stops with the reason and nothing is set aside."""
    bad = [event(n, user="", company=company) for n in range(600) for company in ("acme", "beta")]
    await bench.publish(*bad, *(event(n, company="gamma") for n in range(100)))
    async with bench.working(clicks(), limits=Limits(batch=2000, wait=0.05)):
        found = await bench.stopped()
    assert "2 of 3 companies" in str(found[0].error)
    assert sum(found[0].offsets.values()) == 0


@pytest.mark.parametrize("bad", [b"\xff", event(1, user="", company="rude")], ids=["of nobody", "of one company"])
async def test_one_company_stops_nobody_whatever_it_sends(bench: Bench, bad: bytes) -> None:
    """A company that sends nothing but bad events says nothing about the code: others go on, also after it."""
    projection = clicks()
    await bench.publish(*[bad] * 1200)
    async with bench.working(projection, limits=Limits(batch=500, wait=0.05)):
        await bench.publish(event(1))
        await bench.reached(projection)
    assert [s.state for s in bench.store.statuses()] == ["running"]
    assert bench.rows(projection) == [("u1", 1)]
    with psycopg.connect(bench.url) as connection:
        assert connection.execute("SELECT count(*) FROM quarantine").fetchall() == [(1200,)]


async def test_a_failing_fold_stops_its_projection_alone(bench: Bench) -> None:
    """One projection's broken code stops that projection, with its error; the others go on."""
    good, bad = clicks("good"), clicks("bad", broken=True)
    await bench.publish(event(1))
    async with bench.working(good, bad):
        await bench.reached(good)
    states = {s.name: s for s in bench.store.statuses()}
    assert states["good"].state == "running"
    assert states["bad"].state == "stopped"
    assert "this fold is broken" in str(states["bad"].error)
    assert bench.rows(good) == [("u1", 1)]


@pytest.mark.parametrize("batch", [20, 10_000])
async def test_a_new_projection_catches_up_with_the_recorded_decisions(bench: Bench, batch: int) -> None:
    """A projection added later gets every admitted event once: near ones in the lane, far ones beside it."""
    first, second = clicks("first"), clicks("second")
    limits = Limits(batch=batch, wait=0.05)
    await bench.publish(*(event(i) for i in range(200)), b"\xff", *(event(i) for i in range(50)))
    async with bench.working(first, limits=limits):
        await bench.reached(first)
    async with bench.working(first, second, limits=limits):
        await bench.publish(*(event(i) for i in range(190, 210)))
        await bench.reached(first, second)
    assert bench.rows(second) == bench.rows(first) == [("u1", 210)]


async def test_several_projectors_share_the_partitions(bench: Bench) -> None:
    """Two workers, one of which leaves in mid-way: every event is counted once."""
    projection = clicks()
    async with bench.working(projection):
        async with bench.working(projection):
            for user in range(8):
                await bench.publish(
                    *(event(user * 100 + i, user=f"u{user}") for i in range(40)), partitions_of=f"acme:u{user}"
                )
        for user in range(8):
            await bench.publish(
                *(event(user * 100 + i, user=f"u{user}") for i in range(30, 60)), partitions_of=f"acme:u{user}"
            )
        await bench.reached(projection)
    assert bench.rows(projection) == [(f"u{user}", 60) for user in range(8)]


async def test_a_paused_projection_rests_until_it_is_resumed(bench: Bench) -> None:
    """Pausing is noticed by a working projector; on resume it catches up and nothing is missing."""
    resting, working = clicks("resting"), clicks("working")
    async with bench.working(resting, working):
        await bench.publish(event(1))
        await bench.reached(resting, working)
        bench.store.pause("resting")
        await asyncio.sleep(2.5)
        await bench.publish(event(2))
        await bench.reached(working)
        assert bench.rows(resting) == [("u1", 1)]
        bench.store.resume("resting")
        await bench.reached(resting)
    assert bench.rows(resting) == bench.rows(working) == [("u1", 2)]
