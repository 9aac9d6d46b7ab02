"""The relay's side of the event store in PostgreSQL: table `config_events`, progress in `relay` and `relay_places`.

The store's writers lock the table until they commit, so numbers are given in commit order and what a SELECT sees of
them has no hole that is filled later (ADR 0021).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import psycopg

from adapters.postgres.connections.link import LIMIT, Connection, Link, connect
from domain.configuration.event_store import Stored
from domain.errors import Fenced, Unavailable
from domain.ports import Placed
from domain.position import Position
from eventlog.relay.ports import RelayPosition

TOPIC = "config-events"
CHANNEL = "config_events"  # the store notifies it with each commit
LOCK = 0x72656C6179  # "relay"
# Progress need not wait for the disk: what is lost with the server is relayed again, and counts once. A relay at work
# asks every second; one that is frozen loses its turn.
OPTIONS = "-c synchronous_commit=off -c idle_session_timeout=60s"

AFTER = """
    SELECT originator_id, originator_version, topic, state, notification_id FROM config_events
    WHERE notification_id > %s ORDER BY notification_id LIMIT %s
"""
INSERT_RELAYED = """
    WITH moved AS (UPDATE relay SET last_id = %s WHERE last_id = %s RETURNING 1),
    kept AS (
        INSERT INTO relay_places SELECT p.* FROM unnest(%s::int[], %s::bigint[], %s::bigint[]) AS p, moved
        ON CONFLICT (partition, notification_id) DO UPDATE SET log_offset = excluded.log_offset)
    SELECT count(*) FROM moved
"""
# by partition, because offsets rise with the number in each of them: one look into the index is enough
BEFORE = """
    SELECT coalesce((SELECT max(notification_id) FROM config_events), 0) + 1, (SELECT last_id FROM relay) + 1,
           array_agg(number ORDER BY number), array_agg(next_offset ORDER BY number)
    FROM generate_series(0, (SELECT max(partition) FROM relay_places)) AS number, LATERAL (
        SELECT log_offset + 1 AS next_offset FROM relay_places
        WHERE partition = number AND notification_id < %s ORDER BY notification_id DESC LIMIT 1) AS newest
"""


class PostgresRelaySource:
    """`eventlog.relay.ports.RelaySource`: the turn is an advisory lock of the session that reads and records."""

    def __init__(self, url: str) -> None:
        self._url = url

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[PostgresTurn | None]:
        """The right to relay; given back when the context or the connection ends. Raises Unavailable."""
        connection = await connect(self._url, options=OPTIONS)
        try:
            yield await _turn(connection)
        finally:
            await connection.close()


async def _turn(connection: Connection) -> PostgresTurn | None:
    async with _answering():
        cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,))
        if await cursor.fetchone() != (True,):
            return None
        await connection.execute(f"LISTEN {CHANNEL}".encode())
    return PostgresTurn(connection)


class PostgresTurn:
    """`eventlog.relay.ports.Turn` on the connection that holds the lock: without it nothing more is recorded.

    Every method raises Unavailable.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def last(self) -> int:
        """Number of the last relayed event."""
        async with _answering():
            row = await (await self._connection.execute("SELECT last_id FROM relay")).fetchone()
        return int(row[0]) if row else 0

    async def placed(self) -> Position:
        """Where the partitions end that were relayed into."""
        async with _answering():
            cursor = await self._connection.execute(
                "SELECT partition, max(log_offset) + 1 FROM relay_places GROUP BY partition"
            )
            return Position({(TOPIC, partition): head for partition, head in await cursor.fetchall()})

    async def after(self, number: int, limit: int) -> Sequence[Stored]:
        """The next events in commit order."""
        async with _answering():
            cursor = await self._connection.execute(AFTER, (number, limit))
            return [Stored(*row) for row in await cursor.fetchall()]

    async def advance(self, last: int, events: Sequence[Stored], places: Sequence[Placed]) -> None:
        """Record where these events lie, by compare-and-set. Raises Fenced where another relay has gone on."""
        columns = [p.partition for p in places], [e.number for e in events], [p.offset for p in places]
        async with _answering():
            cursor = await self._connection.execute(INSERT_RELAYED, (events[-1].number, last, *columns))
            moved = await cursor.fetchone()
        if moved != (1,):
            raise Fenced(f"another relay has gone on after event {last}")

    async def begin_anew(self) -> None:
        """Forget progress and places."""
        async with _answering(), self._connection.transaction():
            await self._connection.execute("UPDATE relay SET last_id = 0")
            await self._connection.execute("DELETE FROM relay_places")

    async def woken(self, seconds: float) -> None:
        """Wait for a commit of the store, so long at most; one since the last call returns at once."""
        async with _answering():
            async for _ in self._connection.notifies(timeout=seconds, stop_after=1):
                pass  # run to its end: a generator left halfway would keep the connection to itself


class PostgresRelayProgress:
    """`eventlog.relay.ports.RelayProgress`, through a link of its own."""

    def __init__(self, url: str) -> None:
        self._link = Link(url)

    async def before(self, number: int) -> RelayPosition:
        """How far the relay is, and where the events before this number lie. Raises Unavailable."""
        async with self._link.use() as connection:
            row = await (await connection.execute(BEFORE, (number,))).fetchone()
        assert row is not None, "an aggregate without groups has one row"
        head, next_number, partitions, ends = row
        places = zip(partitions or (), ends or (), strict=True)
        return RelayPosition(head, next_number, Position({(TOPIC, partition): end for partition, end in places}))

    async def close(self) -> None:
        """Close the connection."""
        await self._link.close()


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    """A connection that fails, or gives no answer, has lost the turn, too."""
    try:
        async with asyncio.timeout(LIMIT):
            yield
    except (psycopg.OperationalError, psycopg.InterfaceError, TimeoutError) as error:
        raise Unavailable(f"the event store does not answer: {error}") from error
