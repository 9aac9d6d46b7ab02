"""Failures are classified, with the event behind them; workers tell that they are there and what they wait for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, cast

import polars as pl
import psycopg
import pytest
from analytics import user_analytics_pb2 as users
from common.envelope_pb2 import AnalyticsProcessingEnvelope

from adapters.postgres.read_models.builder import PostgresBuild, PostgresVersions
from adapters.postgres.read_models.projection_store import PostgresProjectionStore
from adapters.postgres.tables.quarantine import PostgresQuarantine
from app.rebuild.tenant import rebuild_tenant
from app.settings import Settings
from domain.audit import LOCAL_OPERATOR
from domain.errors import Conflict, Unavailable
from domain.position import Position
from eventlog.intake.quarantine import Filter
from eventlog.intake.repair import Change, Repairs
from eventlog.publish.publisher import Publisher
from projections.engine import rebuild
from projections.engine.declare.merge_rules import Count, Key, Own, Sum, Text
from projections.engine.declare.projection import Delta, Fact, Projection, State
from projections.engine.declare.rows import Columns, Row
from projections.engine.project.cohort import Limits
from projections.engine.project.failure import Heartbeat, worker_name
from projections.engine.project.projector import Projector
from projections.engine.project.tenant_lag import lag_by_tenant
from projections.engine.rebuild import cut, goal_of, work
from projections.engine.store.port import Commit, Refusal
from tests.projections.engine.fold.test_admission import event
from tests.projections.engine.project.test_projector import PARTITIONS, TOPIC, Bench, bench, clicks

__all__ = ["bench"]  # the fixture


def user_event(number: int, name: str, company: str = "acme") -> bytes:
    """A user event of this name."""
    return AnalyticsProcessingEnvelope(
        message_type="user_event",
        company_id=company,
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


def picky(version: int = 1, *, strict: bool = True) -> Projection:
    """The same as an additive fold; if not strict, a name that is no number counts as one."""
    projection = Projection("picky", version)

    class Picky(Row):
        """Names as numbers, added up."""

        company_id: Key[Text]
        total: Sum[Count]

    @projection.folds("user_event", into=Picky)
    def by_name(done: Columns) -> Delta:
        number = done.name.cast(pl.Int64, strict=strict)
        return {"total": number if strict else number.fill_null(1)}

    return projection


Refused = tuple[str, int, str, str, str]  # projection, offset, code, event id, company


def refused(bench: Bench) -> list[Refused]:
    """What is in quarantine, by projection and place."""
    with psycopg.connect(bench.url) as connection:
        query = 'SELECT projection, "offset", code, event_id, company_id FROM quarantine ORDER BY 1, 2'
        return connection.execute(query.encode()).fetchall()


def totals(bench: Bench, table: str, column: str) -> int:
    """A column of a table added up."""
    with psycopg.connect(bench.url) as connection:
        row = connection.execute(f"SELECT coalesce(sum({column}), 0)::int FROM read_models.{table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


async def test_events_that_one_projection_refuses_are_set_aside_for_it_alone(bench: Bench) -> None:
    """Whether an additive or an ordered fold fails: all others count, and other projections count these as well."""
    projections = [picky(), numbers(), clicks()]
    await bench.publish(*(user_event(n, "x" if n in (30, 77) else "1") for n in range(100)))
    async with bench.working(*projections):
        await bench.reached(*projections)
        await bench.publish(user_event(100, "1"))
        await bench.reached(*projections)
    assert [s.state for s in bench.store.statuses()] == ["running"] * 3
    assert bench.rows(clicks()) == [("u1", 101)]
    assert totals(bench, "picky_v1", "total") == totals(bench, "numbers_by_user_v1", "events") == 99
    expected = [(30, "fold_failed", "e30", "acme"), (77, "fold_failed", "e77", "acme")]
    assert refused(bench) == [(name, *event) for name in ("numbers", "picky") for event in expected]
    with pytest.raises(Conflict, match="picky alone"):
        await replayed(bench)


async def test_one_company_whose_events_are_all_refused_stops_nobody(bench: Bench) -> None:
    """They wait in quarantine; what others send is counted, beside them and afterwards."""
    projection = picky()
    await bench.publish(
        *(user_event(n, "x", "rude") for n in range(150)), *(user_event(n, "1") for n in range(150, 160))
    )
    async with bench.working(projection):
        await bench.publish(user_event(160, "1"))
        await bench.reached(projection)
    assert [s.state for s in bench.store.statuses()] == ["running"]
    assert totals(bench, "picky_v1", "total") == 11
    assert [(r[2], r[4]) for r in refused(bench)] == [("fold_failed", "rude")] * 150


async def replayed(bench: Bench) -> None:
    """What happens to somebody who replays what one projection refused."""
    quarantine = PostgresQuarantine(bench.url)
    try:
        entries = await quarantine.entries(Filter())
        repairs = Repairs(cast(Publisher, None), quarantine, LOCAL_OPERATOR)  # nothing comes to be published
        await repairs.replay([e for e in entries if e.projection == "picky"], Change())
    finally:
        await quarantine.close()


async def test_a_rebuild_leaves_out_what_its_definition_refused(bench: Bench) -> None:
    """Rebuilt, it equals live; a projection that comes later decides alike; a mended definition counts the event."""
    projection = picky()
    await bench.publish(*(user_event(n, "x" if n == 30 else "1") for n in range(100)))
    async with bench.working(projection):
        await bench.reached(projection)
    mended = picky(version=2, strict=False)
    with closing(PostgresVersions(bench.url)) as versions:
        for again, difference in ((projection, 0), (mended, 1)):
            with closing(PostgresBuild(bench.url, versions.register(again))) as build:
                build.begin(cut(Position(), goal_of(again, versions.admitted()), 1, 50))
                await work(build.projection, bench.log, build, lambda: True)
                build.finish()
                assert totals(bench, f"picky_v{build.projection.version}", "total") == 99 + difference
    assert [r[:2] for r in refused(bench)] == [("picky", 30)]
    late = replace(picky(), name="late")
    async with bench.working(late):
        await bench.reached(late)
    assert [r[:2] for r in refused(bench)] == [("late", 30), ("picky", 30)]


@pytest.mark.parametrize("held", [rebuild.FLUSH, 1])
async def test_a_rebuild_sets_aside_what_only_it_refuses(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    """A definition that is stricter than the live one; also behind what was stored of the same share before."""
    monkeypatch.setattr(rebuild, "BATCH", 10)
    monkeypatch.setattr(rebuild, "FLUSH", held)
    lenient, strict = picky(strict=False), picky(version=2)
    await bench.publish(*(user_event(n, "x" if n == 70 else "1") for n in range(100)))
    async with bench.working(lenient):
        await bench.reached(lenient)
    with closing(PostgresVersions(bench.url)) as versions:
        stored, goal = versions.register(strict), goal_of(strict, versions.admitted())
    with closing(PostgresBuild(bench.url, stored)) as build:
        build.begin(cut(Position(), goal, 1, 50))
        await work(build.projection, bench.log, build, lambda: True)
        build.finish()
    assert totals(bench, "picky_v2", "total") == 99
    assert [r[:2] for r in refused(bench)] == [("picky", 70)]


async def test_a_tenant_rebuild_leaves_out_what_only_it_refuses(bench: Bench) -> None:
    """Told at first; set aside where the company's rows are replaced, so that they stay what any rebuild makes."""
    lenient, strict, settings = picky(strict=False), picky(), Settings(database_url=bench.url)
    await bench.publish(*(user_event(n, "x" if n in (30, 70) else "1") for n in range(100)))
    async with bench.working(lenient):
        await bench.reached(lenient)
    found = await rebuild_tenant(settings, strict, "acme", replace=False)
    assert ([r.event_id for r in found.refused], found.replaced, refused(bench)) == (["e30", "e70"], False, [])
    assert [(d.old, d.new) for d in found.differences] == [({"total": 100}, {"total": 98})]
    assert (await rebuild_tenant(settings, strict, "acme", replace=True)).replaced
    assert totals(bench, "picky_v1", "total") == 98
    assert [r[:4] for r in refused(bench)] == [("picky", n, "fold_failed", f"e{n}") for n in (30, 70)]
    again = await rebuild_tenant(settings, strict, "acme", replace=True)
    assert (again.differences, again.refused, again.replaced) == ((), (), False)


