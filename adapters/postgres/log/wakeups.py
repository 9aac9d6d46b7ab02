"""Wake-ups: tells waiting readers and workers of this process that the log has changed."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import psycopg

from adapters.postgres.connections.link import Connection, connect
from domain.errors import Unavailable
from eventlog import tasks

APPENDED = "log_append"  # channel; the payload names the topic
MEMBERS = "log_members"  # channel; the payload names the group
LOOK_AGAIN = 1.0  # seconds between two looks for what was not heard
PAUSE = 0.1  # seconds between two attempts to listen again
SILENT = 5.0  # seconds in which a look must be answered, or the connection is given up
HEADS = "select topic, sum(next_offset) from log.partitions group by topic"


class Wakeups:
    """Listens on one connection, from the first time that somebody waits until `close`.

    On the same connection it looks for appends that were not heard, for all who wait. What is heard comes straight from
    libpq: psycopg looks for it ten times a second, which was a third of what an idle instance did. A wake-up may come
    without a change; and while the server is away, a change without a wake-up.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._waiting: dict[tuple[str, str], asyncio.Future[None]] = {}
        self._listening: asyncio.Task[None] | None = None

    def next(self, channel: str, name: str) -> asyncio.Future[None]:
        """A future that is done at the next change. Take it before looking, so that no change is missed between."""
        if self._listening is None:
            self._listening = tasks.start(tasks.keep(self._listen, "listening to the log"), "listening to the log")
        waiting = self._waiting.get((channel, name))
        if waiting is None or waiting.done():
            waiting = self._waiting[channel, name] = asyncio.get_running_loop().create_future()
        return waiting

    async def close(self) -> None:
        """Stop listening and wake everybody."""
        await tasks.end(self._listening)
        self._wake_all()

    async def _listen(self) -> None:
        while True:
            with suppress(Unavailable, psycopg.Error, TimeoutError):
                async with await connect(self._url) as connection:
                    await connection.execute(f"listen {APPENDED}")
                    await connection.execute(f"listen {MEMBERS}")
                    self._wake_all()  # changes before this were not heard
                    await self._hear(connection)
            await asyncio.sleep(PAUSE)

    async def _hear(self, connection: Connection) -> None:
        clock = asyncio.get_running_loop().time
        heads: dict[str, int] = {}
        while True:
            async with asyncio.timeout(SILENT):
                rows = await (await connection.execute(HEADS)).fetchall()
            for topic in (topic for topic, head in rows if heads.get(topic) != head):
                self._wake((APPENDED, topic))
            heads, look = dict(rows), clock() + LOOK_AGAIN
            async for notice in connection.notifies(timeout=0):  # those that came with the answer
                self._wake((notice.channel, notice.payload))
            self._take_notices(connection)
            while await readable(connection.fileno(), look - clock()):
                self._take_notices(connection)

    def _take_notices(self, connection: Connection) -> None:
        connection.pgconn.consume_input()
        while (notice := connection.pgconn.notifies()) is not None:
            self._wake((notice.relname.decode(), notice.extra.decode()))

    def _wake(self, key: tuple[str, str]) -> None:
        waiting = self._waiting.pop(key, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def _wake_all(self) -> None:
        for key in list(self._waiting):
            self._wake(key)


async def wait_for(change: asyncio.Future[None], seconds: float) -> None:
    """Wait until the change, at most so long; the future stays usable for others."""
    await asyncio.wait({change}, timeout=max(0.0, seconds))


async def readable(file: int, seconds: float) -> bool:
    """Whether there is something to read of it, or it has ended, within so many seconds."""
    loop, arrived = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(file, arrived.set)
    try:
        async with asyncio.timeout(seconds):
            await arrived.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(file)
    return True
