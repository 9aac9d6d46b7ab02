"""An Apache Kafka broker for tests, the bench and developers.

Where it comes from, in this order: `ANALYTICS_TEST_KAFKA` names one that runs; Maven and Java 17 are there, so the jars
are fetched once into `.cache/kafka` and a one-node KRaft broker starts on free loopback ports; Docker is there, so the
service `kafka` of docker-compose.yml is used; otherwise there is none and `unavailable_reason()` says what is missing.

    python -m tests.support.kafka_broker      prints the bootstrap address, runs until Ctrl-C
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Protocol

ROOT = Path(__file__).parents[2]
TEMPLATES = Path(__file__).parent / "kafka"
CACHE = ROOT / ".cache" / "kafka"
CLUSTER_ID = "dGVzdHMtb2YtYW5hbHl0aWM"  # any 16 bytes in base64; all test brokers are clusters of one
START_SECONDS = 60.0  # generous: other tests may have both cores
HEAP = "-Xmx768m"
QUICK = "-XX:TieredStopAtLevel=1"  # for what lives for minutes: compiling it well takes longer than it is used

# Run before the broker, in its process: Linux kills the broker when we are killed, so that none is left over.
DIE_WITH_PARENT = """
import ctypes, os, signal, sys
getattr(ctypes.CDLL(None), "prctl", lambda *_: None)(1, signal.SIGKILL)
os.execvp(sys.argv[1], sys.argv[1:])
"""
# "Parent" means the thread that started it. One that lives as long as this process starts all brokers, so that a test
# may restart a broker from a thread of its own.
_STARTER = ThreadPoolExecutor(1)


class KafkaBroker(Protocol):
    """A broker that tests may use. `kill` is kill -9; `restart` starts it again on the same data and address."""

    bootstrap: str

    def start(self) -> None:
        """Start, and return once it answers."""
        ...

    def kill(self) -> None:
        """End it at once, with no chance to write anything more."""
        ...

    def restart(self) -> None:
        """Start again after `kill`, on the same data and the same address; nothing where it runs."""
        ...

    def stop(self) -> None:
        """End it and remove what it wrote."""
        ...


class NamedBroker:
    """A broker that somebody else runs: it can be used, but neither killed nor stopped."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap

    def start(self) -> None:
        """Only checks that it answers."""
        _wait_until_answering(self.bootstrap)

    def kill(self) -> None:
        """Refused: it is not ours."""
        raise RuntimeError("a broker named by ANALYTICS_TEST_KAFKA is not ours to kill")

    def restart(self) -> None:
        """Refused: it is not ours."""
        raise RuntimeError("a broker named by ANALYTICS_TEST_KAFKA is not ours to restart")

    def stop(self) -> None:
        """Leaves it running."""


