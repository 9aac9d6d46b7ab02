"""When a process is to stop: SIGTERM, SIGINT, or, for a child of the supervisor, the end of the supervisor itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import time

DRAIN_SECONDS = 5.0  # that a child without a supervisor may take to drain


def stop_requested(*, with_parent: bool = False) -> asyncio.Event:
    """An event of the running loop that is set when this process is to drain and end.

    `with_parent`: also when stdin ends. The supervisor holds the other end of that pipe, and the kernel closes it
    however the supervisor dies, so that no child is left behind.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if with_parent:
        threading.Thread(target=_until_orphan, args=(loop, stop), daemon=True).start()
    return stop


def _until_orphan(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """In a thread, because the loop may hang: ask this process to drain once stdin ends, and end it if it does not."""
    while os.read(0, 4096):
        pass
    with contextlib.suppress(RuntimeError):  # the loop is closed already
        loop.call_soon_threadsafe(stop.set)
    time.sleep(DRAIN_SECONDS)
    os._exit(1)
