"""Audit events that no log took before their process ended: files in the data folder, each written whole."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from domain.identity import new_event_id

_LENGTH = struct.Struct(">I")


class SpillFiles:
    """`eventlog.publish.audit_writer.Spill` in a folder: a file a time, each event after its length in four bytes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, values: Sequence[bytes]) -> None:
        """Write these durably; a file appears under its name once it is whole."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._folder / f"{new_event_id()}.draft"
        with draft.open("wb") as file:
            file.writelines(_LENGTH.pack(len(value)) + value for value in values)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(draft.with_suffix(".audit"))

    def kept(self) -> Iterator[tuple[str, Sequence[bytes]]]:
        """The files, oldest first, with their events."""
        for path in sorted(self._folder.glob("*.audit")):
            yield path.name, list(_cut(path.read_bytes()))

    def drop(self, name: str) -> None:
        """Remove a file."""
        (self._folder / name).unlink(missing_ok=True)


def _cut(content: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(content):
        (length,) = _LENGTH.unpack_from(content, at)
        yield content[at + 4 : at + 4 + length]
        at += 4 + length
