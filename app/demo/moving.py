"""The process role `demo`: publishes what is made up to happen now, about thirty events a second, until it stops."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random

from app.demo.living import Living
from app.publisher import connect
from app.settings import Settings
from domain.errors import Unavailable
from eventlog.publish.durable_lane import Limits

STEP = 0.2  # seconds
LIMITS = Limits(deadline=3.0, pending_events=1_000)  # small: what is made up is not worth waiting for

logger = logging.getLogger(__name__)


async def keep_moving(settings: Settings, stop: asyncio.Event, ready: Callable[[int], None]) -> None:
    """Publish until `stop`; while the log is away, what happens meanwhile is not made up later."""
    living = Living(Random(), _now())
    async with connect(settings, limits=LIMITS) as publisher:
        ready(0)
        while not stop.is_set():
            try:
                await publisher.publish_many(living.step(_now()))
            except Unavailable as error:
                logger.warning("%s", error)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), STEP)


def _now() -> int:
    return time.time_ns() // 1_000_000
