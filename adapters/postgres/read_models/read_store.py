"""Read models for queries, through psycopg's async pool: rows and their position from one snapshot, one round trip."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from adapters.postgres.connections.prepared_reader import PreparedReader, Rows
from adapters.postgres.tenant_wall import AS_MEMBER, AS_READER
from domain.access.rights import Member, whole_company
from domain.errors import LimitExceeded, Unavailable
from domain.ports import Answer, Checkpoint
from domain.position import Position
from domain.request import tracing
from projections.engine.declare import registry
from projections.engine.query import wide_answers
from projections.engine.query.wide_answers import CHUNK, FEW
from projections.engine.store import sql
from projections.engine.turns import Share, Turns

FRESH_MS = 5_000  # a projector confirms every second: after this, "complete" is no longer known

# Rows and position in one statement, so in one snapshot and one round trip: half the time of a transaction of four
# statements. The position comes with the first row alone; an answer without rows is one row whose _n is null.
# The same statement, which is a transaction of its own, sets the tenant: a pipeline that does it before takes a quarter
# longer. LATERAL makes what is asked depend on the tenant, OFFSET 0 keeps the planner from pulling it out again, so it
# is read after the tenant is set; read before, row security would show nothing at all. For a member it sets users, too.
WITH_POSITION = b"""
WITH answer AS (
    SELECT row_number() OVER () AS _n, found.*
    FROM (SELECT set_config('analytics.company', %s, true) AS company{more}) AS tenant
    CROSS JOIN LATERAL (
        SELECT asked.* FROM ({statement}) AS asked WHERE tenant.company IS NOT NULL{known} OFFSET 0
    ) AS found
),
checkpoint AS (
    SELECT array_agg(topic) AS topics, array_agg(partition) AS partitions, array_agg(next_offset) AS offsets,
           min(confirmed_at) AS confirmed_at, bool_and(next_offset >= head) AS at_head
    FROM checkpoints WHERE projection = %s AND version = %s
)
SELECT (SELECT version FROM projections WHERE name = %s AND live),
       CASE WHEN answer._n > 1 THEN NULL ELSE topics END, CASE WHEN answer._n > 1 THEN NULL ELSE partitions END,
       CASE WHEN answer._n > 1 THEN NULL ELSE offsets END, confirmed_at, at_head, answer.*
