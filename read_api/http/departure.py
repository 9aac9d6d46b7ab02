"""Callers who leave before they are answered: their work is ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from litestar import Request

from domain.errors import Unavailable
from eventlog import tasks

LOOK = 0.05  # seconds after which it is looked whether the caller is still there
T = TypeVar("T")


async def for_caller(request: Request[Any, Any, Any], work: Coroutine[Any, Any, T]) -> T:
    """What the work gives; it is ended where the caller leaves first. Raises what the work raises, Unavailable then."""
    caller = _Listening(request.receive)
    try:
        return await work
    except asyncio.CancelledError:
        if not caller.left:
            raise
        raise Unavailable("the caller has left", code="caller_left") from None
    finally:
        await caller.forget()


class _Listening:
    """Looks whether the caller of the task in hand is still there, from LOOK seconds on: most are answered by then."""

    def __init__(self, receive: Callable[[], Awaitable[Any]]) -> None:
        self.left = False
        self._receive = receive
        self._work = asyncio.current_task()
        self._looking: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(LOOK, self._look)

    def _look(self) -> None:
        self._looking = tasks.start(self._until_left(), "caller")

    async def _until_left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.left = True
        assert self._work is not None
        self._work.cancel()

    async def forget(self) -> None:
        """The work has ended."""
        self._timer.cancel()
        if self._looking is not None:
            try:
                await tasks.end(self._looking)
            except asyncio.CancelledError:
                if not self.left:  # else it came when the work was done
                    raise
