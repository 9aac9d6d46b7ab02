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
from eventlog.backoff import pauses
from eventlog.tasks import end, first, owned

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # seconds before a dead child is started again: doubled each time
HEALTHY_AFTER = 10.0  # seconds after which a child counts as healthy and its pause begins anew
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
        options: Sequence[str] = (),
    ) -> None:
        self.role = role
        self.name = name
        self.port = 0
        self.pid: int | None = None
        self._environment = dict(environment)
        self._port_variable = port_variable
        self._process: Process | None = None
        self._ready = asyncio.Event()
        self._announced = False  # in its present life
        self._stopping = False
        self._stuck = stuck_seconds
        self._options = options

    async def run(self) -> None:
        """Keep the child alive until `stop`. Raises Unavailable when it ended by itself before it was ever ready.

        Whatever else happens to it, being killed before it was ready too, another one takes its place.
        """
        rests = pauses(FIRST_PAUSE, LONGEST_PAUSE)
        while not self._stopping:
            started = time.monotonic()
            code = await self._once()
            if self._stopping:
                return
            if isinstance(code, int) and code >= 0 and not self._ready.is_set():
                raise Unavailable(f"{self.name} could not start (its reason stands above)", code="start_failed")
            if time.monotonic() - started > HEALTHY_AFTER:
                rests = pauses(FIRST_PAUSE, LONGEST_PAUSE)
            pause = next(rests)
            logger.warning("%s ended with code %s; starting it again in %.1f s", self.name, code, pause)
            await asyncio.sleep(pause)

    async def ready(self) -> None:
        """Return once the child has been ready. Raises Unavailable after `READY_PATIENCE` seconds."""
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

    async def _once(self) -> int | Exception:
        """One life of the child: its exit code, or why it could not live (no memory, no process to be had)."""
        try:
            return await self._life()
        except Exception as error:
            logger.exception("%s cannot be supervised", self.name)
            return error

    async def _life(self) -> int:
        command = (sys.executable, "-m", "app.cli", "serve", self.role, *self._options, "--supervised")
        self._process = process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, env=self._environment, start_new_session=True
        )
        self.pid, self._announced = process.pid, False
        try:
            if not self._stopping:
                # its end is known from itself: somebody else may hold its stdout open
                await first(process.wait(), self._listen(process))
        except TimeoutError:
            logger.error("%s gave no sign of life for %.0f s and is killed", self.name, self._stuck)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        return await process.wait()

    async def _listen(self, process: Process) -> None:
        """Take what the child says until it closes its stdout. Raises TimeoutError when it is silent for too long.

        One that begins loads libraries first, which takes long on a busy machine. Each is given its time twice: after
        this process itself was frozen, what the child wrote meanwhile comes first.
        """
        assert process.stdout is not None
        silent, line = 0, b""
        while silent < 2:
            patience = self._stuck if self._announced else max(self._stuck, READY_PATIENCE)
            try:
                limit = patience / 2 if patience < math.inf else None
                line = await asyncio.wait_for(process.stdout.readline(), limit)
            except TimeoutError:
                silent += 1
                continue
            except ValueError:  # longer than any line of ours
                continue
            if not line:
                return
            silent = 0
            self._take(line)
        raise TimeoutError

    def _take(self, line: bytes) -> None:
        """Take the child's announcement. A port it chose is its own for good: others have been told of it.

        What is no announcement comes from a library, and says nothing to us.
        """
        try:
            message = json.loads(line)
            if "ready" not in message:
                return
            self.port = int(message.get("port", 0))
        except (ValueError, TypeError, AttributeError):
            return
        if self._port_variable and self.port:
            self._environment[self._port_variable] = str(self.port)
        self._announced = True
        self._ready.set()


async def supervise(children: Sequence[Child], stop: asyncio.Event, ready: asyncio.Event) -> None:
    """Run the children until `stop`; `ready` is set once each has been ready. Raises the first child's failure."""
    running = [owned(child.run(), child.name) for child in children]
    stopping = owned(stop.wait(), "until stop")
    waiting = owned(_all_ready(children, ready), "until ready")
    ends: list[asyncio.Task[Any]] = [stopping, *running]
    try:
        await asyncio.wait((waiting, *ends), return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            waiting.result()
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await asyncio.gather(*(child.stop() for child in children))
        await end(waiting, *ends)
    for child in running:
        if not child.cancelled():
            child.result()


async def _all_ready(children: Sequence[Child], ready: asyncio.Event) -> None:
    await asyncio.gather(*(child.ready() for child in children))
    ready.set()


# Two malloc arenas instead of eight a core: each keeps what it once needed, which cost a projector 50 MB of 400.
FOR_EVERY_CHILD = {"PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2"}


def child_environment(values: Mapping[str, object]) -> dict[str, str]:
    """This process's environment with these settings in it: children are told all settings that way."""
    return {**os.environ, **{name: str(value) for name, value in values.items()}, **FOR_EVERY_CHILD}
