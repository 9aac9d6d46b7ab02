"""Modules of the bench that run as processes of their own, and what they print."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from domain.errors import Unavailable


@asynccontextmanager
async def child(
    module: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> AsyncIterator[asyncio.StreamReader]:
    """The standard output of the module, which runs for as long as this lasts."""
    command = [sys.executable, "-m", module, *arguments]
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield process.stdout
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def first_line(output: asyncio.StreamReader, otherwise: str) -> bytes:
    """The next line. Raises Unavailable, saying `otherwise`, where the process ends without one."""
    line = await output.readline()
    if not line:
        raise Unavailable(otherwise)
    return line
