"""Whole instances for tests: `analytics up` in a folder of its own, and the command line run in this process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from click.testing import CliRunner, Result

from app.cli.main import main
from app.settings import Settings
from app.wiring import token_issuer
from domain.access.rights import Role, Tier
from tests.support.copies import copy_of

READY_SECONDS, PATIENCE = 240.0, 180.0  # on a machine that does much else
LOG_TAIL = 6_000  # characters of an instance's log that a failed test shows
PORTS = {f"ANALYTICS_{name}_PORT": "0" for name in ("READ", "COMMAND", "GRPC", "NATS")}


def environment(**settings: str) -> dict[str, str]:
    """The environment without settings of whoever runs the tests, with free ports."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANALYTICS_")}
    return {**kept, **PORTS, **settings}


class Instance:
    """An instance in a folder: started, asked, killed and stopped as its owner would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder.parent / f"{folder.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *flags: str, **settings: str) -> Instance:
        """Start it and wait until it is ready."""
        self.launch(*flags, **settings)
        assert self.process is not None
        deadline = time.monotonic() + READY_SECONDS
        while not (self.folder / "addresses.json").exists():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)
        return self

    def launch(self, *flags: str, **settings: str) -> None:
        """Start it and go on at once."""
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "app.cli", "up", "--data", str(self.folder), *flags]
            self.process = subprocess.Popen(
                command, env=environment(**settings), stdout=log, stderr=log, start_new_session=True
            )

    @property
    def addresses(self) -> dict[str, Any]:
        """What it says about where it listens."""
        found: dict[str, Any] = json.loads((self.folder / "addresses.json").read_text())
        return found

    def children(self) -> list[psutil.Process]:
        """The processes that its supervisor started for its roles."""
        assert self.process is not None
        started = psutil.Process(self.process.pid).children()
        return [child for child in started if "--supervised" in command_line(child)]

    def stop(self, request: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Ask it to drain; its exit code and how long it took, in seconds."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(request)
        return self.process.wait(30), time.monotonic() - began

    def command(self, *arguments: str) -> Result:
        """Run a command on it, in this process."""
        return run_command(*arguments, "--data", str(self.folder))

    def answer(self, *arguments: str) -> Any:
        """The JSON that a command prints on its last line."""
        result = self.command(*arguments)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout.strip().splitlines()[-1])

    def token(self, role: str, company: str, *options: str) -> str:
        """A token as `analytics token` prints it."""
        return self.command("token", "--role", role, "--company", company, *options).stdout.strip()

    def signed(
        self,
        subject: str,
        *companies: str,
        roles: Sequence[Role] = (Role.VIEWER,),
        tier: Tier = Tier.ENTERPRISE,
        seconds: float = 3_600,
    ) -> str:
        """A token with what `analytics token` has no option for."""
        issuer = token_issuer(Settings(data=self.folder))
        return issuer.issue(subject, roles, companies if len(companies) > 1 else companies[0], tier, seconds)

    def client(self, role: str, company: str, *options: str) -> httpx.Client:
        """An HTTP client of the read API with such a token."""
        headers = {"Authorization": f"Bearer {self.token(role, company, *options)}"}
        return httpx.Client(base_url=self.addresses["read_api"], headers=headers, timeout=60)

    def take(self, events: Sequence[Mapping[str, object]]) -> str:
        """Ingest these events and wait until they are folded; the position that covers them."""
        path = self.folder.parent / "events.ndjson"
        path.write_text("".join(json.dumps(event) + "\n" for event in events))
        position = str(self.answer("ingest", str(path), "--json")["position"])
        self.wait(position)
        return position

    def wait(self, position: str = "") -> None:
        """Return when every projection has it, or the end of the log."""
        waited = self.command("projections", "wait", "--position", position, "--timeout", str(PATIENCE))
        assert waited.exit_code == 0, waited.output


def command_line(process: psutil.Process) -> list[str]:
    """Its words; none of one that has just ended."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def role_of(process: psutil.Process) -> str:
    """The role that it serves; empty for one that serves none, or has ended."""
    words = command_line(process)
    return words[words.index("serve") + 1] if "serve" in words else ""


def run_command(*arguments: str, given: str = "", **settings: str) -> Result:
    """Run `analytics …` in this process, with free ports and no settings of whoever runs the tests.

    `given`: its standard input. To load a process of its own takes longer than most commands.
    """
    cleared = {name: None for name in os.environ if name.startswith("ANALYTICS_")}
    env = {**cleared, **PORTS, **settings}
    return CliRunner().invoke(main, arguments, input=given, env=env, catch_exceptions=False)


def trade(company: str, number: int, pnl: float = 22.0, **members: object) -> dict[str, object]:
    """A closed trade as one line of NDJSON says it: one a minute from October 2025 on."""
    closed = 1_760_000_000_000 + 60_000 * number
    payload = {
        "trade_id": f"t{number}",
        "account_id": "a1",
        "symbol": "AAPL",
        "strategy": "donchian",
        "side": "long",
        "quantity": 10,
        "entry_price": 187.1,
        "exit_price": 189.4,
        "pnl": pnl,
        "fees": 1.0,
        "currency": "USD",
        "opened_at": closed - 3_600_000,
        "closed_at": closed,
        **members,
    }
    return {
        "message_type": "trading_result",
        "event_id": f"{company}-{number}",
        "company_id": company,
        "user_id": "u1",
        "timestamp": closed,
        "payload": payload,
    }


@contextmanager
def temporary_instance(name: str, *flags: str, **settings: str) -> Iterator[Instance]:
    """A running instance in a folder of its own, for programs that measure; both are gone in the end."""
    with tempfile.TemporaryDirectory(prefix=f"analytics-{name}-") as home:
        instance = Instance(Path(home) / "data").start(*flags, **settings)
        try:
            yield instance
        finally:
            instance.stop()


@pytest.fixture(scope="session")
def instance(stopped_instance: Path) -> Iterator[Instance]:
    """A running instance that many tests share: each uses a company of its own."""
    with copy_of(stopped_instance) as folder:
        running = Instance(folder).start()
        try:
            yield running
        finally:
            code, _ = running.stop()
        said = running.log.read_text()
        assert code == 0, said
        assert not [line for line in said.splitlines() if "no progress" in line or "no sign of life" in line], said


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails shows what the instances that it used said last."""
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, Instance) and value.log.exists():
                report.sections.append((f"log of {name}", value.log.read_text(errors="replace")[-LOG_TAIL:]))
    return report


@pytest.fixture
def own_instance(own_folder: Path) -> Iterator[Instance]:
    """A folder for an instance that a test may treat as it likes; not started."""
    own = Instance(own_folder)
    yield own
    if own.process is not None and own.process.poll() is None:
        own.stop()
