"""Clients of aiokafka, started whole or not at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

Client = TypeVar("Client", bound=Any)


async def started(client: Client, close: Callable[[Client], Awaitable[object]]) -> Client:
    """The client once it has started; one that cannot, or whose start is cancelled, is closed."""
    try:
        await client.start()
    except BaseException:
        await close(client)
        raise
    return client
