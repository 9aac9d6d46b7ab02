"""What processes do that share work: they hold a piece of it while they are alive, and try again what may pass."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import stamina

from domain.errors import Unavailable
from eventlog import tasks

ATTEMPTS, FIRST_PAUSE, LONGEST_PAUSE = 5, 1.0, 30.0  # of a delivery; seconds between them


@asynccontextmanager
async def held(extend: Callable[[], Awaitable[None]], lease: float, name: str) -> AsyncIterator[None]:
    """Hold a piece of work while this lasts, saying so in each third of the lease (s).

    Whoever loses it stops at once, since another one has it: raises what `extend` raised, which is Fenced.
    """
    work = asyncio.current_task()
    lost: list[Exception] = []

    def stop(error: Exception) -> None:
        lost.append(error)
        if work is not None:
            work.cancel()

    alive = tasks.start(_stay(extend, lease), name, stop)
    try:
        yield
    except asyncio.CancelledError:
        if lost and work is not None and not work.uncancel():
            raise lost[0] from None
        raise
    finally:
        await tasks.end(alive)


async def _stay(extend: Callable[[], Awaitable[None]], lease: float) -> None:
    while True:
        await asyncio.sleep(lease / 3)
        await extend()


def attempts(first_pause: float = FIRST_PAUSE) -> AsyncIterator[stamina.Attempt]:
    """Of something to be sent: each after a longer pause (s), for as long as what fails may pass by itself."""
    return stamina.retry_context(
        Unavailable,
        attempts=ATTEMPTS,
        timeout=None,
        wait_initial=first_pause,
        wait_max=LONGEST_PAUSE,
        wait_jitter=first_pause,
    ).__aiter__()
