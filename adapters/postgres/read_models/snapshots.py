"""Snapshots in PostgreSQL: a copy of each table of a projection, and a registry (migration 0007).

What is told from a copy would pass for what the log says. So each is signed, by the key that signs checkpoints: its
position, and the digest of every company's rows in every table. Who changes a row in the database cannot sign it anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import psycopg
from psycopg.types.json import Jsonb

from adapters.postgres.connections.session import Session
from adapters.postgres.read_models.projection_reader import read_position
from adapters.postgres.tenant_wall import act_as_reader, enclose
from domain.errors import Conflict
from domain.position import Position
from eventlog.seals.checkpoints import Check, Sign
from projections.engine.declare.projection import Projection
from projections.engine.past.past_store import Snapshot
from projections.engine.store import sql

# The event time after which nothing lies before a position, by the index; null where the index does not cover it all.
LATEST = """
    SELECT CASE WHEN bool_and(covered) THEN max(latest) END FROM (
        SELECT coalesce(sum(least(b.next_offset, a.stop) - b.first_offset), 0) >= a.stop AS covered,
               max(b.max_time) AS latest
        FROM unnest(%s::text[], %s::int[], %s::bigint[]) AS a (topic, partition, stop)
        LEFT JOIN log_blocks b ON b.topic = a.topic AND b.partition = a.partition AND b.first_offset < a.stop
        GROUP BY a.topic, a.partition, a.stop) AS parts
"""


Digests = Mapping[str, Mapping[str, str]]  # of the rows of a company, in hex, by table and company


def message(snapshot: Snapshot, fingerprint: str, digests: Digests) -> bytes:
    """What is signed of a snapshot."""
    members = asdict(snapshot) | {"position": str(snapshot.position), "fingerprint": fingerprint, "digests": digests}
    return json.dumps(members | {"kind": "snapshot", "format": 1}, sort_keys=True, separators=(",", ":")).encode()


def copy_name(name: str, version: int, number: int) -> str:
    """Qualified name of the copy of a table."""
    return f'{sql.SCHEMA}."{name}_v{version}_s{number}"'


def stored_snapshots(connection: psycopg.Connection, projection: Projection) -> Sequence[Snapshot]:
    """Those that have the declared shape. Those that an earlier release took are not signed, and as good as none."""
    rows = connection.execute(
        "SELECT version, number, position, latest FROM snapshots"
        " WHERE projection = %s AND fingerprint = %s AND signature IS NOT NULL",
        (projection.name, projection.fingerprint),
    ).fetchall()
    return [Snapshot(projection.name, v, n, Position.parse(position), latest) for v, n, position, latest in rows]


def is_sound(
    connection: psycopg.Connection, projection: Projection, snapshot: Snapshot, company: str, check: Check
) -> bool:
    """Whether a company's rows are those that were signed. The rest of the transaction is its reader's."""
    digests, signed = _signed(connection, projection, snapshot, check)
    if not signed:
        return False
    act_as_reader(connection, company)
    read = _digests(connection, projection, snapshot, " WHERE company_id = %s", company)
    return all(own.get(company) == digests.get(table, {}).get(company) for table, own in read.items())


def _signed(
    connection: psycopg.Connection, projection: Projection, snapshot: Snapshot, check: Check
) -> tuple[Digests, bool]:
    row = connection.execute(
        "SELECT digests, signature FROM snapshots WHERE projection = %s AND version = %s AND number = %s",
        (snapshot.projection, snapshot.version, snapshot.number),
    ).fetchone()
    if row is None or row[0] is None or row[1] is None:
        return {}, False
    return row[0], check(row[1], message(snapshot, projection.fingerprint, row[0]))


def _digests(
    connection: psycopg.Connection, projection: Projection, snapshot: Snapshot, where: str = "", *params: object
) -> dict[str, dict[str, str]]:
    """By table and company, of the rows as they are now. The session must have ISO dates and UTC."""
    digests: dict[str, dict[str, str]] = {}
    for name, columns in sql.stored_tables(projection).items():
        copy = copy_name(name, snapshot.version, snapshot.number)
        row = ", ".join(f'"{c}"' for c in columns)
        hashed = f"SELECT company_id, sha256(convert_to(ROW({row})::text, 'UTF8')) AS h FROM {copy}{where}"
        rows = connection.execute(
            "SELECT company_id::text, encode(sha256(string_agg(h, ''::bytea ORDER BY h)), 'hex')"
            f" FROM ({hashed}) AS hashed GROUP BY company_id".encode(),
            params,
        )
        digests[name] = dict(rows.fetchall())
    return digests


class PostgresSnapshots(Session):
    """Takes, checks and drops snapshots. Blocking; raises Unavailable."""

    def __init__(self, database_url: str, sign: Sign, check: Check) -> None:
        super().__init__(database_url)
        self._sign, self._check = sign, check

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
            snapshot = Snapshot(projection.name, version, number, position, latest)
            digests = _digests(connection, projection, snapshot)
            signature = self._sign(message(snapshot, projection.fingerprint, digests))
            connection.execute(
                "INSERT INTO snapshots (projection, version, number, fingerprint, position, latest, digests, signature)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    *(projection.name, version, number, projection.fingerprint, str(position), latest),
                    *(Jsonb(digests), signature),
                ),
            )
        return snapshot

    def problem(self, projection: Projection, snapshot: Snapshot) -> str:
        """What is not as it was signed; empty where everything is. Companies are not named: others may read it."""
        with self._transaction() as connection:
            digests, signed = _signed(connection, projection, snapshot, self._check)
            if not signed:
                return "it is not signed by this key"
            try:
                read = _digests(connection, projection, snapshot)
            except psycopg.errors.UndefinedTable:
                return "a table of it is missing"
        changed = sorted(table for table, own in read.items() if own != digests.get(table, {}))
        return f"rows in {', '.join(changed)} are not those that were signed" if changed else ""

    def keep(self, projection: Projection, most: int) -> list[Snapshot]:
        """Drop all but the newest ones; those that were dropped."""
        with self._transaction() as connection:
            rows = connection.execute(
                "DELETE FROM snapshots WHERE (projection, version, number) IN (SELECT projection, version, number"
                " FROM snapshots WHERE projection = %s ORDER BY version DESC, number DESC OFFSET %s)"
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
