"""The role `demo`: keeps the sample data moving."""

from __future__ import annotations

import asyncio

from app.role import Ready, Role
from app.settings import Settings


async def serve(settings: Settings, stop: asyncio.Event, ready: Ready) -> None:
    """Serve until `stop`."""
    from app.demo.moving import keep_moving

    await keep_moving(settings, stop, ready)


ROLE = Role("demo", "publishes made-up events of the sample companies", serve)
