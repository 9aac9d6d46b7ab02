"""What can be reported again counts once in every table: all reports come to what the last of each fact come to."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence, Set
from typing import Any, cast

import psycopg
import pytest
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf.message import Message
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from domain.events.catalogue import BATCHES, BY_NAME, EventType
from projections.engine.declare.projection import Projection
from projections.engine.declare.registry import projection
from projections.engine.declare.rows import Table
from projections.engine.fold.additive import fields_of
from projections.engine.fold.deltas import FACTS
from projections.engine.store import sql
from tests.laws.test_folds import PROJECTIONS, TAKEN, by_worker, named
from tests.projections.harness import PARTITIONS, Logged, ReadModels
from tests.support.any_event import good_events
from tests.support.examples import examples, not_the_simplest

pytestmark = pytest.mark.slow

WITH_LEDGERS = [p for p in PROJECTIONS if p.ledgers]
SLOW = settings(
    max_examples=examples(2),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.reuse, Phase.generate],  # each step of shrinking would be three databases
)
IN_STATES = [projection("subscriptions")]  # an ordered fold has the last reports in its states
OF_CUSTOMERS = frozenset({"subscription", "subscription_change_cancelled", "payment", "payment_cancelled"})
IN_LEDGERS = frozenset(fold.reads.name for p in WITH_LEDGERS for ledger in p.ledgers for fold in ledger.folds)


@st.composite
def histories(draw: st.DrawFn, topics: frozenset[str]) -> list[Logged]:
    """Reports, corrections and what takes them back, of few facts, anywhere in the log."""
    not_the_simplest(draw)
    heads: dict[tuple[str, int], int] = {}
    records = []
    for topic in sorted(topics):
        for number, event in enumerate(draw(st.lists(good_events(topic), min_size=20, max_size=60))):
            place = topic, draw(st.integers(0, PARTITIONS - 1))
            value = draw(with_few_identities(event, f"{topic} {number}")).SerializeToString()
            records.append(Logged(*place, heads.setdefault(place, 0), value, TAKEN + draw(st.integers(0, 9))))
            heads[place] += 1
    return records


@st.composite
def with_few_identities(
    draw: st.DrawFn, envelope: AnalyticsProcessingEnvelope, event_id: str
) -> AnalyticsProcessingEnvelope:
    """The event, whose facts are some of a handful, in one of three revisions."""
    kind, items = facts_of(envelope)
    for fact in items:
        for name in kind.identity:
            if isinstance(getattr(fact, name), str):
                absent = [] if name in kind.required else [""]
                setattr(fact, name, draw(st.sampled_from(["1", "2", "3", *absent])))
        if hasattr(fact, "payment_id"):
            absent = [] if "customer_id" in kind.required else [""]
            cast(Any, fact).customer_id = draw(st.sampled_from(["1", "2", *absent]))
        if hasattr(fact, "revision"):
            cast(Any, fact).revision = draw(st.sampled_from([0, 0, 0, 1, 2]))
    return written(envelope, items, event_id)


def facts_of(envelope: AnalyticsProcessingEnvelope) -> tuple[EventType, list[Message]]:
    """The type of an event's facts, and the facts."""
    if kind := BATCHES.get(envelope.message_type):
        assert kind.batch is not None
        return kind, list(cast(Any, kind.batch.FromString(envelope.payload)).items)
    kind = BY_NAME[envelope.message_type]
    return kind, [kind.message.FromString(envelope.payload)]


def written(
    envelope: AnalyticsProcessingEnvelope, items: Sequence[Message], event_id: str
) -> AnalyticsProcessingEnvelope:
    """An event like another with these facts."""
    result = AnalyticsProcessingEnvelope()
    result.CopyFrom(envelope)
    result.event_id = event_id
    if batch := BATCHES.get(envelope.message_type):
        assert batch.batch is not None
        several = batch.batch()
        cast(Any, several).items.extend(items)
        result.payload = several.SerializeToString()
    else:
        (fact,) = items
        result.payload = fact.SerializeToString()
    return result


