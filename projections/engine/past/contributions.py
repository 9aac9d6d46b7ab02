"""Shares: what each event contributed to a measure.

Folds are evaluated fact by fact instead of grouped. Shares of a sum add up to it exactly; behind an extreme, a first or
a last value stand the events that decided it; an ordered fold is followed step by step, and a fact's share is what its
arrival changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from domain.access.rights import Member
from domain.errors import Invalid
from projections.engine.declare.merge_rules import Money, Sum, Twelfths
from projections.engine.declare.projection import AdditiveFold, Fact, Ledger, OrderedFold
from projections.engine.declare.rows import Column, Table
from projections.engine.fold.additive import as_stored, to_csv
from projections.engine.fold.deltas import FACTS, columns_of, dtype_of, facts_of
from projections.engine.query.answer_row import CURRENCY
from projections.engine.query.plain import Query, Selected
from projections.engine.query.request import Request
from projections.engine.store.port import OrderedFacts

ENTRIES = "pg_temp.entries"
PLACE = ("_topic", "_seq", "_at", "_event_id", "_user_id", "_ledger")
PLACE_SQL = '"_topic" text, "_seq" bigint, "_at" bigint, "_event_id" text, "_user_id" text, "_ledger" text'
NONE = ""  # of what is never reported again, there is no ledger


def selected(query: Query, request: Request, measure: str) -> tuple[Selected, Column]:
    """The rows that are asked about and the column of the measure. Raises Invalid where it cannot be explained."""
    if query.selects is None:
        raise Invalid(f"{query.name} cannot be explained", code="no_explanation")
    rows = query.selects(request)
    columns = {c.name: c for c in rows.table.values}
    if measure not in columns:
        raise Invalid(
            f"{query.name} has no stored measure {measure!r}; explained are {', '.join(columns)}, and what is derived"
            " from them by those",
            code="unknown_measure",
        )
    return rows, columns[measure]


def create(table: Table, measure: Column) -> str:
    """DDL of the entries: the row's key, the share, and where the event lies."""
    keys = ", ".join(f'"{c.name}" {c.kind.sql}' for c in table.keys)
    return f"CREATE TEMP TABLE entries ({keys}, share {measure.kind.sql}, {PLACE_SQL}) ON COMMIT DROP"


def copy(table: Table) -> str:
    """COPY of entries as CSV."""
    names = ", ".join(f'"{n}"' for n in (*(c.name for c in table.keys), "share", *PLACE))
    return f"COPY entries ({names}) FROM STDIN (FORMAT csv)"


def shares(fold: AdditiveFold, measure: Column, facts: pl.DataFrame, ledgers: Sequence[Ledger]) -> bytes:
    """Entries of an additive fold: one a fact. Which of a fact's reports counts is told by its ledger."""
    columns = [columns_of(fold)[c.name] for c in (*fold.into.keys, measure)]
    place = [pl.col(n).alias(f"_{n}") for n in ("event_id", "user_id")]
    beside = [*place, pl.col("_seq", "_at"), _ledger_of(fold, ledgers).alias("_ledger")]
    evaluated = facts_of(fold, facts).select(*columns, *beside)
    stored = [as_stored(c.name, c.kind) for c in (*fold.into.keys, measure)]
    return to_csv(evaluated.with_columns(_topic=pl.lit(fold.reads.stream)).select(*stored, *PLACE))


def _ledger_of(fold: AdditiveFold, ledgers: Sequence[Ledger]) -> pl.Expr:
    """The ledger in which each fact is; none for those that it does not take, which count by themselves."""
    for ledger in ledgers:
        if fold in (*ledger.folds, *ledger.counting):
            where = next(each.where for each in ledger.folds if each.reads is fold.reads)
            name, condition = pl.lit(ledger.into.name), pl.lit(value=True) if where is None else where(FACTS)
            return pl.when(condition).then(name).otherwise(pl.lit(NONE))
    return pl.lit(NONE)


def own(facts: pl.DataFrame, member: Member | None) -> pl.DataFrame:
    """The facts that a member sees: those of its users, and those of no user in rows that are its account's."""
    return facts if member is None else facts.filter(pl.col("user_id").is_in([*member.user_ids, ""]))


def effects(ordered: OrderedFacts, table: Table, measure: Column) -> bytes:
    """Entries of an ordered fold: what the arrival of each fact changed."""
    columns = (*table.keys, measure)
    entries = [e for key, facts in ordered.facts.items() for e in _steps(ordered.fold, table, measure, key, facts)]
    schema: dict[str, Any] = {c.name: dtype_of(c) for c in columns}
    schema |= {"_seq": pl.Int64, "_at": pl.Int64, "_event_id": pl.String, "_user_id": pl.String}
    cells = zip(*entries, strict=True) if entries else [()] * len(schema)
    frame = pl.DataFrame([pl.Series(n, list(c), t) for (n, t), c in zip(schema.items(), cells, strict=True)])
    frame = frame.with_columns(_topic=pl.lit(ordered.fold.stream), _ledger=pl.lit(NONE))
    return to_csv(frame.select(*(as_stored(c.name, c.kind) for c in columns), *PLACE))


