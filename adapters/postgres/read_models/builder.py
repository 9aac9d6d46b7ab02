"""A version of a projection that is being built: its tables, its shares of the log, and how it becomes a stored one.

Everything that a build fills is unlogged, its progress too: a crash of the server empties all of it alike, and the next
run begins anew. Only when it is finished the tables are made durable, and then the version is handed over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import psycopg

from adapters.postgres.connections.refusals import ENOUGH, REFUSED, record, refusing
from adapters.postgres.connections.session import Session
from adapters.postgres.read_models import ledgers, ordered_rows
from adapters.postgres.read_models.differences import differences
from adapters.postgres.read_models.projection_reader import read_checksum, read_position, read_set_aside
from adapters.postgres.read_models.projection_store import create_tables
from adapters.postgres.tenant_wall import enclose
from domain.errors import Conflict, Defect, Fenced, NotFound
from domain.ports import Chunk
from domain.position import TopicPartition
from projections.engine.declare.projection import Projection
from projections.engine.declare.rows import Table
from projections.engine.project.bad_event_rate import BadEventRate
from projections.engine.project.narrowing import narrowed
from projections.engine.rebuild import Comparison, Folded, LogRange, Stored
from projections.engine.rebuild_plan import Done
from projections.engine.store import port, sql
from projections.engine.store.port import Aside, Changes, FoldFailed, Rows

logger = logging.getLogger(__name__)

SHARE_ROWS = "SELECT number, topic, partition, start, next_offset, stop FROM shares"
OF = " WHERE projection = %s AND version = %s"

# Where the shares begin, as checkpoints of which nothing counts yet.
BEGINNING = b"""
    SELECT projection, version, topic, partition, min(start), max(stop)
    FROM shares WHERE projection = %s AND version = %s GROUP BY 1, 2, 3, 4
"""

# Checkpoints at the end of the shares; where the live version stands there too, what is known of its freshness.
HAND_OVER = b"""
    INSERT INTO checkpoints
    SELECT s.projection, s.version, s.topic, s.partition, s.stop, coalesce(c.head, s.stop), coalesce(c.appended_at, 0),
           coalesce(c.confirmed_at, 0), s.events, 0
    FROM (SELECT projection, version, topic, partition, max(stop) AS stop, sum(stop - start) AS events
          FROM shares WHERE projection = %s AND version = %s GROUP BY 1, 2, 3, 4) AS s
    LEFT JOIN projections AS p ON p.name = s.projection AND p.live
    LEFT JOIN checkpoints AS c ON c.projection = s.projection AND c.version = p.version AND c.topic = s.topic
                               AND c.partition = s.partition AND c.next_offset = s.stop
