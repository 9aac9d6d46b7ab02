"""Processes of the embedded servers: started without root's rights, told apart from strangers, stopped in bounded time.

PostgreSQL refuses to run as root. As root we therefore start servers under an ordinary account, but with the
capability to pass folders that this account could not enter (a checkout or data folder below a 0700 home), instead of
opening those folders to everybody.
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
        """The account that servers run under; None when we are an ordinary user and they run as ourselves."""
        if os.geteuid() != 0:
            return None
        known = {entry.pw_name: entry for entry in pwd.getpwall()}
        for name in ACCOUNTS:
            if name in known:
                return known[name]
        raise Defect(f"root may not run PostgreSQL, and none of the accounts {', '.join(ACCOUNTS)} exists")

    @cached_property
    def _prefix(self) -> list[str] | None:
        """Words before a command that drop root but keep the right to pass any folder; None where not possible."""
        setpriv = shutil.which("setpriv")
        if self.account is None or setpriv is None:
            return None
        prefix = [
            setpriv,
            # without this, access(2) ignores capabilities and PostgreSQL cannot find its own program
            "--securebits=+no_setuid_fixup",
            f"--reuid={self.account.pw_uid}",
            f"--regid={self.account.pw_gid}",
            "--clear-groups",
            "--inh-caps=+dac_override",
            "--ambient-caps=+dac_override",
        ]
        works = subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
        return prefix if works else None

    def command(self, arguments: Sequence[str]) -> list[str]:
        """The command that runs these arguments under the account, as far as a command can."""
        if self.account is None or self._prefix is not None:
            return [*(self._prefix or ()), *arguments]
        for path in self._paths:
            _let_pass(path)
        return list(arguments)

    def run(self, arguments: Sequence[str]) -> None:
        """Run to the end; raises Defect with what the program said when it fails."""
        done = self._spawn(self.command(arguments), capture_output=True)
        if done.returncode != 0:
            raise Defect(f"{Path(arguments[0]).name} failed: {(done.stderr or done.stdout).strip()[-2000:]}")

    def _spawn(self, command: Sequence[str], **streams: Any) -> subprocess.CompletedProcess[str]:
        """Run a command as the account, where the command itself does not see to that."""
        other: dict[str, Any] = {}
        if self.account is not None and self._prefix is None:
            other = {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        return subprocess.run(command, stdin=subprocess.DEVNULL, text=True, check=False, **other, **streams)

    def start(self, arguments: Sequence[str], log: Path) -> int:
        """Start a server that writes to `log`; returns its process id.

        It has a session of its own, so that Ctrl-C reaches us and not it, and no parent that must outlive or reap it,
        because others may go on using it when we leave.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            detached = ["sh", "-c", '"$@" >&2 & echo $!', "sh", *self.command(arguments)]
            done = self._spawn(detached, stdout=subprocess.PIPE, stderr=output, start_new_session=True)
        return int(done.stdout)

    def own(self, path: Path) -> None:
        """Make `path` the servers' account's own."""
        if self.account is not None:
            os.chown(path, self.account.pw_uid, self.account.pw_gid)


def _let_pass(path: Path) -> None:
    """Let everybody pass (not list) the folders above `path`: the last resort where capabilities are not to be had."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o001)


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
    """Send one signal after the other, each with its seconds of patience, until the process is gone."""
    for number, patience in signals:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        if wait_until(lambda: not alive(pid), patience):
            return
    raise Unavailable(f"process {pid} does not end")


def free_port(remembered: Path, wanted: int = 0) -> int:
    """A free loopback TCP port: `wanted` if given, else the one remembered in the file, else any; remembers it.

    Any is none of those that systems give to outgoing connections: one of these could take it while a server restarts.
    """
    port = wanted or _bindable(_number(remembered))
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
    """The text of a file that only we can read; made by `make` when it is not there yet."""
    if not file.exists():
        atomic.create(file, make().encode())
    return file.read_text().strip()
