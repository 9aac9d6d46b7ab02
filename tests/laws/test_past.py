"""The laws of the past, for every registered projection: as-of equals a recompute, and shares sum exactly."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

import psycopg
import pytest
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from adapters.postgres.read_models.scratch import PostgresScratch
from domain.errors import LimitExceeded, NotYet
from domain.ports import EventLog
from domain.position import Position
from eventlog.search.criteria import NEVER
from projections.engine.declare.merge_rules import Max, Min, Sum, Twelfths
from projections.engine.declare.projection import Projection
from projections.engine.declare.rows import Column, Table
from projections.engine.past.explain import explain
from projections.engine.past.history import History
from projections.engine.past.past_store import PastStore
from projections.engine.query.formatting import shower
from projections.engine.query.request import Page, Past, Question, read_request
from projections.engine.store import sql
from tests.laws.test_folds import PROJECTIONS, logs, named
from tests.laws.test_rebuild import Written
from tests.projections.harness import Logged, ReadModels, split
from tests.support import signing
from tests.support.any_event import SPAN, START
from tests.support.examples import examples
from tests.support.needed import needed_by

NewDatabase = Callable[[], str]
COMPANY = "acme"
ASKED = datetime.fromtimestamp((START + SPAN) / 1000, UTC)
ONCE = settings(
    max_examples=examples(1),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
    derandomize=True,
)


class Kept(Written):
    """A written log that has lost nothing."""

    async def starts(self, topic: str) -> Mapping[int, int]:
        """Every partition begins at 0."""
        return {}


def position_of(records: Sequence[Logged]) -> Position:
    """Where a log of these records ends."""
    return Position({(r.topic, r.partition): r.offset + 1 for r in records})


def before(records: Sequence[Logged], time: int) -> list[Logged]:
    """The records whose event time lies before it."""
    return [r for r in records if _timestamp(r.value) < time]


def _timestamp(value: bytes) -> int:
    try:
        return AnalyticsProcessingEnvelope.FromString(value).timestamp
    except DecodeError:
        return NEVER


def contents(table: Table) -> str:
    """SQL for all rows of a table, as JSON, in order."""
    names = ", ".join(f'"{c.name}"' for c in table.columns)
    keys = ", ".join(f'"{c.name}"' for c in table.keys)
    return f"SELECT to_jsonb(r) FROM (SELECT {names} FROM {{{table.name}}} WHERE company_id = %s ORDER BY {keys}) AS r"


def recomputed(url: str, projection: Projection, records: Sequence[Logged]) -> list[Any]:
    """The company's rows after nothing but these records."""
    models = ReadModels(url, [projection])
    models.fold(records)
    models.restart()
    names = {t.name: sql.readable(t, projection.version) for t in projection.tables}
    with psycopg.connect(url, options="-c timezone=UTC") as connection:
        return [
            connection.execute(contents(t).format_map(names).encode(), (COMPANY,)).fetchall() for t in projection.tables
        ]


def past_store(url: str, records: Sequence[Logged], past: Past, most: int = 10**6) -> tuple[PastStore, PostgresScratch]:
    """The company's past, out of this log and the decisions in that database."""
    scratch = signing.scratch(url)
    log = cast(EventLog, Kept(records))  # of which history uses nothing but the readers and the starts
    return PastStore(History(log, scratch, most), scratch, COMPANY, past), scratch


async def past_rows(url: str, projection: Projection, records: Sequence[Logged], past: Past) -> list[Any]:
    """The company's rows as they were."""
    store, scratch = past_store(url, records, past)
    with closing(scratch):
        return [
            list((await store.ask(COMPANY, projection.name, contents(t), (COMPANY,))).rows) for t in projection.tables
        ]


def compare(
    projection: Projection, records: Sequence[Logged], new_database: NewDatabase, pairs: int, chance: random.Random
) -> None:
    """As-of at so many random pairs of event time and position, with a snapshot on the way, against recomputes."""
    url = new_database()
    models = ReadModels(url, [projection])
    half = len(records) // 2
    for batch in split(records[:half], [16]):
        models.fold(batch)
    with closing(signing.snapshots(url)) as snapshots:
        assert snapshots.take(projection).position == position_of(records[:half])
    models.fold(records[half:])
    models.restart()
    for _ in range(pairs):
        known = records[: chance.randint(0, len(records))]
        time = chance.choice([NEVER, chance.randint(START, START + SPAN)])
        found = asyncio.run(past_rows(url, projection, records, Past(position_of(known), time)))
        assert found == recomputed(new_database(), projection, before(known, time))


