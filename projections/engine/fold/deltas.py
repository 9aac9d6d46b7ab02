"""Deltas: what the facts of a batch add to a table, one row a key, column by column.

Folds of which one has the finest key are found by one grouping of the facts: where one table has a row a user and day
and another a row a day, the second is summed up from the first, thousands of rows instead of all facts once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import polars as pl

from domain.errors import Defect
from projections.engine.declare.merge_rules import Count, Flag, Last, Newest, Rule, Small, Text
from projections.engine.declare.projection import AdditiveFold
from projections.engine.declare.rows import Column, Columns, Table
from projections.engine.fold.admission import Facts

FACTS = Columns()
Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)
RANK = "_rank"  # what comes first in the order of reports; a column that folds make


def deltas(folds: tuple[AdditiveFold, ...], facts: Facts) -> Iterator[tuple[Table, pl.DataFrame]]:
    """Delta rows of these folds as columns, one row a key in any order; of those with rows alone."""
    for walk in grouping_plans(folds):
        frame = facts.get(walk.finest.reads.name)
        if frame is not None:
            yield from ((table, delta) for table, delta in walk.deltas(frame) if delta.height)


@dataclass(frozen=True)
class GroupingPlan:
    """Folds of which one grouping of the facts finds all rows: `finest` has the keys of the `others`, and more."""

    finest: AdditiveFold
    others: tuple[AdditiveFold, ...] = ()

    @property
    def folds(self) -> tuple[AdditiveFold, ...]:
        """All of them."""
        return self.finest, *self.others

    def deltas(self, facts: pl.DataFrame) -> Iterator[tuple[Table, pl.DataFrame]]:
        """Delta rows of each of its folds."""
        if not self.others:
            yield self.finest.into, delta_rows(self.finest, facts)
            return
        rows = facts.select(_made(self)).group_by([c.name for c in self.finest.into.keys]).agg(_aggregates(self))
        yield self.finest.into, rows.select(_own(self, self.finest))
        for fold in self.others:
            yield fold.into, _merged(rows.select(_own(self, fold)), fold.into)

    def covers(self, fold: AdditiveFold) -> bool:
        """Whether the fold's rows can be merged from those of the finest."""
        return (
            _again(self.finest)
            and _again(fold)
            and fold.reads is self.finest.reads
            and all(_same_column(c.name, fold, self.finest) for c in fold.into.keys)
        )


@cache
def grouping_plans(folds: tuple[AdditiveFold, ...]) -> tuple[GroupingPlan, ...]:
    """The fewest walks that find the rows of all these folds, those with the most keys first."""
    plans: list[GroupingPlan] = []
    for fold in sorted(folds, key=lambda fold: -len(fold.into.keys)):
        index = next((i for i, walk in enumerate(plans) if walk.covers(fold)), None)
        if index is None:
            plans.append(GroupingPlan(fold))
        else:
            plans[index] = GroupingPlan(plans[index].finest, (*plans[index].others, fold))
    return tuple(plans)


def _again(fold: AdditiveFold) -> bool:
    whole = fold.where is None and fold.beforehand is None and fold.into.values and not fold.into.counted
    return bool(whole) and all(c.rule.of_totals for c in fold.into.values)


def _same_column(name: str, one: AdditiveFold, other: AdditiveFold) -> bool:
    ours, theirs = columns_of(one), columns_of(other)
    return name in theirs and theirs[name].meta.eq(ours[name])


@cache
def _inner(walk: GroupingPlan) -> Mapping[AdditiveFold, Mapping[str, str]]:
    """What the values of each fold are called within the walk; folds that share a function share what it gives."""
    functions = list(dict.fromkeys(fold.expressions for fold in walk.folds))

    def name(fold: AdditiveFold, column: Column) -> str:
        return f"{functions.index(fold.expressions)} {column.rule.aggregate} {column.name}"

    return {fold: {c.name: name(fold, c) for c in fold.into.values} for fold in walk.folds}


@cache
def _made(walk: GroupingPlan) -> Sequence[pl.Expr]:
    values = {
        name: columns_of(fold)[c].alias(name) for fold, names in _inner(walk).items() for c, name in names.items()
    }
    return [*(columns_of(walk.finest)[c.name] for c in walk.finest.into.keys), *values.values()]


@cache
def _aggregates(walk: GroupingPlan) -> Sequence[pl.Expr]:
    rules = {_inner(walk)[fold][c.name]: c.rule for fold in walk.folds for c in fold.into.values}
    return [_aggregated(pl.col(name), rule) for name, rule in rules.items()]


@cache
def _own(walk: GroupingPlan, fold: AdditiveFold) -> Sequence[pl.Expr]:
    keys = [pl.col(c.name) for c in fold.into.keys]
    return [*keys, *(pl.col(name).alias(column) for column, name in _inner(walk)[fold].items())]


