"""The script that draws charts, out of the installed package: made once a version, in a process of its own.

To make it takes seconds and 200 MB, so that no process that serves does it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path

from domain.errors import Unavailable
from eventlog import tasks
from read_api.web.rendering import File, file_of

BUNDLE = "vega.js"
MAKE = "import sys, vl_convert; sys.stdout.buffer.write(vl_convert.javascript_bundle().encode())"
Keep = Callable[[Path, bytes], None]


@cache
def bundle_version() -> str:
    """The stamp of the bundle: it changes with the package."""
    return version("vl-convert-python")


def bundle_address() -> str:
    """Where pages load it."""
    return f"/static/{bundle_version()}/{BUNDLE}"


class Bundle:
    """The bundle of one process: read from its file, or made when a page first wants it."""

    def __init__(self, folder: Path, keep: Keep) -> None:
        self._path = folder / f"vega-{bundle_version()}.js"
        self._keep = keep
        self._making: asyncio.Task[File] | None = None

    def begin(self) -> asyncio.Task[File]:
        """See that it is there soon."""
        if self._making is None or (self._making.done() and self._making.exception() is not None):
            self._making = tasks.start(self._file(), "making the script that draws charts")
        return self._making

    async def file(self) -> File:
        """What pages load. Raises Unavailable where the package does not give it."""
        return await asyncio.shield(self.begin())

    async def close(self) -> None:
        """Nobody wants it any more."""
        await tasks.end(self._making)

    async def _file(self) -> File:
        if not self._path.exists():
            content = await _made()
            await asyncio.to_thread(self._keep, self._path, content)
        return await asyncio.to_thread(lambda: file_of(self._path.read_bytes()))


async def _made() -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", MAKE,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        content, said = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        raise
    if process.returncode:
        raise Unavailable(f"no script that draws charts could be made: {said.decode(errors='replace')[-300:]}")
    return content
