"""Connections that are given up before they are made."""

from __future__ import annotations

import asyncio

from adapters.postgres.connections.link import connect


async def test_connecting_that_is_cancelled_leaves_nothing_open() -> None:
    """Also while the task is kept: the server would wait a minute for the rest, and whoever drops a database for it."""
    begun, gone = asyncio.Event(), asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        begun.set()
        await reader.read()  # until the client has closed it
        gone.set()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, asyncio.timeout(10):
        connecting = asyncio.create_task(connect(f"postgresql://anybody@127.0.0.1:{port}/any"))
        await begun.wait()
        connecting.cancel()
        await asyncio.wait({connecting})
        await gone.wait()
    assert connecting.cancelled()
