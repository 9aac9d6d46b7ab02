"""The caretaker of a data folder: a process that stops the embedded servers once all who worked with them are gone.

Whoever leaves last stops the servers. One that is killed stops nothing, and they would run on for ever: the kernel
gives back its lock, and the caretaker sees that nobody holds it any more.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from adapters.servers.process import detached, end, pid_in


class Caretaker:
    """The caretaker's process. Its methods block, and only one process at a time may call them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._command = [sys.executable, "-m", "adapters.servers.stop_unused", str(directory)]
        self._pid_file = directory / "run" / "caretaker.pid"

    def pid(self) -> int | None:
        """The running caretaker of our folder, whoever started it."""
        return pid_in(self._pid_file, " ".join(self._command[1:]))

    def ensure(self) -> None:
        """Return when it runs."""
        if self.pid() is None:
            pid = detached(self._command, self._directory / "logs" / "caretaker.log")
            self._pid_file.write_text(str(pid))

    def stop(self) -> None:
        """End it. Raises Unavailable if it does not end."""
        pid = self.pid()
        if pid is not None:
            end(pid, ((signal.SIGKILL, 5.0),))
