"""Rows and positions of projections in PostgreSQL, through psycopg: one connection, blocking, one thread at a time.

Reading is in `projection_reader.py`; here is what changes. The commit is asynchronous (`synchronous_commit=off`): after
a crash of the database the last milliseconds may be missing, rows and positions alike, and the log gives them again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
import psycopg

from adapters.postgres.connections.refusals import ENOUGH, REFUSED, record, refusing
from adapters.postgres.connections.session import Session
from adapters.postgres.read_models.decisions import record_decisions, without_nul
from adapters.postgres.read_models.merging import merge
from adapters.postgres.read_models.projection_reader import (
    read_checksum,
    read_heartbeats,
    read_set_aside,
    read_statuses,
)
from adapters.postgres.read_models.statistics import Growth
from adapters.postgres.tenant_wall import enclose
from domain.errors import Defect, Fenced
from projections.engine.declare.projection import Projection
from projections.engine.project.bad_event_rate import BadEventRate, by_company
from projections.engine.project.failure import Failure, Heartbeat, TopicBeat
from projections.engine.store import sql
from projections.engine.store.port import (
    Admitted,
    Aside,
    Checksum,
    Commit,
    Folded,
    FoldFailed,
    Highest,
    Offsets,
    Progress,
    ProjectionStatus,
    Refusal,
)

SILENT = "10 minutes"  # a worker that was not heard of for so long is no news any more

logger = logging.getLogger(__name__)


class PostgresProjectionStore(Session):
    """`projections.engine.store.port.ProjectionStore` on PostgreSQL. Connects when first used. Raises Unavailable.

    `known` has a connection of its own: it is asked while the batch before is being committed, and must not wait.
    """

    def __init__(self, database_url: str) -> None:
        super().__init__(database_url)
        self._gauges: dict[tuple[str, int], BadEventRate] = {}
        self._growth = Growth()

    def prepare(self, projections: Sequence[Projection]) -> None:
        """Store projections that never were, as live, at their declared versions. Raises Defect on another shape."""
        with self._transaction() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(hashtext('analytics.projections'))")
            for projection in projections:
                self._prepare(connection, projection)

    def _prepare(self, connection: psycopg.Connection, projection: Projection) -> None:
        name, definition = projection.name, projection.definition_version
        row = connection.execute(
            "SELECT version, definition, fingerprint FROM projections WHERE name = %s AND live", (name,)
        ).fetchone()
        if row is None:
            connection.execute(
                "INSERT INTO projections (name, version, definition, fingerprint, live) VALUES (%s, %s, %s, %s, true)",
                (name, projection.version, definition, projection.fingerprint),
            )
        elif row[2] != projection.fingerprint and row[1] == definition:
            raise Defect(
                f"projection {name} v{definition} was stored with other columns:"
                " a changed declaration needs a new version number"
            )
        elif row[2] != projection.fingerprint:
            logger.warning("%s is stored by definition %d and declared as %d: rebuild it", name, row[1], definition)
            return
        create_tables(connection, projection.stored_as(row[0]) if row else projection)

    def progress(self, topic: str, partitions: Sequence[int], projections: Sequence[Projection]) -> Progress:
        """Stored offsets of admission and of the projections."""
        with self._transaction() as connection:
            self._begin_checkpoints(connection, topic, list(partitions), projections)
            admission = connection.execute(
                "SELECT partition, next_offset FROM admissions WHERE topic = %s AND partition = ANY(%s)",
                (topic, list(partitions)),
            ).fetchall()
            rows = connection.execute(
                "SELECT projection, version, partition, next_offset FROM checkpoints"
                " WHERE topic = %s AND partition = ANY(%s)",
                (topic, list(partitions)),
            ).fetchall()
        stored = {(name, version, part): offset for name, version, part, offset in rows}
        return Progress(
            admission=dict.fromkeys(partitions, 0) | dict(admission),
            projections={
                (p.name, p.version): {part: stored.get((p.name, p.version, part), 0) for part in partitions}
                for p in projections
            },
        )

    def _begin_checkpoints(
        self, connection: psycopg.Connection, topic: str, partitions: list[int], projections: Sequence[Projection]
    ) -> None:
        connection.execute(
            "INSERT INTO admissions SELECT %s, p, 0, 0, 0, 0 FROM unnest(%s::int[]) AS p ON CONFLICT DO NOTHING",
            (topic, partitions),
        )
        for projection in projections:
            connection.execute(
                "INSERT INTO checkpoints SELECT %s, %s, %s, p, 0, 0, 0, 0, 0, 0 FROM unnest(%s::int[]) AS p"
                " ON CONFLICT DO NOTHING",
                (projection.name, projection.version, topic, partitions),
            )

    def running(self, projections: Sequence[Projection]) -> list[Projection]:
        """Stored versions of these projections that are neither paused nor stopped and have the declared shape."""
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT version, live, name, fingerprint FROM projections WHERE state = 'running'"
                " ORDER BY name, version"
            ).fetchall()
        return [
            p.stored_as(version, live=live)
            for p in projections
            for version, live, *stored in rows
            if stored == [p.name, p.fingerprint]
        ]

    def highest(self, topic: str, partitions: Sequence[int]) -> Highest:
        """Highest sequence admitted of every producer; with an empty company it holds for all of them."""
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT partition, company_id, producer_id, highest FROM producers"
                " WHERE topic = %s AND partition = ANY(%s)",
                (topic, list(partitions)),
            ).fetchall()
        return {(partition, company, producer): highest for partition, company, producer, highest in rows}

    def admitted_before(self, identities: Sequence[bytes]) -> Mapping[bytes, int | None]:
        """Which of these identities were admitted before, with the content that each has; None for earlier ones."""
        if not identities:
            return {}
        with self._transaction("recall") as connection:
            rows = connection.execute(
                "SELECT identity, content FROM seen_events WHERE identity = ANY(%(ids)s)"
                " UNION ALL SELECT identity, NULL FROM earlier_seen_events WHERE identity = ANY(%(ids)s)",
                {"ids": [UUID(bytes=i) for i in identities]},
                binary=True,
            ).fetchall()
        return {identity.bytes: content for identity, content in rows}

    def has_earlier_identities(self) -> bool:
        """Whether there are identities of the release that had another form of them."""
        with self._transaction() as connection:
            return connection.execute("SELECT EXISTS (SELECT FROM earlier_seen_events)").fetchone() == (True,)

    def set_aside(self, topic: str, ranges: Mapping[int, tuple[int, int]]) -> Aside:
        """What is not folded of these ranges."""
        with self._transaction() as connection:
            return read_set_aside(connection, topic, ranges)

    def commit(self, commit: Commit) -> Sequence[Refusal]:
        """All of it in one transaction; where a projection refuses some of it, once more without those events."""
        try:
            with self._transaction() as connection:
                self._move(connection, commit)
                for folded in commit.folded:
                    if folded.error is not None:
                        raise folded.error
                    self._store_rows(connection, folded)
                if commit.admitted is not None:
                    record_decisions(connection, commit.topic, commit.admitted)
        except FoldFailed:
            return self._commit_narrowed(commit)
        for folded in commit.folded:
            if self._gauge(folded.projection).met:
                self._gauge(folded.projection).count(by_company(folded.facts), {})
        self._growth.stored(self._connected("store"), commit.folded)
        return ()

    def _commit_narrowed(self, commit: Commit) -> Sequence[Refusal]:
        """With a savepoint for each part, which would cost every batch two more trips to the server."""
        # it folds again: API processes, which come by here, never do
        from projections.engine.project.narrowing import narrowed

        with self._transaction() as connection:
            self._move(connection, commit)

            def store(part: Folded) -> None:
                with refusing(part.projection), connection.transaction():
                    self._store_rows(connection, part)

            refusals = [r for f in commit.folded for r in narrowed(f, store, self._gauge(f.projection))]
            record(connection, commit.topic, commit.chunks, refusals)
            if commit.admitted is not None:
                record_decisions(connection, commit.topic, commit.admitted)
        return refusals

    def _gauge(self, projection: Projection) -> BadEventRate:
        name, version = projection.name, projection.version
        return self._gauges.setdefault((name, version), BadEventRate(f"projection {name}", REFUSED, ENOUGH))

    def _move(self, connection: psycopg.Connection, commit: Commit) -> None:
        """Positions by compare-and-set, before all rows: a zombie waits for the lock, then matches no row."""
        if commit.admitted is not None:
            self._move_admission(connection, commit, commit.admitted)
        for folded in commit.folded:
            self._move_checkpoints(connection, commit, folded.projection)

    def _move_admission(self, connection: psycopg.Connection, commit: Commit, admitted: Admitted) -> None:
        partitions = list(commit.reached)
        share = {p: (0, 0, 0) for p in partitions}
        share[partitions[0]] = (admitted.admitted, len(admitted.duplicates), len(admitted.quarantined))
        moved = connection.execute(
            "UPDATE admissions AS a SET next_offset = b.reached, admitted = a.admitted + b.good,"
            " duplicates = a.duplicates + b.twice, quarantined = a.quarantined + b.bad"
            " FROM unnest(%s::int[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])"
            " AS b (partition, expected, reached, good, twice, bad)"
            " WHERE a.topic = %s AND a.partition = b.partition AND a.next_offset = b.expected",
            (
                partitions,
                [commit.expected[p] for p in partitions],
                [commit.reached[p] for p in partitions],
                *([share[p][i] for p in partitions] for i in range(3)),
                commit.topic,
            ),
        ).rowcount
        if moved != len(partitions):
            raise Fenced(f"admission of {commit.topic} was moved by another worker")

    def _move_checkpoints(self, connection: psycopg.Connection, commit: Commit, projection: Projection) -> None:
        partitions = list(commit.reached)
        name = (projection.name, projection.version, commit.topic)
        confirmed = [commit.now if commit.reached[p] >= commit.heads[p] else commit.appended_at[p] for p in partitions]
        moved = connection.execute(
            "UPDATE checkpoints AS c SET next_offset = b.reached, head = b.head, appended_at = b.appended,"
            " confirmed_at = GREATEST(c.confirmed_at, b.confirmed), events = c.events + b.reached - b.expected,"
            " rate = 0.8 * c.rate + 0.2 * 1000 * (b.reached - b.expected) / GREATEST(%s - c.confirmed_at, 20)"
            " FROM unnest(%s::int[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])"
            " AS b (partition, expected, reached, head, appended, confirmed)"
            " WHERE c.projection = %s AND c.version = %s AND c.topic = %s AND c.partition = b.partition"
            " AND c.next_offset = b.expected",
            (
                commit.now,
                partitions,
                [commit.expected[p] for p in partitions],
                [commit.reached[p] for p in partitions],
                [commit.heads[p] for p in partitions],
                [commit.appended_at[p] for p in partitions],
                confirmed,
                *name,
            ),
        ).rowcount
        if moved != len(partitions):
            raise Fenced(f"{projection.name} on {commit.topic} was moved by another worker")

    def _store_rows(self, connection: psycopg.Connection, folded: Folded) -> None:
        with refusing(folded.projection):
            merge(connection, folded.projection, folded.changes)

    def confirm(self, topic: str, heads: Offsets, now: int) -> None:
        """Note that projections which stand at these heads were up to date at `now`."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE checkpoints AS c SET confirmed_at = %s, head = b.head,"
                " rate = CASE WHEN c.rate < 0.01 THEN 0 ELSE c.rate / 2 END"  # halved for ever, a real underflows
                " FROM unnest(%s::int[], %s::bigint[]) AS b (partition, head)"
                " WHERE c.topic = %s AND c.partition = b.partition AND c.next_offset = b.head",
                (now, list(heads), list(heads.values()), topic),
            )

    def stop(self, projection: Projection, failure: Failure) -> None:
        """Mark a running version stopped, with the reason."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE projections SET state = 'stopped', error = %s, failure = %s, changed_at = now()"
                " WHERE name = %s AND version = %s AND state = 'running'",
                (without_nul(failure.message), _json(failure), projection.name, projection.version),
            )

    def beat(self, worker: str, topics: Mapping[str, TopicBeat]) -> None:
        """Note that a worker is there now; those that have been silent for long are forgotten."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO heartbeats VALUES (%s, now(), %s) ON CONFLICT (worker)"
                " DO UPDATE SET seen_at = excluded.seen_at, topics = excluded.topics",
                (worker, _json(topics)),
            )
            connection.execute("DELETE FROM heartbeats WHERE seen_at < now() - %s::interval", (SILENT,))

    def forget(self, worker: str) -> None:
        """A worker has left as it should."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM heartbeats WHERE worker = %s", (worker,))

    def heartbeats(self) -> list[Heartbeat]:
        """Workers that were heard of lately, by name."""
        with self._transaction() as connection:
            return read_heartbeats(connection)

    def pause(self, projection: str) -> None:
        """Let a projection rest where it stands, until it is resumed."""
        self._change_state(projection, "paused")

    def resume(self, projection: str) -> None:
        """Let a paused or stopped projection run again, from its checkpoint."""
        self._change_state(projection, "running")

    def _change_state(self, projection: str, state: str) -> None:
        with self._transaction() as connection:
            connection.execute(
                "UPDATE projections SET state = %s, error = NULL, failure = NULL, changed_at = now()"
                " WHERE name = %s AND state IN ('running', 'stopped', 'paused')",
                (state, projection),
            )

    def live(self, projection: Projection) -> Projection:
        """The version that readers see; as declared where none is stored."""
        with self._transaction() as connection:
            row = connection.execute(
                "SELECT version FROM projections WHERE name = %s AND live", (projection.name,)
            ).fetchone()
        return projection.stored_as(row[0]) if row else projection

    def statuses(self) -> list[ProjectionStatus]:
        """The stored state of every projection version that is in use."""
        with self._transaction() as connection:
            return read_statuses(connection)

    def checksum(self, projection: Projection) -> Checksum:
        """Checksum of all tables of the projection, with its position, in one snapshot."""
        with self._transaction() as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            return read_checksum(connection, projection)


def create_tables(connection: psycopg.Connection, projection: Projection) -> None:
    """Create the tables of a stored version that are missing, each behind the tenant wall."""
    for table in projection.tables:
        for statement in (sql.create_table(table, projection.version), *sql.create_indexes(table, projection.version)):
            connection.execute(statement.encode())
    for fold in projection.ordered:
        connection.execute(sql.create_state_table(projection.name, fold, projection.version).encode())
    opened = {table.name for table in projection.tables if table.open_to_members}
    for name in sql.stored_tables(projection):
        enclose(connection, sql.table_name(name, projection.version), open_to_members=name in opened)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
