"""Whoever leaves a question about the past takes its work along: nothing goes on computing for them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest

from tests.support.instance import Instance, command_line, environment, trade
from tests.support.waiting import eventually

COMPANY = "goneco"
ASKED = "/api/v1/query/trading_totals?as_of=2025-10-10"
PATIENCE = 30.0  # seconds, on a machine that does much else


@pytest.fixture(scope="module")
def instance_with_past(instance: Instance) -> Instance:
    """One that has something to tell."""
    instance.take([trade(COMPANY, n) for n in range(3)])
    return instance


@contextmanager
def held_up(instance: Instance) -> Iterator[Callable[[], bool]]:
    """Questions about the past get no further than the list of snapshots; says whether one has come there."""
    with psycopg.connect(instance.addresses["database"]) as holder, holder.transaction():
        holder.execute("LOCK TABLE snapshots IN ACCESS EXCLUSIVE MODE")

        def waits() -> bool:
            query = "SELECT count(*) FROM pg_locks WHERE relation = 'snapshots'::regclass AND NOT granted"
            return holder.execute(query.encode()).fetchone() == (1,)

        yield waits


def past_workers(instance: Instance) -> list[psutil.Process]:
    """The processes that tell the past for the read API, those that rest too."""
    workers = "projections.engine.worker_process"
    return [p for child in instance.children() for p in child.children() if workers in " ".join(command_line(p))]


@pytest.mark.ci  # an instance with a long past is made for it
def test_who_closes_their_connection_ends_the_work(instance_with_past: Instance) -> None:
    """The process that computed for them is gone while what it waited for still stands; the next one is answered."""
    instance = instance_with_past
    address = urlsplit(instance.addresses["read_api"])
    with held_up(instance) as waits:
        with socket.create_connection((address.hostname, address.port)) as caller:
            token = instance.token("auditor", COMPANY)
            caller.sendall(f"GET {ASKED} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
            eventually(waits)
            working = past_workers(instance)
            assert working
        eventually(
            lambda: set(working) - set(past_workers(instance)) != set()
        )  # others may rest, and are nobody's work
    with instance.client("auditor", COMPANY) as client:
        answer = client.get(ASKED)
        assert (answer.status_code, answer.json()["rows"][0]["total_trades"]) == (200, 3)


def test_who_presses_ctrl_c_leaves_no_process(instance_with_past: Instance) -> None:
    """A command ends at once, whatever it waits for."""
    folder = instance_with_past.folder
    words = ("query", "trading_totals", "--company", COMPANY, "--as-of", "2025-10-10", "--data", str(folder))
    with held_up(instance_with_past) as waits:
        command = subprocess.Popen(
            (sys.executable, "-m", "app.cli", *words),
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        eventually(waits)
        os.killpg(command.pid, signal.SIGINT)
        out, err = command.communicate(timeout=PATIENCE)
        assert (command.returncode, out, err.decode().split()) == (1, b"", ["Aborted!"])
        assert [p for p in psutil.process_iter() if _session(p) == command.pid] == []


def _session(process: psutil.Process) -> int:
    try:
        return os.getsid(process.pid)
    except ProcessLookupError:
        return 0
