"""Ledgers: reports of facts are entered, and what counts those facts is brought up to date.

Reports of one fact may come in any order, through the workers of several partitions. A row of a ledger is locked by
whoever enters a report; what that replaces is known then, and is taken out of what counts it by the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg.rows import dict_row

from adapters.postgres.read_models.staging import stage
from projections.engine.declare.projection import Ledger, Projection
from projections.engine.store import ledger_sql
from projections.engine.store.port import Changes, Reports, Rows

if TYPE_CHECKING:  # it folds: API processes, which come by here, never do
    import polars as pl


class Entered(NamedTuple):
    """Rows to be merged once reports are entered, and the facts that were taken out of them."""

    rows: Sequence[Rows]
    gone: Sequence[tuple[Ledger, pl.DataFrame]] = ()


def entered(connection: psycopg.Connection, projection: Projection, changes: Changes) -> Entered:
    """Enter reports; the rows that are to be merged then."""
    gone = [
        (each.ledger, facts) for each in changes.reports if (facts := _enter(connection, projection, each)) is not None
    ]
    if not gone:
        return Entered(changes.rows)
    from projections.engine.fold.additive import as_rows
    from projections.engine.fold.reports import less

    deltas = less({rows.table: rows.delta for rows in changes.rows}, gone)
    return Entered([as_rows(table, delta) for table, delta in deltas.items()], gone)


def _enter(connection: psycopg.Connection, projection: Projection, reports: Reports) -> pl.DataFrame | None:
    """Enter reports that are newer than what the ledger has; the facts that count no more, or never did."""
    ledger, table, version = reports.ledger, reports.ledger.into, projection.version
    staged = stage(connection, table, version, reports.last.csv)
    rows = _rows(connection, ledger_sql.enter(table, version, staged))
    if not rows and not reports.replaced.count:
        return None
    from projections.engine.fold.additive import as_rows
    from projections.engine.fold.reports import facts_of_rows, rows_of_ledger

    stored = rows_of_ledger(ledger, rows)
    gone = stage(connection, table, version, as_rows(table, stored).csv + reports.replaced.csv, "gone")
    for source in (gone, ledger_sql.current(table, version, gone)):
        connection.execute(ledger_sql.keep_reports(ledger, version, source).encode())
    facts = facts_of_rows(ledger, stored)
    return facts if facts.height else None


def _rows(connection: psycopg.Connection, statement: str) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement.encode()).fetchall()


def count(connection: psycopg.Connection, projection: Projection, ledger: Ledger, gone: pl.DataFrame) -> None:
    """Bring rows up to date in which facts counted that do no more: count anew what is no sum, drop what is empty.

    The rows are locked since these facts were taken out of them, and each statement sees what was committed before it:
    who enters another report of such a row has done so by now, or will count it there when this one is through.
    """
    from projections.engine.fold.additive import as_rows
    from projections.engine.fold.reports import (
        counted_anew,
        facts_of_rows,
        only_sums,
        plain_keys,
        rows_of_ledger,
        taken_away,
    )

    version = projection.version
    for fold, (table, delta) in zip(ledger.counting, taken_away(ledger, gone), strict=True):
        keys = as_rows(table, delta)
        staged = stage(connection, table, version, keys.csv)
        if not only_sums(table):
            plain = plain_keys(fold, ledger.into)
            rows = _rows(connection, ledger_sql.candidates(table, plain, ledger.into, version, staged))
            facts = facts_of_rows(ledger, rows_of_ledger(ledger, rows))
            staged = stage(connection, table, version, as_rows(table, counted_anew(fold, keys.delta, facts)).csv)
            connection.execute(ledger_sql.set_staged(table, version, staged).encode())
        connection.execute(ledger_sql.drop_empty(table, version, staged).encode())


def count_anew(connection: psycopg.Connection, projection: Projection) -> None:
    """The same for all facts of which a report was replaced, at the end of a build."""
    from projections.engine.fold.reports import facts_of_rows, rows_of_ledger

    for ledger in projection.ledgers:
        rows = _rows(connection, ledger_sql.replaced_reports(ledger, projection.version))
        if rows:
            count(connection, projection, ledger, facts_of_rows(ledger, rows_of_ledger(ledger, rows)))
