"""The law of rebuilds, for every registered projection: what is built from shares of the log equals what ran live."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.postgres.read_models.builder import PostgresBuild, PostgresVersions
from domain.ports import Chunk, EventLog
from domain.position import Position
from projections.engine import rebuild
from projections.engine.declare.projection import Projection
from projections.engine.rebuild import Comparison, cut, goal_of, work
from tests.laws.test_folds import PROJECTIONS, logs, named
from tests.projections.harness import Logged, ReadModels, chunks_of, split
from tests.support.examples import examples

SLOW = settings(max_examples=examples(1), deadline=None, suppress_health_check=list(HealthCheck))


class Written:
    """A log that holds these records, for reading; as `log` and as the reader of one topic."""

    def __init__(self, records: Sequence[Logged]) -> None:
        self._records = records

    def reader(self, topic: str) -> Written:
        """A reader of the topic."""
        return Written([r for r in self._records if r.topic == topic])

    async def read(self, start: Mapping[int, int], *, max_records: int, wait: float) -> list[Chunk]:
        """The next records of the partitions that are asked for."""
        await asyncio.sleep(0)  # so that several workers take turns
        wanted = [r for r in self._records if r.partition in start and r.offset >= start[r.partition]]
        return chunks_of(wanted[:max_records])

    async def close(self) -> None:
        """Nothing is held."""


async def rebuilt(url: str, projection: Projection, records: Sequence[Logged], workers: int, smallest: int) -> int:
    """Rebuild with so many workers at once; the version that was made."""
    with closing(PostgresVersions(url)) as versions:
        stored, goal = versions.register(projection), goal_of(projection, versions.admitted())
    builds = [PostgresBuild(url, stored) for _ in range(workers)]
    builds[0].begin(cut(Position(), goal, workers, smallest))
    log = cast(EventLog, Written(records))  # of which a rebuild uses nothing but the readers
    await asyncio.gather(*(work(stored, log, build, lambda: True) for build in builds))
    builds[0].finish()
    for build in builds:
        build.close()
    return stored.version


def compared(url: str, projection: Projection, version: int) -> Comparison | None:
    """The live version beside another."""
    with closing(PostgresVersions(url)) as versions:
        return versions.compare(projection, projection.stored_as(version))


@pytest.mark.share(3)
@pytest.mark.parametrize("projection", PROJECTIONS, ids=named)
@SLOW
@given(data=st.data())
def test_a_rebuild_equals_live(
    projection: Projection, new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    """Live in odd batches, rebuilt in one share a partition and in many by three workers: the same, row by row."""
    records = data.draw(logs(projection))
    url = new_database()
    live = ReadModels(url, [projection])
    for batch in split(records, [7, 1, 16]):
        live.fold(batch)
    live.restart()
    monkeypatch.setattr(rebuild, "BATCH", 4)
    monkeypatch.setattr(rebuild, "FLUSH", 10)
    for workers, smallest in ((1, 1_000), (3, 5)):
        found = compared(url, projection, asyncio.run(rebuilt(url, projection, records, workers, smallest)))
        assert found is not None
        assert found.differences == ()
        assert found.equal
