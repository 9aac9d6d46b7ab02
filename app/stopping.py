"""When a process is to stop: SIGTERM, SIGINT, or, for a child of the supervisor, the end of the supervisor itself."""

from __future__ import annotations

import asyncio
import os
import signal


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

        def heard() -> None:
            if not os.read(0, 4096):
                loop.remove_reader(0)
                stop.set()

        loop.add_reader(0, heard)
    return stop
