"""Checksums of a projection's tables, without places in the log: what two logs that tell the same come to."""

from __future__ import annotations

import psycopg

from projections.engine.declare.projection import Projection
from projections.engine.store import sql


def table_checksums(url: str, projection: Projection) -> list[object]:
    """Of its tables in this database. States are left out: reports are in them with their places."""
    with psycopg.connect(url) as connection:
        tables = [(t.name, tuple(c.name for c in t.columns if c.name != "place")) for t in projection.tables]
        each = [sql.checksum(name, columns, projection.version) for name, columns in tables]
        return [connection.execute(query.encode()).fetchone() for query in each]
