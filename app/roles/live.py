"""The role `live`: folds what comes on the bus into live windows, and says on the bus what they hold.

One process of it serves an instance. What it holds is lost with it, and made again from what comes and from the
projections.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

from app import wiring
from app.role import Ready, Role
from app.settings import Settings
from eventlog import tasks

SWITCH = 0.0005  # seconds that what nobody follows may keep Python from what somebody does


async def serve(settings: Settings, stop: asyncio.Event, ready: Ready) -> None:
    """Serve until `stop`."""
    os.environ.setdefault("POLARS_MAX_THREADS", "2")  # read when Polars is loaded; what is followed, and the rest
    sys.setswitchinterval(SWITCH)
    from projections.engine.live.worker import LiveWorker

    async with wiring.live_bus(settings) as bus, wiring.read_store(settings) as store:
        worker = LiveWorker(bus, store, lambda: time.time_ns() // 1_000_000)
        working = tasks.owned(worker.run(), "the live lane")
        ready(0)
        try:
            await tasks.first(asyncio.wait({working}), stop.wait())
        finally:
            worker.stop()
            await working


ROLE = Role("live", "folds what comes on the bus into live windows", serve)
