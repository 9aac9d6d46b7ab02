"""The processes of an instance: each is killed in turn, and its death is its own."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

import httpx
import psutil
import pytest

from app.instance.logs import log_file
from tests.support.instance import Instance, command_line, environment, role_of, trade
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

HEALED = 150.0  # seconds, on a machine as busy as may be; `python -m tests.e2e.faults` measures
WORKER = "projections.engine.worker_process"


def family(instance: Instance) -> dict[int, str]:
    """What runs for the instance, by its process id: roles, their workers, servers and the caretaker."""
    assert instance.process is not None
    mine = {p.pid: p for p in psutil.Process(instance.process.pid).children(recursive=True)}
    for file in ("postgres/postmaster.pid", "run/nats.pid", "run/caretaker.pid"):
        with suppress(OSError, IndexError, psutil.NoSuchProcess):  # one that has ended, or is about to write its file
            pid = int((instance.folder / file).read_text().split()[0])
            mine[pid] = psutil.Process(pid)
    return {pid: name for pid, process in mine.items() if (name := name_of(process))}


def name_of(process: psutil.Process) -> str:
    """The role of a process, or its program; nothing for one that has ended."""
    words = command_line(process)
    named = (word for word in words if word in (WORKER, "adapters.servers.stop_unused"))
    return role_of(process) or next(named, " ".join(words[:1]))


class Caller:
    """Publishes and asks over HTTP, the present and the past."""

    def __init__(self, instance: Instance) -> None:
        self._read, self._command = (instance.addresses[name] for name in ("read_api", "command_api"))
        tokens = {role: instance.token(role, "kin") for role in ("service", "auditor")}
        self._headers = {role: {"Authorization": f"Bearer {token}"} for role, token in tokens.items()}

    def publish(self, number: int) -> bool:
        """Whether this trade is taken."""
        try:
            address, events = f"{self._command}/api/v1/events", [trade("kin", number)]
            answer = httpx.post(address, json=events, headers=self._headers["service"], timeout=60)
        except httpx.TransportError:
            return False
        return answer.status_code == 200

    def counts(self, number: int, **params: str) -> bool:
        """Whether so many trades are told; `as_of` makes it a question about the past."""
        try:
            address = f"{self._read}/api/v1/query/trading_totals"
            answer = httpx.get(address, params=params, headers=self._headers["auditor"], timeout=60)
        except httpx.TransportError:
            return False
        rows = answer.json().get("rows")
        return bool(rows) and rows[0]["total_trades"] == number


@pytest.mark.ci
def test_each_process_dies_alone_and_comes_back(own_instance: Instance) -> None:
    """kill -9 of every role, worker and server, while there is a worker for the past; then of the supervisor.

    A dozen starts of processes, one after the other.
    """
    own_instance.start()
    addresses, caller = own_instance.addresses, Caller(own_instance)
    eventually(lambda: caller.publish(0), HEALED)
    eventually(lambda: caller.counts(1, as_of="2030-01-01"), HEALED)
    names = sorted(family(own_instance).values(), key=lambda name: name == "read-api")
    assert len(names) == len(own_instance.children()) + 4  # the worker, PostgreSQL, NATS, the caretaker
    assert WORKER in names
    for name in names:
        before = family(own_instance)
        (victim,) = [pid for pid, each in before.items() if each == name]
        lost = {victim, *(child.pid for child in psutil.Process(victim).children(recursive=True))}
        os.kill(victim, signal.SIGKILL)
        if name == WORKER:
            eventually(lambda: caller.counts(1, as_of="2030-01-01"), HEALED)
        eventually(partial(healed, own_instance, before, lost, name), HEALED)
        assert own_instance.addresses == addresses
    assert "read-api ended with code -9" in log_file(own_instance.folder, "up").read_text()
    eventually(lambda: caller.publish(1), HEALED)
    eventually(lambda: caller.counts(2), HEALED)
    eventually(lambda: caller.counts(2, as_of="2030-01-01"), HEALED)
    assert own_instance.process is not None
    everybody = [psutil.Process(pid) for pid in family(own_instance)]
    os.kill(own_instance.process.pid, signal.SIGKILL)
    own_instance.process.wait()
    eventually(lambda: not any(process.is_running() for process in everybody), HEALED)


def healed(instance: Instance, before: dict[int, str], lost: set[int], name: str) -> bool:
    """Whether another of the name runs, and all that did not have to die with the victim lives on."""
    now = family(instance)
    others = {pid: each for pid, each in before.items() if pid not in lost}
    assert others.items() <= now.items(), f"{name} took others along"
    return name in {each for pid, each in now.items() if pid not in before}


@pytest.mark.ci
def test_nothing_is_left_however_it_ends_and_the_next_start_works(own_instance: Instance) -> None:
    """kill -9 of the supervisor: its children notice; events that were accepted meanwhile are folded later.

    Ctrl-C at a terminal, which was given links, stops everything within five seconds without a word of trouble: exit
    code 0, no process left, no addresses left. Three starts of everything, one after the other.
    """
    own_instance.start()
    own_instance.take([trade("kin", 0)])
    children = own_instance.children()
    assert own_instance.process is not None
    os.kill(own_instance.process.pid, signal.SIGKILL)
    own_instance.process.wait()
    eventually(lambda: not any(child.is_running() for child in children), 10)
    path = own_instance.folder.parent / "more.ndjson"
    path.write_text(json.dumps(trade("kin", 1)))
    taken = own_instance.answer("ingest", str(path), "--json")  # no instance runs: it is durable all the same
    assert taken["accepted"] == 1
    with at_a_terminal(own_instance) as terminal:
        shown = b""
        while b"Ready." not in shown:
            shown += os.read(terminal, 65_536)
        assert shown.count(b"/#token=") == 4
        caller = Caller(own_instance)
        eventually(lambda: caller.counts(2), HEALED)
        eventually(lambda: caller.counts(2, as_of="2030-01-01"), HEALED)
        everybody = psutil.Process(own_instance.process.pid).children(recursive=True)
        code, seconds = own_instance.stop(signal.SIGINT)
    assert (code, seconds < 5) == (0, True)
    assert not (own_instance.folder / "addresses.json").exists()
    assert [process for process in everybody if process.is_running()] == []
    lines = [json.loads(line) for line in own_instance.log.read_text().splitlines()]
    assert [line for line in lines if line["level"] not in ("INFO", "WARNING")] == []


@contextmanager
def at_a_terminal(own: Instance) -> Iterator[int]:
    """The instance started there, as a person would; what is shown comes out of the descriptor."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "app.cli", "up", "--data", str(own.folder)]
    with own.log.open("wb") as log:
        own.process = subprocess.Popen(command, env=environment(), stdout=slave, stderr=log, start_new_session=True)
    os.close(slave)
    try:
        yield master
    finally:
        os.close(master)


def test_what_is_no_terminal_is_given_no_token(instance: Instance) -> None:
    """It says how to come by one."""
    eventually(lambda: "Ready." in instance.log.read_text())  # said once the addresses are there
    text = instance.log.read_text()
    assert "analytics token --role ROLE" in text
    assert "eyJ" not in text
