"""The embedded servers of one data folder, shared by every process that works on it.

Each user holds a shared lock on DIR/run/users.lock as long as it needs the servers; the kernel takes the lock back when
a user is killed. Whoever leaves last stops the servers; where the last one was killed, the caretaker does.
DIR/run/start.lock is held while somebody starts or stops them. So a start finds them running (adopts them) or finds
them dead (starts them again), and never starts them twice.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.postgres.roles import MEMBER, OWNER, READER, WRITER
from adapters.servers.caretaker import Caretaker
from adapters.servers.nats import NatsServer
from adapters.servers.postgres import PostgresServer
from adapters.servers.users import locked, open_users, users_lock
from domain.errors import AnalyticsError, Unavailable
from eventlog.backoff import pauses

LOCK_PATIENCE = 90.0  # seconds: somebody else may be waiting for a crash recovery
LOOK = 0.2  # seconds between two looks at the servers
LONGEST_PAUSE = 5.0  # seconds between two attempts to bring a server back


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the embedded servers are; empty or missing for one that was not asked for.

    `database_url` is the login of the server's administrator; the service has one for each of its roles.
    """

    database_url: str
    database_tcp_url: str
    owner_url: str
    writer_url: str
    writer_tcp_url: str
    reader_url: str
    member_url: str
    nats_url: str
    pids: dict[str, int]


class Servers:
    """Starts, adopts, watches and stops the embedded PostgreSQL and NATS of a data folder."""

    def __init__(self, directory: Path, *, database: bool = True, bus: bool = True, nats_port: int = 0) -> None:
        self._directory = directory.resolve()
        self._postgres = PostgresServer(self._directory)
        self._nats = NatsServer(self._directory, port=nats_port)
        self._running: dict[str, PostgresServer | NatsServer] = {}
        if database:
            self._running["postgres"] = self._postgres
        if bus:
            self._running["nats"] = self._nats
        self._caretaker = Caretaker(self._directory)
        self._users: int | None = None

    async def start(self) -> Addresses:
        """Make sure that the servers run and return where; raises Unavailable or Defect when they cannot."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        run = self._directory / "run"
        run.mkdir(mode=0o711, parents=True, exist_ok=True)  # holds the socket: others may pass, the password guards it
        async with self._starting():
            if self._users is None:
                self._users = open_users(self._directory)
                fcntl.flock(self._users, fcntl.LOCK_SH)
            await self._ensure()
        return self.addresses()

    def addresses(self) -> Addresses:
        """Where the servers are now."""
        database, bus = "postgres" in self._running, "nats" in self._running
        url, tcp_url = self._postgres.url, self._postgres.tcp_url
        return Addresses(
            database_url=url() if database else "",
            database_tcp_url=tcp_url() if database else "",
            owner_url=url(OWNER) if database else "",
            writer_url=url(WRITER) if database else "",
            writer_tcp_url=tcp_url(WRITER) if database else "",
            reader_url=url(READER) if database else "",
            member_url=url(MEMBER) if database else "",
            nats_url=self._nats.url if bus else "",
            pids={name: pid for name, server in self._running.items() if (pid := server.pid()) is not None},
        )

    async def stop(self) -> None:
        """Need the servers no longer; the last one to say so stops them. Raises Unavailable if one does not end."""
        if self._users is None:
            return
        async with self._starting():
            users, self._users = self._users, None
            try:
                if locked(users):  # nobody else works with them
                    await asyncio.gather(*(asyncio.to_thread(server.stop) for server in (*self._both, self._caretaker)))
            finally:
                os.close(users)

    async def stop_unused(self) -> bool:
        """For the caretaker: stop the servers where nobody works with them; False where somebody does.

        Raises Unavailable if one does not end.
        """
        async with self._starting():
            with users_lock(self._directory) as users:
                if not locked(users):
                    return False
                await asyncio.gather(*(asyncio.to_thread(server.stop) for server in self._both))
        return True

    async def watch(self, report: Callable[[str], None]) -> None:
        """Bring back servers that die, until cancelled; `report` gets a line for each event."""
        pause, rests = LOOK, pauses(2 * LOOK, LONGEST_PAUSE)
        while True:
            await asyncio.sleep(pause)
            if all(server.pid() is not None for server in self._needed):
                pause, rests = LOOK, pauses(2 * LOOK, LONGEST_PAUSE)
                continue
            report("an embedded server has died: starting it again")
            try:
                async with self._starting():
                    await self._ensure()
                report("the embedded servers run again")
            except (AnalyticsError, OSError, ValueError) as error:  # a full disk too: half a port file is no number
                pause = next(rests)
                report(f"cannot start the embedded servers, trying again in {pause:.1f} s: {error}")

    @property
    def _both(self) -> tuple[PostgresServer, NatsServer]:
        return self._postgres, self._nats

    @property
    def _needed(self) -> tuple[PostgresServer | NatsServer | Caretaker, ...]:
        return *self._running.values(), self._caretaker

    async def _ensure(self) -> None:
        """Bring up what is wanted; also when cancelled it ends only after the work in the threads, under the lock."""
        working = asyncio.gather(*(asyncio.to_thread(server.ensure) for server in self._needed))
        try:
            await asyncio.shield(working)
        except asyncio.CancelledError:
            await asyncio.gather(working, return_exceptions=True)
            raise

    @asynccontextmanager
    async def _starting(self) -> AsyncIterator[None]:
        """Hold the lock of those who start or stop servers."""
        descriptor = os.open(self._directory / "run" / "start.lock", os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + LOCK_PATIENCE
        try:
            while not locked(descriptor):
                if time.monotonic() > deadline:
                    raise Unavailable(f"somebody else is starting or stopping the servers in {self._directory}")
                await asyncio.sleep(0.02)
            yield
        finally:
            os.close(descriptor)
