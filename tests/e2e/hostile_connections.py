"""Connections that take what they can get: endless heads, requests that never end, answers that nobody reads.

Each is a context: while it is open, so many such connections stand at the address, and those that are closed are made
anew. Nothing here waits for an answer that makes sense.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from urllib.parse import urlsplit

MEGABYTE = 1024 * 1024
PIECE = b"x" * 262_144
LINES = b"".join(b"X-Line-%d: y\r\n" % n for n in range(16_384))
BREATH = 0.05  # seconds before a connection that was closed is made anew

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Misbehave = Callable[[Connection], Awaitable[None]]


@asynccontextmanager
async def big_heads(address: str, number: int = 8) -> AsyncIterator[None]:
    """Heads of 64 MB in one line, and of 16 MB in short ones, in turn."""

    async def send(connection: Connection, piece: bytes, size: int) -> None:
        _, writer = connection
        writer.write(b"GET /api/v1/projections HTTP/1.1\r\nHost: localhost\r\nX-Long: ")
        for _ in range(size // len(piece)):
            writer.write(piece)
            await writer.drain()
        await _closed(connection)

    one_line = partial(send, piece=PIECE, size=64 * MEGABYTE)
    many_lines = partial(send, piece=LINES, size=16 * MEGABYTE)
    async with _standing(address, number, (one_line, many_lines)):
        yield


@asynccontextmanager
async def half_open(address: str, number: int = 300) -> AsyncIterator[None]:
    """Connections that say nothing, half a head, a head a byte at a time, or half a body, and wait."""

    def saying(text: bytes) -> Misbehave:
        async def say(connection: Connection) -> None:
            connection[1].write(text)
            await _closed(connection)

        return say

    async def dribble(connection: Connection) -> None:
        for byte in itertools.chain(b"GET /api/v1/health HTTP/1.1\r\nX-Slow: ", itertools.repeat(0x78)):
            connection[1].write(bytes([byte]))
            await connection[1].drain()
            await asyncio.sleep(0.5)

    head = b"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\n"
    ways = (saying(b""), saying(head), saying(head + b"Content-Length: 100000\r\n\r\n[{"), dribble)
    async with _standing(address, number, ways):
        yield


@asynccontextmanager
async def slow_readers(
    address: str, number: int, token: str, path: str = "/api/v1/metrics", times: int = 20
) -> AsyncIterator[None]:
    """Connections that ask for `path` so many times in a row and read nothing of the answers."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()

    async def ask(connection: Connection) -> None:
        writer = connection[1]
        transport = writer.transport
        assert isinstance(transport, asyncio.ReadTransport)
        transport.pause_reading()
        writer.write(request * times)
        await asyncio.sleep(3_600)

    async with _standing(address, number, (ask,)):
        yield


async def _closed(connection: Connection) -> None:
    """Wait until the other side has closed."""
    while await connection[0].read(65_536):
        pass


@asynccontextmanager
async def _standing(address: str, number: int, ways: tuple[Misbehave, ...]) -> AsyncIterator[None]:
    """So many connections, each of them in one of the ways, until the context ends."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_again(address, ways[n % len(ways)])) for n in range(number)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


async def _again(address: str, misbehave: Misbehave) -> None:
    split = urlsplit(address)
    while True:
        with suppress(OSError), socket.socket() as sock:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            await asyncio.get_running_loop().sock_connect(sock, (split.hostname, split.port))
            connection = await asyncio.open_connection(sock=sock)
            try:
                await misbehave(connection)
            finally:
                connection[1].transport.abort()
        await asyncio.sleep(BREATH)
