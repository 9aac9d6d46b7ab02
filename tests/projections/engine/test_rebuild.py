"""Rebuilding at the real log and store: beside what runs, resumed, cancelled, compared, and never twice."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing

import psycopg
import pytest

from adapters.postgres.log.log import EmbeddedLog
from adapters.postgres.migrate import migrate
from adapters.postgres.read_models import builder
from adapters.postgres.read_models.builder import PostgresBuild, PostgresVersions
from adapters.servers.servers import Servers
from domain.errors import Conflict, Defect, Fenced, NotFound
from domain.position import Position
from projections.engine import rebuild
from projections.engine.declare.projection import Projection
from projections.engine.rebuild import Comparison, Folded, cut, goal_of, work
from projections.engine.store.port import Changes, FoldFailed
from tests.projections.engine.fold.test_admission import event
from tests.projections.engine.project.test_projector import TOPIC, Bench, clicks


@pytest.fixture
async def bench(database_url: str) -> AsyncIterator[Bench]:
    """A log with an empty topic, and a store."""
    log = EmbeddedLog(database_url)
    await log.create_topics({TOPIC: 3})
    bench = Bench(database_url, log)
    yield bench
    bench.store.close()
    await log.close()


@pytest.fixture
def versions(database_url: str) -> Iterator[PostgresVersions]:
    """The stored versions of that database."""
    with closing(PostgresVersions(database_url)) as found:
        yield found


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rebuild reads and stores a few records at a time."""
    monkeypatch.setattr(rebuild, "BATCH", 10)
    monkeypatch.setattr(rebuild, "FLUSH", 2)


async def folded(bench: Bench, projection: Projection, count: int) -> None:
    """So many events are in the log and in the live version."""
    async with bench.working(projection):
        await bench.publish(*(event(i) for i in range(count)))
        await bench.reached(projection)


def begun(bench: Bench, versions: PostgresVersions, projection: Projection) -> PostgresBuild:
    """A build of a new version, with shares of 50 records."""
    build = PostgresBuild(bench.url, versions.register(projection))
    build.begin(cut(Position(), goal_of(projection, versions.admitted()), 1, 50))
    return build


async def compared(versions: PostgresVersions, projection: Projection, version: int) -> Comparison:
    """The live version and another, once they stand at the same position."""
    for _ in range(400):
        if (found := versions.compare(projection, projection.stored_as(version))) is not None:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("the versions do not meet")


def times(count: int) -> Callable[[], bool]:
    """True so many times."""
    left = iter(range(count))
    return lambda: next(left, None) is not None


async def test_live_events_go_on_and_reach_both_versions(bench: Bench, versions: PostgresVersions) -> None:
    """Events published during a rebuild and after it are in both versions, which are equal at the same position."""
    projection = clicks()
    await folded(bench, projection, 150)
    async with bench.working(projection):
        build = begun(bench, versions, projection)
        await bench.publish(*(event(i) for i in range(140, 200)))
        await work(build.projection, bench.log, build, lambda: True)
        build.finish()
        build.close()
        await bench.publish(event(200))
        await bench.reached(projection)
        found = await compared(versions, projection, 2)
    assert found.equal
    assert found.new.position.endswith("=211")
    assert bench.rows(projection) == [("u1", 201)]


async def test_a_build_that_was_interrupted_goes_on_where_it_was(bench: Bench, versions: PostgresVersions) -> None:
    """What was stored is not folded again, what was not is: the outcome is that of an undisturbed one."""
    projection = clicks()
    await folded(bench, projection, 150)
    with closing(begun(bench, versions, projection)) as first:
        await work(first.projection, bench.log, first, times(5))
        assert 0 < first.done().done < first.done().total == 150
        with pytest.raises(Defect, match="not complete"):
            first.finish()
    stored = versions.building(projection)
    assert stored is not None
    with closing(PostgresBuild(bench.url, stored)) as second:
        await work(stored, bench.log, second, lambda: True)
        second.finish()
    assert (await compared(versions, projection, stored.version)).equal
    assert versions.building(projection) is None


