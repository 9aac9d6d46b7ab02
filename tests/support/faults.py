"""Faults at ports: any awaited call of a real adapter may fail, hang, or fail after it was done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from inspect import iscoroutinefunction
from types import MappingProxyType
from typing import Any

from domain.errors import Defect, LimitExceeded, Unavailable

HANG = "hang"
FAULTS: Mapping[str, Callable[[], Exception] | None] = MappingProxyType(
    {
        "unavailable": lambda: Unavailable("the server is away"),
        "limit": lambda: LimitExceeded("too large"),
        "defect": lambda: Defect("refused"),
        "runtime": lambda: RuntimeError("nobody expected this"),
        "timeout": TimeoutError,
        HANG: None,
    }
)


class Faulty:
    """A port on top of a real one: while `fault` is set, the calls named in `at` meet it, `late` or before their work.

    Everything else passes through. `met` counts the calls that met a fault. A hanging call ends when the fault does.
    """

    def __init__(self, real: Any, *at: str) -> None:
        self._real, self._at = real, at
        self._over = asyncio.Event()
        self.fault: str | None = None
        self.late = False
        self.met = 0
        self.occurred = asyncio.Event()

    def begin(self, fault: str, *, late: bool = False) -> None:
        """From now on."""
        self.fault, self.late = fault, late
        self._over.clear()

    def end(self) -> None:
        """It is over."""
        self.fault = None
        self._over.set()

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if name not in self._at or not iscoroutinefunction(real):
            return real

        async def call(*given: Any, **named: Any) -> Any:
            if self.fault is not None and not self.late:
                await self._meet()
            answer = await real(*given, **named)
            if self.fault is not None and self.late:
                await self._meet()
            return answer

        return call

    async def _meet(self) -> None:
        self.met += 1
        self.occurred.set()
        error = FAULTS[self.fault or HANG]
        if error is not None:
            raise error()
        await self._over.wait()
