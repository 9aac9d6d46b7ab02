"""Reports: facts that can be reported again count once, as they were last reported.

Of a batch the last report of each fact counts. What the store finds replaced by it, or newer than it, is folded by the
very same folds and taken away again; where a row is more than sums, it is counted anew from the ledger.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from projections.engine.declare.merge_rules import Newest, Sum
from projections.engine.declare.projection import AdditiveFold, Ledger
from projections.engine.declare.rows import Table
from projections.engine.fold.admission import Facts
from projections.engine.fold.decimal_columns import with_products
from projections.engine.fold.deltas import FACTS, delta_rows, dtype_of, merge_deltas, selected_rows

FIRST, LAST = -(2**63), 2**63 - 1  # places in an order, before and behind all others


@dataclass(frozen=True, slots=True)
class LastReports:
    """Reports of one ledger, as rows of it: the last of each fact, sorted by key, and those that they replace."""

    ledger: Ledger
    last: pl.DataFrame
    replaced: pl.DataFrame


def last_reports(ledger: Ledger, facts: Facts) -> LastReports | None:
    """The reports that are among these facts; None where there are none."""
    parts = [selected_rows(f, facts[f.reads.name]) for f in ledger.folds if f.reads.name in facts]
    if not parts:
        return None
    keys, order = [c.name for c in ledger.into.keys], dict(zip(Newest.order_of_facts, Newest.order, strict=True))
    reports = pl.concat(parts).rename(order).sort(*keys, *Newest.order)
    last = reports.unique(keys, keep="last", maintain_order=True)
    replaced = reports.clear() if last.height == reports.height else _but(reports, "_last_seq", last)
    return LastReports(ledger, last, replaced)


def counting(facts: Facts, reports: Sequence[LastReports]) -> Facts:
    """The facts without those that a later report among them replaces or takes back."""
    remaining = dict(facts)
    for each in reports:
        name = each.ledger.of.name
        if name in facts and (each.replaced.height or (len(each.ledger.folds) > 1 and _taken_back(each.last).any())):
            dropped = pl.concat([each.replaced, each.last.filter(_taken_back(each.last))]).get_column("_last_seq")
            remaining[name] = facts[name].filter(~pl.col("_seq").is_in(dropped.implode()))
    return remaining


def _taken_back(rows: pl.DataFrame) -> pl.Series:
    return rows.get_column("_last_rank") % 2 == 1


def _but(rows: pl.DataFrame, column: str, others: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(~pl.col(column).is_in(others.get_column(column).implode()))


def rows_of_ledger(ledger: Ledger, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows of a ledger as the store gives them, as columns."""
    types = {c.name: dtype_of(c) for c in ledger.into.columns} | dict.fromkeys(Newest.order, pl.Int64)
    return pl.DataFrame([pl.Series(name, [_plain(row[name]) for row in rows], t) for name, t in types.items()])


def facts_of_rows(ledger: Ledger, rows: pl.DataFrame) -> pl.DataFrame:
    """The facts that rows of a ledger are; what takes back is none.

    A field without presence is never null in a fact; a ledger may have null for it.
    """
    fields = [f for f in ledger.of.message.DESCRIPTOR.fields if f.name in rows.columns and not f.has_presence]
    blank = {f.name: "" if rows.schema[f.name] == pl.String else 0 for f in fields}
    at = "timestamp" if "timestamp" in rows.columns else "_last_at"
    return with_products(ledger.of, rows.filter(pl.col("_last_rank") % 2 == 0)).with_columns(
        *(pl.col(name).fill_null(value) for name, value in blank.items()),
        pl.col("_last_seq").alias("_seq"),
        pl.col(at).alias("_at"),
    )


def _plain(value: Any) -> Any:
    """A stored value as folds have it: times in ms, numbers whole."""
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000)
    if isinstance(value, date):
        return (value - date(1970, 1, 1)).days * 86_400_000
    return value if value is None or isinstance(value, str | bool) else int(value)


def taken_away(ledger: Ledger, facts: pl.DataFrame) -> Iterator[tuple[Table, pl.DataFrame]]:
    """Delta rows that take facts out of the tables in which they count: sums less, and what never decides."""
    for fold in ledger.counting:
        yield fold.into, _negative(fold.into, delta_rows(fold, facts))


def _negative(table: Table, delta: pl.DataFrame) -> pl.DataFrame:
    sums = [name for name, rule in (*((c.name, c.rule) for c in table.values), *table.hidden) if rule is Sum]
    never = [(name, FIRST if "last" in name else LAST) for rule in table.ends for name in rule.order]
    return delta.with_columns(
        *(pl.col(name) * -1 for name in sums),
        *(pl.lit(None, dtype_of(c)).alias(c.name) for c in table.values if c.rule is not Sum),
        *(pl.lit(place, pl.Int64).alias(name) for name, place in never),
    )


def less(
    deltas: Mapping[Table, pl.DataFrame], gone: Sequence[tuple[Ledger, pl.DataFrame]]
) -> dict[Table, pl.DataFrame]:
    """Delta rows less what facts that no longer count had come to."""
    parts = {table: [delta] for table, delta in deltas.items()}
    for ledger, facts in gone:
        for table, delta in taken_away(ledger, facts):
            parts.setdefault(table, []).append(delta)
    return {table: merge_deltas(table, frames) for table, frames in parts.items()}


def counted_anew(fold: AdditiveFold, keys: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """Rows of these keys as these facts come to them; a row in which none counts is empty."""
    names = [c.name for c in fold.into.keys]
    rows = keys.select(names).join(delta_rows(fold, facts), on=names, how="left", nulls_equal=True)
    sums = [name for name, rule in (*((c.name, c.rule) for c in fold.into.values), *fold.into.hidden) if rule is Sum]
    order = [name for rule in fold.into.ends for name in rule.order]
    return rows.with_columns(pl.col(name).fill_null(0) for name in (*sums, *order))


def only_sums(table: Table) -> bool:
    """Whether what a fact came to can be taken away from a row."""
    return all(c.rule is Sum for c in table.values)


def plain_keys(fold: AdditiveFold, ledger: Table) -> Mapping[str, str]:
    """Key columns of the fold's rows that are a column of the ledger, cut to their kind: rows are looked up by them."""
    columns, plain = {c.name for c in ledger.columns}, dict[str, str]()
    for column in fold.into.keys:
        value = fold.expressions(FACTS).get(column.name, pl.col(column.name))
        if isinstance(value, pl.Expr) and value.meta.eq(pl.col(value.meta.output_name())):
            plain[column.name] = value.meta.output_name()
    return {name: source for name, source in plain.items() if source in columns}
