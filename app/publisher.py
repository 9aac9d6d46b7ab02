"""Publishing from other services and from the doors: a publisher over the log and bus that the settings name.

async with connect(settings) as publisher:
    await publisher.publish(event.user_event(company_id="acme", user_id="u1", name="page_view"))
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.settings import Settings
from app.wiring import closed_at_end, event_log, event_tokens, live_bus
from eventlog.intake.intake import BATCH_BYTES, BATCH_EVENTS, Ingest
from eventlog.publish.durable_lane import Limits
from eventlog.publish.publisher import Publisher

# A caller at a door should hear of a log that is away before its own time-out. An append is copied several times on its
# way to the log, whose connection keeps buffers of that size.
DOOR_LIMITS = Limits(
    deadline=10.0,
    batch_events=BATCH_EVENTS,
    batch_bytes=BATCH_BYTES,
    pending_events=10_000,
    pending_bytes=8 * 1024 * 1024,
)


@asynccontextmanager
async def connect(settings: Settings, *, stamp: bool = True, limits: Limits | None = None) -> AsyncIterator[Publisher]:
    """A publisher that drains when left. `stamp=False` for events that may be repeated after a restart."""
    async with (
        event_log(settings) as log,
        live_bus(settings) as bus,
        closed_at_end(Publisher(log, bus, limits=limits, stamp=stamp)) as publisher,
    ):
        yield publisher


@asynccontextmanager
async def ingest(settings: Settings) -> AsyncIterator[Ingest]:
    """What the doors stand on."""
    from adapters.postgres.tables.quarantine import PostgresQuarantine
    from adapters.postgres.tables.seen import PostgresSeenEvents

    async with (
        closed_at_end(PostgresQuarantine(settings.database_url)) as quarantine,
        closed_at_end(PostgresSeenEvents(settings.database_url)) as seen,
        connect(settings, stamp=False, limits=DOOR_LIMITS) as publisher,
    ):
        yield Ingest(publisher, quarantine, seen, tokens=event_tokens(settings))
