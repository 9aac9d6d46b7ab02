"""Exports in the data folder: a folder a company, of each export a note, its file, and what its writer says of it."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import msgspec

from adapters.files import atomic
from domain.errors import NotFound, Unavailable
from domain.exports import Export, Progress, State, with_progress

LIFE = 86_400.0  # seconds
DEAD_AFTER = 120.0  # seconds without a word of who writes it
ROOM = 2**30  # bytes that an export leaves free on the disk
NOTE, PROGRESS, UNFINISHED = ".json", ".progress", ".part"
EVERY = 0.5  # seconds between two words of a writer


class ExportFolder:
    """`domain.exports.ExportFiles` in a folder. Names are those of exports, never what a caller says."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def begin(self, export: Export) -> str:
        """Keep a new one. Raises Unavailable where there is no room for it."""
        return await asyncio.to_thread(self._begin, export)

    async def save(self, export: Export) -> None:
        """Keep how far it has got."""
        await asyncio.to_thread(self._save, export)

    async def find(self, company: str, export_id: str) -> Export | None:
        """The export, as far as whoever writes it has said."""
        return await asyncio.to_thread(self._find, self._path(company, export_id))

    async def read(self, export: Export, offset: int, length: int) -> bytes:
        """A piece of its file."""
        return await asyncio.to_thread(self._read, self._path(export.company_id, export.export_id), offset, length)

    def _path(self, company: str, export_id: str) -> Path:
        """A company's id may be no name of a folder, so its hash is; of the id what is a plain name alone."""
        plain = "".join(c for c in export_id if c.isalnum() or c == "-")
        return self._folder / sha256(company.encode()).hexdigest()[:32] / plain

    def _begin(self, export: Export) -> str:
        path = self._path(export.company_id, export.export_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        for old in self._folder.glob("*/*"):
            with suppress(FileNotFoundError):  # another process sweeps, too
                if time.time() - old.stat().st_mtime > LIFE:
                    old.unlink()
        if shutil.disk_usage(path.parent).free < ROOM:
            raise Unavailable("there is no room for exports on the disk", code="no_room")
        self._save(export)
        return str(path)

    def _save(self, export: Export) -> None:
        path = self._path(export.company_id, export.export_id)
        if export.state is State.FAILED:
            _beside(path, UNFINISHED).unlink(missing_ok=True)
        atomic.write(_beside(path, NOTE), msgspec.json.encode(export))

    def _find(self, path: Path) -> Export | None:
        note = _beside(path, NOTE)
        try:
            export = msgspec.json.decode(note.read_bytes(), type=Export)
            last_word = note.stat().st_mtime
        except FileNotFoundError:
            return None
        if export.state is not State.RUNNING:
            return export
        progress = _beside(path, PROGRESS)
        with suppress(FileNotFoundError):
            last_word = progress.stat().st_mtime
            export = with_progress(export, msgspec.json.decode(progress.read_bytes(), type=Progress))
        if time.time() - last_word > DEAD_AFTER:
            return msgspec.structs.replace(export, state=State.FAILED, error="the process that wrote it has ended")
        return export

    @staticmethod
    def _read(path: Path, offset: int, length: int) -> bytes:
        for name in (_beside(path, UNFINISHED), path):
            try:
                with name.open("rb") as file:
                    file.seek(offset)
                    return file.read(length)
            except FileNotFoundError:
                continue
        raise NotFound(f"the file of the export is gone: they are kept for {LIFE / 3600:g} hours", code="no_file")


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


class GrowingFile:
    """A file while it is written, which is read meanwhile: what is written of it stays as it is.

    It has what writers of files need of one, and cannot be sought in.
    """

    closed = False

    def __init__(self, file: str) -> None:
        self._path = Path(file)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        self._file = os.fdopen(os.open(_beside(self._path, UNFINISHED), flags, atomic.OWNER_ALONE), "wb")
        self._hash, self._size, self._said = sha256(), 0, 0.0

    def write(self, content: bytes) -> int:
        """Add bytes."""
        self._hash.update(content)
        count = self._file.write(content)
        self._size += count
        return count

    def tell(self) -> int:
        """How many bytes there are."""
        return self._size

    def flush(self) -> None:
        """Let readers see them."""
        self._file.flush()

    def seekable(self) -> bool:
        """It is not."""
        return False

    def close(self) -> None:
        """Its writer is done with it; `end` closes it."""

    def say(self, progress: Progress, *, now: bool = False) -> None:
        """Say how far it has got, at most every half a second."""
        if now or time.monotonic() - self._said > EVERY:
            self._said = time.monotonic()
            self.flush()
            atomic.write(_beside(self._path, PROGRESS), msgspec.json.encode(self._with_size(progress)))

    def end(self, progress: Progress) -> Progress:
        """Give it its name, once the disk has it; what is to be said of it."""
        self.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        _beside(self._path, PROGRESS).unlink(missing_ok=True)
        os.replace(_beside(self._path, UNFINISHED), self._path)
        return msgspec.structs.replace(self._with_size(progress), sha256=self._hash.hexdigest())

    def give_up(self) -> None:
        """Nothing is left of it."""
        self._file.close()
        for ending in (UNFINISHED, PROGRESS):
            _beside(self._path, ending).unlink(missing_ok=True)

    def _with_size(self, progress: Progress) -> Progress:
        return msgspec.structs.replace(progress, size=self._size)
