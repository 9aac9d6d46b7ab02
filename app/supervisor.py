"""Children of `analytics up`: started, awaited until ready, started again when they die, drained at the end.

A child is `analytics serve ROLE --supervised`: it prints one JSON line on stdout when it is ready, and drains when its
stdin ends, which happens however this process dies.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from typing import Any

from domain.errors import Unavailable

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # seconds before a dead child is started again: doubled each time
SETTLED = 10.0  # seconds after which a child counts as healthy and its pause begins anew
READY_PATIENCE = 60.0  # seconds that a child may take to become ready
DRAIN_PATIENCE = 3.0  # seconds that children may take to drain, so that all of it ends within 5

logger = logging.getLogger(__name__)


class Child:
    """One supervised process: `role` is what it serves, `name` what log lines call it."""

    def __init__(
        self,
        role: str,
        name: str,
        environment: Mapping[str, str],
        port_variable: str | None = None,
        *,
        stuck_seconds: float = math.inf,
    ) -> None:
        self.role = role
        self.name = name
        self.port = 0
        self.pid: int | None = None
        self._environment = dict(environment)
        self._port_variable = port_variable
        self._process: Process | None = None
        self._ready = asyncio.Event()
        self._stopping = False
        self._stuck = stuck_seconds

    async def run(self) -> None:
        """Keep the child alive until `stop`. Raises Unavailable when it ends before it was ready for the first time."""
        pause = FIRST_PAUSE
        while not self._stopping:
            started = time.monotonic()
            code = await self._once()
            if self._stopping:
                return
            if not self._ready.is_set():
                raise Unavailable(f"{self.name} could not start (its reason stands above)", code="start_failed")
            pause = FIRST_PAUSE if time.monotonic() - started > SETTLED else min(pause * 2, LONGEST_PAUSE)
            logger.warning("%s ended with code %s; starting it again in %.1f s", self.name, code, pause)
            await asyncio.sleep(pause)

    async def ready(self) -> None:
        """Return once the child has been ready."""
        try:
            await asyncio.wait_for(self._ready.wait(), READY_PATIENCE)
        except TimeoutError:
            raise Unavailable(f"{self.name} was not ready within {READY_PATIENCE:.0f} s", code="start_failed") from None

    async def stop(self) -> None:
        """Ask the child to drain, and end it when it takes too long."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), DRAIN_PATIENCE)
            except TimeoutError:
                logger.error("%s did not drain within %.1f s and is killed", self.name, DRAIN_PATIENCE)
                process.kill()
                await process.wait()

    async def _once(self) -> int:
        command = (sys.executable, "-m", "app.cli", "serve", self.role, "--supervised")
        self._process = process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, env=self._environment, start_new_session=True
        )
        self.pid = process.pid
        try:
            while await self._next_line(process):
                pass
        except TimeoutError:
            logger.error("%s gave no sign of life for %.0f s and is killed", self.name, self._stuck)
            process.kill()
        return await process.wait()

    async def _next_line(self, process: Process) -> bool:
        """Take the child's next line; False at its end. Raises TimeoutError when a child that was ready is silent.

        It is given its time twice: after this process itself was frozen, what the child wrote meanwhile comes first.
        """
        assert process.stdout is not None
        reading = asyncio.ensure_future(process.stdout.readline())
        for _ in range(2):
            patience = self._stuck / 2 if self._ready.is_set() and self._stuck < math.inf else None
            done, _pending = await asyncio.wait({reading}, timeout=patience)
            if done:
                self._heard(reading.result())
                return bool(reading.result())
        reading.cancel()
        raise TimeoutError

    def _heard(self, line: bytes) -> None:
        """Take the child's announcement. A port it chose is its own for good: others have been told of it."""
        said = json.loads(line or "{}")
        if "ready" not in said:
            return
        self.port = int(said.get("port", 0))
        if self._port_variable and self.port:
            self._environment[self._port_variable] = str(self.port)
        self._ready.set()


async def supervise(children: Sequence[Child], stop: asyncio.Event, ready: asyncio.Event) -> None:
    """Run the children until `stop`; `ready` is set once each has been ready. Raises the first child's failure."""
    running = [asyncio.create_task(child.run(), name=child.name) for child in children]
    stopping = asyncio.create_task(stop.wait())
    waiting = asyncio.create_task(_all_ready(children, ready))
    ends: list[asyncio.Task[Any]] = [stopping, *running]
    try:
        await asyncio.wait((waiting, *ends), return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            waiting.result()
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        stopping.cancel()
        await asyncio.gather(*(child.stop() for child in children))
        outcomes = await asyncio.gather(*running, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


async def _all_ready(children: Sequence[Child], ready: asyncio.Event) -> None:
    await asyncio.gather(*(child.ready() for child in children))
    ready.set()


# Two malloc arenas instead of eight a core: each keeps what it once needed, which cost a projector 50 MB of 400.
FOR_EVERY_CHILD = {"PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2"}


def child_environment(values: Mapping[str, object]) -> dict[str, str]:
    """This process's environment with these settings in it: children are told all settings that way."""
    return {**os.environ, **{name: str(value) for name, value in values.items()}, **FOR_EVERY_CHILD}
