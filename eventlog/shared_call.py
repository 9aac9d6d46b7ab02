"""A call of something that may fall silent, such as a frozen database: nobody waits for it longer than they can."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from domain.errors import Unavailable
from eventlog import tasks

T = TypeVar("T")


class SharedCall(Generic[T]):
    """One call at a time; who asks while it runs waits for the same answer, at most `patience` seconds.

    A call that does not come back is not cancelled: drivers wait for the server to confirm a cancellation. It goes on,
    and everybody is told so until it ends.
    """

    def __init__(self, call: Callable[[], Awaitable[T]], name: str, patience: float = math.inf) -> None:
        self._call = call
        self._name = name
        self._patience = patience
        self._running: asyncio.Task[T] | None = None
        self._since = 0.0

    async def __call__(self) -> T:
        """The answer. Raises Unavailable where none comes in time, and whatever the call raises."""
        loop = asyncio.get_running_loop()
        if self._running is None or self._running.done():
            self._running, self._since = tasks.owned(self._answer(), self._name), loop.time()
            self._running.add_done_callback(_retrieve)
        running = self._running
        await asyncio.wait({running}, timeout=None if self._patience == math.inf else self._patience)
        if not running.done():
            raise Unavailable(f"{self._name} has not answered for {loop.time() - self._since:.1f} s")
        return running.result()

    async def _answer(self) -> T:
        return await self._call()


def _retrieve(task: asyncio.Task[T]) -> None:
    """Whoever still waits is told of the failure; where nobody does, it is nobody's."""
    if not task.cancelled():
        task.exception()