class LocalBroker:
    """A KRaft broker and controller in one Java process, on free loopback ports, its data in a temporary folder."""

    def __init__(self, jars: Path, *, quick: bool = False) -> None:
        self._jars = jars
        self._options = [HEAP, "-XX:+UseParallelGC", *([QUICK] if quick else [])]
        self._folder = Path()
        self._port, self._password_port, self._controller_port = _free_ports(3)
        self.bootstrap = f"127.0.0.1:{self._port}"
        self.with_password = f"127.0.0.1:{self._password_port}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id of the running broker."""
        assert self._process is not None
        return self._process.pid

    @property
    def _config(self) -> Path:
        return self._folder / "server.properties"

    @property
    def log_file(self) -> Path:
        """Where the broker writes its warnings."""
        return self._folder / "broker.log"

    def start(self) -> None:
        """Make a folder, format the storage and start."""
        self._folder = Path(tempfile.mkdtemp(prefix="analytics-kafka-"))
        template = (TEMPLATES / "server.properties").read_text()
        values = {
            "port": self._port,
            "password_port": self._password_port,
            "controller_port": self._controller_port,
            "data": self._folder / "data",
        }
        self._config.write_text(re.sub(r"\{(\w+)\}", lambda found: str(values[found[1]]), template))
        with self.log_file.open("ab") as log:
            format_args = ("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(self._config))
            subprocess.run(self._java(QUICK, *format_args), stdout=log, stderr=log, check=True)
        self.restart()

    def restart(self) -> None:
        """Start on the data that is there; nothing where it runs."""
        if self._process is not None and self._process.poll() is None:
            return
        with self.log_file.open("ab") as log:
            self._process = self._spawn(log)
        try:
            _wait_until_answering(self.bootstrap, self._process)
        except RuntimeError as error:
            self.kill()
            raise RuntimeError(f"{error}\n{self.log_file.read_text()[-2000:]}") from error

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Kill and remove the data: nobody reads it again, so a clean shutdown would only take time."""
        self.kill()
        if self._folder != Path():
            shutil.rmtree(self._folder, ignore_errors=True)

    def _spawn(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        command = self._java(*self._options, "kafka.Kafka", str(self._config))
        command = [sys.executable, "-c", DIE_WITH_PARENT, *command]

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

        return _STARTER.submit(start).result()

    def _java(self, *args: str) -> list[str]:
        return ["java", "-cp", f"{self._jars}/*", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", *args]


class ComposedBroker:
    """The service `kafka` of docker-compose.yml."""

    def __init__(self) -> None:
        self.bootstrap = ""

    def start(self) -> None:
        """Bring the service up and ask which port of this machine it got."""
        self._compose("up", "--detach", "--wait", "kafka")
        self.bootstrap = self._compose("port", "kafka", "9092").strip().replace("0.0.0.0", "127.0.0.1")
        _wait_until_answering(self.bootstrap)

    def kill(self) -> None:
        """SIGKILL to the container's process."""
        self._compose("kill", "kafka")

    def restart(self) -> None:
        """Start the same container again."""
        self._compose("start", "kafka")
        _wait_until_answering(self.bootstrap)

    def stop(self) -> None:
        """Remove the container and its volume."""
        self._compose("rm", "--stop", "--force", "--volumes", "kafka")

    def _compose(self, *args: str) -> str:
        command = ["docker", "compose", "-f", str(ROOT / "docker-compose.yml"), *args]
        secrets = {
            f"ANALYTICS_STACK_{name}": "unused" for name in ("PASSWORD", "OWNER", "WRITER", "READER", "MEMBER", "TOKEN")
        }
        environment = os.environ | secrets  # compose wants the passwords of all services, whichever is started
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def find_broker(*, quick: bool = False) -> KafkaBroker | None:
    """A broker that is ready to be started, or None where there is none; fetches the jars the first time.

    `quick`: it starts in half the time and is no measure of anything.
    """
    if named := os.environ.get("ANALYTICS_TEST_KAFKA"):
        return NamedBroker(named)
    if _has_java_17() and shutil.which("mvn") and (jars := _fetched_jars()) is not None:
        return LocalBroker(jars, quick=quick)
    return ComposedBroker() if _has_docker() else None


@contextmanager
def work_place(name: str, broker: KafkaBroker | None) -> Iterator[Path]:
    """A folder of its own for a command's instance, while the broker, if there is one, runs."""
    with tempfile.TemporaryDirectory(prefix=f"analytics-{name}-") as folder:
        if broker is not None:
            broker.start()
        try:
            yield Path(folder) / "data"
        finally:
            if broker is not None:
                broker.stop()


def unavailable_reason() -> str:
    """What to install, in one line, where `find_broker` finds nothing."""
    return (
        "no Apache Kafka for tests: install Maven and Java 17 (the jars are fetched once), or start Docker,"
        " or name a running broker in ANALYTICS_TEST_KAFKA"
    )


def _fetched_jars() -> Path | None:
    """The folder with the broker's jars, None if Maven cannot fetch them. Several processes may ask at once."""
    pom = TEMPLATES / "pom.xml"
    jars: Path = CACHE / re.findall(r"<version>([\d.]+)</version>", pom.read_text())[1]
    if jars.is_dir():
        return jars
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        fetched = Path(folder) / "jars"
        command = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", f"-DoutputDirectory={fetched}"]
        if subprocess.run(command, capture_output=True).returncode != 0:
            return None
        # A rename is all or nothing; where another process was first, its folder is as good.
        if not jars.is_dir():
            fetched.rename(jars)
    return jars


@cache
def _has_java_17() -> bool:
    if shutil.which("java") is None:
        return False
    text = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr
    found = re.search(r'version "(\d+)', text)
    return found is not None and int(found[1]) >= 17


@cache
def _has_docker() -> bool:
    if shutil.which("docker") is None or not (ROOT / "docker-compose.yml").exists():
        return False
    return subprocess.run(["docker", "compose", "ls"], capture_output=True).returncode == 0


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def _wait_until_answering(bootstrap: str, process: subprocess.Popen[bytes] | None = None) -> None:
    """Return when a metadata request is answered with at least one broker.

    An open port is not enough: the broker listens before it has registered with its controller.
    """
    host, _, port = bootstrap.split(",")[0].rpartition(":")
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"the Kafka broker ended with code {process.returncode} while it started")
        if _has_a_broker(host, int(port)):
            return
        time.sleep(0.05)
    raise RuntimeError(f"no Kafka broker answered at {bootstrap} within {START_SECONDS:.0f} s")


# Metadata request, version 1, of no topic: api key 3, version 1, correlation id 1, no client id, an empty topic list.
_METADATA_REQUEST = bytes.fromhex("0000000e 0003 0001 00000001 ffff 00000000")


def _has_a_broker(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1) as connection:
            connection.sendall(_METADATA_REQUEST)
            answer = connection.recv(12, socket.MSG_WAITALL)  # length, correlation id, number of brokers
    except OSError:
        return False
    return len(answer) == 12 and int.from_bytes(answer[8:], signed=True) > 0


def main() -> None:
    """Run a broker until Ctrl-C, its address on the first line of the output."""
    broker = find_broker()
    if broker is None:
        raise SystemExit(unavailable_reason())
    broker.start()
    print(broker.bootstrap, flush=True)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        signal.pause()
    except KeyboardInterrupt:
        broker.stop()


if __name__ == "__main__":
    main()
