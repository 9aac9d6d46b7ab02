"""Fold: the facts of a batch into delta rows, column by column, for every additive fold of a projection."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

import polars as pl

from projections.engine.admission import Facts, Reads
from projections.engine.batch import Folded, FoldFailed, OrderedFacts, Rows
from projections.engine.culprit import culprit
from projections.engine.declare import (
    ORDER_FIRST,
    ORDER_LAST,
    AdditiveFold,
    Column,
    Columns,
    OrderedFold,
    Projection,
    Table,
    hidden_columns,
)
from projections.engine.kinds import Count, Day, First, Flag, Kind, Last, Max, Min, Small, Sum, Text

FACTS = Columns()
OF_ENVELOPE = frozenset({"company_id", "user_id", "timestamp", "event_id"})  # what facts have of their envelopes
AGGREGATES: Mapping[object, str] = MappingProxyType({Sum: "sum", Min: "min", Max: "max", First: "first", Last: "last"})


def fold(projection: Projection, facts: Facts) -> Folded:
    """Rows of all additive folds, and the facts that its ordered folds wait for."""
    try:
        return _folded(projection, facts)
    except Exception as error:  # a fold is code of a projection: its failure is its own, not the batch's
        raise FoldFailed(projection, error, culprit(facts, lambda part: _folded(projection, part))) from error


def _folded(projection: Projection, facts: Facts) -> Folded:
    rows = [r for f in projection.additive if (r := additive_rows(f, facts.get(f.reads.name))) is not None]
    ordered = [o for f in projection.ordered if (o := ordered_facts(f, facts.get(f.reads.name))) is not None]
    return Folded(projection, rows, ordered)


def additive_rows(fold: AdditiveFold, facts: pl.DataFrame | None) -> Rows | None:
    """Delta rows of one fold: one row a key, sorted by key; None when no fact applies."""
    delta = delta_rows(fold, facts)
    return as_rows(fold.into, delta) if delta is not None and delta.height else None


def delta_rows(fold: AdditiveFold, facts: pl.DataFrame | None) -> pl.DataFrame | None:
    """Delta rows of one fold as columns, one row a key in any order; None without facts."""
    if facts is None:
        return None
    order = ["_at", "_seq"] if hidden_columns(fold.into) else []
    selected = taken(fold, facts).select(*columns_of(fold).values(), *order)
    return _merged(selected.sort(order) if order else selected, fold.into)


def taken(fold: AdditiveFold, facts: pl.DataFrame) -> pl.DataFrame:
    """The facts that a fold takes, with the columns that it makes beforehand."""
    if fold.where is not None:
        facts = facts.filter(fold.where(FACTS))
    return facts if fold.beforehand is None else facts.with_columns(**fold.beforehand(FACTS))


@cache
def columns_of(fold: AdditiveFold) -> Mapping[str, pl.Expr]:
    """What a fold gives for each fact, by column; made once, since on few facts making them costs most."""
    given = fold.expressions(FACTS)
    return {c.name: expression(c, given) for c in fold.into.columns}


def looked_at(projections: Iterable[Projection], *also: str) -> Reads:
    """The fields that the projections' folds look at, by event type; an ordered fold is handed whole facts.

    Raises FoldFailed.
    """
    found: dict[str, set[str]] = {}
    for projection in projections:
        for additive in projection.additive:
            try:
                found.setdefault(additive.reads.name, {*also}).update(_fields_of(additive))
            except Exception as error:  # a fold is code of a projection
                raise FoldFailed(projection, error) from error
        for ordered in projection.ordered:
            whole = {f.name for f in ordered.reads.message.DESCRIPTOR.fields} | OF_ENVELOPE
            found.setdefault(ordered.reads.name, {*also}).update(whole)
    return found


@cache
def _fields_of(fold: AdditiveFold) -> frozenset[str]:
    expressions = [*columns_of(fold).values()]
    if fold.where is not None:
        expressions.append(fold.where(FACTS))
    if fold.beforehand is not None:
        expressions += fold.beforehand(FACTS).values()
    return frozenset(name for e in expressions for name in e.meta.root_names())


def merge_deltas(table: Table, deltas: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Delta rows of several batches as one row a key."""
    columns = [pl.col(c.name) for c in table.columns] + [pl.col(name) for name in hidden_columns(table)]
    ends: dict[object, tuple[str, Sequence[str]]] = {First: ("first", ORDER_FIRST), Last: ("last", ORDER_LAST)}
    found = []
    for column in table.values:
        value = pl.col(column.name)
        if column.rule in ends:
            end, order = ends[column.rule]
            found.append(getattr(value.sort_by(order), end)())
        else:
            found.append(getattr(value, AGGREGATES[column.rule])())
    for rule, (end, order) in ends.items():
        if any(c.rule is rule for c in table.values):
            found += [getattr(pl.col(name).sort_by(order), end)() for name in order]
    keys = [c.name for c in table.keys]
    return pl.concat([d.select(columns) for d in deltas]).group_by(keys).agg(found)


