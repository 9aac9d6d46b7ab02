"""Background work that is heard of: the only place that makes asyncio tasks outside of a TaskGroup.

Where the parent lives as long as its children, `asyncio.TaskGroup` is right. Work that outlives the call that began it
comes through here, so that its failure reaches the log and whoever waits for it. It lies in this room because it is
the lowest one that knows asyncio: every room above may use it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from domain.errors import Defect
from eventlog.backoff import pauses

T = TypeVar("T")
logger = logging.getLogger(__name__)

_RUNNING: set[asyncio.Task[Any]] = set()  # asyncio itself holds tasks weakly


def start(
    work: Coroutine[Any, Any, T], name: str, failed: Callable[[Exception], None] = lambda _error: None
) -> asyncio.Task[T]:
    """Begin work that nobody awaits. Where it fails, that is logged under its name, and `failed` is called.

    `failed` passes the error on to whoever waits for the part, or ends the part; it must not raise.
    """
    task = owned(work, name)
    task.add_done_callback(partial(_hear, failed))
    return task


def owned(work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
    """Begin work whose owner awaits it in every way out, and so hears of its failure itself."""
    task = asyncio.create_task(work, name=name)
    _RUNNING.add(task)
    task.add_done_callback(_RUNNING.discard)
    return task


async def keep(work: Callable[[], Awaitable[None]], name: str, *, pause: float = 0.1, longest: float = 10.0) -> None:
    """Do the work until it returns by itself; after a failure, which is logged, begin it anew.

    `pause`: seconds before the first new beginning, doubling up to `longest`; a run that lasted longer than `longest`
    resets it.
    """
    loop, rests = asyncio.get_running_loop(), pauses(pause, longest)
    while True:
        began = loop.time()
        try:
            await work()
            return
        except Exception:
            if loop.time() - began > longest:
                rests = pauses(pause, longest)
            rest = next(rests)
            logger.exception("%s failed and begins anew in %.1f s", name, rest)
        await asyncio.sleep(rest)


async def end(*tasks: asyncio.Task[Any] | None) -> None:
    """Cancel work and wait until it has ended. Failures were heard of elsewhere; None stands for work never begun."""
    ending = [task for task in tasks if task is not None]
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)


async def attended(work: Callable[[], Awaitable[T]]) -> T:
    """Do work in which a CancelledError that nobody asked for is a failure like any other.

    A TaskGroup, and whoever awaits a task that was cancelled, takes it for an end that was wanted. Raises Defect.
    """
    try:
        return await work()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise Defect("background work was cancelled from within") from None


async def first(*work: Coroutine[Any, Any, Any]) -> int:
    """Run side by side until one of them has ended, end the others, and return the number of the one that ended.

    Raises what it raised. Of several that ended together the one that failed is told, or the first one given.
    """
    tasks = [owned(each, f"first-{number}") for number, each in enumerate(work)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ended = [number for number, task in enumerate(tasks) if task.done()]
    finally:
        await end(*tasks)
    for number in ended:
        tasks[number].result()
    return ended[0]


def _hear(failed: Callable[[Exception], None], task: asyncio.Task[Any]) -> None:
    if task.cancelled():
        return
    error = task.exception()
    if error is None:
        return
    logger.error("%s failed", task.get_name(), exc_info=error)
    if isinstance(error, Exception):
        failed(error)
