"""Audit events that no log took before their process ended: files in the data folder, each written whole."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from adapters.files import atomic
from domain.events.identity import new_event_id

_LENGTH = struct.Struct(">I")

logger = logging.getLogger(__name__)


class SpillFiles:
    """`eventlog.publish.audit_writer.Spill` in a folder: a file a time, each event after its length in four bytes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, values: Sequence[bytes]) -> None:
        """Write these durably; a file appears under its name once it is whole. Raises Unavailable."""
        content = b"".join(_LENGTH.pack(len(value)) + value for value in values)
        atomic.write(self._folder / f"{new_event_id()}.audit", content)

    def batches(self) -> Iterator[tuple[str, Sequence[bytes]]]:
        """The files, oldest first, with their events."""
        for path in sorted(self._folder.glob("*.audit")):
            yield path.name, list(_cut(path))

    def drop(self, name: str) -> None:
        """Remove a file."""
        (self._folder / name).unlink(missing_ok=True)


def _cut(path: Path) -> Iterator[bytes]:
    """The whole events of a file; one that somebody has damaged must not keep a process from starting."""
    content, at = path.read_bytes(), 0
    while at + _LENGTH.size <= len(content):
        begin = at + _LENGTH.size
        end = begin + _LENGTH.unpack_from(content, at)[0]
        if end > len(content):
            break
        yield content[begin:end]
        at = end
    if at < len(content):
        logger.error("%s is damaged: its last %d bytes are no audit event", path, len(content) - at)
