"""The rows in which two versions of a projection differ."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from projections.engine.declare.projection import Projection
from projections.engine.rebuild import Difference
from projections.engine.store import sql

SHOWN = 20  # rows of a table, at most


def differences(
    connection: psycopg.Connection, old: Projection, new: Projection, company: str = ""
) -> Iterator[Difference]:
    """The first rows of each table that differ between two versions; with a company, of the old one its rows alone."""
    parts = [(t.name, tuple(c.name for c in t.keys), tuple(c.name for c in t.columns)) for t in old.tables]
    parts += [(sql.state_table(old.name, f), f.by, (*f.by, "state")) for f in old.ordered]
    for table, keys, columns in parts:
        query = sql.differences(table, keys, columns, old.version, new.version, of_company=bool(company)).encode()
        for before, after in connection.execute(query, (company, SHOWN) if company else (SHOWN,)).fetchall():
            row = before or after
            yield Difference(
                table,
                {k: row[k] for k in keys},
                before and {c: before[c] for c in columns if not after or before[c] != after[c]},
                after and {c: after[c] for c in columns if not before or before[c] != after[c]},
            )
