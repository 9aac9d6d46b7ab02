"""Scratch tables: a past state of one company in the session's temporary schema, for one question."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import psycopg

from adapters.postgres.connections.refusals import ENOUGH, REFUSED, refusing
from adapters.postgres.connections.session import Session
from adapters.postgres.read_models.merging import merge
from adapters.postgres.read_models.projection_reader import read_set_aside
from adapters.postgres.read_models.snapshots import copy_name, is_sound, stored_snapshots
from adapters.postgres.tenant_wall import act_as_reader
from domain.access.rights import Member, whole_company
from domain.errors import LimitExceeded
from domain.position import TopicPartition
from eventlog.seals.checkpoints import Check
from projections.engine.declare.projection import Projection
from projections.engine.fold import additive
from projections.engine.fold.admission import Facts
from projections.engine.past.history import LogPlace
from projections.engine.past.past_store import QueryRows, ScratchTables, Snapshot
from projections.engine.project.bad_event_rate import BadEventRate
from projections.engine.project.narrowing import narrowed
from projections.engine.store import port as stored
from projections.engine.store import sql
from projections.engine.store.port import Aside, Changes, Refusal

logger = logging.getLogger(__name__)


class PostgresScratch(Session):
    """`projections.engine.past.past_store.Scratch` and `projections.engine.past.history.Decisions` on PostgreSQL.

    A statement may take `timeout` seconds. `check` says whether a snapshot was signed here. `reader_url` is the
    readers' login, where there is one. Methods raise Unavailable.
    """

    def __init__(self, database_url: str, check: Check, timeout: float = 10.0, reader_url: str = "") -> None:
        super().__init__(database_url, scratch=reader_url or database_url)
        self._check = check
        self._timeout = timeout

    def admitted(self) -> Mapping[TopicPartition, int]:
        """What admission has decided: next offset by topic and partition."""
        with self._transaction("decisions") as connection:
            rows = connection.execute("SELECT topic, partition, next_offset FROM admissions").fetchall()
        return {(topic, partition): offset for topic, partition, offset in rows}

    def set_aside(self, topic: str, ranges: Mapping[int, tuple[int, int]]) -> Aside:
        """What is not folded of these ranges."""
        with self._transaction("decisions") as connection:
            return read_set_aside(connection, topic, ranges)

    def snapshots(self, projection: Projection) -> Sequence[Snapshot]:
        """The snapshots of this projection that have the declared shape."""
        with self._transaction("decisions") as connection:
            return stored_snapshots(connection, projection)

    def sound(self, projection: Projection, snapshot: Snapshot, company: str) -> bool:
        """Whether the company's rows of it are those that were signed; where they are not, that is logged."""
        try:
            with self._transaction("decisions") as connection:
                sound = is_sound(connection, projection, snapshot, company, self._check)
        except psycopg.errors.UndefinedTable:
            sound = False
        if not sound:
            name = f"{snapshot.projection} version {snapshot.version} number {snapshot.number}"
            logger.error("snapshot %s is not as it was signed, and the past is told from the log instead", name)
        return sound

    def refused(
        self, projection: Projection, company: str, base: Snapshot | None, history: Sequence[tuple[str, Facts]]
    ) -> frozenset[LogPlace]:
        """Places of the events that fold or tables refuse, of facts by topic, after the company's rows of a snapshot.

        Raises FoldFailed where they are so many that the projection's code is wrong.
        """
        scratch = projection.stored_as(sql.SCRATCH)
        gauge = BadEventRate(f"the past of {projection.name}", REFUSED, ENOUGH, least=1)
        with self._transaction("scratch") as connection, connection.transaction(force_rollback=True):
            act_as_reader(connection, company)
            create(connection, scratch)
            if base is not None:
                _copy(connection, scratch, company, base)
            return frozenset(
                (topic, refusal.partition, refusal.offset)
                for topic, facts in history
                for refusal in add(connection, scratch, facts, gauge)
            )

    @contextmanager
    def filled(
        self, projection: Projection, company: str, base: Snapshot | None, more: Changes, member: Member | None = None
    ) -> Iterator[ScratchTables]:
        """Temporary tables with the company's rows, made as its reader; a rollback takes them away.

        Raises LimitExceeded for a statement that takes too long, Forbidden where a member asks for a table that is not
        open to members, FoldFailed where the tables refuse what was folded, Unavailable.
        """
        scratch = projection.stored_as(sql.SCRATCH)
        try:
            with self._transaction("scratch") as connection, connection.transaction(force_rollback=True):
                connection.execute(f"SET LOCAL statement_timeout = {int(self._timeout * 1000)}".encode())
                act_as_reader(connection, company)
                fill(connection, scratch, company, base, more)
                if member:
                    _leave_own(connection, scratch, member)
                yield _Tables(connection, {t.name: sql.readable(t, sql.SCRATCH) for t in scratch.tables})
        except psycopg.errors.UndefinedTable as error:
            if member is None:
                raise
            raise whole_company(projection.name) from error
        except psycopg.errors.QueryCanceled as error:
            raise LimitExceeded("the query took too long", suggested_actions=("ask for a shorter period",)) from error


