"""The laws of folds, for every registered projection: splits, restarts, workers and rebuilds give the same bytes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

import polars as pl
import pytest
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.events.catalogue import BATCHES, BY_NAME, LATEST, log_key
from domain.events.partitioning import partition_of
from projections.engine.declare.projection import Projection
from projections.engine.declare.registry import all_projections
from projections.engine.fold.additive import looked_at
from projections.engine.fold.admission import readmit
from projections.engine.fold.deltas import delta_rows, deltas, grouping_plans
from projections.engine.project.cohort import Cohort
from tests.projections.harness import PARTITIONS, Logged, ReadModels, chunks_of, split
from tests.support.any_event import damaged, good_events
from tests.support.examples import examples, not_the_simplest

pytestmark = pytest.mark.slow

TAKEN = LATEST - 10  # ms: nothing lies ahead of it
NewDatabase = Callable[[], str]
PROJECTIONS = list(all_projections().values())
SLOW = settings(max_examples=examples(1), deadline=None, suppress_health_check=list(HealthCheck))


def named(projection: Projection) -> str:
    """What a parametrised test is called."""
    return projection.name


def logs(projection: Projection) -> st.SearchStrategy[list[Logged]]:
    """A log of the projection's streams."""
    return logs_of(projection.topics)


@st.composite
def logs_of(draw: st.DrawFn, topics: frozenset[str]) -> list[Logged]:
    """A log of these streams: good events, one in five damaged in some way, some repeated."""
    not_the_simplest(draw)
    records: list[Logged] = []
    heads: dict[tuple[str, int], int] = {}
    for topic in sorted(topics):
        values = [e.SerializeToString() for e in draw(st.lists(good_events(topic), min_size=15, max_size=40))]
        values += draw(st.lists(damaged(topic), max_size=10)) + draw(st.lists(st.sampled_from(values), max_size=10))
        for value in draw(st.permutations(values)):
            place = (topic, _partition(value))
            taken_at = TAKEN + draw(st.integers(0, 9))  # clocks of a log's brokers differ
            records.append(Logged(*place, heads.setdefault(place, 0), value, taken_at))
            heads[place] += 1
    return records


def _partition(value: bytes) -> int:
    try:
        envelope = AnalyticsProcessingEnvelope.FromString(value)
    except Exception:  # damaged beyond reading: it may lie anywhere
        return 0
    return partition_of(log_key(envelope.company_id, envelope.user_id), PARTITIONS)


def checksum(database: str, projection: Projection, batches: Sequence[Sequence[Logged]], *, restart: bool) -> str:
    """Fold these batches into a fresh database and give the projection's checksum."""
    models = ReadModels(database, [projection])
    try:
        for batch in batches:
            models.fold(batch)
            if restart:
                models.restart()
        return models.checksum(projection.name).checksum
    finally:
        models.restart()


def by_worker(records: Sequence[Logged], order: random.Random) -> Iterator[Sequence[Logged]]:
    """The records as several workers would fold them: each partition in small batches, the partitions interleaved."""
    own: dict[tuple[str, int], list[Sequence[Logged]]] = {}
    for topic, partition in dict.fromkeys((r.topic, r.partition) for r in records):
        mine = [r for r in records if (r.topic, r.partition) == (topic, partition)]
        own[topic, partition] = list(split(mine, [3, 1, 7]))
    while own:
        place = order.choice(sorted(own))
        yield own[place].pop(0)
        own = {key: batches for key, batches in own.items() if batches}


