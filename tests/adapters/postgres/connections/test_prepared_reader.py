"""A connection of prepared statements answers as a cursor of the driver does, whatever happens on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal

import psycopg
import pytest

from adapters.postgres.connections import prepared_reader
from adapters.postgres.connections.prepared_reader import FEW, PreparedReader, numbered

VALUES = (1, 2**40, "ä%s", None, Decimal("1.50"), date(2025, 3, 1), datetime(2025, 3, 1, 12, tzinfo=UTC), ["a", "b"])
TYPES = ("int", "bigint", "text", "text", "numeric", "date", "timestamptz", "text[]")
STATEMENT = b"SELECT " + b", ".join(b'%%s::%s AS "c%d"' % (t.encode(), i) for i, t in enumerate(TYPES))


@pytest.fixture
async def reader(database_url: str) -> AsyncIterator[PreparedReader]:
    """A connection."""
    async with opened(database_url) as connection:
        yield connection


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[PreparedReader]:
    """A connection for as long as this lasts."""
    connection = await PreparedReader.connect(url, autocommit=True, options="-c timezone=UTC")
    try:
        yield connection
    finally:
        await connection.close()


async def rows_of(reader: PreparedReader, statement: bytes, *params: object) -> list[tuple[object, ...]]:
    """All rows of a statement."""
    found = await reader.ask(statement, params)
    return found.load(0, found.total)


async def test_values_and_names_are_those_of_a_cursor(reader: PreparedReader) -> None:
    """At first, when it is prepared, and later; of other types under the same text, too."""
    others: tuple[object, ...] = (7, 3, "x", "y", 1, None, None, [])
    for values in (VALUES, VALUES, others):
        cursor = await reader.execute(STATEMENT, values)
        assert await rows_of(reader, STATEMENT, *values) == await cursor.fetchall()
        assert (await reader.ask(STATEMENT, values)).columns == tuple(c.name for c in cursor.description or ())


async def test_many_rows_are_loaded_when_the_connection_is_another_s(reader: PreparedReader) -> None:
    """Up to FEW they are to be loaded first; above it they keep what they need."""
    wide = await reader.ask(b"SELECT n, %s FROM generate_series(1, %s) AS n", ("a", FEW + 1))
    assert await rows_of(reader, b"SELECT 1") == [(1,)]
    assert wide.load(FEW - 1, FEW + 1) == [(FEW, "a"), (FEW + 1, "a")]


async def test_an_error_is_the_driver_s_and_the_next_statement_is_answered(reader: PreparedReader) -> None:
    """When it is prepared, and when it is executed."""
    with pytest.raises(psycopg.errors.UndefinedTable, match="nothing_here"):
        await reader.ask(b"SELECT * FROM nothing_here")
    for _ in range(2):
        with pytest.raises(psycopg.errors.DivisionByZero):
            await reader.ask(b"SELECT 1 / %s", (0,))
    assert await rows_of(reader, b"SELECT 1 / %s", 1) == [(1,)]


async def test_so_many_are_prepared_and_no_more(reader: PreparedReader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it the server forgets all, and they are prepared anew."""
    monkeypatch.setattr(prepared_reader, "MOST_PREPARED", 3)
    for _ in range(2):
        for number in range(5):
            assert await rows_of(reader, b"SELECT %d + %%s" % number, 1) == [(number + 1,)]
    held = await rows_of(reader, b"SELECT count(*) FROM pg_prepared_statements")
    assert held in ([(1,)], [(2,)], [(3,)])


async def test_what_is_larger_than_the_socket_takes_at_once_arrives(reader: PreparedReader) -> None:
    """Parameters and rows of megabytes."""
    text = "x" * 8_000_000
    assert await rows_of(reader, b"SELECT length(%s), %s", text, text) == [(len(text), text)]


async def test_a_statement_nobody_waits_for_is_ended_in_the_server(reader: PreparedReader, database_url: str) -> None:
    """And the connection goes on."""
    asking = asyncio.create_task(rows_of(reader, b"SELECT pg_sleep(%s)", 60))
    sleeping = b"SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND wait_event = 'PgSleep'"
    async with opened(database_url) as other, asyncio.timeout(20):
        pid = reader.info.backend_pid
        while await rows_of(other, sleeping, pid) == [(0,)]:
            pass
        asking.cancel()
        await asyncio.wait({asking})
        assert asking.cancelled()
        assert await rows_of(other, sleeping, pid) == [(0,)]
    assert await rows_of(reader, b"SELECT 1") == [(1,)]


async def test_a_server_process_that_goes_away_is_an_outage(reader: PreparedReader, database_url: str) -> None:
    """While it is asked, and when it is asked next."""
    asking = asyncio.create_task(rows_of(reader, b"SELECT pg_sleep(%s)", 60))
    async with opened(database_url) as other, asyncio.timeout(20):
        await rows_of(other, b"SELECT pg_terminate_backend(%s)", reader.info.backend_pid)
        for _ in range(2):
            with pytest.raises(psycopg.OperationalError):
                await asking
            asking = asyncio.create_task(rows_of(reader, b"SELECT 1"))
        await asyncio.wait({asking})


def test_places_are_numbered() -> None:
    """As the server wants them; a percent sign is written twice."""
    assert numbered(b"SELECT %s, '100%%', %s LIKE 'a%%'") == b"SELECT $1, '100%', $2 LIKE 'a%'"