def reported_again(of: Projection) -> Set[str]:
    """The types of which the projection counts the last report."""
    return OF_CUSTOMERS if of in IN_STATES else IN_LEDGERS


def last_reports(records: Sequence[Logged], types: Set[str] = IN_LEDGERS) -> Iterator[Logged]:
    """A log of the last report of each fact alone, each an event of its own; and of what is never reported again."""
    last: dict[tuple[object, ...], tuple[tuple[int, ...], Logged | None]] = {}
    for record in records:
        envelope = AnalyticsProcessingEnvelope.FromString(record.value)
        kind, items = facts_of(envelope)
        for item, fact in enumerate(items):
            identity = {*kind.identity, "customer_id"} if types is OF_CUSTOMERS else kind.identity
            names = tuple(getattr(fact, name) for name in sorted(identity) if kind.name in types)
            place = (record.partition, record.offset, item)
            of = kind.takes_back or kind.name
            key = (envelope.company_id, of, *names) if names and all(n != "" for n in names) else (of, *place)
            rank = 2 * getattr(fact, "revision", 0) + bool(kind.takes_back)
            single = AnalyticsProcessingEnvelope()
            single.CopyFrom(envelope)
            single.message_type, single.payload = kind.name, fact.SerializeToString()
            logged = Logged(record.topic, record.partition, 0, single.SerializeToString(), record.taken_at)
            report = (rank, record.taken_at, *place), None if kind.takes_back else logged
            last[key] = max(last.get(key, report), report, key=lambda each: each[0])
    heads: dict[tuple[str, int], int] = {}
    for _, counts in sorted(last.values(), key=lambda each: each[0][2:]):
        if counts is not None:
            log = counts.topic, counts.partition
            again = AnalyticsProcessingEnvelope.FromString(counts.value)
            again.event_id = f"{again.event_id} {heads.setdefault(log, 0)}"
            yield Logged(*log, heads[log], again.SerializeToString(), counts.taken_at)
            heads[log] += 1


def rows(url: str, table: Table, version: int) -> list[tuple[object, ...]]:
    """All rows of a table, but which event reported it, and where, which the recount has elsewhere."""
    names = ", ".join(f'"{c.name}"' for c in table.columns if c.name != "event_id")
    with psycopg.connect(url) as connection:
        found = connection.execute(f"SELECT {names} FROM {sql.readable(table, version)}".encode()).fetchall()
    places = [["" if isinstance(v, str) and v.startswith("\x1f") else v for v in row] for row in found]
    return sorted(map(tuple, places), key=repr)


@pytest.mark.share(3)
@pytest.mark.parametrize("of", [*WITH_LEDGERS, *IN_STATES], ids=named)
@SLOW
@given(data=st.data())
def test_all_reports_come_to_what_the_last_ones_come_to(
    of: Projection, new_database: Callable[[], str], data: st.DataObject
) -> None:
    """In one batch, and partition by partition in small ones, with other reports of the same facts in between."""
    records = data.draw(histories(of.topics))
    order = random.Random(data.draw(st.integers(0, 99)))
    oracle = new_database()
    expected = ReadModels(oracle, [of])
    expected.fold(list(last_reports(records, reported_again(of))))
    expected.restart()
    for batches in ([records], list(by_worker(records, order))):
        url = new_database()
        models = ReadModels(url, [of])
        for batch in batches:
            models.fold(batch)
        models.restart()
        for table in of.tables:
            if table not in [ledger.reports for ledger in of.ledgers]:
                assert rows(url, table, of.version) == rows(oracle, table, of.version), table.name


@pytest.mark.parametrize("projection", WITH_LEDGERS, ids=named)
def test_a_ledger_has_what_its_folds_look_at(projection: Projection) -> None:
    """They are run over its rows as over facts."""
    for ledger in projection.ledgers:
        columns = {c.name for c in ledger.into.columns}
        known = columns | {product.name for product in ledger.of.products if columns.issuperset(product.fields)}
        for fold in ledger.counting:
            made = set(fold.beforehand(FACTS)) if fold.beforehand else set()
            assert fields_of(fold) - made <= known, (fold.name, ledger.into.name)
