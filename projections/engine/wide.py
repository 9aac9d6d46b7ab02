"""Wide answers: what has many rows is loaded, shaped and encoded beside the event loop, one at a time, tenants in turn.

In the loop, fifty thousand rows hold up every other caller of the process for seconds. Few rows stay in it: on busy
cores the way to a thread and back takes longer than they do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import ParamSpec, TypeVar

from projections.engine.turns import Share, Turns

FEW = 1_000  # rows that stay in the event loop: some milliseconds
CHUNK = 500  # rows of one call into a library that lets no other thread run meanwhile

# One thread: a second would double how long the loop waits for the interpreter, and finish nothing sooner.
TURNS = Turns("wide answers", Share(1, of_tenant=1, waiting=32, patience=30.0))

P = ParamSpec("P")
Result = TypeVar("Result")


async def beside(rows: int, company: str, work: Callable[P, Result], *arguments: P.args, **named: P.kwargs) -> Result:
    """What the work on so many rows gives. Raises what it raises, and LimitExceeded as `Turns.turn` does.

    Who comes here holds rows already, and so goes before those who do not.
    """
    if rows <= FEW:
        return work(*arguments, **named)
    async with TURNS.turn(company, first=True):
        return await asyncio.get_running_loop().run_in_executor(_thread(), lambda: work(*arguments, **named))


@cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="wide")