def fill(
    connection: psycopg.Connection, scratch: Projection, company: str, base: Snapshot | None, more: Changes
) -> None:
    """Make the temporary tables, with the company's rows of a snapshot and what was folded since."""
    create(connection, scratch)
    if base is not None:
        _copy(connection, scratch, company, base)
    with refusing(scratch), connection.transaction():
        merge(connection, scratch, more)
    analyse(connection, scratch)


def add(connection: psycopg.Connection, scratch: Projection, facts: Facts, gauge: BadEventRate) -> Sequence[Refusal]:
    """Fold facts into the temporary tables; the events that are refused. Raises FoldFailed where they are too many."""

    def store(part: stored.Folded) -> None:
        with refusing(scratch), connection.transaction():
            merge(connection, scratch, part.changes)

    return list(narrowed(additive.fold(scratch, facts), store, gauge))


def create(connection: psycopg.Connection, scratch: Projection) -> None:
    """Make the temporary tables, empty."""
    for table in scratch.tables:
        connection.execute(sql.create_table(table, sql.SCRATCH).encode())
    for fold in scratch.ordered:
        connection.execute(sql.create_state_table(scratch.name, fold, sql.SCRATCH).encode())


def analyse(connection: psycopg.Connection, scratch: Projection) -> None:
    """Nobody else ever looks at these tables, and without statistics large ones are read for ages."""
    for table in scratch.tables:
        connection.execute(f"ANALYZE {sql.table_name(table.name, sql.SCRATCH)}".encode())


def _leave_own(connection: psycopg.Connection, scratch: Projection, member: Member) -> None:
    """Of the temporary tables, and of their rows, leave those that a member sees."""
    for table in scratch.tables:
        name, own = sql.table_name(table.name, sql.SCRATCH), sql.own(table, member)
        if own is None:
            connection.execute(f"DROP TABLE {name}".encode())
        else:
            connection.execute(f"DELETE FROM {name} WHERE ({own[0]}) IS NOT TRUE".encode(), own[1])


class _Tables:
    """`projections.engine.past.past_store.ScratchTables`."""

    def __init__(self, connection: psycopg.Connection, names: Mapping[str, str]) -> None:
        self._connection = connection
        self._names = names

    def select(self, statement: str, params: Sequence[object]) -> QueryRows:
        """Run one SELECT over the tables."""
        cursor = self._connection.execute(statement.format_map(self._names).encode(), params)
        return [c.name for c in cursor.description or ()], cursor.fetchall()

    def copy(self, create: str, copy: str, csv: bytes) -> None:
        """Make one more table and fill it."""
        self._connection.execute(create.encode())
        with self._connection.cursor().copy(copy.encode()) as copying:
            copying.write(csv)


def _copy(connection: psycopg.Connection, scratch: Projection, company: str, base: Snapshot) -> None:
    for name, columns in sql.stored_tables(scratch).items():
        listed = ", ".join(f'"{c}"' for c in columns)
        connection.execute(
            f"INSERT INTO {sql.table_name(name, sql.SCRATCH)} ({listed})"
            f" SELECT {listed} FROM {copy_name(name, base.version, base.number)} WHERE company_id = %s".encode(),
            (company,),
        )
