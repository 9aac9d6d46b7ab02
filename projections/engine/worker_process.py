"""Long computations in a process of their own: one after the other, each cut off in time, its memory given back.

An API process stays small and answers others meanwhile. The process holds nothing of its parent's but one socket: its
standard streams are its own, and however the parent dies, the process dies too. What is computed in it is a function
of a module with arguments that can be pickled; what it raises on purpose is raised again here.
"""

from __future__ import annotations

import asyncio
import atexit
import ctypes
import logging
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from multiprocessing.connection import Connection, Pipe
from typing import Any, TypeVar, cast

from cachetools import LRUCache

from domain.errors import AnalyticsError, Defect, LimitExceeded, Unavailable

SECONDS = 60.0  # that one computation may take
WAITING = 8  # computations that may wait for their turn, besides the one that runs
RECYCLED = 50  # computations of one process, which never gives all memory back by itself
IDLE = 60.0  # seconds without work after which the process ends
REMEMBERED = 256  # results
STEP_BACK = 10  # niceness: a tenth of what others get, where there is not enough for all

_BEGUN = b"begun"  # what the process says before it computes
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG

Result = TypeVar("Result")
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Task:
    """A computation, pickled. `end`: why it was ended before its time, if it was."""

    work: bytes
    seconds: float
    end: AnalyticsError | None = None


class WorkerProcess:
    """One process for one kind of work, started by the first computation; `name` is what errors call it."""

    def __init__(self, name: str, *, waiting: int = WAITING) -> None:
        self._name = name
        self._room = waiting + 1
        # One thread, so that computations take turns; it outlives the process, whose death signal hangs on the thread.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name.replace(" ", "-"))
        self._lock = threading.Lock()
        self._tasks: dict[Future[Any], _Task] = {}
        self._running: _Task | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._spent = False  # the process was killed, and may not have ended yet
        atexit.register(self._close)

    def submit(self, function: Callable[..., Result], *arguments: object, seconds: float = SECONDS) -> Future[Result]:
        """Begin a computation, which may take so many seconds from its turn on; returns its future result.

        Raises LimitExceeded when too many wait. The result raises what the function raises on purpose, Defect for any
        other failure of it, LimitExceeded where it takes too long, Unavailable where the process dies or is stopped.
        """
        task = _Task(pickle.dumps((function, arguments)), seconds)
        with self._lock:
            if len(self._tasks) >= self._room:
                raise LimitExceeded(f"too many questions wait for {self._name}", code="too_many_questions")
            future: Future[Result] = self._thread.submit(self._compute, task)
            self._tasks[future] = task
        future.add_done_callback(self._forget)
        return future

    async def ask(self, function: Callable[..., Result], *arguments: object, seconds: float = SECONDS) -> Result:
        """What the function returns, or raises: see `submit`. Whoever is cancelled here ends the computation, too."""
        future = self.submit(function, *arguments, seconds=seconds)
        waiting = asyncio.wrap_future(future)
        try:
            await asyncio.wait((waiting,))
        except asyncio.CancelledError:
            waiting.cancel()
            self.give_up(future)
            raise
        if waiting.cancelled():
            raise self._stopped()
        return waiting.result()

    def run(self, function: Callable[..., Result], *arguments: object, seconds: float = SECONDS) -> Result:
        """As `ask`, for a thread that may wait. Raises as `ask` does."""
        return self.result(self.submit(function, *arguments, seconds=seconds))

    def result(self, future: Future[Result]) -> Result:
        """The result of a future of ours, once it is there.

        Raises Unavailable where it was stopped, and what the computation raises.
        """
        try:
            return future.result()
        except CancelledError:
            raise self._stopped() from None

    def give_up(self, future: Future[Any]) -> None:
        """Compute this no longer: it leaves the queue, or its process is killed."""
        future.cancel()
        with self._lock:
            task = self._tasks.get(future)
        if task is not None:
            self._end(task, self._stopped())

    def stop(self) -> None:
        """End the process at once, and all that waits for it. The next computation starts another one."""
        with self._lock:
            futures = list(self._tasks)
        for future in futures:
            self.give_up(future)
        with self._lock:
            self._kill()
        self._thread.submit(self._close).result()

    def _forget(self, future: Future[Any]) -> None:
        with self._lock:
            self._tasks.pop(future, None)

    def _stopped(self) -> Unavailable:
        return Unavailable(f"{self._name} was stopped")

    def _end(self, task: _Task, reason: AnalyticsError) -> None:
        with self._lock:
            task.end = task.end or reason
            if task is self._running:
                self._kill()

    def _compute(self, task: _Task) -> Any:
        """In the thread: the result of one computation."""
        late = LimitExceeded(
            f"the computation took more than {task.seconds:g} s", suggested_actions=("ask for a shorter period",)
        )
        limit = threading.Timer(task.seconds, self._end, (task, late))
        limit.daemon = True
        with self._lock:
            self._running = task
        limit.start()
        try:
            failed, result = self._answer_to(task)
        finally:
            limit.cancel()
            with self._lock:
                self._running = None
        if isinstance(failed, AnalyticsError):
            raise failed
        if failed is not None:
            raise Defect(f"a computation failed: {failed}")
        return result

    def _answer_to(self, task: _Task) -> tuple[object, object]:
        """What the process answers. One that ended before it began, as it does for a rest, is followed by another."""
        for _ in range(2):
            begun = False
            pipe = self._opened()
            try:
                pipe.send_bytes(task.work)
                begun = pipe.recv_bytes() == _BEGUN
                answer: tuple[object, object] = pickle.loads(pipe.recv_bytes())  # from our own process, over its pipe
                return answer
            except (OSError, EOFError):
                code = self._close()
            if begun or task.end is not None:
                break
        raise task.end or Unavailable(f"the process of {self._name} ended with code {code}: killed, or out of memory")

    def _opened(self) -> Connection:
        """The pipe to a process that lives."""
        with self._lock:
            lives = self._process is not None and self._process.poll() is None and not self._spent
            if self._pipe is not None and lives:
                return self._pipe
        self._close()
        ours, theirs = Pipe()
        command = (sys.executable, "-m", "projections.engine.worker_process", str(theirs.fileno()))
        null = subprocess.DEVNULL
        with theirs, self._lock:
            try:
                self._process = subprocess.Popen(
                    command, stdin=null, stdout=null, stderr=null, pass_fds=(theirs.fileno(),), start_new_session=True
                )
            except OSError as error:
                ours.close()
                raise Unavailable(f"the process of {self._name} cannot start: {error}") from None
            self._pipe, self._spent = ours, False
            if self._running is not None and self._running.end is not None:
                self._kill()
        ours.send_bytes(pickle.dumps(sys.path))
        return ours

    def _kill(self) -> None:
        """End the process; whoever waits for its answer finds its end. Under the lock."""
        if self._process is not None:
            self._process.kill()
            self._spent = True

    def _close(self) -> int | None:
        """Give back the process, if there is one; returns its exit code."""
        with self._lock:
            process, pipe = self._process, self._pipe
            self._process, self._pipe = None, None
        if process is None or pipe is None:
            return None
        pipe.close()
        try:
            return process.wait(0.5)  # one that ended by itself: its code tells why
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