"""

RUNNING = b"UPDATE projections SET state = 'running', changed_at = now() WHERE name = %s AND version = %s"


class PostgresBuild(Session):
    """`projections.engine.rebuild.BuildStore` on PostgreSQL, of one stored version. Methods raise Unavailable."""

    def __init__(self, database_url: str, projection: Projection) -> None:
        super().__init__(database_url)
        self.projection = projection
        self._key = (projection.name, projection.version)
        self._held = set[int]()
        self._gauge = BadEventRate(f"the rebuild of {self.projection.name}", REFUSED, ENOUGH)

    def begin(self, shares: Sequence[LogRange]) -> None:
        """Make empty tables, and note the shares of the log that are to be folded into them."""
        with self._transaction() as connection:
            drop_tables(connection, self.projection)
            create_tables(connection, self.projection)
            for name in _target_names(self.projection):
                connection.execute(f"ALTER TABLE {name} SET UNLOGGED".encode())
            for table in _gathering(self.projection):
                name, like = _collected(self.projection, table), _target(self.projection, table)
                connection.execute(f"CREATE UNLOGGED TABLE {name} (LIKE {like})".encode())
            connection.cursor().executemany(
                "INSERT INTO shares VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                [(*self._key, s.number, s.topic, s.partition, s.start, s.next_offset, s.stop) for s in shares],
            )

    def done(self) -> Done:
        """How far the build is."""
        with self._transaction() as connection:
            row = connection.execute(
                "SELECT coalesce(sum(next_offset - start), 0)::bigint, coalesce(sum(stop - start), 0)::bigint"
                f" FROM shares{OF}".encode(),
                self._key,
            ).fetchone()
        return Done(*row) if row else Done(0, 0)

    def claim(self) -> LogRange | None:
        """Another share that is not finished and nobody works on; ours until it is stored to its end, or we end."""
        with self._transaction() as connection:
            unfinished = connection.execute(
                f"{SHARE_ROWS}{OF} AND next_offset < stop AND number <> ALL(%s) ORDER BY number".encode(),
                (*self._key, list(self._held)),
            ).fetchall()
            for number, *_ in unfinished:
                lock = connection.execute("SELECT pg_try_advisory_lock(hashtext(%s), %s)", (self._lock, number))
                if lock.fetchone() == (True,):
                    break
            else:
                return None
            self._held.add(number)
        with self._transaction() as connection:  # what its last holder stored is seen from here on
            row = connection.execute(f"{SHARE_ROWS}{OF} AND number = %s".encode(), (*self._key, number)).fetchone()
        share = LogRange(*row) if row else None
        if share is not None and share.next_offset == share.stop:
            self._release([share])
            return self.claim()
        return share

    def _release(self, shares: Iterable[LogRange]) -> None:
        with self._transaction() as connection:
            for share in shares:
                connection.execute("SELECT pg_advisory_unlock(hashtext(%s), %s)", (self._lock, share.number))
                self._held.discard(share.number)

    @property
    def _lock(self) -> str:
        return f"analytics.share {self.projection.name}@{self.projection.version}"

    def set_aside(self, topic: str, ranges: Mapping[int, tuple[int, int]]) -> Aside:
        """What is not folded of these ranges."""
        with self._transaction() as connection:
            return read_set_aside(connection, topic, ranges)

    def save(self, folded: Folded) -> None:
        """Rows and progress in one transaction; raises Fenced when a share has moved meanwhile."""
        with self._transaction() as connection:
            for share, reached in folded.reached:
                self._move(connection, share, reached)
            self._put(connection, folded.changes)
        self._release(share for share, reached in folded.reached if reached == share.stop)

    def save_narrowed(self, share: LogRange, chunk: Chunk, folded: port.Folded) -> None:
        """Rows of one batch and progress, without the events that are refused: those go into quarantine."""
        with self._transaction() as connection:
            self._move(connection, share, chunk.next_offset)

            def store(part: port.Folded) -> None:
                with refusing(self.projection), connection.transaction():
                    self._put(connection, part.changes)

            record(connection, share.topic, [chunk], list(narrowed(folded, store, self._gauge)))
        if chunk.next_offset == share.stop:
            self._release([share])

    def _put(self, connection: psycopg.Connection, changes: Changes) -> None:
        with refusing(self.projection):
            for each in ledgers.entered(connection, self.projection, changes).rows:
                self._gather(connection, each)
            for facts in changes.ordered:
                ordered_rows.store(connection, self.projection, facts)

    def _move(self, connection: psycopg.Connection, share: LogRange, reached: int) -> None:
        moved = connection.execute(
            f"UPDATE shares SET next_offset = %s{OF} AND number = %s AND next_offset = %s".encode(),
            (reached, *self._key, share.number, share.next_offset),
        ).rowcount
        if moved != 1:
            raise Fenced(f"share {share.number} of {self.projection.name} was moved by another worker")

    def _gather(self, connection: psycopg.Connection, rows: Rows) -> None:
        name = _collected(self.projection, rows.table)
        columns = ", ".join(f'"{c}"' for c in sql.stored_columns(rows.table))
        with connection.cursor().copy(f"COPY {name} ({columns}) FROM STDIN (FORMAT csv)".encode()) as copy:
            copy.write(rows.csv)

    def finish(self, at_once: int = 2) -> bool:
        """Merge what was gathered into durable tables, so many at once, and hand the version over to the projectors.

        Whatever was filled before a crash is filled again: until the version is handed over, what was gathered stays.
        False where the tables refuse it: which event is to blame cannot be seen in sums. Then the version is handed
        over empty, and the projectors fold it batch by batch, as they do what is live, and set aside what is refused.
        """
        self._check_complete()
        try:
            self._finish(at_once)
        except FoldFailed as error:
            logger.warning("what was built is folded again by the projectors: %s", error)
            self._hand_back()
            return False
        return True

    def _finish(self, at_once: int) -> None:
        mixed = {table for fold in self.projection.ordered for table in fold.into}
        anew = [table for table in _gathering(self.projection) if table not in mixed]
        with ThreadPoolExecutor(at_once, f"finish-{self.projection.name}") as threads:
            list(threads.map(self._fill_anew, anew))
        with self._building() as connection:
            with refusing(self.projection):
                for table in set(_gathering(self.projection)) & mixed:
                    connection.execute(self._gathered_into(sql.merge, table))
                ledgers.count_anew(connection, self.projection)
            for name in set(_target_names(self.projection)) - {_target(self.projection, table) for table in anew}:
                connection.execute(f"ALTER TABLE {name} SET LOGGED".encode())
                connection.execute(f"ANALYZE {name}".encode())
            for table in _gathering(self.projection):
                connection.execute(f"DROP TABLE {_collected(self.projection, table)}".encode())
            connection.execute(HAND_OVER, self._key)
            connection.execute(f"DELETE FROM shares{OF}".encode(), self._key)
            connection.execute(RUNNING, self._key)

    def _hand_back(self) -> None:
        with self._building() as connection:
            beginning = connection.execute(BEGINNING, self._key).fetchall()
            drop_tables(connection, self.projection)
            create_tables(connection, self.projection)
            connection.cursor().executemany(
                "INSERT INTO checkpoints VALUES (%s, %s, %s, %s, %s, %s, 0, 0, 0, 0)", beginning
            )
            connection.execute(RUNNING, self._key)

    def _check_complete(self) -> None:
        with self._building() as connection:
            if connection.execute(f"SELECT FROM shares{OF} AND next_offset < stop".encode(), self._key).rowcount:
                raise Defect(f"{self.projection.name} v{self.projection.version} is not complete")

    @contextmanager
    def _building(self) -> Iterator[psycopg.Connection]:
        """A durable transaction with room to sort, while nobody cancels. Raises Conflict where somebody has."""
        with self._transaction() as connection:
            connection.execute("SET LOCAL synchronous_commit = on; SET LOCAL work_mem = '128MB'")
            building = "SELECT FROM projections WHERE name = %s AND version = %s AND state = 'building' FOR SHARE"
            if connection.execute(building.encode(), self._key).rowcount != 1:
                raise Conflict(f"the rebuild of {self.projection.name} v{self.projection.version} was cancelled")
            yield connection

    def _fill_anew(self, table: Table) -> None:
        """Make a table that only additive folds fill, with its key and indexes once the rows are in it.

        What is put into a table by the transaction that made it is not logged, where the server has
        `wal_level = minimal`.
        """
        version, name = self.projection.version, _target(self.projection, table)
        with closing(PostgresBuild(self._url, self.projection)) as own, own._building() as connection:
            connection.execute(f"DROP TABLE IF EXISTS {name}".encode())
            connection.execute(sql.create_table(table, version, keyed=False).encode())
            with refusing(self.projection):
                connection.execute(self._gathered_into(sql.fill, table))
                for statement in (sql.add_key(table, version), *sql.create_indexes(table, version)):
                    connection.execute(statement.encode())
            enclose(connection, name, open_to_members=table.open_to_members)
            connection.execute(f"ANALYZE {name}".encode())

    def _gathered_into(self, statement: Callable[[Table, int, str], str], table: Table) -> bytes:
        version = self.projection.version
        return statement(table, version, sql.gathered(table, version)).encode()


def _gathering(projection: Projection) -> list[Table]:
    return list(dict.fromkeys(f.into for f in projection.additive if not f.into.ledger))


def _collected(projection: Projection, table: Table) -> str:
    return f"{sql.SCHEMA}.{sql.collect_table(table, projection.version)}"


def _target(projection: Projection, table: Table) -> str:
    return sql.table_name(table.name, projection.version)


def _target_names(projection: Projection) -> list[str]:
    states = [sql.state_table(projection.name, f) for f in projection.ordered]
    return [sql.table_name(name, projection.version) for name in (*(t.name for t in projection.tables), *states)]


def drop_tables(connection: psycopg.Connection, projection: Projection) -> None:
    """Drop a stored version's rows, positions and whatever a build has gathered for it; its registry row stays."""
    key = (projection.name, projection.version)
    # Positions first: a projector that commits meanwhile holds them, and finds none afterwards.
    connection.execute("DELETE FROM checkpoints WHERE projection = %s AND version = %s", key)
    connection.execute(f"DELETE FROM shares{OF}".encode(), key)
    names = [_collected(projection, table) for table in _gathering(projection)]
    for name in (*names, *_target_names(projection)):
        connection.execute(f"DROP TABLE IF EXISTS {name}".encode())