def delta_rows(fold: AdditiveFold, facts: Frame) -> Frame:
    """Delta rows of one fold as columns, one row a key in any order.

    Of facts as a plan it is a plan: several are collected at once, because on few facts handing them over costs most.
    """
    order = order_of(fold.into)
    selected = selected_rows(fold, facts)
    return _merged(selected.sort(order) if order else selected, fold.into)


def selected_rows(fold: AdditiveFold, facts: Frame) -> Frame:
    """The row that each fact comes to, with what says where it lies in the order of those that decide."""
    order = [name for name in order_of(fold.into) if name != RANK]
    return facts_of(fold, facts).select(*columns_of(fold).values(), *order)


def order_of(table: Table) -> tuple[str, ...]:
    """The columns of facts by which is known which of them decides a row; none where all do."""
    return table.ends[0].order_of_facts if table.ends else ()


def facts_of(fold: AdditiveFold, facts: Frame) -> Frame:
    """The facts that a fold takes, with the columns that it makes beforehand."""
    if fold.where is not None:
        facts = facts.filter(fold.where(FACTS))
    return facts if fold.beforehand is None else facts.with_columns(**_beforehand(fold))


@cache
def _beforehand(fold: AdditiveFold) -> Mapping[str, pl.Expr]:
    return fold.beforehand(FACTS) if fold.beforehand is not None else {}


@cache
def columns_of(fold: AdditiveFold) -> Mapping[str, pl.Expr]:
    """What a fold gives for each fact, by column; made once, since on few facts making them costs most."""
    expressions = fold.expressions(FACTS)
    columns = {c.name: expression(c, expressions) for c in fold.into.columns}
    if RANK in order_of(fold.into):
        columns[RANK] = _rank(fold, expressions)
    return columns


def _rank(fold: AdditiveFold, expressions: Mapping[str, pl.Expr | int | str | None]) -> pl.Expr:
    revised = any(f.name == "revision" for f in fold.reads.message.DESCRIPTOR.fields)
    rank = expressions.get(RANK, 2 * pl.col("revision").cast(pl.Int64) if revised else 0)
    return (rank if isinstance(rank, pl.Expr) else pl.lit(rank)).cast(pl.Int64).alias(RANK)


@cache
def plain_time(fold: AdditiveFold, name: str) -> str:
    """The column of facts that a time of the rows is. Raises Defect for a time that is made of others."""
    expr = fold.expressions(FACTS).get(name, pl.col(name))
    if not isinstance(expr, pl.Expr) or not expr.meta.eq(pl.col(expr.meta.output_name())):
        raise Defect(f"{fold.name} makes {name} of several columns: a live window needs a time of the fact's own")
    return expr.meta.output_name()


def merge_deltas(table: Table, deltas: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Delta rows of several batches as one row a key."""
    columns = [pl.col(c.name) for c in table.columns] + [pl.col(name) for name, _ in table.hidden]
    merged = [*((c.name, c.rule) for c in table.values), *table.hidden]
    aggregations = [_aggregated(pl.col(n).sort_by(r.order) if r.order else pl.col(n), r) for n, r in merged]
    keys = [c.name for c in table.keys]
    return pl.concat([d.select(columns) for d in deltas]).group_by(keys).agg(aggregations)


def _merged(selected: Frame, table: Table) -> Frame:
    keys = [c.name for c in table.keys]
    rules = {c.rule for c in table.values}
    if rules <= {Last} or rules <= {Newest}:  # whole rows: five times as fast as `last` of each column
        (rule,) = table.ends
        order = dict(zip(rule.order_of_facts, rule.order, strict=True))
        return selected.unique(keys, keep="last", maintain_order=True).rename(order)
    return selected.group_by(keys).agg(_aggregations(table))


def expression(column: Column, expressions: Mapping[str, pl.Expr | int | str | None]) -> pl.Expr:
    """What a fold gives for a column, for each fact."""
    value = expressions.get(column.name, pl.col(column.name))
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
    return pl.Boolean if issubclass(kind, Flag) else pl.Int128  # 128 bits: a sum of 64-bit trillionths can leave 64


@cache
def _aggregations(table: Table) -> list[pl.Expr]:
    aggregations = [_aggregated(pl.col(c.name), c.rule) for c in table.values]
    for rule in table.ends:
        order = zip(rule.order_of_facts, rule.order, strict=True)
        aggregations += [_aggregated(pl.col(of), rule).alias(name) for of, name in order]
    return [*aggregations, pl.len().cast(pl.Int64).alias("_facts")] if table.counted else aggregations


def _aggregated(values: pl.Expr, rule: type[Rule[Any]]) -> pl.Expr:
    aggregated: pl.Expr = getattr(values, rule.aggregate)()
    return aggregated