def as_rows(table: Table, delta: pl.DataFrame) -> Rows:
    """Delta rows as they are stored, sorted by key."""
    keys = [c.name for c in table.keys]
    rows = delta.sort(keys).select(_stored(table))
    return Rows(table, to_csv(rows), rows.height)


def _merged(selected: pl.DataFrame, table: Table) -> pl.DataFrame:
    keys = [c.name for c in table.keys]
    if all(c.rule is Last for c in table.values):  # whole rows: five times as fast as `last` of each column
        order = dict(zip(("_at", "_seq"), ORDER_LAST, strict=True))
        return selected.unique(keys, keep="last", maintain_order=True).rename(order)
    return selected.group_by(keys).agg(_aggregations(table))


def expression(column: Column, given: Mapping[str, pl.Expr | int | str]) -> pl.Expr:
    """What a fold gives for a column, for each fact."""
    value = given.get(column.name, pl.col(column.name))
    expression = value if isinstance(value, pl.Expr) else pl.lit(value)
    width = column.kind.truncate_ms
    if width > 1:
        expression = expression // width * width
    return expression.cast(dtype_of(column)).alias(column.name)


def dtype_of(column: Column) -> Any:
    """The type of a column while it is folded."""
    kind = column.kind
    if issubclass(kind, Text):
        return pl.String
    if kind.is_time or issubclass(kind, (Count, Small)):
        return pl.Int64
    return pl.Boolean if issubclass(kind, Flag) else pl.Int128  # 128 bits: a sum of 64-bit millionths can leave 64


@cache
def _aggregations(table: Table) -> list[pl.Expr]:
    found = [getattr(pl.col(c.name), AGGREGATES[c.rule])() for c in table.values]
    hidden = hidden_columns(table)
    if ORDER_FIRST[0] in hidden:
        found += [pl.col("_at").first().alias(ORDER_FIRST[0]), pl.col("_seq").first().alias(ORDER_FIRST[1])]
    if ORDER_LAST[0] in hidden:
        found += [pl.col("_at").last().alias(ORDER_LAST[0]), pl.col("_seq").last().alias(ORDER_LAST[1])]
    return found


@cache
def _stored(table: Table) -> list[pl.Expr]:
    """Columns as the database wants them; only the few rows of a batch pay for turning numbers into times."""
    return [as_stored(c.name, c.kind) for c in table.columns] + [pl.col(n) for n in hidden_columns(table)]


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


def ordered_facts(fold: OrderedFold, facts: pl.DataFrame | None) -> OrderedFacts | None:
    """Facts of an ordered fold by key, each key's in log order."""
    if facts is None:
        return None
    by_key: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for fact in facts.sort("_seq").iter_rows(named=True):
        by_key.setdefault(tuple(fact[name] for name in fold.by), []).append(fact)
    return OrderedFacts(fold, by_key)
