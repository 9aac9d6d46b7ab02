"""Who works with the servers of a data folder: a file on which each holds a lock that ends with its process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def open_users(directory: Path) -> int:
    """The file on which each user of the servers holds a shared lock."""
    return os.open(directory / "run" / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)


@contextmanager
def users_lock(directory: Path) -> Iterator[int]:
    """The same file, for one look."""
    descriptor = open_users(directory)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def locked(descriptor: int) -> bool:
    """Whether nobody else holds a lock on the file: then this process does, until the file is closed."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
