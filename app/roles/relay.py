"""The role `relay`: carries what was decided from the event store to the log; a second one stands by."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from app import wiring
from app.role import Ready, Role
from app.settings import Settings


async def serve(settings: Settings, stop: asyncio.Event, ready: Ready) -> None:
    """Serve until `stop`."""
    from adapters.postgres.configuration_store.relay import PostgresRelaySource
    from domain.errors import Unavailable
    from eventlog.relay.ports import RELAY_SUBJECT
    from eventlog.relay.relay import Relay

    async with wiring.event_log(settings) as log, wiring.live_bus(settings) as bus:

        async def announce() -> None:
            with suppress(Unavailable):  # whoever waits looks by itself, too
                await bus.publish(RELAY_SUBJECT, b"")

        ready(0)
        await Relay(PostgresRelaySource(settings.database_url), log, announce).run(stop)


ROLE = Role("relay", "carries the configuration's events from the event store to the log", serve)
