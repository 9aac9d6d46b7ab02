"""A disk that goes wrong at one call: refuses, takes a part, or is cut off from a process that is killed there."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from adapters.files import atomic

CALLS = (
    "open",
    "write",
    "fsync",
    "ftruncate",
    "lseek",
    "link",
    "replace",
    "unlink",
    "close",
    "mkdir",
    "pread",
    "fstat",
)
KINDS = ("ENOSPC", "EIO", "short", "killed")


class Killed(BaseException):
    """The process ends here: nothing that it would do afterwards is done."""


class BadDisk:
    """Stands for the module `os`: call number `at` (from 0) of those that reach the disk goes wrong, by its kind."""

    def __init__(self, at: int, kind: str, kill: Callable[[], Any] | None = None) -> None:
        self._at, self._kind, self._kill = at, kind, kill or self._raise
        self._dead = False
        self.calls = 0

    @property
    def reached(self) -> bool:
        """Whether it has gone wrong."""
        return self.calls > self._at

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        return self._guarded(name, real) if name in CALLS else real

    def _raise(self) -> None:
        self._dead = True
        raise Killed

    def _guarded(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if self._dead:
                raise Killed
            number, self.calls = self.calls, self.calls + 1
            if number != self._at:
                return real(*args, **kwargs)
            return self._go_wrong(name, real, args, kwargs)

        return call

    def _go_wrong(self, name: str, real: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        part = len(args[1]) // 2 if name == "write" else 0
        if self._kind == "short":
            return real(args[0], args[1][:part]) if part else real(*args, **kwargs)
        if part:
            real(args[0], args[1][:part])  # a disk that fills up has taken a part of it
        if self._kind == "killed":
            self._kill()
        if name == "close":
            real(*args)
        raise OSError(getattr(errno, self._kind), os.strerror(getattr(errno, self._kind)))


@contextmanager
def bad_disk(at: int, kind: str) -> Iterator[BadDisk]:
    """While it lasts, files that must last are written to such a disk; its death is over afterwards."""
    disk = BadDisk(at, kind)
    with patch.object(atomic, "os", disk):
        try:
            yield disk
        except Killed:
            return
