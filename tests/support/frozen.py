"""Processes that stand still, as on a machine that swaps or behind a network that is cut."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psutil


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """The process and its children stand still (SIGSTOP)."""
    pids = [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    stop(pids)
    try:
        yield
    finally:
        for each in pids:
            os.kill(each, signal.SIGCONT)


def stop(pids: Sequence[int]) -> None:
    """Return once they stand still: on a busy machine a process works on for a while after it was told to."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    for process in map(psutil.Process, pids):
        while process.status() not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE):
            time.sleep(0.01)
