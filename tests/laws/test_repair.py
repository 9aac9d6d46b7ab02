"""The law of repair, for every registered projection: once bad events are repaired, the state is as if they were good.

Events of a row that have the same event time to the millisecond are the exception: which is the first or the last of
them is decided by their places in the log, and a repaired one lies later. Here every event has its own time. Reports of
one fact are ordered by when the log took them first, so that one which waited in quarantine is no newer for it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from domain.events.catalogue import LATEST, log_key
from domain.events.partitioning import partition_of
from eventlog.intake.quarantine import Entry
from eventlog.intake.repair import Change, document_of, repaired
from projections.engine.declare.projection import Projection
from tests.laws.test_corrections import facts_of, written
from tests.laws.test_folds import PROJECTIONS, NewDatabase, named
from tests.projections.harness import PARTITIONS, Logged, ReadModels
from tests.support.any_event import START, good_events
from tests.support.examples import examples, not_the_simplest
from tests.support.table_checksums import table_checksums

START_OF_LOG = LATEST - 10_000  # ms: nothing lies ahead of it
FACTS = 4  # of each type
SLOW = settings(
    max_examples=examples(1),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.reuse, Phase.generate],  # each step of shrinking would be two databases
)


def entry(number: int, taken_at: int) -> Entry:
    """An entry of the log, as the quarantine lists it."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    nothing = (None, None, None, None)
    return Entry(number, moment, "bad", "bad", "", *nothing, "log", None, "", "", "waiting", 0, taken_at=taken_at)


def poisoned(envelope: AnalyticsProcessingEnvelope, kind: int) -> tuple[bytes, Change]:
    """Bytes that are bad, and the change that makes the event what it was."""
    good = envelope.SerializeToString()
    broken = AnalyticsProcessingEnvelope.FromString(good)
    if kind == 0:
        broken.schema_version = 9
        return broken.SerializeToString(), Change(members={"schema_version": None})
    if kind == 1:
        broken.timestamp = 253_402_300_799_000
        return broken.SerializeToString(), Change(members={"timestamp": str(envelope.timestamp)})
    broken.payload = b"\xff"
    return broken.SerializeToString(), Change(instead=json.dumps(document_of(good)).encode())


def of_its_own(envelope: AnalyticsProcessingEnvelope, number: int, topic: str) -> AnalyticsProcessingEnvelope:
    """The event at a time of its own and with an id of its own, with facts that few others report."""
    envelope.timestamp = START + 1_000 * number
    kind, items = facts_of(envelope)
    for item, fact in enumerate(items):
        for name in kind.identity:
            if isinstance(getattr(fact, name), str) and name not in dict(kind.choices):
                setattr(fact, name, f"{number % FACTS}.{item}")
    return written(envelope, items, f"{topic}-{number}")


class Appending:
    """A log that grows."""

    def __init__(self) -> None:
        self.records: list[Logged] = []

    def add(self, topic: str, key: bytes, value: bytes, taken_at: int) -> None:
        """Append a record where its key belongs."""
        partition = partition_of(key, PARTITIONS)
        offset = sum(1 for r in self.records if (r.topic, r.partition) == (topic, partition))
        self.records.append(Logged(topic, partition, offset, value, taken_at))


def folded(url: str, projection: Projection, batches: Sequence[Sequence[Logged]]) -> list[object]:
    """Checksums of the tables after these batches."""
    models = ReadModels(url, [projection])
    for batch in batches:
        models.fold(batch)
    models.restart()
    return table_checksums(url, projection)


@pytest.mark.share(3)
@pytest.mark.parametrize("projection", PROJECTIONS, ids=named)
@SLOW
@given(data=st.data())
def test_repaired_events_count_as_if_they_had_been_good(
    projection: Projection, new_database: NewDatabase, data: st.DataObject
) -> None:
    """A third of all events is bad in one of three ways; repaired ones come after all others, some of them twice."""
    not_the_simplest(data.draw)
    good, bad, changes = Appending(), Appending(), list[tuple[int, bytes, Change]]()
    for topic in sorted(projection.topics):
        for number, event in enumerate(data.draw(st.lists(good_events(topic), min_size=15, max_size=30))):
            envelope = of_its_own(event, number, topic)
            value, key = envelope.SerializeToString(), log_key(envelope.company_id, envelope.user_id)
            good.add(topic, key, value, START_OF_LOG + number)
            kind = data.draw(st.integers(0, 8))
            broken, change = poisoned(envelope, kind) if kind < 3 else (value, Change())
            bad.add(topic, key, broken, START_OF_LOG + number)
            changes += [(START_OF_LOG + number, broken, change)] if kind < 3 else []
    before = len(bad.records)
    for number, (taken_at, broken, change) in enumerate([*changes, *changes[::2]]):
        record = repaired(entry(number, taken_at), broken, change)
        bad.add(record.topic, record.key, record.value, START_OF_LOG + 1_000 + number)
    expected = folded(new_database(), projection, [good.records])
    assert folded(new_database(), projection, [bad.records[:before], bad.records[before:]]) == expected
