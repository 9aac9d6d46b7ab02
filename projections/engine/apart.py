"""Long computations in a process of their own: one at a time, cut off after a while, its memory given back.

Fitting models takes seconds and loads libraries of hundreds of megabytes. An API process stays small and answers others
meanwhile: it hands a function and its arguments over and waits in a thread. What is asked again with the same arguments
is answered from memory: the same rows give the same finding, whatever else the log has taken since.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from typing import TYPE_CHECKING, TypeVar, cast

from domain.errors import Defect, LimitExceeded

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

SECONDS = 60.0  # that one computation may take
RECYCLED = 50  # computations of one process, which never gives all memory back by itself
IDLE = 60.0  # seconds without work after which the process ends
REMEMBERED = 256  # results

Result = TypeVar("Result")


class Apart:
    """The process, while there is one, and the results that are remembered. `seconds`: what one of them may take."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._turn = threading.Lock()
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._done = 0
        self._timer: threading.Timer | None = None
        self._remembered: OrderedDict[bytes, object] = OrderedDict()

    def run(self, function: Callable[..., Result], *arguments: object) -> Result:
        """What the function returns; it belongs to a module and depends on its arguments alone.

        Raises LimitExceeded where it takes too long or more memory than there is, Defect for what it raises.
        """
        asked = pickle.dumps((function, arguments))
        key = blake2b(asked, digest_size=16).digest()
        with self._turn:
            if key not in self._remembered:
                self._remember(key, self._computed(asked))
            self._remembered.move_to_end(key)
            return cast("Result", self._remembered[key])

    def stop(self) -> None:
        """End the process at once, whatever it computes; the next question starts another."""
        if self._timer is not None:
            self._timer.cancel()
        if self._process is not None:
            self._process.kill()
            self._process.join()

    def _computed(self, asked: bytes) -> object:
        if self._timer is not None:
            self._timer.cancel()
        try:
            pipe = self._opened()
            pipe.send_bytes(asked)
            if not pipe.poll(self._seconds):
                raise TimeoutError
            failed, result = pickle.loads(pipe.recv_bytes())  # from our own process, over its pipe
        except (TimeoutError, OSError, EOFError) as error:
            self._close()
            raise LimitExceeded(
                f"the computation took more than {self._seconds:g} s, or more memory than there is",
                suggested_actions=("ask for a shorter period",),
            ) from error
        self._rest()
        if failed:
            raise Defect(f"a computation failed: {result}")
        return cast("object", result)

    def _opened(self) -> Connection:
        """The pipe to a process that lives."""
        if self._pipe is None or self._process is None or not self._process.is_alive():
            self._close()
            spawned = multiprocessing.get_context("spawn")
            self._pipe, theirs = spawned.Pipe()
            self._process = spawned.Process(target=_serve, args=(theirs,), daemon=True)
            self._process.start()
            theirs.close()
        return self._pipe

    def _rest(self) -> None:
        """After a computation: a process that has done many ends now, any other one when it has rested for a while."""
        self._done += 1
        if self._done >= RECYCLED:
            self._close()
            return
        self._timer = threading.Timer(IDLE, self._close_idle)
        self._timer.daemon = True
        self._timer.start()

    def _close_idle(self) -> None:
        with self._turn:
            self._close()

    def _close(self) -> None:
        """Give back the process. It ends by itself when its pipe does, but for one that computes."""
        if self._process is not None and self._pipe is not None:
            self._pipe.close()
            self._process.kill()
            self._process.join()
        self._process, self._pipe, self._done = None, None, 0

    def _remember(self, key: bytes, result: object) -> None:
        self._remembered[key] = result
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)


APART = Apart()


def _serve(pipe: Connection) -> None:
    """In the new process: one computation after the other, until nobody is at the other end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it decides when it ends
    while True:
        try:
            function, arguments = pickle.loads(pipe.recv_bytes())
        except EOFError:
            return
        try:
            told = pickle.dumps((False, function(*arguments)))
        except Exception:
            told = pickle.dumps((True, traceback.format_exc(limit=-3)))
        pipe.send_bytes(told)