class PostgresVersions(Session):
    """The stored versions of projections: begun, compared, switched, dropped. Methods raise Unavailable."""

    def alone(self, projection: Projection) -> bool:
        """Take the lock of whoever rebuilds this projection, until closed; False while another process has it."""
        with self._transaction("alone") as connection:
            lock = connection.execute("SELECT pg_try_advisory_lock(hashtext(%s))", (f"rebuild {projection.name}",))
            return lock.fetchone() == (True,)

    def worked_on(self, projection: Projection) -> bool:
        """Whether somebody has the lock of whoever rebuilds this projection."""
        held = (
            "SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted"
            " AND ((classid::bigint << 32) | objid::bigint) = hashtext(%s)::bigint"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        with self._transaction() as connection:
            return connection.execute(held.encode(), (f"rebuild {projection.name}",)).rowcount > 0

    def admitted(self) -> dict[TopicPartition, int]:
        """What admission has decided: next offset by topic and partition."""
        with self._transaction() as connection:
            rows = connection.execute("SELECT topic, partition, next_offset FROM admissions").fetchall()
        return {(topic, partition): offset for topic, partition, offset in rows}

    def building(self, projection: Projection) -> Projection | None:
        """The unfinished version of a projection. Raises Conflict where it was begun by another definition."""
        with self._transaction() as connection:
            row = connection.execute(
                "SELECT version, fingerprint FROM projections WHERE name = %s AND state = 'building'",
                (projection.name,),
            ).fetchone()
        if row is None:
            return None
        if row[1] != projection.fingerprint:
            raise Conflict(f"v{row[0]} of {projection.name} was begun by another definition: cancel it first")
        return projection.stored_as(row[0], live=False)

    def register(self, projection: Projection) -> Projection:
        """A new version, which is being built."""
        with self._transaction() as connection:
            row = connection.execute(
                "INSERT INTO projections (name, version, definition, fingerprint, state)"
                " SELECT %(name)s, coalesce(max(version), 0) + 1, %(definition)s, %(print)s, 'building'"
                " FROM projections WHERE name = %(name)s RETURNING version",
                {
                    "name": projection.name,
                    "definition": projection.definition_version,
                    "print": projection.fingerprint,
                },
            ).fetchone()
        assert row is not None
        return projection.stored_as(row[0], live=False)

    def stored(self, projection: Projection) -> list[Stored]:
        """Every version there ever was, the oldest first; the tables of retired ones are gone."""
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT version, definition, fingerprint, state, live, reason FROM projections WHERE name = %s"
                " ORDER BY version",
                (projection.name,),
            ).fetchall()
        return [Stored(*row) for row in rows]

    def disk(self, projection: Projection) -> int:
        """Bytes of the live version's tables with their indexes."""
        with self._transaction() as connection:
            live = "SELECT version FROM projections WHERE name = %s AND live"
            row = connection.execute(live.encode(), (projection.name,)).fetchone()
            names = _target_names(projection.stored_as(row[0])) if row else []
            sizes = (
                "SELECT coalesce(sum(pg_total_relation_size(to_regclass(n))), 0)::bigint FROM unnest(%s::text[]) AS n"
            )
            sizes_row = connection.execute(sizes.encode(), (names,)).fetchone()
        return int(sizes_row[0]) if sizes_row else 0

    def compare(self, old: Projection, new: Projection) -> Comparison | None:
        """Both versions in one snapshot; None where they do not stand at the same position."""
        with self._transaction() as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            if read_position(connection, old) != read_position(connection, new):
                return None
            sums = read_checksum(connection, old), read_checksum(connection, new)
            same = sums[0].checksum == sums[1].checksum
            return Comparison(*sums, () if same else tuple(differences(connection, old, new)))

    def switch(self, projection: Projection, reason: str | None) -> None:
        """Let readers see this version from the next snapshot on. Raises Conflict for one that is not finished."""
        key = (projection.name, projection.version)
        with self._transaction() as connection:
            connection.execute("SET LOCAL synchronous_commit = on")
            connection.execute("SELECT FROM projections WHERE name = %s FOR UPDATE", (projection.name,))
            connection.execute("UPDATE projections SET live = false WHERE name = %s AND live", (projection.name,))
            switched = connection.execute(
                "UPDATE projections SET live = true, reason = %s, changed_at = now()"
                " WHERE name = %s AND version = %s AND state NOT IN ('building', 'retired')",
                (reason, *key),
            ).rowcount
            if switched != 1:
                raise Conflict(f"{projection.name} has no finished version {projection.version}")

    def drop(self, projection: Projection) -> None:
        """Drop the tables of a version that is not live; its number is not used again. Raises NotFound, Conflict."""
        key = (projection.name, projection.version)
        with self._transaction() as connection:
            row = connection.execute(
                "SELECT live FROM projections WHERE name = %s AND version = %s AND state <> 'retired' FOR UPDATE", key
            ).fetchone()
            if row is None:
                raise NotFound(f"{projection.name} has no version {projection.version}")
            if row[0]:
                raise Conflict(f"version {projection.version} of {projection.name} is live: switch to another first")
            drop_tables(connection, projection)
            connection.execute(
                "UPDATE projections SET state = 'retired', changed_at = now() WHERE name = %s AND version = %s", key
            )
