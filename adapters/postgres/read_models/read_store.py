"""Read models for queries, through psycopg's async pool: rows and their position from one snapshot, one round trip."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from adapters.postgres.connections.prepared_reader import PreparedReader, Rows
from adapters.postgres.read_models.checkpoint_statements import (
    CHECKPOINTS_OF_ALL,
    NO_DIGEST,
    with_defaults,
    with_digest,
)
from adapters.postgres.read_models.live_version import Live, live_version, tables_of
from adapters.postgres.read_models.read_errors import server_errors, statement_errors
from adapters.postgres.read_models.shared_rows import shared_with, with_those_of_all
from adapters.postgres.tenant_wall import AS_MEMBER, AS_READER
from domain.access.rights import Member
from domain.audit import SYSTEM
from domain.errors import Defect, Forbidden, Unavailable
from domain.ports import Answer, Checkpoint
from domain.position import Position
from domain.request import tracing
from projections.engine.query import wide_answers
from projections.engine.query.wide_answers import CHUNK, FEW
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
# Nothing is written, so going back to the savepoint undoes a failure and nothing else.
BEGIN = (b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", b"SAVEPOINT whole")
AGAIN = b"ROLLBACK TO SAVEPOINT whole"
END = b"ROLLBACK"
PATIENCE = 5.0  # seconds at least to wait for a connection
SWITCHES = 5  # during one question, at most

Result = TypeVar("Result")


class Statement(NamedTuple):
    """What is asked: a statement over the tables of a projection, for one company or a member of it."""

    company: str
    projection: str
    statement: str
    params: Sequence[object]
    member: Member | None = None


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

    async def answer(self, question: Statement) -> Answer:
        """The answer, in the role of whoever asks. Raises Forbidden where that of members may not read a table.

        Raises LimitExceeded for a statement that takes too long, Unavailable, also where the tables are not there yet.
        """
        with statement_errors(question.projection, question.member):
            return await self._twice(lambda: self._ask_live(question))

    @asynccontextmanager
    async def snapshot(self, company: str, member: Member | None = None) -> AsyncIterator[Snapshot]:
        """The store as it is at one moment; it is one of the questions that a company asks at once."""
        pool = self._members if member else self._pool
        with server_errors():
            async with self._turns.turn(company), _connection(pool) as connection:
                try:
                    for statement in BEGIN:
                        await connection.ask(statement)
                    yield Snapshot(connection, company, member)
                finally:
                    with suppress(psycopg.Error):  # a broken connection is replaced by its pool
                        await connection.ask(END)

    async def checkpoints(self, projections: Sequence[str], company: str = "") -> Mapping[str, Checkpoint]:
        """Checkpoints of the live versions, all in one statement. Raises Unavailable, LimitExceeded."""
        with tracing.span("sql", projection=",".join(projections)):
            own = await self._twice(lambda: self._checkpoints(list(projections), company))
            if not (shared := shared_with(projections, company)):
                return own
            return with_those_of_all(own, await self._twice(lambda: self._checkpoints(shared, SYSTEM)))

    async def _checkpoints(self, projections: list[str], company: str) -> Mapping[str, Checkpoint]:
        """Again where the version of a projection with defaults that was remembered is the live one no more."""
        name = with_defaults(projections)
        if name is None:
            return await self._checkpoints_by(NO_DIGEST, company, projections)
        for _ in range(SWITCHES):
            live = self._live.get(name) or await self._look_up(name)
            try:
                reached = await self._checkpoints_by(with_digest(name, live), company, projections)
            except psycopg.errors.UndefinedTable:  # dropped since it was live, or not there yet
                if live == await self._look_up(name):
                    return await self._checkpoints_by(NO_DIGEST, company, projections)
            else:
                if name not in reached or reached[name].version == live.version:
                    return reached
                await self._look_up(name)
        raise Unavailable(f"projection {name} is being switched too often")

    async def _checkpoints_by(self, statement: bytes, company: str, names: list[str]) -> Mapping[str, Checkpoint]:
        async with _connection(self._pool) as connection:
            return _checkpoints(await connection.ask(statement, (company, names)))

    async def _twice(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """What is asked; once more where the connection was to a server that went away."""
        with server_errors():
            try:
                return await work()
            except (psycopg.errors.QueryCanceled, PoolTimeout):
                raise
            except psycopg.OperationalError:
                # The server went away and may be back: without a check each connection of the pool fails one query.
                await self._pool.check()
                await self._members.check()
                return await work()

    async def _ask_live(self, question: Statement) -> Answer:
        """Ask the version that is live; again where the one that was remembered is so no more."""
        for _ in range(SWITCHES):
            live = self._live.get(question.projection) or await self._look_up(question.projection)
            try:
                answer = await self._ask(question, live)
            except psycopg.errors.UndefinedTable:  # dropped since it was live
                if live == await self._look_up(question.projection):
                    raise
            else:
                if answer is not None:
                    return answer
                await self._look_up(question.projection)
        raise Unavailable(f"projection {question.projection} is being switched too often")

    async def _look_up(self, projection: str) -> Live:
        async with _connection(self._pool) as connection:
            version, live = await live_version(connection, projection)
        if version:
            self._live[projection] = live
        return live

    async def _ask(self, question: Statement, live: Live) -> Answer | None:
        """The answer of one version; None when it is not the live one in the snapshot of the answer."""
        pool = self._members if question.member else self._pool
        # Who waits for the turn of wide answers keeps this one: else all ask, and what comes lies in memory.
        async with self._turns.turn(question.company):
            async with _connection(pool) as connection:
                rows = await connection.ask(*_whole(question, live))
                if rows.total <= FEW:
                    return _answer(live, rows, _split(rows.load(0, rows.total)))
            async with wide_answers.TURNS.turn(question.company):  # the connection is another's by now
                return _answer(live, rows, await _in_pieces(rows))


class Snapshot:
    """`domain.ports.PositionedStore` at one moment, for one company or a member of it: a transaction of its own."""

    def __init__(self, connection: PreparedReader, company: str, member: Member | None) -> None:
        self._connection, self._company, self._member = connection, company, member
        self._alone = asyncio.Lock()  # parts of a question are asked side by side
        self._live: dict[str, Live] = {}

    async def ask(self, company: str, projection: str, statement: str, params: Sequence[object]) -> Answer:
        """As the store's own. Raises Forbidden for another company, and as `PostgresReadStore.answer` does."""
        if company not in (self._company, SYSTEM):
            raise Forbidden(f"this snapshot is of {self._company}", code="forbidden_company")
        question = Statement(company, projection, statement, params, self._member)
        with statement_errors(question.projection, question.member), server_errors():
            async with self._alone:
                live, rows = await self._rows(question)
                few = _split(rows.load(0, rows.total)) if rows.total <= FEW else None
            if few is None:
                async with wide_answers.TURNS.turn(company):
                    few = await _in_pieces(rows)
        answer = _answer(live, rows, few)
        if answer is None:
            raise Defect(f"projection {projection} was switched within a snapshot")
        return answer

    async def _rows(self, question: Statement) -> tuple[Live, Rows]:
        try:
            live = await self._live_version(question.projection)
            return live, await self._connection.ask(*_whole(question, live))
        except psycopg.Error:
            await self._connection.ask(AGAIN)
            raise

    async def _live_version(self, projection: str) -> Live:
        if projection not in self._live:
            _, self._live[projection] = await live_version(self._connection, projection)
        return self._live[projection]

    async def checkpoints(self, projections: Sequence[str], company: str = "") -> Mapping[str, Checkpoint]:
        """As the store's own."""
        with server_errors():
            async with self._alone:
                own = await self._checkpoints(company, list(projections))
                if self._member or not (shared := shared_with(projections, company)):
                    return own
                return with_those_of_all(own, await self._checkpoints(SYSTEM, shared))

    async def _checkpoints(self, company: str, projections: list[str]) -> Mapping[str, Checkpoint]:
        if self._member:
            return _checkpoints(await self._connection.ask(CHECKPOINTS_OF_ALL, (company, projections)))
        name = with_defaults(projections)
        statement = NO_DIGEST if name is None else with_digest(name, await self._live_version(name))
        try:
            rows = await self._connection.ask(statement, (company, projections))
        except psycopg.errors.UndefinedTable:  # not there yet
            await self._connection.ask(AGAIN)
            rows = await self._connection.ask(NO_DIGEST, (company, projections))
        return _checkpoints(rows)


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