class Computations:
    """A worker process whose results are remembered: the same arguments give the same result, whatever happens."""

    def __init__(self, worker: WorkerProcess) -> None:
        self._worker = worker
        self._lock = threading.Lock()
        self._results: LRUCache[bytes, Future[Any]] = LRUCache(REMEMBERED)

    def run(self, function: Callable[..., Result], *arguments: object) -> Result:
        """What the function returns; it depends on its arguments alone. Raises as `WorkerProcess.submit`."""
        key = blake2b(pickle.dumps((function, arguments)), digest_size=16).digest()
        with self._lock:
            future = self._results.get(key)
            if future is None:
                future = self._results[key] = self._worker.submit(function, *arguments)
        try:
            return cast("Result", self._worker.result(future))
        except BaseException:
            with self._lock:
                if self._results.get(key) is future:
                    del self._results[key]
            raise

    def stop(self) -> None:
        """End the process; what is remembered stays."""
        self._worker.stop()


MODELS = Computations(WorkerProcess("the fitting of models"))


def _serve(descriptor: int) -> None:
    """In the new process: one computation after the other, until it has done many or has none for a while."""
    _die_with_parent(descriptor)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it decides when it ends
    _step_back()
    with Connection(descriptor) as pipe:
        sys.path[:] = pickle.loads(pipe.recv_bytes())
        for _ in range(RECYCLED):
            if not pipe.poll(IDLE):
                break
            work = pipe.recv_bytes()
            pipe.send_bytes(_BEGUN)
            pipe.send_bytes(_answer(work))


def _answer(work: bytes) -> bytes:
    """The pickled answer: what failed, or None, and the result."""
    try:
        function, arguments = pickle.loads(work)
        return pickle.dumps((None, function(*arguments)))
    except AnalyticsError as error:
        return pickle.dumps((error, None))
    except Exception:
        return pickle.dumps((traceback.format_exc(limit=-3), None))


def _die_with_parent(descriptor: int) -> None:
    """End this process when its parent does. The kernel sees to it where it can, and a thread watches the socket."""

    def watch() -> None:
        ends = select.poll()
        ends.register(descriptor, 0)  # hearing of its end alone
        ends.poll()
        os._exit(1)

    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
    threading.Thread(target=watch, daemon=True).start()


def _step_back() -> None:
    """Let those go first who wait for less: what is computed here takes long by its nature.

    Linux weighs the processes of one session among each other, and sessions by a weight of their own.
    """
    os.nice(STEP_BACK)
    with suppress(OSError), open("/proc/self/autogroup", "w") as session:
        session.write(str(STEP_BACK))


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
