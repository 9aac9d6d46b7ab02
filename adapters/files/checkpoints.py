"""Checkpoints as files outside the database: one JSON line each, a file a month, only ever appended to."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

from adapters.files import atomic
from domain.errors import Invalid, Unavailable
from eventlog.seals.checkpoints import Checkpoint

logger = logging.getLogger(__name__)


class CheckpointFiles:
    """`eventlog.seals.checkpoints.Checkpoints` in a folder. Copy it elsewhere: whoever owns the disk can change it.

    Their order is that of their numbers, which are signed. Files only spread them: by a clock that may go back.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def append(self, checkpoint: Checkpoint) -> None:
        """Write a line and wait until the disk has it. Raises Unavailable where it does not take it."""
        month = datetime.fromtimestamp(checkpoint.at / 1000, UTC).strftime("%Y-%m")
        atomic.append(self._folder / f"{month}.ndjson", json.dumps(checkpoint.as_json()).encode())

    def all(self) -> list[Checkpoint]:
        """Every checkpoint, by number. What a crash cut off was never a checkpoint and is left out.

        Raises Invalid for a whole line that is none, Unavailable where a file cannot be read.
        """
        documents = []
        for path in self._files():
            lines, _ = _records(path)
            documents += [_read(path, number, line) for number, line in enumerate(lines, 1)]
        return sorted(documents, key=lambda checkpoint: checkpoint.number)

    def last(self) -> Checkpoint | None:
        """The newest one. Lines that somebody has damaged are passed over: what is new must be signed all the same.

        Raises Unavailable.
        """
        newest = [checkpoint for path in self._files() if (checkpoint := _last_of(path))]
        return max(newest, key=lambda checkpoint: checkpoint.number, default=None)

    def unfinished(self) -> list[str]:
        """The files whose last line was never written to its end. Raises Unavailable."""
        return [path.name for path in self._files() if _records(path)[1]]

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.ndjson"))


def _records(path: Path) -> tuple[list[bytes], bytes]:
    """As `atomic.records`. Raises Unavailable where the file cannot be read."""
    try:
        return atomic.records(path)
    except OSError as error:
        raise Unavailable(f"{path.name} cannot be read: {error.strerror}") from None


def _last_of(path: Path) -> Checkpoint | None:
    """The last line of a file that can be read; numbers ascend within one."""
    lines, _ = _records(path)
    for number in range(len(lines), 0, -1):
        try:
            return _read(path, number, lines[number - 1])
        except Invalid as error:
            logger.error("%s", error)
    return None


def _read(path: Path, number: int, line: bytes) -> Checkpoint:
    try:
        return Checkpoint.from_json(json.loads(line))
    except (ValueError, Invalid) as error:
        raise Invalid(f"{path.name} line {number} is no checkpoint: {error}", code="bad_checkpoint") from None