async def test_what_was_filled_before_the_end_failed_is_filled_again(
    bench: Bench, versions: PostgresVersions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables become durable one by one, then the version is handed over: whoever ends in between goes on from there."""
    projection = clicks()
    await folded(bench, projection, 150)
    with closing(begun(bench, versions, projection)) as first:
        await work(first.projection, bench.log, first, lambda: True)
        with monkeypatch.context() as failing:
            failing.setattr(builder, "HAND_OVER", b"SELECT 1 / length(substr(%s || %s::text, 1, 0))")
            with pytest.raises(psycopg.errors.DivisionByZero):
                first.finish()
    stored = versions.building(projection)
    assert stored is not None
    assert bench.rows(stored) == bench.rows(projection)  # filled, and in nobody's hands
    with closing(PostgresBuild(bench.url, stored)) as second:
        second.finish()
    assert versions.building(projection) is None
    assert (await compared(versions, projection, stored.version)).equal


async def test_a_share_is_stored_once(bench: Bench, versions: PostgresVersions) -> None:
    """Of two workers that believe to have the same share, the second is fenced; a claimed share is no one else's."""
    projection = clicks()
    await folded(bench, projection, 50)
    build = begun(bench, versions, projection)
    with closing(build), closing(PostgresBuild(bench.url, build.projection)) as late:
        share = build.claim()
        assert share is not None
        assert late.claim() is None
        build.save(Folded([(share, share.stop)], Changes()))
        with pytest.raises(Fenced):
            late.save(Folded([(share, share.stop)], Changes()))


async def test_a_changed_fold_is_caught_with_the_rows_that_differ(bench: Bench, versions: PostgresVersions) -> None:
    """The same declaration with another fold: the comparison names the rows, old and new."""
    projection = clicks()
    await folded(bench, projection, 100)
    changed = clicks()
    fold = changed.additive.pop()
    changed.folds("user_event", into=type("Row", (), {"table": fold.into}))(
        lambda done: {"day": done.timestamp, "events": 2}
    )
    with closing(begun(bench, versions, changed)) as build:
        await work(build.projection, bench.log, build, lambda: True)
        build.finish()
    found = await compared(versions, projection, 2)
    assert not found.equal
    assert [(d.key["user_id"], d.old, d.new) for d in found.differences] == [("u1", {"events": 100}, {"events": 200})]


async def test_a_failing_fold_ends_the_build_and_nothing_else(bench: Bench, versions: PostgresVersions) -> None:
    """The error names the projection; the live version runs on."""
    projection = clicks()
    await folded(bench, projection, 50)
    with closing(begun(bench, versions, clicks(broken=True))) as build, pytest.raises(FoldFailed, match="clicks v2"):
        await work(build.projection, bench.log, build, lambda: True)
    assert [(s.version, s.state, s.live) for s in versions.stored(projection)] == [
        (1, "running", True),
        (2, "building", False),
    ]


async def test_a_cancelled_build_ends_and_leaves_nothing(bench: Bench, versions: PostgresVersions) -> None:
    """Its worker finds no share, it cannot be finished, and its tables are gone."""
    projection = clicks()
    await folded(bench, projection, 50)
    with closing(begun(bench, versions, projection)) as build:
        versions.drop(build.projection)
        assert build.claim() is None
        with pytest.raises(NotFound):
            versions.drop(build.projection)
        with pytest.raises(Conflict, match="no finished version"):
            versions.switch(build.projection, None)
        assert versions.register(projection).version == 3
        with pytest.raises(Conflict, match="cancelled"):
            build.finish()
    with psycopg.connect(bench.url) as connection:
        query = "SELECT count(*) FROM pg_tables WHERE tablename LIKE '%\\_v2%'"
        assert connection.execute(query).fetchone() == (0,)


async def test_only_a_finished_version_can_be_live_and_only_another_be_dropped(
    bench: Bench, versions: PostgresVersions
) -> None:
    """Switching to a version that is being built, and dropping the live one or none, are refused and change nothing."""
    projection = clicks()
    await folded(bench, projection, 50)
    with closing(begun(bench, versions, projection)) as build, pytest.raises(Conflict, match="no finished version"):
        versions.switch(build.projection, None)
    with pytest.raises(Conflict, match="is live"):
        versions.drop(projection)
    with pytest.raises(NotFound):
        versions.drop(projection.stored_as(9))
    assert [(s.version, s.live) for s in versions.stored(projection)] == [(1, True), (2, False)]


def test_shares_cover_the_log_once_and_feed_every_worker() -> None:
    """Also where one partition holds all: ranges meet without a gap or an overlap, between the two positions."""
    starts, goal = Position({("t", 0): 10}), Position({("t", 0): 1_000, ("t", 1): 30, ("t", 2): 0})
    shares = cut(starts, goal, 2, 25)
    assert len([s for s in shares if s.partition == 0]) >= 4
    covered = [(s.partition, offset) for s in shares for offset in range(s.next_offset, s.stop)]
    assert covered == [(0, i) for i in range(10, 1_000)] + [(1, i) for i in range(30)]


async def test_a_crash_of_the_database_makes_the_build_begin_anew(own_servers: Servers) -> None:
    """Its rows and its progress are gone together: what is built afterwards holds every event once."""
    addresses = await own_servers.start()
    url = addresses.database_url
    migrate(url)
    log, projection = EmbeddedLog(url), clicks()
    await log.create_topics({TOPIC: 1})
    bench = Bench(url, log)
    await folded(bench, projection, 150)
    with closing(PostgresVersions(url)) as versions, closing(begun(bench, versions, projection)) as build:
        await work(build.projection, log, build, times(5))
        assert build.done().done > 0
    os.kill(addresses.pids["postgres"], signal.SIGKILL)
    for _ in range(200):
        if "postgres" not in own_servers.addresses().pids:
            break
        await asyncio.sleep(0.05)
    await own_servers.start()
    with closing(PostgresVersions(url)) as versions:
        stored = versions.building(projection)
        assert stored is not None
        with closing(PostgresBuild(url, stored)) as build:
            assert build.done().total == 0
            build.begin(cut(Position(), goal_of(projection, versions.admitted()), 1, 50))
            await work(stored, log, build, lambda: True)
            build.finish()
        assert (await compared(versions, projection, 2)).equal
    bench.store.close()
    await log.close()
