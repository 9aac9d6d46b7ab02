"""Reading what the projection store keeps about projections: states, positions, checksums."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec
import psycopg

from domain.position import Position
from projections.engine.declare.projection import Projection
from projections.engine.project.failure import Failure, Heartbeat, TopicBeat
from projections.engine.store import sql
from projections.engine.store.port import Aside, Checksum, ProjectionStatus


def read_statuses(connection: psycopg.Connection) -> list[ProjectionStatus]:
    """The stored state of every projection version that is in use, by name."""
    projections = connection.execute(
        "SELECT name, version, state, error, live, failure FROM projections WHERE state <> 'retired'"
        " ORDER BY name, version"
    ).fetchall()
    rows = connection.execute(
        "SELECT projection, version, topic, partition, next_offset, confirmed_at, appended_at, rate FROM checkpoints"
    ).fetchall()
    statuses = []
    for name, version, state, error, live, failure in projections:
        own = [r for r in rows if r[0] == name and r[1] == version]
        statuses.append(
            ProjectionStatus(
                name=name,
                version=version,
                state=state,
                offsets={(r[2], r[3]): r[4] for r in own},
                confirmed_at=min((r[5] for r in own), default=0),
                appended_at=max((r[6] for r in own), default=0),
                rate=sum(r[7] for r in own),
                error=error,
                live=live,
                failure=msgspec.convert(failure, Failure | None),
            )
        )
    return statuses


def read_heartbeats(connection: psycopg.Connection) -> list[Heartbeat]:
    """Workers that were heard of lately, by name."""
    rows = connection.execute(
        "SELECT worker, extract(epoch FROM now() - seen_at)::float8, topics FROM heartbeats ORDER BY worker"
    ).fetchall()
    return [Heartbeat(worker, age, msgspec.convert(topics, dict[str, TopicBeat])) for worker, age, topics in rows]


def read_set_aside(connection: psycopg.Connection, topic: str, ranges: Mapping[int, tuple[int, int]]) -> Aside:
    """What is not folded of these ranges."""
    everywhere: set[tuple[int, int]] = set()
    refused: dict[tuple[str, int], set[tuple[int, int]]] = {}
    for partition, (start, stop) in ranges.items():
        rows = connection.execute(
            'SELECT "offset", NULL, NULL FROM duplicates WHERE topic = %(t)s AND partition = %(p)s'
            ' AND "offset" >= %(a)s AND "offset" < %(b)s'
            ' UNION ALL SELECT "offset", projection, definition FROM quarantine WHERE topic = %(t)s'
            ' AND partition = %(p)s AND "offset" >= %(a)s AND "offset" < %(b)s',
            {"t": topic, "p": partition, "a": start, "b": stop},
        ).fetchall()
        for offset, projection, definition in rows:
            places = everywhere if projection is None else refused.setdefault((projection, definition), set())
            places.add((partition, offset))
    return Aside(everywhere, refused)


def read_checksum(connection: psycopg.Connection, projection: Projection) -> Checksum:
    """Checksum over the declared columns of every table and the states of every ordered fold.

    Order columns are left out: they hold log positions, and the same state may come from another log.
    """
    parts = [(t.name, tuple(c.name for c in t.columns)) for t in projection.tables]
    parts += [(sql.state_table(projection.name, f), (*f.by, "state")) for f in projection.ordered]
    digest, count = hashlib.sha256(), 0
    for name, columns in parts:
        row = connection.execute(sql.checksum(name, columns, projection.version).encode()).fetchone()
        assert row is not None
        count += row[0]
        digest.update(f"{name}:{row[0]}:{row[1]};".encode())
    position = read_position(connection, projection)
    return Checksum(projection.name, projection.version, str(position), count, digest.hexdigest())


def read_position(connection: psycopg.Connection, projection: Projection) -> Position:
    """What a stored version stands for; partitions without an event are left out."""
    offsets = connection.execute(
        "SELECT topic, partition, next_offset FROM checkpoints"
        " WHERE projection = %s AND version = %s AND next_offset > 0",
        (projection.name, projection.version),
    ).fetchall()
    return Position({(topic, partition): offset for topic, partition, offset in offsets})