@pytest.mark.share(2)
@pytest.mark.parametrize("projection", PROJECTIONS, ids=named)
@ONCE
@given(data=st.data())
def test_as_of_equals_a_recompute(projection: Projection, new_database: NewDatabase, data: st.DataObject) -> None:
    """Every row of every table, at random event times and positions, before and after a snapshot."""
    compare(projection, data.draw(logs(projection)), new_database, 3, random.Random(7))


@pytest.mark.check
@pytest.mark.parametrize("projection", PROJECTIONS, ids=named)
@ONCE
@given(data=st.data())
def test_as_of_equals_a_recompute_at_many_places(
    projection: Projection, new_database: NewDatabase, data: st.DataObject
) -> None:
    """Two hundred pairs of each projection."""
    compare(projection, data.draw(logs(projection)), new_database, 200, random.Random(8))


@pytest.mark.share(2)
@pytest.mark.parametrize("projection", PROJECTIONS, ids=named)
@ONCE
@given(data=st.data())
def test_shares_sum_exactly(projection: Projection, new_database: NewDatabase, data: st.DataObject) -> None:
    """Every stored measure of every query: the shares of a sum come to it, extremes and last values are its own."""
    records = data.draw(logs(projection))
    url = new_database()
    models = ReadModels(url, [projection])
    models.fold(records)
    models.restart()
    asyncio.run(_explain_all(url, records, projection))


async def _explain_all(url: str, records: Sequence[Logged], projection: Projection) -> None:
    store, scratch = past_store(url, records, Past())  # one for all: it folds once what the sums are compared with
    places = {(r.topic, r.partition, r.offset) for r in records}
    with closing(scratch):
        for query in projection.queries:
            assert query.selects is not None, f"{query.name} cannot be explained"
            question = Question(query.name, COMPANY, needed_by(query), ASKED)
            rows = query.selects(read_request(query, question))
            for column in rows.table.values:
                found = await explain(store, question, Page(column.name, limit=10_000))
                stored = f'SELECT "{column.name}" FROM {{{rows.table.name}}} WHERE {rows.where}'
                values = (await store.ask(COMPANY, projection.name, stored, rows.params)).rows
                _adds_up(column, found, values)
                assert {(e["topic"], e["partition"], e["offset"]) for e in found["events"]} <= places


def _adds_up(column: Column, found: Mapping[str, Any], values: Sequence[tuple[Any, ...]]) -> None:
    assert found["total"] == len(found["events"])
    shares = [e["share"] for e in found["events"] if e["counts"]]
    if column.rule is Sum:
        assert sum(map(_exact, shares)) == _exact(found["value"])
        assert all(map(_exact, shares)) or column.kind is Twelfths  # less than a trillionth may be none
    elif column.rule in (Min, Max):
        assert all(share == found["value"] for share in shares)
    else:
        show = shower(column.kind)
        shown = [show(value) for (value,) in values]
        assert Counter(map(repr, shares)) == Counter(map(repr, shown)), "one event decides each row"


def _exact(value: Any) -> Decimal:
    return Decimal(0) if value is None else Decimal(str(value))


@given(data=st.data())
@ONCE
def test_too_much_history_is_refused_before_it_is_read(new_database: NewDatabase, data: st.DataObject) -> None:
    """The error says how much it would be; a position that was not decided yet is refused, too."""
    projection = PROJECTIONS[0]
    records = data.draw(logs(projection))
    url = new_database()
    models = ReadModels(url, [projection])
    models.fold(records)
    models.restart()

    async def ask(past: Past, most: int) -> int:
        store, scratch = past_store(url, records, past, most)
        with closing(scratch):
            await store.ask(COMPANY, projection.name, "SELECT 1", ())
        return store.scanned.records

    of_company = sum(COMPANY.encode() in record.value for record in records)
    assert asyncio.run(ask(Past(), len(records))) == of_company
    with pytest.raises(LimitExceeded, match=f"would read {len(records)} records, and {len(records) - 1} are allowed"):
        asyncio.run(ask(Past(), len(records) - 1))
    beyond = Position({next(iter(position_of(records).offsets)): 10**6})
    with pytest.raises(NotYet):
        asyncio.run(ask(Past(beyond), 10**6))
