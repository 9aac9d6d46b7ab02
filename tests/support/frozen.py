"""Processes that stand still, as on a machine that swaps or behind a network that is cut."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """The process and its children stand still (SIGSTOP)."""
    pids = [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    for each in pids:
        os.kill(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in pids:
            os.kill(each, signal.SIGCONT)
