"""The role `indexer`: keeps the sparse index of the log, by which auditors' searches pass over most of it."""

from __future__ import annotations

import asyncio

from app import wiring
from app.role import Ready, Role
from app.settings import Settings
from eventlog import tasks


async def serve(settings: Settings, stop: asyncio.Event, ready: Ready) -> None:
    """Serve until `stop`."""
    from domain.events.catalogue import STREAMS
    from eventlog.search.indexer import index

    async with wiring.event_log(settings) as log, wiring.event_index(settings) as kept:
        ready(0)
        # servers that go away come back
        await tasks.keep(lambda: index(log, kept, STREAMS, stop), "the index of the log")


ROLE = Role("indexer", "keeps the index that searches of the log go by", serve, nice=10)
