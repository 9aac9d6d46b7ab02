"""The caretaker of a data folder: a process that stops the embedded servers once all who worked with them are gone.

Whoever leaves last stops the servers. One that is killed stops nothing, and they would run on for ever: the kernel
gives back its lock, and the caretaker sees that nobody holds it any more.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.servers.process import detached, end, pid_in
from domain.errors import AnalyticsError

LOOK = 1.0  # seconds between two looks
PATIENCE = 6  # looks at which nobody uses the servers: whoever was killed leaves children that drain, or comes back


class Caretaker:
    """The caretaker's process. Its methods block, and only one process at a time may call them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._command = [sys.executable, "-m", "adapters.servers.caretaker", str(directory)]
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
        """End it."""
        pid = self.pid()
        if pid is not None:
            end(pid, ((signal.SIGKILL, 5.0),))


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


def _watch(directory: Path) -> None:
    """Look until nobody uses the servers for a while, and stop them; end also when the folder is gone."""
    unused = 0
    while (directory / "run").is_dir():
        time.sleep(LOOK)
        with users_lock(directory) as users:
            unused = unused + 1 if locked(users) else 0
        if unused >= PATIENCE and _stopped(directory):
            return


def _stopped(directory: Path) -> bool:
    from adapters.servers.servers import Servers  # with a driver, which this process does without until then

    try:
        return asyncio.run(Servers(directory).stop_unused())
    except AnalyticsError as error:
        sys.stderr.write(f"cannot stop the servers, trying again: {error}\n")
        return False


if __name__ == "__main__":
    _watch(Path(sys.argv[1]))
