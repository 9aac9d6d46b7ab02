"""Publishing from other services and from the doors: a publisher over the log and bus that the settings name.

async with connect(settings) as publisher:
    await publisher.publish(event.user_event(company_id="acme", user_id="u1", name="page_view"))
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.settings import Settings
from app.wiring import event_log, event_tokens, live_bus
from domain.publishing.ingest import Ingest
from domain.publishing.lanes import Limits
from domain.publishing.publisher import Publisher

DOOR_LIMITS = Limits(deadline=10.0)  # a caller at a door should hear of a log that is away before its own time-out


@asynccontextmanager
async def connect(settings: Settings, *, stamp: bool = True, limits: Limits | None = None) -> AsyncIterator[Publisher]:
    """A publisher that drains when left. `stamp=False` for events that may be repeated after a restart."""
    async with event_log(settings) as log, live_bus(settings) as bus:
        publisher = Publisher(log, bus, limits=limits, stamp=stamp)
        try:
            yield publisher
        finally:
            await publisher.close()


@asynccontextmanager
async def ingest(settings: Settings, *, remembered: int = 50_000) -> AsyncIterator[Ingest]:
    """What the doors stand on; `remembered`: identities of events made durable lately (250 bytes each)."""
    from adapters.postgres.quarantine import PostgresQuarantine
    from adapters.postgres.seen import PostgresSeenEvents

    quarantine, seen = PostgresQuarantine(settings.database_url), PostgresSeenEvents(settings.database_url)
    try:
        async with connect(settings, stamp=False, limits=DOOR_LIMITS) as publisher:
            yield Ingest(publisher, quarantine, seen, remembered=remembered, tokens=event_tokens(settings))
    finally:
        await quarantine.close()
        await seen.close()