class _AnswerRows(NamedTuple):
    """Rows of an answer without the columns of the checkpoint, and the first of them with those."""

    first: tuple[Any, ...]
    rows: list[tuple[Any, ...]]


def _split(rows: Sequence[tuple[Any, ...]]) -> _AnswerRows:
    skip = CHECKPOINT_COLUMNS + 1
    return _AnswerRows(rows[0], [row[skip:] for row in rows if row[CHECKPOINT_COLUMNS] is not None])


async def _in_pieces(rows: Rows) -> _AnswerRows:
    """Many rows; between two pieces others have their turn in the event loop."""
    pieces = _split(rows.load(0, CHUNK))
    for begin in range(CHUNK, rows.total, CHUNK):
        await asyncio.sleep(0)
        pieces.rows.extend(_split(rows.load(begin, min(begin + CHUNK, rows.total))).rows)
    return pieces


def _answer(live: Live, rows: Rows, result: _AnswerRows) -> Answer | None:
    """The answer, if the version that was asked is the live one in its snapshot."""
    if result.first[0] not in (live.version, None):
        return None
    columns = rows.columns[CHECKPOINT_COLUMNS + 1 :]
    return Answer(columns, result.rows, *stands_for(*result.first[1:CHECKPOINT_COLUMNS]), live.definition)


