"""Wake-ups: tells waiting readers and workers of this process that the log has changed."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import psycopg

from adapters.postgres.connections.link import connect
from domain.errors import Unavailable
from eventlog import tasks

APPENDED = "log_append"  # channel; the payload names the topic
MEMBERS = "log_members"  # channel; the payload names the group
LONGEST_PAUSE = 1.0  # seconds between two attempts to listen again


class Wakeups:
    """Listens on one connection, from the first time that somebody waits until `close`.

    A wake-up may come without a change and, while the server is away, a change without a wake-up: whoever waits looks
    again by itself from time to time.
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
            with suppress(Unavailable, psycopg.Error):
                async with await connect(self._url) as connection:
                    await connection.execute(f"listen {APPENDED}")
                    await connection.execute(f"listen {MEMBERS}")
                    self._wake_all()  # changes before this were not heard
                    async for notice in connection.notifies():
                        self._wake((notice.channel, notice.payload))
            await asyncio.sleep(LONGEST_PAUSE)

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