@pytest.mark.share(3)
@pytest.mark.parametrize("projection", PROJECTIONS, ids=named)
@SLOW
@given(data=st.data())
def test_splits_restarts_and_workers_give_the_same_bytes(
    projection: Projection, new_database: NewDatabase, data: st.DataObject
) -> None:
    """One batch, many small ones with a restart after each, and partitions folded by different workers: all equal."""
    records = data.draw(logs(projection))
    sizes = data.draw(st.lists(st.integers(1, 17), min_size=1, max_size=4))
    whole = checksum(new_database(), projection, [records], restart=False)
    assert checksum(new_database(), projection, list(split(records, sizes)), restart=True) == whole
    workers = list(by_worker(records, random.Random(data.draw(st.integers(0, 99)))))
    assert checksum(new_database(), projection, workers, restart=False) == whole


@pytest.mark.share(3)
@pytest.mark.parametrize("projection", PROJECTIONS, ids=named)
@SLOW
@given(data=st.data())
def test_a_rebuild_equals_live(projection: Projection, new_database: NewDatabase, data: st.DataObject) -> None:
    """Folding again what admission has recorded gives the very rows that live folding gave."""
    records = data.draw(logs(projection))
    live = ReadModels(new_database(), [projection])
    live.fold(records)
    expected = live.checksum(projection.name).checksum
    live.forget_rows(projection)
    for topic in sorted(projection.topics):
        chunks = chunks_of(r for r in records if r.topic == topic)
        if not chunks:
            continue
        ranges = {c.partition: (0, c.next_offset) for c in chunks}
        aside = live.store.set_aside(topic, ranges)
        facts = readmit(topic, chunks, aside.everywhere, looked_at([projection]))
        again = Cohort([projection], dict.fromkeys(ranges, 0))
        live.store.commit(again.commit(topic, chunks, facts, None, aside))
    assert live.checksum(projection.name).checksum == expected
    live.restart()


@pytest.mark.share(3)
@pytest.mark.parametrize("projection", PROJECTIONS, ids=named)
@settings(max_examples=examples(12), deadline=None)
@given(data=st.data())
def test_what_one_walk_finds_is_what_each_fold_finds_alone(projection: Projection, data: st.DataObject) -> None:
    """Rows that are summed up from those of a finer table are the rows that the facts themselves give."""
    folds = tuple(projection.additive)
    events = [e for topic in sorted(projection.topics) for e in data.draw(st.lists(good_events(topic), max_size=9))]
    events = [again for e in events for again in [e] * data.draw(st.integers(1, 3))]
    records = [Logged(_stream(e), 0, i, e.SerializeToString()) for i, e in enumerate(events)]
    for topic in projection.topics:
        facts = readmit(topic, chunks_of(r for r in records if r.topic == topic), set())
        together = sorted((table.name, rows(delta)) for table, delta in deltas(folds, facts))
        alone = [(fold, facts[fold.reads.name]) for fold in folds if fold.reads.name in facts]
        found = [(fold.into.name, rows(delta_rows(fold, frame))) for fold, frame in alone]
        assert together == sorted((name, delta) for name, delta in found if delta)


def test_user_activity_is_found_by_one_walk_of_days() -> None:
    """The rows of days and of users are cut from those of users and days; what takes only some facts is not."""
    found = [
        [fold.into.name for fold in walk.folds]
        for walk in grouping_plans(tuple(all_projections()["user_activity"].additive))
    ]
    assert ["user_quarter", "activity_quarter", "user_seen"] in found
    assert ["session"] in found


def rows(delta: pl.DataFrame) -> list[tuple[tuple[str, str], ...]]:
    """A delta's rows by column, in some order that depends on them alone."""
    return sorted(tuple(sorted((name, repr(v)) for name, v in row.items())) for row in delta.iter_rows(named=True))


def _stream(envelope: AnalyticsProcessingEnvelope) -> str:
    name = envelope.message_type
    return (BY_NAME.get(name) or BATCHES[name]).stream


def test_there_are_projections_to_hold_to_the_laws() -> None:
    """The laws enter every projection by itself; an empty registry would let them pass without a test."""
    assert {p.name for p in PROJECTIONS} >= {
        "trading",
        "user_activity",
        "system_metrics",
        "market_bars",
        "subscriptions",
    }
