"""SQL text of ledgers: reports are entered, kept where there are several, and looked up. Text only, as in `sql`."""

from __future__ import annotations

from collections.abc import Mapping

from projections.engine.declare.merge_rules import Day, Newest, Sum, Text
from projections.engine.declare.projection import Ledger
from projections.engine.declare.rows import Column, Table
from projections.engine.store.sql import beginning, conflict_key, listed, same_key, stored_columns, table_name

COUNTS = "_last_rank & 1 = 0"  # whether a row of a ledger, or a report, is not one that takes back


def enter(table: Table, version: int, stage: str) -> str:
    """Put staged reports into a ledger where they are the newest; the rows that they replace, and those that lost.

    Each row is locked by the first who comes, in the order of keys; whoever comes second sees what the first made.
    """
    names, keys = stored_columns(table), [c.name for c in table.keys]
    updates = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in keys)
    before = ", ".join(f'old."{name}"' for name in names)
    of = ", ".join(f'new."{key}" AS "of {key}"' for key in keys)
    same = " AND ".join(f'w."of {key}" = s."{key}"' for key in keys)
    return (
        f"WITH written AS (INSERT INTO {table_name(table.name, version)} AS t ({listed(names)})"
        f" SELECT {listed(names)} FROM {stage} ON CONFLICT ({conflict_key(table)}) DO UPDATE SET {updates}"
        f" WHERE {Newest.comes} RETURNING {before}, {of})"
        f" SELECT {listed(names)} FROM written WHERE _last_seq IS NOT NULL"
        f" UNION ALL SELECT {listed(names)} FROM {stage} AS s"
        f" WHERE (SELECT count(*) FROM written) < (SELECT count(*) FROM {stage})"
        f" AND NOT EXISTS (SELECT FROM written AS w WHERE {same})"
    )


def keep_reports(ledger: Ledger, version: int, source: str) -> str:
    """Note each report of a source, which has the columns of the ledger, unless it is there."""
    own = {
        "place": "_last_seq",
        "revision": "_last_rank >> 1",
        "taken_back": "_last_rank & 1 = 1",
        "reported_at": "'epoch'::timestamptz + _last_at * interval '1 ms'",
    }
    names = [c.name for c in ledger.reports.columns]
    values = ", ".join(own.get(name, f'"{name}"') for name in names)
    return (
        f"INSERT INTO {table_name(ledger.reports.name, version)} ({listed(names)}) SELECT {values} FROM {source}"
        " ON CONFLICT DO NOTHING"
    )


def current(table: Table, version: int, stage: str) -> str:
    """The rows that a ledger has of the staged keys, as a source."""
    staged = f"EXISTS (SELECT FROM {stage} AS s WHERE {same_key(table)})"
    return f"(SELECT {listed(stored_columns(table))} FROM {table_name(table.name, version)} AS t WHERE {staged}) AS c"


def replaced_reports(ledger: Ledger, version: int) -> str:
    """All reports that another replaced, as rows of the ledger."""
    table = ledger.into
    same = " AND ".join(f't."{c.name}" = r."{c.name}"' for c in table.keys)
    names = ", ".join(f'r."{c.name}"' for c in table.columns)
    return (
        f"SELECT {names}, 2 * revision AS _last_rank, 0 AS _last_at, place AS _last_seq"
        f" FROM {table_name(ledger.reports.name, version)} AS r WHERE NOT taken_back AND NOT EXISTS"
        f" (SELECT FROM {table_name(table.name, version)} AS t WHERE {same} AND t._last_seq = r.place)"
    )


def candidates(into: Table, plain: Mapping[str, str], ledger: Table, version: int, stage: str) -> str:
    """Rows of a ledger that may count in the staged rows of a table, each once.

    `plain`: the column of the ledger that a key column of the table is, cut to its kind. Looked up row by row: without
    statistics of what is staged the planner would read the whole ledger.
    """
    same = " AND ".join(_falls_into(into.column(name), source) for name, source in plain.items())
    rows = f"SELECT * FROM {table_name(ledger.name, version)} AS t WHERE {COUNTS} AND {same} OFFSET 0"
    each = f"SELECT t.* FROM {stage} AS s CROSS JOIN LATERAL ({rows}) AS t"
    return f"SELECT DISTINCT ON ({listed([c.name for c in ledger.keys])}) * FROM ({each}) AS c"


def _falls_into(key: Column, source: str) -> str:
    width = key.kind.truncate_ms
    if width <= 1:
        same = f't."{source}" = s."{key.name}"'
        of_text = " = ".join(beginning(column) for column in (f't."{source}"', f's."{key.name}"'))
        return f"{same} AND {of_text}" if issubclass(key.kind, Text) else same
    start = f's."{key.name}"' + ("::timestamp AT TIME ZONE 'UTC'" if issubclass(key.kind, Day) else "")
    return f't."{source}" >= {start} AND t."{source}" < {start} + interval \'{width} ms\''


def set_staged(table: Table, version: int, stage: str) -> str:
    """Set what is no sum in the rows whose keys are staged."""
    names = [name for name, rule in (*((c.name, c.rule) for c in table.values), *table.hidden) if rule is not Sum]
    updates = ", ".join(f'"{name}" = s."{name}"' for name in names)
    return f"UPDATE {table_name(table.name, version)} AS t SET {updates} FROM {stage} AS s WHERE {same_key(table)}"


def drop_empty(table: Table, version: int, stage: str) -> str:
    """Delete the rows whose keys are staged in which no fact counts any more."""
    name = table_name(table.name, version)
    return f"DELETE FROM {name} AS t USING {stage} AS s WHERE {same_key(table)} AND t._facts = 0"
