"""Wide answers: what has many rows is loaded, shaped and encoded beside the event loop, one at a time, tenants in turn.

In the loop, fifty thousand rows hold up every other caller of the process for seconds. Few rows stay in it: on busy
cores the way to a thread and back takes longer than they do. Giving rows back takes long as well, and where the last
one to hold them is a coroutine, the loop does it, at once: so whoever has used rows up gives them back in pieces.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from projections.engine.turns import Share, Turns

FEW = 200  # rows that stay in the event loop: some milliseconds
CHUNK = 100  # rows of one call into a library that lets no other thread run meanwhile

# One thread: a second would double how long the loop waits for the interpreter, and finish nothing sooner.
TURNS = Turns("wide answers", Share(1, of_tenant=1, waiting=32, patience=30.0))

Row = TypeVar("Row")
Result = TypeVar("Result")


async def beside(
    rows: Sequence[Row], company: str, work: Callable[[Sequence[Row]], Result], *, keep: bool = False
) -> Result:
    """What the work makes of the rows, which nobody else may need afterwards unless they are to be kept.

    Raises what it raises, and LimitExceeded as `Turns.turn` does. Who comes here holds rows already, and so goes before
    those who do not.
    """
    if len(rows) <= FEW:
        return work(rows)
    async with TURNS.turn(company, first=True):
        working = asyncio.get_running_loop().run_in_executor(_thread(), _worked, rows, work, keep)
        try:
            return await asyncio.shield(working)
        finally:  # a thread goes on though nobody waits for it any more, and the turn is over when it is
            await asyncio.wait((working,))


def _worked(rows: Sequence[Row], work: Callable[[Sequence[Row]], Result], keep: bool) -> Result:  # of `beside`
    """In the thread: the work, and then the rows are given back, a few at a time."""
    try:
        result = work(rows)
    finally:
        if not keep:
            give_back(rows)
    return result


def give_back(rows: Sequence[object]) -> None:
    """Empty a list in pieces, between which other threads have their turn."""
    while isinstance(rows, list) and rows:
        del rows[-CHUNK:]


@cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="wide")
