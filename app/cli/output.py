"""Standard output of commands: all of it is written, however slow the reader is, or the command fails."""

from __future__ import annotations

import io
import os
import select
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer
READER_LEFT = 141  # exit code of a program whose reader has gone, as shells show it: 128 + SIGPIPE


class ReaderLeftError(BrokenPipeError):
    """Whoever read the output has had enough. Other pipes that break are faults."""


class _Output(io.RawIOBase):
    """A file descriptor that is written to the end: also one that another process has made non-blocking."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether people look at it."""
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Buffer, /) -> int:
        """Write all of it, waiting for the reader."""
        left = memoryview(data).cast("B")
        size = len(left)
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:
                waiting = select.poll()
                waiting.register(self._descriptor, select.POLLOUT)
                waiting.poll()
            except BrokenPipeError as error:
                raise ReaderLeftError(*error.args) from None
        return size


def write_whole() -> None:
    """Let this process's standard output be written whole from now on; a test's own one stays."""
    if sys.stdout is sys.__stdout__ and sys.stdout is not None:
        encoding, errors = sys.stdout.encoding, sys.stdout.errors
        buffered = io.BufferedWriter(_Output(sys.stdout.fileno()))
        sys.stdout = io.TextIOWrapper(buffered, encoding, errors, line_buffering=sys.stdout.isatty())


def forget_rest() -> None:
    """Nobody reads what is still to be written: it goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
