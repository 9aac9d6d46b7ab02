"""Answers that took long, in files of the data folder, which all its processes share and which outlive them."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from adapters.files import atomic

MOST_BYTES = 256 * 2**20  # of all answers of a folder
LARGEST = 16 * 2**20  # bytes of one
SWEPT_AFTER = 32  # files that a process writes between two looks at the folder
ENDING = ".answer"


class AnswerFiles:
    """`domain.ports.AnswerTier` in a folder, a file a name. The files that were used last stay."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder, self._most_bytes = folder, most_bytes
        self._written = 0

    async def get(self, name: str) -> bytes | None:
        """What is there under a name."""
        return await asyncio.to_thread(self._read, name)

    async def put(self, name: str, value: bytes) -> None:
        """Keep it, unless it is too large. Raises Unavailable where the disk does not take it."""
        if len(value) <= LARGEST:
            await asyncio.to_thread(self._write, name, value)

    def _read(self, name: str) -> bytes | None:
        path = self._folder / f"{name}{ENDING}"
        try:
            value = path.read_bytes()
            os.utime(path)
        except OSError:  # it is not there, or no more
            return None
        return value

    def _write(self, name: str, value: bytes) -> None:
        atomic.write(self._folder / f"{name}{ENDING}", value)
        if self._written % SWEPT_AFTER == 0:
            self.sweep()
        self._written += 1

    def sweep(self) -> None:
        """Remove what was not used for longest, until the rest has room."""
        files = []
        for path in self._folder.glob(f"*{ENDING}"):
            with suppress(OSError):  # another process has removed it
                about = path.stat()
                files.append((about.st_mtime, about.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self._most_bytes:
                return
            path.unlink(missing_ok=True)
            total -= size
