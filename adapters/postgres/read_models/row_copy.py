"""All rows of a statement as PostgreSQL copies them (CSV), out of one snapshot, however many there are. Blocking."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

import psycopg

from adapters.postgres.read_models.live_version import COLUMNS, LIVE, Live, tables_of
from adapters.postgres.read_models.read_errors import server_errors, statement_errors
from adapters.postgres.read_models.read_store import Statement, stands_for
from adapters.postgres.tenant_wall import AS_MEMBER, AS_READER, SET_TENANT
from domain.errors import Unavailable
from projections.engine.declare import registry
from projections.engine.store import sql

PIECE = 4 * 2**20  # bytes at least that are given at once, but for the last ones
CHECKPOINT = """
    SELECT array_agg(topic), array_agg(partition), array_agg(next_offset), min(confirmed_at),
           bool_and(next_offset >= head)
    FROM checkpoints WHERE projection = %s AND version = %s
"""
SET_MEMBER = (
    "SELECT set_config('analytics.user_ids', %s::text[]::text, true),"
    " set_config('analytics.account_ids', %s::text[]::text, true)"
)


class CopiedRows(NamedTuple):
    """Rows as whole lines of CSV, in pieces of so many rows; what they stand for, and about how many there are."""

    pieces: Iterator[tuple[bytes, int]]
    position: str
    lag_ms: int
    definition_version: int
    estimate: int


@contextmanager
def copied(url: str, select: Statement, seconds: float) -> Iterator[CopiedRows]:
    """The rows of the live version, as whoever asks may see them; the next piece is read while one is worked on.

    `url` is of the login of readers, or of members where the statement is a member's. It may take so many seconds.
    Raises Unavailable, LimitExceeded; Forbidden where members may not read a table.
    """
    role = AS_MEMBER if select.member else AS_READER
    options = f"{role} -c timezone=UTC -c datestyle=ISO -c jit=off -c statement_timeout={int(seconds * 1000)}"
    with (
        statement_errors(select.projection, select.member),
        server_errors(),
        psycopg.connect(url, autocommit=True, options=options, connect_timeout=5) as connection,
        ThreadPoolExecutor(1, "copying-rows") as reader,
    ):
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute(SET_TENANT, (select.company,))
        if select.member is not None:
            connection.execute(SET_MEMBER, (sorted(select.member.user_ids), sorted(select.member.account_ids)))
        live = _live(connection, select.projection)
        reached = connection.execute(CHECKPOINT, (select.projection, live.version)).fetchone()
        position, _, _, lag_ms = stands_for(*(reached or (None,) * 5))
        tables = tables_of(live, select.projection, select.statement)
        whole = select._replace(statement=select.statement.format_map(tables))
        estimate = _estimate(connection, whole)
        yield CopiedRows(_ahead(_pieces(connection, whole), reader), position, lag_ms, live.definition, estimate)


def _live(connection: psycopg.Connection, projection: str) -> Live:
    declared = registry.projection(projection)
    row = connection.execute(LIVE, (projection,)).fetchone()
    if row is None:
        return Live(declared.version, declared.version)
    live = Live(*row)
    if live.definition > declared.definition_version:
        raise Unavailable(f"projection {projection} is stored by a later release than this one")
    if live.definition == declared.definition_version:
        return live
    names = [sql.table_name(table.name, live.version) for table in declared.tables]
    columns = [(connection.execute(COLUMNS, (name,)).fetchone() or (None,))[0] for name in names]
    return live._replace(columns=tuple(tuple(each or ()) for each in columns))


def _estimate(connection: psycopg.Connection, select: Statement) -> int:
    """Rows, as the planner sees it."""
    cursor = psycopg.ClientCursor(connection)
    row = cursor.execute(f"EXPLAIN (FORMAT JSON) {select.statement}".encode(), select.params).fetchone()
    return int(row[0][0]["Plan"]["Plan Rows"]) if row else 0


def _pieces(connection: psycopg.Connection, select: Statement) -> Iterator[tuple[bytes, int]]:
    held: list[bytes] = []
    size = 0
    statement = f"COPY ({select.statement}) TO STDOUT (FORMAT csv)"
    with connection.cursor().copy(statement.encode(), select.params) as rows:
        for row in rows:
            held.append(bytes(row))
            size += len(row)
            if size >= PIECE:
                yield b"".join(held), len(held)
                held, size = [], 0
    if held:
        yield b"".join(held), len(held)


def _ahead(pieces: Iterator[tuple[bytes, int]], reader: ThreadPoolExecutor) -> Iterator[tuple[bytes, int]]:
    following = reader.submit(next, pieces, None)
    while (piece := following.result()) is not None:
        following = reader.submit(next, pieces, None)
        yield piece
