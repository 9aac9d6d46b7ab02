"""Staging: CSV rows in a temporary table like their target, from where one statement merges them."""

from __future__ import annotations

import psycopg

from projections.engine.declare.rows import Table
from projections.engine.store import sql


def stage(connection: psycopg.Connection, table: Table, version: int, csv: bytes, purpose: str = "staged") -> str:
    """Fill a staging table of `table` with these rows alone and return its name.

    It is emptied first: two folds of one batch may fill the same table, one after the other. By DELETE, and for good at
    the end of the transaction: TRUNCATE would give it a new file each time, which costs as much as merging 50 rows.

    COPY cannot go into the target itself: it knows no merge, and is refused under row-level security.
    """
    short = f'"{table.name}_v{version}_{purpose}"'
    name = f"pg_temp.{short}"
    target = sql.table_name(table.name, version)
    made = f"CREATE TEMP TABLE IF NOT EXISTS {short} (LIKE {target}) ON COMMIT DELETE ROWS"
    connection.execute(f"{made}; DELETE FROM {name}".encode())  # in one go: there are some ten tables a batch
    columns = ", ".join(f'"{c}"' for c in sql.stored_columns(table))
    with connection.cursor().copy(f"COPY {name} ({columns}) FROM STDIN (FORMAT csv)".encode()) as copy:
        copy.write(csv)
    return name
