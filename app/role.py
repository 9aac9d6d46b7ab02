"""What a process role is.

A role runs until `stop` is set. Several may run in one process; `up` gives each a process of its own, so that a burst
of events at one door never slows the reads at another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.settings import Settings

Ready = Callable[[int], None]  # called with the port, 0 where there is none
Serve = Callable[[Settings, asyncio.Event, Ready], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Role:
    """A process role: what it does, how to serve it, and the variable of its port.

    `nice`: how far its process steps back while the machine is busy. What people wait for comes first (0: live windows,
    reads, intake), then what they see a moment later, then what nobody looks at.
    """

    name: str
    summary: str
    serve: Serve
    port_variable: str | None = None
    nice: int = 0