def _steps(
    fold: OrderedFold, table: Table, measure: Column, key: tuple[str, ...], facts: Sequence[Fact]
) -> Iterator[tuple[Any, ...]]:
    keys = dict(zip(fold.by, key, strict=True))
    state, before = None, dict[tuple[Any, ...], Any]()
    for fact in facts:
        state = fold.advance(state, [fact])
        after = _values(table, measure, keys, fold.rows(state).get(table.name, ()))
        for row in before.keys() | after.keys():
            if (share := _change(measure, before, after, row)) is not None:
                yield (*row, share[0], fact["_seq"], fact["_at"], fact["event_id"], fact["user_id"])
        before = after


def _values(
    table: Table, measure: Column, keys: Mapping[str, str], rows: Iterable[Mapping[str, Any]]
) -> dict[tuple[Any, ...], Any]:
    """The measure by row key; rows with the same key add up."""
    values: dict[tuple[Any, ...], Any] = {}
    for row in rows:
        whole = {**keys, **row}
        key = tuple(_cut(c, whole[c.name]) for c in table.keys)
        values[key] = values.get(key, 0) + row.get(measure.name, 0) if measure.rule is Sum else row[measure.name]
    return values


def _cut(column: Column, value: Any) -> Any:
    width = column.kind.truncate_ms
    return value // width * width if width > 1 else value


def _change(measure: Column, before: Mapping[Any, Any], after: Mapping[Any, Any], row: Any) -> tuple[Any] | None:
    """What changed, in a tuple because an own value may have become null; None where nothing did."""
    if measure.rule is Sum:
        difference = after.get(row, 0) - before.get(row, 0)
        return (difference,) if difference else None
    if row in before and row in after and before[row] == after[row]:
        return None
    return (after.get(row),)


def statement(rows: Selected, measure: Column, ledgers: Sequence[Ledger]) -> tuple[str, tuple[object, ...]]:
    """The entries that decide the measure of the selected rows, as SQL with its parameters.

    Among them those that another report of the same fact replaced; `_counts` says which do count.
    """
    keys = ", ".join(f'"{c.name}"' for c in rows.table.keys)
    chosen = f"SELECT {keys} FROM {{{rows.table.name}}} WHERE {rows.where}"
    counts = " OR ".join(
        [f"_ledger = '{NONE}'"]
        + [f"_ledger = '{each.into.name}' AND _seq IN (SELECT _last_seq FROM {{{each.into.name}}})" for each in ledgers]
    )
    within = f'SELECT *, ({counts}) AS "_counts" FROM {ENTRIES} WHERE ({keys}) IN ({chosen})'
    return measure.rule.deciding.format(within=within, keys=keys), rows.params


def is_of_currencies(rows: Selected, measure: Column) -> bool:
    """Whether the measure is an amount whose currency each row says."""
    return issubclass(measure.kind, Money | Twelfths) and any(c.name == CURRENCY for c in rows.table.keys)


def value(rows: Selected, measure: Column, currency: str | None) -> tuple[str, tuple[object, ...]]:
    """SQL for the measure of the selected rows, with its parameters: their sum or extreme; else the value itself, where
    it is one row's. Beside it the currency of amounts, and whether they are of several: then they have neither.

    `currency`: of amounts that name none; None where nobody has said.
    """
    otherwise = "CASE WHEN count(*) = 1 THEN (array_agg({c}))[1] END"
    expression = (measure.rule.total if measure.rule.of_totals else otherwise).format(c=f'"{measure.name}"')
    if not is_of_currencies(rows, measure):
        return f"SELECT {expression}, NULL, false FROM {{{rows.table.name}}} WHERE {rows.where}", rows.params
    several = f"COUNT(DISTINCT NULLIF({CURRENCY}, '')) > 1"
    amounts = f"SELECT \"{measure.name}\", COALESCE(NULLIF({CURRENCY}, ''), %s, '') AS {CURRENCY}"
    return (
        f"SELECT CASE WHEN NOT {several} THEN {expression} END,"
        f" CASE WHEN NOT {several} THEN MAX(NULLIF({CURRENCY}, '')) END, {several}"
        f" FROM ({amounts} FROM {{{rows.table.name}}} WHERE {rows.where}) AS amounts",
        (currency, *rows.params),
    )


def order(table: Table, *, newest: bool) -> str:
    """ORDER BY of entries: event time, then place, so that no two that differ stand side by side."""
    way = "DESC" if newest else "ASC"
    keys = ", ".join(f'"{c.name}"' for c in table.keys)
    return f'ORDER BY "_at" {way}, "_topic", "_seq" {way}, {keys}, share'


def through(rule: object, order: str) -> str:
    """SQL of the sum of all shares that count until this one, in this order; null where shares do not add up."""
    return f'SUM(share) FILTER (WHERE "_counts") OVER ({order} ROWS UNBOUNDED PRECEDING)' if rule is Sum else "NULL"
