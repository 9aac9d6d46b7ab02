"""Given these events, then these rows: events go through the real engine into a real database, and queries answer.

models = ReadModels(database_url)
models.given(events)
assert await models.rows("user_activity", by="day") == [...]
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_origin

import msgspec
import psycopg
from msgspec import structs

from adapters.postgres.read_models.projection_store import PostgresProjectionStore
from adapters.postgres.read_models.read_store import PostgresReadStore
from adapters.postgres.tables.consents import PostgresConsents
from domain.events.catalogue import LATEST
from domain.events.partitioning import partition_of
from domain.ports import Chunk
from eventlog.publish.event import Event
from projections.engine.declare.projection import Projection
from projections.engine.declare.registry import all_projections, all_registered, projection
from projections.engine.fold.admission import Admission, Records
from projections.engine.project.cohort import Cohort
from projections.engine.query.ask import answer
from projections.engine.query.compared import Comparing
from projections.engine.query.composed import STAMP
from projections.engine.query.request import Question
from projections.engine.store import sql
from projections.engine.store.port import Checksum, Refusal

PARTITIONS = 3
COMPANY = "acme"


@dataclass(frozen=True, slots=True)
class Logged:
    """One record of the log, and when it was taken (ms): by default so late that nothing lies ahead of it."""

    topic: str
    partition: int
    offset: int
    value: bytes
    taken_at: int = LATEST


class Log:
    """An empty log with partitions, into which events are appended as adapters do it."""

    def __init__(self, partitions: int = PARTITIONS) -> None:
        self._partitions = partitions
        self._heads: dict[tuple[str, int], Iterator[int]] = {}
        self._taken = itertools.count()

    def append(self, events: Iterable[Event]) -> list[Logged]:
        """The records of these events, in the order in which they were appended."""
        records = []
        for record in (event.record for event in events):
            place = record.topic, partition_of(record.key, self._partitions)
            offset = next(self._heads.setdefault(place, itertools.count()))
            records.append(Logged(*place, offset, record.value, LATEST + next(self._taken)))
        return records


def logged(events: Iterable[Event], partitions: int = PARTITIONS) -> list[Logged]:
    """The events as the whole content of a log."""
    return Log(partitions).append(events)


def split(records: Sequence[Logged], sizes: Iterable[int]) -> Iterator[Sequence[Logged]]:
    """The records in batches of these sizes, over and over again."""
    start = 0
    for size in itertools.cycle(sizes):
        if start >= len(records):
            return
        yield records[start : start + size]
        start += size


class ReadModels:
    """The read models of one database, and the worker that folds into them.

    `asked_at`: when is asked; now if None. `may_refuse`: whether projections may refuse events; `refusals`: those.
    """

    def __init__(self, database_url: str, projections: Sequence[Projection] | None = None) -> None:
        self.asked_at: datetime | None = None
        self.may_refuse = False
        self.refusals: list[Refusal] = []
        self._projections = list(projections or all_projections().values())
        self._url = database_url
        self.store = PostgresProjectionStore(database_url)
        self.reads = PostgresReadStore(database_url, connections=1)
        self._consents = PostgresConsents(database_url)
        self.comparing = Comparing(self._consents, lambda: b"a secret of these tests")
        self._admissions: dict[str, Admission] = {}
        self._log = Log()
        self.store.prepare(self._projections)

    def given(self, events: Iterable[Event], *, batches_of: Iterable[int] = (100_000,)) -> ReadModels:
        """Append these events to the log and fold them, in batches of these sizes."""
        for batch in split(self._log.append(events), batches_of):
            self.fold(batch)
        return self

    def fold(self, batch: Sequence[Logged]) -> None:
        """Fold records, of each partition the next ones: one transaction a topic."""
        for topic in dict.fromkeys(record.topic for record in batch):
            self._fold_topic(topic, chunks_of(r for r in batch if r.topic == topic))

    def _fold_topic(self, topic: str, chunks: Sequence[Chunk]) -> None:
        reading = [p for p in self._projections if topic in p.topics]
        progress = self.store.progress(topic, [c.partition for c in chunks], reading)
        if topic not in self._admissions:
            highest = self.store.highest(topic, range(PARTITIONS))
            self._admissions[topic] = Admission(topic, self.store.admitted_before, highest)
        facts, admitted = self._admissions[topic].decide(Records.of(chunks))
        commit = Cohort(reading, dict(progress.admission)).commit(topic, chunks, facts, admitted)
        self.refusals += self.store.commit(commit)
        assert self.may_refuse or not self.refusals, "a projection refuses good events"
        self._admissions[topic].stored(admitted)

    def restart(self) -> None:
        """Forget whatever the worker holds in memory, as a new process has."""
        self._admissions.clear()
        self.store.close()

    def forget_rows(self, projection: Projection) -> None:
        """Drop the projection's tables and checkpoints; admission's decisions stay. Then make the tables anew."""
        with psycopg.connect(self._url) as connection:
            names = [t.name for t in projection.tables]
            names += [sql.state_table(projection.name, f) for f in projection.ordered]
            for name in names:
                connection.execute(f"DROP TABLE {sql.table_name(name, projection.version)}".encode())
            connection.execute(
                "UPDATE checkpoints SET next_offset = 0, confirmed_at = 0 WHERE projection = %s", (projection.name,)
            )
        self.store.prepare([projection])

    async def answer(self, query: str, company: str = COMPANY, **params: str) -> Mapping[str, Any]:
        """The whole answer of a query. `from_` stands for the parameter `from`."""
        await self.reads.open()
        named = {name.rstrip("_"): text for name, text in params.items()}
        question = Question(query, company, named, self.asked_at or datetime.now(UTC))
        return as_described(query, await answer(question, self.reads, self.comparing))

    async def rows(self, query: str, company: str = COMPANY, **params: str) -> list[dict[str, Any]]:
        """The rows of an answer."""
        found: list[dict[str, Any]] = (await self.answer(query, company, **params))["rows"]
        return found

    def checksum(self, name: str) -> Checksum:
        """The canonical checksum of a projection."""
        return self.store.checksum(projection(name))

    async def close(self) -> None:
        """Give back all connections."""
        self.store.close()
        await self.reads.close()
        await self._consents.close()


def as_described(query: str, found: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer, whose rows have no field but those that the query's type of rows has, with values of their types."""
    row: Any = all_registered()[query].row
    msgspec.convert(found["rows"], list[row])
    if issubclass(get_origin(row) or row, msgspec.Struct):
        names = {field.encode_name for field in structs.fields(row)} | STAMP.keys()
        assert [name for each in found["rows"] for name in each if name not in names] == []
    return found


def chunks_of(records: Iterable[Logged]) -> list[Chunk]:
    """The records as one read of their topic gives them."""
    by_partition: dict[int, list[Logged]] = {}
    for record in records:
        by_partition.setdefault(record.partition, []).append(record)
    return [
        Chunk(
            partition=partition,
            offsets=[r.offset for r in found],
            values=[r.value for r in found],
            next_offset=found[-1].offset + 1,
            appended_at=found[-1].taken_at,
            head=found[-1].offset + 1,
            taken=[(1, r.taken_at) for r in found],
        )
        for partition, found in sorted(by_partition.items())
    ]
