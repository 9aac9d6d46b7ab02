"""One PostgreSQL connection that comes back after the server was away, with our errors instead of the driver's."""

from __future__ import annotations

import asyncio
import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from psycopg import waiting
from psycopg.abc import RV, PQGen
from psycopg.rows import TupleRow

from domain.errors import Defect, Unavailable
from eventlog.backoff import pauses

PATIENCE = 3.0  # seconds to wait for a server that does not take connections (it may be starting again)
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5  # seconds between two attempts, doubling
LOOK = 0.1  # seconds between two looks of psycopg at the clock
LIMIT = 60.0  # seconds that one use may last: a frozen server must not hang its clients


class Connection(psycopg.AsyncConnection[TupleRow]):
    """A connection that is closed when what waits for it is cancelled.

    By itself, psycopg asks the server to cancel the statement and waits for it, ten seconds beyond every time limit
    where the server is frozen.
    """

    async def wait(self, gen: PQGen[RV], interval: float = LOOK, timeout: float | None = None) -> RV:  # noqa: ASYNC109 (psycopg's signature)
        """Wait for the server, `timeout` seconds at most."""
        try:
            return await waiting.wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)
        except asyncio.CancelledError:
            self.pgconn.finish()
            raise


async def connect(url: str, *, options: str = "", patience: float = PATIENCE) -> Connection:
    """Open an autocommit connection, trying again for `patience` seconds; raises Unavailable after that.

    `options` are server settings of the session, as `-c name=value ...`.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    rests = pauses(FIRST_PAUSE, LONGEST_PAUSE)
    while True:
        pause = next(rests)
        try:
            return await Connection.connect(
                url, autocommit=True, connect_timeout=5, prepare_threshold=2, options=options or None
            )
        except psycopg.OperationalError as error:
            if loop.time() + pause > deadline:
                raise Unavailable(f"the database does not answer: {error}") from error
        except asyncio.CancelledError as error:
            # Its frames keep a connection half made, and open for as long as somebody keeps the task. The server would
            # wait for the rest of it, a minute long, and DROP DATABASE for the server's process.
            raise error.with_traceback(None) from None
        await asyncio.sleep(pause)


class Link:
    """A connection for one user at a time, opened when first needed and again when it was lost."""

    def __init__(self, url: str, *, options: str = "", patience: float = PATIENCE) -> None:
        self._url, self._options, self._patience = url, options, patience
        self._connection: Connection | None = None
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def use(self, limit: float = LIMIT) -> AsyncIterator[Connection]:
        """The connection, for at most `limit` seconds, of which some may pass until it is this user's turn.

        Raises Unavailable when the server does not answer (what was under way may have happened), Defect when it
        refuses what was asked. After any error the connection is thrown away, so that no state is left behind.
        """
        try:
            async with asyncio.timeout(limit), self._turn:
                try:
                    if self._connection is not None and _has_died(self._connection):
                        await self._drop()
                    if self._connection is None:
                        self._connection = await connect(self._url, options=self._options, patience=self._patience)
                    yield self._connection
                except BaseException:
                    await self._drop()
                    raise
        except (psycopg.OperationalError, psycopg.InterfaceError, TimeoutError) as error:
            raise Unavailable(f"the database does not answer: {error or 'in time'}") from error
        except psycopg.Error as error:
            raise Defect(f"the database refuses a statement: {error}") from error

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def close(self) -> None:
        """Close the connection once its user is done."""
        async with self._turn:
            await self._drop()


def _has_died(idle: Connection) -> bool:
    """Whether the server has closed an idle connection: only its farewell can be waiting to be read."""
    if idle.closed:
        return True
    poll = select.poll()
    poll.register(idle.fileno(), select.POLLIN)
    return bool(poll.poll(0))
