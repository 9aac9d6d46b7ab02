"""Read models for queries, through psycopg's async pool: rows and their position from one snapshot, one round trip."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from domain.errors import LimitExceeded, Unavailable
from domain.ports import Answer
from domain.position import Position
from projections.engine import registry, sql

FRESH_MS = 5_000  # a projector confirms every second: after this, "complete" is no longer known

CHECKPOINTS = (
    "SELECT topic, partition, next_offset, head, confirmed_at FROM checkpoints WHERE projection = %s AND version = %s"
)


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
        async with self._pool.connection() as connection, connection.pipeline():
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            checkpoints = await connection.execute(CHECKPOINTS, (projection, version), prepare=True)
            rows = await connection.execute(text, params)
            await connection.execute("COMMIT")
            return await _answer(version, checkpoints, rows)


async def _answer(version: int, checkpoints: psycopg.AsyncCursor, rows: psycopg.AsyncCursor) -> Answer:
    stored = await checkpoints.fetchall()
    found = await rows.fetchall()
    now = time.time_ns() // 1_000_000
    as_of = min((r[4] for r in stored), default=0)
    complete = bool(stored) and all(r[2] >= r[3] for r in stored) and now - as_of < FRESH_MS
    return Answer(
        columns=[c.name for c in rows.description or ()],
        rows=found,
        position=str(Position({(r[0], r[1]): r[2] for r in stored})),
        as_of=as_of,
        complete=complete,
        lag_ms=0 if complete else max(0, now - as_of) if as_of else 0,
        definition_version=version,
    )


def _tables(projection: str, version: int) -> Mapping[str, str]:
    tables = registry.projection(projection).tables
    return MappingProxyType({t.name: sql.table_name(t.name, version) for t in tables})
