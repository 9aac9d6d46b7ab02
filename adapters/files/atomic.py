"""Files that must last: whole or not at all, whatever the disk refuses and whenever the process is killed.

`write` replaces a file, `create` makes one unless another process was first, `append` adds a record to a file of lines.
They return once the disk has it, the entry in the folder included. Where they raise Unavailable, the file holds what it
held before, or what was to be written, and always one of them whole; trying again is right.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from domain.errors import Defect, Unavailable

OWNER_ALONE = 0o600
STEP = 65_536  # bytes that are looked at together, from the end of a file backwards


def write(path: Path, content: bytes) -> None:
    """Make the file hold this and nothing else; only its owner can read it.

    Raises Unavailable where the disk does not take it.
    """
    with _failing(path), _draft(path, content) as draft:
        os.replace(draft, path)
        _sync(path.parent)


def create(path: Path, content: bytes) -> None:
    """Make the file, unless it is there already: a link never replaces one. Only its owner can read it.

    Raises Unavailable where the disk does not take it.
    """
    with _failing(path), _draft(path, content) as draft:
        with suppress(FileExistsError):
            os.link(draft, path)
        _sync(path.parent)


def append(path: Path, record: bytes) -> None:
    """Add one record, which holds no line feed and no NUL. What an earlier write left unfinished is cut off first.

    One process at a time may append to a file. Raises Defect for a record that holds either, Unavailable where the disk
    does not take it.
    """
    if b"\n" in record or b"\0" in record:
        raise Defect("a record of a file of lines holds a line feed or NUL")
    with _failing(path):
        _make(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ALONE)
        try:
            end = _whole(descriptor)
            if end == 0:
                _sync(path.parent)  # before there is a record: a file that a crash takes away must not have had one
            _append(descriptor, record + b"\n", end)
        finally:
            os.close(descriptor)


def records(path: Path) -> tuple[list[bytes], bytes]:
    """Every whole record of a file of lines, and the beginning of one behind them that was never finished.

    Raises OSError where the file cannot be read.
    """
    *lines, tail = path.read_bytes().split(b"\n")
    if lines and b"\0" in lines[-1]:
        tail = lines.pop() + b"\n" + tail
    return lines, tail


def _append(descriptor: int, content: bytes, end: int) -> None:
    try:
        os.ftruncate(descriptor, end)
        os.lseek(descriptor, end, os.SEEK_SET)
        _put(descriptor, content)
    except OSError:
        with suppress(OSError):  # whoever appends next cuts off what this cannot
            os.ftruncate(descriptor, end)
        raise


def _whole(descriptor: int) -> int:
    """Where the last whole record ends. Behind it a line may lack its end, or hold pages that were never written."""
    start = size = os.fstat(descriptor).st_size
    tail = b""
    while start and tail.count(b"\n") < 2:
        start = max(0, start - STEP)
        tail = os.pread(descriptor, size - start, start)
    *lines, torn = tail.split(b"\n")
    unwritten = len(lines[-1]) + 1 if lines and b"\0" in lines[-1] else 0
    return size - len(torn) - unwritten


@contextmanager
def _draft(path: Path, content: bytes) -> Iterator[Path]:
    """A file beside the path that holds the content, durably; it is gone afterwards."""
    _make(path.parent)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ALONE)
        try:
            _put(descriptor, content)
        finally:
            os.close(descriptor)
        yield draft
    finally:
        with suppress(OSError):
            os.unlink(draft)


def _put(descriptor: int, content: bytes) -> None:
    """Write all of it and wait for the disk. A write may take a part and say so by its result alone."""
    left = memoryview(content)
    while left:
        count = os.write(descriptor, left)
        if count == 0:
            raise OSError(errno.EIO, "the disk takes nothing")
        left = left[count:]
    os.fsync(descriptor)


def _make(folder: Path) -> None:
    """Make the folder and those above it, and their entries last."""
    if folder.is_dir():
        return
    _make(folder.parent)
    with suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    _sync(folder.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _failing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be written: {error.strerror or error}",
            code="disk_unavailable",
            suggested_actions=("See to the disk: whether it is full, and who may write there.",),
        ) from error
