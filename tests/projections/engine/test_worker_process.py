"""Computations in a process of their own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import psutil
import pytest

from domain.errors import Defect, LimitExceeded, NotYet, Unavailable
from projections.engine.worker_process import STEP_BACK, Computations, WorkerProcess
from tests.support.waiting import eventually

LONG = 600.0  # seconds: nothing here waits for it


@pytest.fixture
def worker() -> Iterator[WorkerProcess]:
    """A process that gives up late: on a busy machine it takes seconds to begin."""
    opened = WorkerProcess("the test", waiting=2)
    yield opened
    opened.stop()


def where(number: int) -> tuple[int, int]:
    """The process that computes this, and the number."""
    return os.getpid(), number


def slow(marker: str) -> None:
    """Says who computes it, and takes its time."""
    Path(marker).write_text(str(os.getpid()))
    time.sleep(LONG)


def wrong() -> None:
    """Has a fault."""
    raise ZeroDivisionError("by hand")


def refused() -> None:
    """Refuses, as a fold or a query does."""
    raise NotYet("position 7 is not there", code="later")


def dead() -> None:
    """Ends the process as the kernel does where memory is out."""
    os.kill(os.getpid(), signal.SIGKILL)


def gone(pid: int) -> bool:
    """Whether the process has ended."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def in_computation(marker: Path) -> int:
    """The process that computes `slow`, once it does."""
    eventually(lambda: marker.exists() and marker.read_text())
    return int(marker.read_text())


def test_one_process_computes_and_it_is_another_one(worker: WorkerProcess) -> None:
    """Not this one, and the same for the next question."""
    (first, one), (second, two) = worker.run(where, 1), worker.run(where, 2)
    assert first == second != os.getpid()
    assert (one, two) == (1, 2)


def test_computations_step_back_for_whoever_waits_for_less(worker: WorkerProcess) -> None:
    """They take long by their nature: what is short by its nature goes first."""
    assert worker.run(os.nice, 0) == min(19, os.nice(0) + STEP_BACK)


def test_the_same_computation_is_answered_from_memory(worker: WorkerProcess) -> None:
    """Another process would have another number. A failure is not remembered."""
    computations = Computations(worker)
    answered = computations.run(where, 1)
    computations.stop()
    assert computations.run(where, 1) == answered
    assert computations.run(where, 2)[0] != answered[0]
    for _ in range(2):
        with pytest.raises(Unavailable):
            computations.run(dead)


def test_what_takes_too_long_is_ended(worker: WorkerProcess, tmp_path: Path) -> None:
    """Its process with it; the next computation has another one."""
    with pytest.raises(LimitExceeded, match="more than 3 s"):
        worker.run(slow, str(tmp_path / "pid"), seconds=3.0)
    assert worker.run(where, 1)[1] == 1


def test_a_process_that_dies_is_no_riddle(worker: WorkerProcess) -> None:
    """An error that says what may be, and a new process."""
    with pytest.raises(Unavailable, match="code -9: killed, or out of memory"):
        worker.run(dead)
    assert worker.run(where, 4)[1] == 4


def test_a_process_that_dies_between_two_computations_is_replaced_unheard(worker: WorkerProcess) -> None:
    """Nobody was waiting for it."""
    before = worker.run(where, 1)[0]
    os.kill(before, signal.SIGKILL)
    assert worker.run(where, 2)[0] != before


def test_a_fault_is_told_where_it_was(worker: WorkerProcess) -> None:
    """With its last lines; the process goes on."""
    before = worker.run(where, 1)[0]
    with pytest.raises(Defect, match="ZeroDivisionError: by hand"):
        worker.run(wrong)
    with pytest.raises(NotYet, match="position 7 is not there") as raised:
        worker.run(refused)
    assert raised.value.code == "later"
    assert worker.run(where, 5)[0] == before


def test_only_so_many_may_wait(worker: WorkerProcess, tmp_path: Path) -> None:
    """Whoever comes later is refused at once; stopping ends those that run and wait, and the next one is computed."""
    running = worker.submit(slow, str(tmp_path / "pid"))
    in_computation(tmp_path / "pid")
    waiting: list[Future[tuple[int, int]]] = [worker.submit(where, number) for number in range(2)]
    with pytest.raises(LimitExceeded, match="too many questions wait for the test"):
        worker.submit(where, 3)
    worker.stop()
    with pytest.raises(Unavailable, match="the test was stopped"):
        worker.result(running)
    for future in waiting:
        with pytest.raises(Unavailable, match="the test was stopped"):
            worker.result(future)
    assert worker.run(where, 4)[1] == 4


async def test_what_its_asker_left_is_computed_no_longer(worker: WorkerProcess, tmp_path: Path) -> None:
    """Whether it runs or waits; the others go on."""
    running = asyncio.create_task(worker.ask(slow, str(tmp_path / "running")))
    pid = await asyncio.to_thread(in_computation, tmp_path / "running")
    left = asyncio.create_task(worker.ask(slow, str(tmp_path / "left")))
    other = asyncio.create_task(worker.ask(where, 7))
    await asyncio.sleep(0)
    for task in (left, running):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert (await other)[1] == 7
    assert not (tmp_path / "left").exists()
    eventually(lambda: gone(pid))


async def test_stopping_is_no_cancellation_of_who_waits(worker: WorkerProcess, tmp_path: Path) -> None:
    """It would end more than the question."""
    asking = [asyncio.create_task(worker.ask(slow, str(tmp_path / name))) for name in "ab"]
    await asyncio.to_thread(in_computation, tmp_path / "a")
    threading.Thread(target=worker.stop).start()
    for outcome in await asyncio.gather(*asking, return_exceptions=True):
        assert isinstance(outcome, Unavailable)


PARENT = """
import sys, threading, time
from projections.engine.worker_process import WorkerProcess
from tests.projections.engine.test_worker_process import slow, where
worker = WorkerProcess("the test")
print(worker.run(where, 1)[0], flush=True)
if sys.argv[1]:
    threading.Thread(target=worker.run, args=(slow, sys.argv[1]), daemon=True).start()
time.sleep(600)
"""


@pytest.mark.parametrize("computing", [False, True])
def test_it_dies_with_its_parent_and_holds_nothing_of_it(tmp_path: Path, computing: bool) -> None:
    """However the parent ends, and whatever is computed: whoever reads the parent's output sees its end at once."""
    marker = tmp_path / "pid"
    command = [sys.executable, "-c", PARENT, str(marker) if computing else ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        if computing:
            assert in_computation(marker) == pid
        assert {os.readlink(f"/proc/{pid}/fd/{number}") for number in range(3)} == {os.devnull}
        os.kill(pid, signal.SIGSTOP if computing else signal.SIGCONT)  # a frozen one, too
        parent.kill()
        assert parent.stdout.read() == ""
    eventually(lambda: gone(pid))