FROM checkpoint LEFT JOIN answer ON true ORDER BY answer._n
"""
OF_COMPANY = WITH_POSITION.replace(b"{more}", b"").replace(b"{known}", b"")
OF_MEMBER = WITH_POSITION.replace(
    b"{more}",
    b", set_config('analytics.user_ids', %s::text[]::text, true) AS users"
    b", set_config('analytics.account_ids', %s::text[]::text, true) AS accounts",
).replace(b"{known}", b" AND tenant.users IS NOT NULL AND tenant.accounts IS NOT NULL")
CHECKPOINT_COLUMNS = 6
# LATERAL and OFFSET 0 as above: row security shows the company's own positions, once it is set.
CHECKPOINTS = b"""
SELECT found.* FROM (SELECT set_config('analytics.company', %s, true) AS company) AS tenant CROSS JOIN LATERAL (
    SELECT name, live.version, array_agg(reached.topic), array_agg(reached.partition), array_agg(reached.next_offset),
           min(confirmed_at), bool_and(reached.next_offset >= head),
           array_agg(LEAST(reached.next_offset, COALESCE(own.next_offset, 0))),
           (SELECT next_offset FROM tenant_positions WHERE company_id = tenant.company AND topic = '')
    FROM projections AS live
    JOIN checkpoints AS reached ON reached.projection = name AND reached.version = live.version
    LEFT JOIN tenant_positions AS own
    ON own.company_id = tenant.company AND own.topic = reached.topic AND own.partition = reached.partition
    WHERE live AND name = ANY(%s) GROUP BY name, live.version OFFSET 0
) AS found
"""
PATIENCE = 5.0  # seconds at least to wait for a connection
LIVE = b"SELECT version, definition FROM projections WHERE name = %s AND live"
SWITCHES = 5  # during one question, at most
NO_TABLES = "no_tables"  # code of the error where a projection has none yet

Result = TypeVar("Result")


class Live(NamedTuple):
    """The stored version that readers see, and the definition that it was made by."""

    version: int
    definition: int


class Statement(NamedTuple):
    """What is asked: a statement over the tables of a projection, for one company or a member of it."""

    company: str
    projection: str
    statement: str
    params: Sequence[object]
    member: Member | None = None

    @property
    def whose(self) -> tuple[object, ...]:
        """Parameters that say whose rows are seen."""
        ids = (self.member.user_ids, self.member.account_ids) if self.member else ()
        return self.company, *map(sorted, ids)


class PostgresReadStore:
    """`domain.ports.ReadStore` on PostgreSQL. `open` before use.

    Which version is live is remembered. Every answer brings along which one is live in its own snapshot: where that is
    another, the question is asked again, so that a switch is seen at once and costs the other questions nothing.
    Its connections act as the role of readers: a statement sees the rows of the company that is asked about, and no
    others, whatever it says itself.
    """

    def __init__(self, database_url: str, *, connections: int = 8, timeout: float = 10.0, member_url: str = "") -> None:
        self._pool = _pool(database_url, AS_READER, (1, connections), timeout)
        self._members = _pool(member_url or database_url, AS_MEMBER, (0, connections), timeout)
        # A tenant has half of the connections at most: whatever it asks, others find one that is free.
        share = Share(connections, max(1, connections // 2), waiting=1_000, patience=max(timeout, PATIENCE))
        self._turns = Turns("questions", share)
        self._live: dict[str, Live] = {}

    async def open(self) -> None:
        """Open the pools."""
        await self._pool.open()
        await self._members.open()

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()
        await self._members.close()

    def of_member(self, member: Member) -> OfMember:
        """The same store as a member sees it."""
        return OfMember(self, member)

    async def ask(self, company: str, projection: str, statement: str, params: Sequence[object]) -> Answer:
        """Run one SELECT over the company's rows of the projection; the position is of the same snapshot.

        Raises as `answer` does.
        """
        return await self.answer(Statement(company, projection, statement, params))

    async def answer(self, asked: Statement) -> Answer:
        """The answer, in the role of whoever asks. Raises Forbidden where that of members may not read a table.

        Raises LimitExceeded for a statement that takes too long, Unavailable, also where the tables are not there yet.
        """
        with tracing.span("sql", projection=asked.projection):
            try:
                return await self._twice(lambda: self._ask_live(asked))
            except psycopg.errors.InsufficientPrivilege as error:
                if asked.member is None:
                    raise
                raise whole_company(asked.projection) from error
            except psycopg.errors.UndefinedTable as error:
                raise Unavailable(
                    f"projection {asked.projection} has no tables yet: its projector has not started", code=NO_TABLES
                ) from error
            except psycopg.errors.UndefinedColumn as error:
                raise Unavailable(
                    f"projection {asked.projection} is stored by another definition: rebuild it"
                ) from error

    async def checkpoints(self, projections: Sequence[str], company: str = "") -> Mapping[str, Checkpoint]:
        """Checkpoints of the live versions, all in one statement. Raises Unavailable, LimitExceeded."""
        with tracing.span("sql", projection=",".join(projections)):
            return await self._twice(lambda: self._checkpoints(list(projections), company))

    async def _checkpoints(self, projections: list[str], company: str) -> Mapping[str, Checkpoint]:
        async with _connection(self._pool) as connection:
            found = await connection.ask(CHECKPOINTS, (company, projections))
            rows = found.load(0, found.total)
        return {name: _checkpoint(*columns) for name, *columns in rows}

    async def _twice(self, asked: Callable[[], Awaitable[Result]]) -> Result:
        """What is asked; once more where the connection was to a server that went away."""
        try:
            try:
                return await asked()
            except (psycopg.errors.QueryCanceled, PoolTimeout):
                raise
            except psycopg.OperationalError:
                # The server went away and may be back: without a check each connection of the pool fails one query.
                await self._pool.check()
                await self._members.check()
                return await asked()
        except psycopg.errors.QueryCanceled as error:
            raise LimitExceeded("the query took too long", suggested_actions=("ask for a shorter period",)) from error
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
            raise Unavailable(f"the read store does not answer: {error}") from error

    async def _ask_live(self, asked: Statement) -> Answer:
        """Ask the version that is live; again where the one that was remembered is so no more."""
        for _ in range(SWITCHES):
            live = self._live.get(asked.projection) or await self._look_up(asked.projection)
            try:
                answer = await self._ask(asked, live)
            except psycopg.errors.UndefinedTable:  # dropped since it was live
                if live == await self._look_up(asked.projection):
                    raise
            else:
                if answer is not None:
                    return answer
                await self._look_up(asked.projection)
        raise Unavailable(f"projection {asked.projection} is being switched too often")

    async def _look_up(self, projection: str) -> Live:
        async with _connection(self._pool) as connection:
            found = await connection.ask(LIVE, (projection,))
            rows = found.load(0, found.total)
        if not rows:
            return Live(registry.projection(projection).version, registry.projection(projection).version)
        self._live[projection] = Live(*rows[0])
        return self._live[projection]

    async def _ask(self, asked: Statement, live: Live) -> Answer | None:
        """The answer of one version; None when it is not the live one in the snapshot of the answer."""
        pool, whole = (self._members, OF_MEMBER) if asked.member else (self._pool, OF_COMPANY)
        statement = _written(whole, asked.statement, asked.projection, live.version)
        params = (*asked.whose, *asked.params, asked.projection, live.version, asked.projection)
        # Who waits for the turn of wide answers keeps this one: else all ask, and what comes lies in memory.
        async with self._turns.turn(asked.company):
            async with _connection(pool) as connection:
                rows = await connection.ask(statement, params)
                if rows.total <= FEW:
                    return _answer(live, rows, _found(rows.load(0, rows.total)))
            async with wide_answers.TURNS.turn(asked.company):  # the connection is another's by now
                return _answer(live, rows, await _in_pieces(rows))


@dataclass(frozen=True, slots=True)
class OfMember:
    """`domain.ports.ReadStore` as a member sees it."""

    store: PostgresReadStore
    member: Member

    async def ask(self, company: str, projection: str, statement: str, params: Sequence[object]) -> Answer:
        """As the store's own, of the member's rows. Raises as `PostgresReadStore.answer` does."""
        return await self.store.answer(Statement(company, projection, statement, params, self.member))


def _pool(url: str, role: str, connections: tuple[int, int], timeout: float) -> AsyncConnectionPool[PreparedReader]:
    """Connections of a role, from so many to so many; one statement of theirs may take `timeout` seconds."""
    options = f"{role} -c timezone=UTC -c jit=off -c statement_timeout={int(timeout * 1000)}"
    return AsyncConnectionPool(
        url,
        connection_class=PreparedReader,
        min_size=connections[0],
        max_size=connections[1],
        open=False,
        timeout=PATIENCE,
        kwargs={"autocommit": True, "options": options},
    )


class _Found(NamedTuple):
    """Rows of an answer without the columns of the checkpoint, and the first of them with those."""

    first: tuple[Any, ...]
    rows: list[tuple[Any, ...]]


def _found(rows: Sequence[tuple[Any, ...]]) -> _Found:
    skip = CHECKPOINT_COLUMNS + 1
    return _Found(rows[0], [row[skip:] for row in rows if row[CHECKPOINT_COLUMNS] is not None])


async def _in_pieces(rows: Rows) -> _Found:
    """Many rows; between two pieces others have their turn in the event loop."""
    found = _found(rows.load(0, CHUNK))
    for begin in range(CHUNK, rows.total, CHUNK):
        await asyncio.sleep(0)
        found.rows.extend(_found(rows.load(begin, min(begin + CHUNK, rows.total))).rows)
    return found


def _answer(live: Live, rows: Rows, found: _Found) -> Answer | None:
    """The answer, if the version that was asked is the live one in its snapshot."""
    if found.first[0] not in (live.version, None):
        return None
    columns = rows.columns[CHECKPOINT_COLUMNS + 1 :]
    return Answer(columns, found.rows, *_stands_for(*found.first[1:CHECKPOINT_COLUMNS]), live.definition)


def _checkpoint(version: int, topics: Sequence[str], partitions: Sequence[int], *more: Any) -> Checkpoint:
    """A checkpoint from its columns."""
    *reached, own, replaced = more
    of_company, _, _, _ = _stands_for(topics, partitions, own, None, None)
    return Checkpoint(version, *_stands_for(topics, partitions, *reached), f"{of_company} {replaced or 0}")


def _stands_for(
    topics: Sequence[str] | None,
    partitions: Sequence[int] | None,
    offsets: Sequence[int] | None,
    confirmed_at: int | None,
    at_head: bool | None,
) -> tuple[str, int, bool, int]:
    """Position, moment, completeness and lag of a checkpoint's columns."""
    stored = zip(zip(topics or (), partitions or (), strict=True), offsets or (), strict=True)
    now, as_of = time.time_ns() // 1_000_000, confirmed_at or 0
    complete = bool(at_head) and now - as_of < FRESH_MS
    return str(Position(dict(stored))), as_of, complete, 0 if complete else max(0, now - as_of) if as_of else 0


@lru_cache(1_000)
def _written(whole: bytes, statement: str, projection: str, version: int) -> bytes:
    """The whole statement, over the tables of a version of the projection."""
    tables = {t.name: sql.table_name(t.name, version) for t in registry.projection(projection).tables}
    return whole.replace(b"{statement}", statement.format_map(tables).encode())


@asynccontextmanager
async def _connection(pool: AsyncConnectionPool[PreparedReader]) -> AsyncIterator[PreparedReader]:
    """A connection of the pool. Each statement is a transaction of its own: there is none to be ended here."""
    connection = await pool.getconn()
    try:
        yield connection
    finally:
        await pool.putconn(connection)