def _checkpoints(rows: Rows) -> Mapping[str, Checkpoint]:
    checkpoints = {}
    for name, version, topics, partitions, *reached, own, replaced, defaults in rows.load(0, rows.total):
        of_company, *_ = stands_for(topics, partitions, own, None, None)
        stand = stands_for(topics, partitions, *reached)
        checkpoints[name] = Checkpoint(version, *stand, f"{of_company} {replaced or 0}", defaults=defaults)
    return checkpoints


def stands_for(
    topics: Sequence[str] | None,
    partitions: Sequence[int] | None,
    offsets: Sequence[int] | None,
    confirmed_at: int | None,
    at_head: bool | None,
) -> tuple[str, int, bool, int]:
    """Position, moment, completeness and lag of a checkpoint's columns."""
    now, as_of = time.time_ns() // 1_000_000, confirmed_at or 0
    complete = bool(at_head) and now - as_of < FRESH_MS
    return (
        _position(tuple(topics or ()), tuple(partitions or ()), tuple(offsets or ())),
        as_of,
        complete,
        0 if complete else max(0, now - as_of) if as_of else 0,
    )


@lru_cache(1_000)  # the same until something moves
def _position(topics: tuple[str, ...], partitions: tuple[int, ...], offsets: tuple[int, ...]) -> str:
    return str(Position(dict(zip(zip(topics, partitions, strict=True), offsets, strict=True))))


def _whole(question: Statement, live: Live) -> tuple[bytes, tuple[object, ...]]:
    """The statement with what an answer has beside its rows, and its parameters."""
    statement = _written(OF_MEMBER if question.member else OF_COMPANY, question.statement, question.projection, live)
    ids = map(sorted, (question.member.user_ids, question.member.account_ids) if question.member else ())
    return statement, (question.company, *ids, *question.params, question.projection, live.version, question.projection)


@lru_cache(1_000)
def _written(whole: bytes, statement: str, projection: str, live: Live) -> bytes:
    """The whole statement, over the tables of a version of the projection. Raises Unavailable as `sql.of_earlier`."""
    tables = tables_of(live, projection, statement)
    return whole.replace(b"{statement}", statement.format_map(tables).encode())


@asynccontextmanager
async def _connection(pool: AsyncConnectionPool[PreparedReader]) -> AsyncIterator[PreparedReader]:
    """A connection of the pool. Each statement is a transaction of its own: there is none to be ended here."""
    connection = await pool.getconn()
    try:
        yield connection
    finally:
        await pool.putconn(connection)
