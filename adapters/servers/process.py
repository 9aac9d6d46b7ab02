"""Processes of the embedded servers: started without root's rights, told apart from strangers, stopped in bounded time.

PostgreSQL refuses to run as root. As root we therefore start servers under an ordinary account, with no capability and
no way to get one. Where that account could not enter a folder (a checkout or data folder below a 0700 home), an entry
in the folder's access list lets this account pass, and nobody else.
"""

from __future__ import annotations

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from adapters.files import atomic
from adapters.servers.access_lists import let_in
from domain.errors import Defect, Unavailable

ACCOUNTS = ("postgres", "nobody")  # the first that exists runs the servers when we are root
PROCESSES = Path("/proc")
STEP = 0.01  # seconds between two looks at a process
SERVER_PORTS = range(20_000, 30_000)  # no system gives them to outgoing connections by itself


class Launcher:
    """Starts programs for the embedded servers under an account that they accept.

    `paths` are the programs and folders that the account must reach.
    """

    def __init__(self, *paths: Path) -> None:
        self._paths = paths

    @cached_property
    def account(self) -> pwd.struct_passwd | None:
        """The account that servers run under; None when we are an ordinary user and they run as ourselves.

        Raises Defect for root where the system has none of `ACCOUNTS`.
        """
        if os.geteuid() != 0:
            return None
        accounts = {entry.pw_name: entry for entry in pwd.getpwall()}
        for name in ACCOUNTS:
            if name in accounts:
                return accounts[name]
        raise Defect(f"root may not run PostgreSQL, and none of the accounts {', '.join(ACCOUNTS)} exists")

    @cached_property
    def _prefix(self) -> list[str]:
        """Words before a command that keep it from ever gaining rights; none where the system has no such program."""
        setpriv = shutil.which("setpriv")
        prefix = [setpriv or "", "--no-new-privs", "--inh-caps=-all", "--ambient-caps=-all"]
        works = setpriv and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
        return prefix if works else []

    @cached_property
    def _identity(self) -> dict[str, Any]:
        """The account, once it can reach all that it must; a change of user from root drops every capability."""
        if self.account is None:
            return {}
        for path in self._paths:
            let_in(self.account.pw_uid, path)
        return {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}

    def run(self, arguments: Sequence[str]) -> None:
        """Run to the end; raises Defect with what the program said when it fails."""
        done = subprocess.run(
            [*self._prefix, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            **self._identity,
        )
        if done.returncode != 0:
            raise Defect(f"{Path(arguments[0]).name} failed: {(done.stderr or done.stdout).strip()[-2000:]}")

    def start(self, arguments: Sequence[str], log: Path) -> int:
        """Start a server that writes to `log`; returns its process id."""
        return detached([*self._prefix, *arguments], log, cwd="/", **self._identity)

    def own(self, path: Path) -> None:
        """Make `path` the servers' account's own."""
        if self.account is not None:
            os.chown(path, self.account.pw_uid, self.account.pw_gid)


def detached(command: Sequence[str], log: Path, **options: Any) -> int:
    """Start a process that writes to `log`; returns its id.

    It has a session of its own, so that Ctrl-C reaches us and not it, and no parent that must outlive or reap it,
    because others may go on using it when we leave.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    start = ["sh", "-c", '"$@" >&2 & echo $!', "sh", *command]
    with log.open("ab") as output:
        done = subprocess.run(
            start,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            start_new_session=True,
            check=False,
            **options,
        )
    return int(done.stdout)


def alive(pid: int) -> bool:
    """Whether the process runs: one that only waits to be reaped does not."""
    try:
        return (PROCESSES / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False if PROCESSES.exists() else bool(_shown(pid))


def command_of(pid: int) -> str:
    """The command line of a running process; empty for any other, and for the moment in which one begins."""
    try:
        return (PROCESSES / str(pid) / "cmdline").read_text().replace("\0", " ")  # empty after the end, too
    except OSError:
        return "" if PROCESSES.exists() else _shown(pid)


def _shown(pid: int) -> str:
    """As `command_of`, on systems without /proc."""
    shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()


def pid_in(file: Path, mark: str) -> int | None:
    """The process that a pid file names, if it lives and its command line holds `mark`; stale numbers are nobody."""
    try:
        pid = int(file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return pid if mark in command_of(pid) else None


def wait_until(true: Callable[[], bool], timeout: float) -> bool:
    """Look again and again until `true()`; False when `timeout` seconds have passed."""
    deadline = time.monotonic() + timeout
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(STEP)
    return True


def end(pid: int, signals: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send one signal after the other, each with its seconds of patience, until the process is gone.

    Raises Unavailable if it stays.
    """
    for number, patience in signals:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        if wait_until(lambda: not alive(pid), patience):
            return
    raise Unavailable(f"process {pid} does not end")


def free_port(remembered: Path, preferred: int = 0) -> int:
    """A free loopback TCP port: `preferred` if given, else the one remembered in the file, else any; remembers it.

    Any is none of those that systems give to outgoing connections: one of these could take it while a server restarts.
    Raises Unavailable where the file cannot be written.
    """
    port = preferred or _bindable(_number(remembered))
    while not port:
        port = _bindable(random.choice(SERVER_PORTS))
    remembered.parent.mkdir(parents=True, exist_ok=True)
    atomic.write(remembered, str(port).encode())  # others read the file while a server comes back: never an empty one
    return port


def _number(file: Path) -> int:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return 0


def _bindable(port: int) -> int:
    """The port, 0 where it is taken or none."""
    if not port:
        return 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


def secret(file: Path, make: Callable[[], str]) -> str:
    """The text of a file that only we can read; made by `make` when it is not there yet.

    Raises Unavailable where it cannot be written.
    """
    if not file.exists():
        atomic.create(file, make().encode())
    return file.read_text().strip()
