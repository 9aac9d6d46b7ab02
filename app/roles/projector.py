"""The role `projector`: folds the log into read models, sharing the partitions with the other projectors."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable

from app import wiring
from app.role import Ready, Role
from app.settings import Settings
from eventlog import tasks

logger = logging.getLogger(__name__)


async def serve(settings: Settings, stop: asyncio.Event, ready: Ready) -> None:
    """Serve until `stop`."""
    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # read when Polars is loaded; more processes instead of threads
    from app.rebuild.upgrade import upgrade_beside
    from projections.engine.declare.registry import all_projections
    from projections.engine.project.cohort import Limits
    from projections.engine.project.projector import Projector

    async with wiring.event_log(settings) as log, wiring.live_bus(settings) as bus:
        worker = Projector(
            list(all_projections().values()),
            log,
            lambda: wiring.projection_store(settings),
            bus,
            Limits(batch=settings.batch, poison=settings.poison_limit, tokens=wiring.event_tokens(settings)),
        )
        working = tasks.owned(worker.run(), "the projector")
        ready(0)
        upgrading = tasks.start(upgrade_beside(settings), "the upgrade of projections")
        try:
            await tasks.first(asyncio.wait({working}), stop.wait(), _until_stuck(worker.idle, settings.stuck_seconds))
        finally:
            worker.stop()
            await tasks.end(upgrading)
            await working


async def _until_stuck(idle: Callable[[], float], seconds: float) -> None:
    """End this process when its work rests for so long: a call that hangs in a thread can be ended in no other way.

    A crash loses nothing, and whoever supervises starts it again.
    """
    while idle() < seconds:  # noqa: ASYNC110  # nothing can tell that nothing happens
        await asyncio.sleep(1.0)
    logger.critical("no progress for %.0f s: this process ends, to be started again", seconds)
    logging.shutdown()
    os._exit(70)


ROLE = Role("projector", "folds the log into read models", serve, nice=5)
