"""Long computations in a process of their own: one at a time, cut off after a while, its memory given back.

Fitting models takes seconds and loads libraries of hundreds of megabytes. An API process stays small and answers others
meanwhile: it hands a function and its arguments over and waits in a thread. What is asked again with the same arguments
is answered from memory: the same rows give the same finding, whatever else the log has taken since.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from hashlib import blake2b
from typing import TypeVar, cast

from domain.errors import LimitExceeded

SECONDS = 20  # that one computation may take
RECYCLED = 50  # computations of one process, which never gives all memory back by itself
IDLE = 60.0  # seconds without work after which the process ends
REMEMBERED = 256  # results

Result = TypeVar("Result")


class Apart:
    """The process, while there is one, and the results that are remembered."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._timer: threading.Timer | None = None
        self._remembered: OrderedDict[bytes, object] = OrderedDict()

    def run(self, function: Callable[..., Result], *arguments: object) -> Result:
        """What the function returns; it belongs to a module and depends on its arguments alone.

        Raises LimitExceeded where it takes too long or more memory than there is.
        """
        asked = pickle.dumps((function, arguments))
        key = blake2b(asked, digest_size=16).digest()
        with self._turn:
            if key not in self._remembered:
                self._remember(key, self._computed(asked))
            self._remembered.move_to_end(key)
            return cast("Result", self._remembered[key])

    def end(self) -> None:
        """End the process; the next question starts another."""
        with self._turn:
            self._drop()

    def _computed(self, asked: bytes) -> object:
        if self._timer is not None:
            self._timer.cancel()
        if self._pool is None:
            spawned = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, spawned, _begin, max_tasks_per_child=RECYCLED)
        try:
            return self._pool.submit(_compute, asked).result()
        except BrokenProcessPool as error:
            self._drop()
            raise LimitExceeded(
                f"the computation took more than {SECONDS} s, or more memory than there is",
                suggested_actions=("ask for a shorter period",),
            ) from error
        finally:
            self._timer = threading.Timer(IDLE, self.end)
            self._timer.daemon = True
            self._timer.start()

    def _remember(self, key: bytes, result: object) -> None:
        self._remembered[key] = result
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)

    def _drop(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


APART = Apart()


def _begin() -> None:
    """In the new process: whoever started it decides when it ends, also by dying."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(0)


def _compute(asked: bytes) -> object:
    function, arguments = pickle.loads(asked)  # from the parent, over a pipe of its own
    signal.alarm(SECONDS)  # its default action ends the process, also inside a library
    try:
        return function(*arguments)
    finally:
        signal.alarm(0)
