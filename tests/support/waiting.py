"""Waiting for what comes about by itself, and of which nothing tells."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(true: Callable[[], T], seconds: float = 60.0, every: float = 0.05) -> T:
    """What it gives once that is true; fails when it does not become true in time."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(every)
    return found


async def happens(true: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait, while others work, until it is true; fails when it does not become true in time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)
