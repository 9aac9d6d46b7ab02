"""Fold: the facts of a batch into delta rows, column by column, for every additive fold of a projection."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from heapq import merge
from operator import itemgetter

import polars as pl

from eventlog.columns import fault
from projections.engine.declare.merge_rules import Day, Kind
from projections.engine.declare.projection import AdditiveFold, Fact, OrderedFold, Projection
from projections.engine.declare.rows import Table
from projections.engine.fold.admission import Facts, Reads
from projections.engine.fold.deltas import FACTS, columns_of, deltas, merge_deltas
from projections.engine.fold.log_order import ITEM_BITS, OFFSET_BITS
from projections.engine.fold.reports import counting, last_reports
from projections.engine.store.port import Changes, Folded, FoldFailed, OrderedFacts, Places, Reports, Rows

OF_ENVELOPE = frozenset({"company_id", "user_id", "timestamp", "event_id"})  # what facts have of their envelopes


def fold(projection: Projection, facts: Facts) -> Folded:
    """Rows of all additive folds, and the facts that its ordered folds wait for; or the error where they fail.

    Raises FoldFailed where they fail without any fact: then it is none of the facts that is wrong.
    """
    own = {name: facts[name] for name in sorted(projection.reads & facts.keys())}
    try:
        return Folded(projection, own, changes(projection, own, {}))
    except BaseException as error:  # a fold is code of a projection: its failure is its own, not the batch's
        failure = FoldFailed(projection, fault(error))
    try:
        changes(projection, {name: frame.clear() for name, frame in own.items()}, {})
    except BaseException as error:
        raise FoldFailed(projection, fault(error)) from error
    return Folded(projection, own, error=failure)


def without(facts: Facts, places: Places) -> Facts:
    """The facts less those of the events at these places."""
    if not places:
        return facts
    out = pl.Series([(partition << OFFSET_BITS) | offset for partition, offset in places], dtype=pl.Int64)
    remaining = ~(pl.col("_seq") // (1 << ITEM_BITS)).is_in(out.implode())
    frames = {name: frame.filter(remaining) for name, frame in facts.items()}
    return {name: frame for name, frame in frames.items() if frame.height}


def changes(projection: Projection, facts: Facts, before: Mapping[Table, Sequence[pl.DataFrame]]) -> Changes:
    """What facts come to, together with delta rows that others came to before."""
    reports = [r for ledger in projection.ledgers if (r := last_reports(ledger, facts)) is not None]
    parts = {table: [*frames] for table, frames in before.items()}
    for table, delta in deltas(_merged(tuple(projection.additive)), counting(facts, reports)):
        parts.setdefault(table, []).append(delta)
    rows = [as_rows(t, frames[0] if len(frames) == 1 else merge_deltas(t, frames)) for t, frames in parts.items()]
    ordered = [o for f in projection.ordered if (o := ordered_facts(f, facts)) is not None]
    stored = [Reports(r.ledger, *(as_rows(r.ledger.into, each) for each in (r.last, r.replaced))) for r in reports]
    return Changes(rows, ordered, stored)


@cache
def _merged(folds: tuple[AdditiveFold, ...]) -> tuple[AdditiveFold, ...]:
    """The folds whose rows are merged into those that are there; reports are entered into their ledger."""
    return tuple(fold for fold in folds if not fold.into.ledger)


def looked_at(projections: Iterable[Projection], *also: str) -> Reads:
    """The fields that the projections' folds look at, by event type; an ordered fold is handed whole facts.

    Raises FoldFailed.
    """
    fields: dict[str, set[str]] = {}
    for projection in projections:
        for additive in projection.additive:
            try:
                fields.setdefault(additive.reads.name, {*also}).update(fields_of(additive))
            except Exception as error:  # a fold is code of a projection
                raise FoldFailed(projection, error) from error
        for event in (event for ordered in projection.ordered for event in ordered.reads):
            whole = {f.name for f in event.message.DESCRIPTOR.fields} | OF_ENVELOPE
            fields.setdefault(event.name, {*also}).update(whole)
    return fields


@cache
def fields_of(fold: AdditiveFold) -> frozenset[str]:
    """The columns of facts that a fold looks at."""
    expressions = [*columns_of(fold).values()]
    if fold.where is not None:
        expressions.append(fold.where(FACTS))
    if fold.beforehand is not None:
        expressions += fold.beforehand(FACTS).values()
    return frozenset(name for e in expressions for name in e.meta.root_names())


def as_rows(table: Table, delta: pl.DataFrame) -> Rows:
    """Delta rows as they are stored: in one order, so that nobody deadlocks."""
    delta = delta.sort([c.name for c in table.keys])
    rows = delta.select(_stored(table))
    return Rows(table, to_csv(rows), rows.height, delta)


@cache
def _stored(table: Table) -> list[pl.Expr]:
    """Columns as the database wants them; only the few rows of a batch pay for turning numbers into times."""
    return [as_stored(c.name, c.kind) for c in table.columns] + [pl.col(n) for n, _ in table.hidden]


def as_stored(name: str, kind: type[Kind]) -> pl.Expr:
    """A folded column as the database takes it."""
    if not kind.is_time:
        return pl.col(name)
    moment = pl.col(name).cast(pl.Datetime("ms", "UTC"))
    return moment.dt.date() if issubclass(kind, Day) else moment


def to_csv(rows: pl.DataFrame) -> bytes:
    """CSV as COPY reads it: null is an empty field, the empty text is quoted."""
    csv = io.BytesIO()  # as text it would be decoded and encoded again: half of the cost
    rows.write_csv(csv, include_header=False)
    return csv.getvalue()


def ordered_facts(fold: OrderedFold, facts: Facts) -> OrderedFacts | None:
    """Facts of an ordered fold by key, of all its types, each key's in log order; None where there are none."""
    of_types = [_in_order(facts[event.name], event.name) for event in fold.reads if event.name in facts]
    if not of_types:
        return None
    by_key: dict[tuple[str, ...], list[Fact]] = {}
    for fact in merge(*of_types, key=itemgetter("_seq")):
        by_key.setdefault(tuple(fact[name] for name in fold.by), []).append(fact)
    return OrderedFacts(fold, by_key)


def _in_order(facts: pl.DataFrame, event: str) -> Iterator[Fact]:
    return facts.sort("_seq").with_columns(_event=pl.lit(event)).iter_rows(named=True)
