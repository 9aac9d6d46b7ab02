"""Read models for queries, through psycopg's async pool: rows and their position from one snapshot, one round trip."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from domain.errors import LimitExceeded, Unavailable
from domain.ports import Answer
from domain.position import Position
from projections.engine import registry, sql

FRESH_MS = 5_000  # a projector confirms every second: after this, "complete" is no longer known

# Rows and position in one statement, so in one snapshot and one round trip: half the time of a transaction of four
# statements. The position comes with the first row alone; an answer without rows is one row whose _n is null.
WITH_POSITION = b"""
WITH answer AS (SELECT row_number() OVER () AS _n, found.* FROM ({statement}) AS found),
checkpoint AS (
    SELECT array_agg(topic) AS topics, array_agg(partition) AS partitions, array_agg(next_offset) AS offsets,
           min(confirmed_at) AS confirmed_at, bool_and(next_offset >= head) AS at_head
    FROM checkpoints WHERE projection = %s AND version = %s
)
SELECT CASE WHEN answer._n > 1 THEN NULL ELSE topics END, CASE WHEN answer._n > 1 THEN NULL ELSE partitions END,
       CASE WHEN answer._n > 1 THEN NULL ELSE offsets END, confirmed_at, at_head, answer.*
FROM checkpoint LEFT JOIN answer ON true ORDER BY answer._n
"""
CHECKPOINT_COLUMNS = 5


class PostgresReadStore:
    """`domain.ports.ReadStore` on PostgreSQL. `open` before use."""

    def __init__(self, database_url: str, *, connections: int = 8, timeout: float = 10.0) -> None:
        options = f"-c timezone=UTC -c jit=off -c statement_timeout={int(timeout * 1000)}"
        self._pool = AsyncConnectionPool(
            database_url,
            min_size=1,
            max_size=connections,
            open=False,
            timeout=5,
            kwargs={"autocommit": True, "options": options},
        )

    async def open(self) -> None:
        """Open the pool."""
        await self._pool.open()

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()

    async def ask(self, projection: str, statement: str, params: Sequence[object]) -> Answer:
        """Run one SELECT over the projection's tables; the position is of the same snapshot."""
        version = registry.projection(projection).version
        text = statement.format_map(_tables(projection, version)).encode()
        try:
            try:
                return await self._ask(projection, version, text, params)
            except (psycopg.errors.QueryCanceled, PoolTimeout):
                raise
            except psycopg.OperationalError:
                # The server went away and may be back: without a check each connection of the pool fails one query.
                await self._pool.check()
                return await self._ask(projection, version, text, params)
        except psycopg.errors.QueryCanceled as error:
            raise LimitExceeded("the query took too long", suggested_actions=("ask for a shorter period",)) from error
        except psycopg.errors.UndefinedTable as error:
            raise Unavailable(f"projection {projection} has no tables yet: its projector has not started") from error
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
            raise Unavailable(f"the read store does not answer: {error}") from error

    async def _ask(self, projection: str, version: int, text: bytes, params: Sequence[object]) -> Answer:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                WITH_POSITION.replace(b"{statement}", text), (*params, projection, version), prepare=True
            )
            return _answer(version, [c.name for c in cursor.description or ()], await cursor.fetchall())


def _answer(version: int, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Answer:
    topics, partitions, offsets, confirmed_at, at_head = rows[0][:CHECKPOINT_COLUMNS]
    stored = zip(zip(topics or (), partitions or (), strict=True), offsets or (), strict=True)
    now, as_of = time.time_ns() // 1_000_000, confirmed_at or 0
    complete = bool(at_head) and now - as_of < FRESH_MS
    skip = CHECKPOINT_COLUMNS + 1
    return Answer(
        columns=columns[skip:],
        rows=[row[skip:] for row in rows if row[CHECKPOINT_COLUMNS] is not None],
        position=str(Position(dict(stored))),
        as_of=as_of,
        complete=complete,
        lag_ms=0 if complete else max(0, now - as_of) if as_of else 0,
        definition_version=version,
    )


def _tables(projection: str, version: int) -> Mapping[str, str]:
    tables = registry.projection(projection).tables
    return MappingProxyType({t.name: sql.table_name(t.name, version) for t in tables})
