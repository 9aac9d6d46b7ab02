"""Files of reports in the data folder: a folder a company."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from pathlib import Path

from adapters.files import atomic
from domain.errors import NotFound


class ReportFolder:
    """`domain.reports.report.ReportFiles` in a folder. Names are those of reports, never what a caller says."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def write(self, company: str, name: str, content: bytes) -> None:
        """Keep the file; returns once the disk has it. Raises Unavailable where the disk does not take it."""
        await asyncio.to_thread(self._write, self._path(company, name), content)

    async def read(self, company: str, name: str, offset: int, length: int) -> bytes:
        """A piece of it; empty after the end. Raises NotFound where there is no such file."""
        return await asyncio.to_thread(self._read, self._path(company, name), offset, length)

    def _path(self, company: str, name: str) -> Path:
        """A company's id may be no name of a folder, so its hash is."""
        return self._folder / sha256(company.encode()).hexdigest()[:32] / name

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write(path, content)

    @staticmethod
    def _read(path: Path, offset: int, length: int) -> bytes:
        try:
            with path.open("rb") as file:
                file.seek(offset)
                return file.read(length)
        except FileNotFoundError:
            raise NotFound(f"the file {path.name} is gone", code="no_file") from None
