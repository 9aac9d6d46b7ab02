"""Checkpoints as files outside the database: one JSON line each, a file a month, only ever appended to."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from domain.errors import Invalid
from domain.evidence.checkpoints import Checkpoint


class CheckpointFiles:
    """`domain.evidence.checkpoints.Checkpoints` in a folder. Copy it elsewhere: whoever owns the disk can change it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def append(self, checkpoint: Checkpoint) -> None:
        """Write a line and wait until the disk has it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        month = datetime.fromtimestamp(checkpoint.at / 1000, UTC).strftime("%Y-%m")
        descriptor = os.open(self._folder / f"{month}.ndjson", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, json.dumps(checkpoint.as_json()).encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def all(self) -> list[Checkpoint]:
        """Every checkpoint, oldest first. A last line that a crash cut off was never a checkpoint and is left out."""
        found = []
        files = sorted(self._folder.glob("*.ndjson"))
        for path in files:
            lines = path.read_bytes().splitlines(keepends=True)
            for number, line in enumerate(lines, 1):
                if path == files[-1] and number == len(lines) and not line.endswith(b"\n"):
                    break
                found.append(_read(path, number, line))
        return found


def _read(path: Path, number: int, line: bytes) -> Checkpoint:
    try:
        return Checkpoint.from_json(json.loads(line))
    except (ValueError, Invalid) as error:
        raise Invalid(f"{path.name} line {number} is no checkpoint: {error}", code="bad_checkpoint") from None
