"""Snapshots in PostgreSQL: a copy of each table of a projection, and a registry (migration 0007)."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from adapters.postgres.projection_reader import read_position
from adapters.postgres.session import Session
from adapters.postgres.tenant_wall import enclose
from domain.errors import Conflict
from domain.position import Position
from projections.engine import sql
from projections.engine.declare import Projection
from projections.engine.past import Snapshot

# The event time after which nothing lies before a position, by the index; null where the index does not cover it all.
LATEST = """
    SELECT CASE WHEN bool_and(covered) THEN max(latest) END FROM (
        SELECT coalesce(sum(least(b.next_offset, a.stop) - b.first_offset), 0) >= a.stop AS covered,
               max(b.max_time) AS latest
        FROM unnest(%s::text[], %s::int[], %s::bigint[]) AS a (topic, partition, stop)
        LEFT JOIN log_blocks b ON b.topic = a.topic AND b.partition = a.partition AND b.first_offset < a.stop
        GROUP BY a.topic, a.partition, a.stop) AS parts
"""


def copy_name(name: str, version: int, number: int) -> str:
    """Qualified name of the copy of a table."""
    return f'{sql.SCHEMA}."{name}_v{version}_s{number}"'


def stored_snapshots(connection: psycopg.Connection, projection: Projection) -> Sequence[Snapshot]:
    """Those that have the declared shape."""
    rows = connection.execute(
        "SELECT version, number, position, latest FROM snapshots WHERE projection = %s AND fingerprint = %s",
        (projection.name, projection.fingerprint),
    ).fetchall()
    return [Snapshot(projection.name, v, n, Position.parse(position), latest) for v, n, position, latest in rows]


class PostgresSnapshots(Session):
    """Takes and drops snapshots. Blocking; raises Unavailable."""

    def take(self, projection: Projection) -> Snapshot:
        """Copy the live version's rows as they are now. Raises Conflict where it is stored by another definition."""
        with self._transaction() as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            row = connection.execute(
                "SELECT p.version, coalesce(max(number), 0) + 1 FROM projections p LEFT JOIN snapshots s"
                " ON s.projection = p.name AND s.version = p.version"
                " WHERE p.name = %s AND p.live AND p.fingerprint = %s GROUP BY p.version",
                (projection.name, projection.fingerprint),
            ).fetchone()
            if row is None:
                raise Conflict(f"{projection.name} is not stored as it is declared: rebuild it first")
            version, number = row
            position = read_position(connection, projection.stored_as(version))
            latest = _latest(connection, position)
            for name in _names(projection):
                copy = copy_name(name, version, number)
                connection.execute(f"CREATE TABLE {copy} AS SELECT * FROM {sql.table_name(name, version)}".encode())
                connection.execute(f"CREATE INDEX ON {copy} (company_id)".encode())
                enclose(connection, copy)
            connection.execute(
                "INSERT INTO snapshots (projection, version, number, fingerprint, position, latest)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                (projection.name, version, number, projection.fingerprint, str(position), latest),
            )
        return Snapshot(projection.name, version, number, position, latest)

    def keep(self, projection: Projection, most: int) -> list[Snapshot]:
        """Drop all but the newest ones; those that were dropped."""
        with self._transaction() as connection:
            rows = connection.execute(
                "DELETE FROM snapshots WHERE (projection, version, number) IN (SELECT projection, version, number"
                " FROM snapshots WHERE projection = %s ORDER BY taken_at DESC OFFSET %s)"
                " RETURNING version, number, position, latest",
                (projection.name, most),
            ).fetchall()
            for version, number, *_ in rows:
                for name in _names(projection):
                    connection.execute(f"DROP TABLE IF EXISTS {copy_name(name, version, number)}".encode())
        return [Snapshot(projection.name, v, n, Position.parse(position), latest) for v, n, position, latest in rows]

    def stored(self, projection: Projection) -> Sequence[Snapshot]:
        """Those that the past can be told from."""
        with self._transaction() as connection:
            return stored_snapshots(connection, projection)


def _latest(connection: psycopg.Connection, position: Position) -> int | None:
    if not position.offsets:
        return None
    places = list(position.offsets.items())
    row = connection.execute(
        LATEST.encode(), ([t for (t, _), _ in places], [p for (_, p), _ in places], [stop for _, stop in places])
    ).fetchone()
    return row[0] if row else None


def _names(projection: Projection) -> list[str]:
    return [t.name for t in projection.tables] + [sql.state_table(projection.name, f) for f in projection.ordered]
