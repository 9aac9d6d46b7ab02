"""An export: all rows of a table as a file, what is known of it, and the port behind which files are kept."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import msgspec


class State(StrEnum):
    """How far an export has got."""

    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"


class Export(msgspec.Struct, kw_only=True, frozen=True):
    """An export as it is kept; times are ms since 1970 UTC, 0 where there is none.

    `rows` and `size` (bytes): so far. `estimated_rows`: how many there are, about. `sha256`: of the whole file.
    """

    export_id: str
    company_id: str
    requested_by: str
    query: str
    params: dict[str, str]
    format: str
    asked_at: str
    state: State = State.RUNNING
    requested_at: int = 0
    finished_at: int = 0
    rows: int = 0
    estimated_rows: int = 0
    size: int = 0
    sha256: str = ""
    position: str = ""
    lag_ms: int = 0
    definition_version: int = 0
    error: str = ""

    @property
    def file_name(self) -> str:
        """What the file is called."""
        return f"{self.query}.{self.format}"


class Progress(msgspec.Struct, frozen=True):
    """What whoever writes a file says of it."""

    position: str
    lag_ms: int
    definition_version: int
    estimated_rows: int
    rows: int = 0
    size: int = 0
    sha256: str = ""


def with_progress(export: Export, progress: Progress) -> Export:
    """The export with what is said of its file."""
    return msgspec.structs.replace(export, **msgspec.structs.asdict(progress))


class ExportFiles(Protocol):
    """Keeps exports and their files for a day. Methods raise Unavailable."""

    async def begin(self, export: Export) -> str:
        """Keep a new one; the name of the file that its rows are to be written to. Forgets those of earlier days."""
        ...

    async def save(self, export: Export) -> None:
        """Keep how far it has got; one that has failed loses its file."""
        ...

    async def find(self, company: str, export_id: str) -> Export | None:
        """The export, as far as whoever writes it has said; failed where nothing was heard of that for long."""
        ...

    async def read(self, export: Export, offset: int, length: int) -> bytes:
        """A piece of its file; empty behind what is written of it. Raises NotFound where the file is gone."""
        ...