async def test_sums_that_fit_no_table_are_folded_again_event_by_event(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What only the last merge of a rebuild meets stops no rebuild: its version is handed over and sets it aside."""
    monkeypatch.setattr(rebuild, "BATCH", 10)
    monkeypatch.setattr(rebuild, "FLUSH", 1)
    live, strict = clicks(), picky(version=2)
    huge = str(5 * 10**18)  # once it is a number of 64 bits, twice it is none
    await bench.publish(*(user_event(n, huge if n in (30, 70) else "1") for n in range(100)))
    async with bench.working(live):
        await bench.reached(live)
    with closing(PostgresVersions(bench.url)) as versions:
        stored, goal = versions.register(strict), goal_of(strict, versions.admitted())
        with closing(PostgresBuild(bench.url, stored)) as build:
            build.begin(cut(Position(), goal, 1, 50))
            await work(stored, bench.log, build, lambda: True)
            assert not build.finish()
        assert versions.building(strict) is None
    assert (totals(bench, "picky_v1", "total"), refused(bench)) == (0, [])
    async with bench.working(live, strict):
        await bench.reached(stored)
    with psycopg.connect(bench.url) as connection:
        row = connection.execute("SELECT total FROM read_models.picky_v1").fetchone()
    assert row == (int(huge) + 98,)
    assert [r[:4] for r in refused(bench)] == [("picky", 70, "store_rejected", "e70")]


async def test_a_fold_that_fails_on_much_is_wrong_itself(bench: Bench) -> None:
    """Its projection stops, with the event that was one too many, and nothing is set aside; the others go on.

    Of two companies both have too much that is refused.
    """
    projection, other = picky(), clicks()
    await bench.publish(*(user_event(n, "x" if n % 2 else "1", "beta" if n % 4 < 2 else "acme") for n in range(400)))
    async with bench.working(projection, other, limits=Limits(batch=1000, wait=0.05)):
        await bench.reached(other)
        status = next(s for s in await bench.stopped() if s.name == "picky")
    partition = next(p for p, head in (await bench.log.heads(TOPIC)).items() if head)
    assert status.failure is not None
    assert status.failure.category == "fold_failed"
    assert status.failure.company_id == ("beta" if int(status.failure.event_id[1:]) % 4 < 2 else "acme")
    assert status.failure.position == str(Position({(TOPIC, partition): int(status.failure.event_id[1:])}))
    assert status.failure.worker == worker_name()
    assert status.error == status.failure.message
    assert refused(bench) == []
    bench.store.resume("picky")
    assert all(s.failure is None for s in bench.store.statuses())


async def test_what_the_store_refuses_is_set_aside(bench: Bench) -> None:
    """Also where no single event is wrong by itself: what had gone in before decides, and a rebuild follows it."""
    projection = clicks()
    bench.store.prepare([projection])
    with psycopg.connect(bench.url) as connection:
        connection.execute('ALTER TABLE read_models."clicks_by_day_v1" ADD CHECK (events < 3)')
    await bench.publish(*(event(n) for n in range(3)), event(3, user="u2"))
    async with bench.working(projection):
        await bench.reached(projection)
    assert bench.rows(projection) == [("u1", 2), ("u2", 1)]
    assert refused(bench) == [("clicks", 2, "store_rejected", "e2", "acme")]


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
        def commit(self, commit: Commit) -> Sequence[Refusal]:
            hanging.wait()
            return super().commit(commit)

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
