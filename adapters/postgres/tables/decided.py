"""What was decided about the aggregates of one kind, read out of the event store itself."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.postgres.connections.link import Link
from domain.configuration.event_store import Stored

DECIDED = """
    SELECT originator_id, originator_version, topic, state, notification_id FROM config_events
    WHERE notification_id > %s AND starts_with(topic, %s) ORDER BY notification_id
"""


async def decided(link: Link, aggregate: str, number: int) -> Sequence[Stored]:
    """The events of a kind of aggregate after this number of the event store, in commit order. Raises Unavailable."""
    async with link.use() as connection:
        cursor = await connection.execute(DECIDED, (number, f"{aggregate}."))
        return [Stored(*row) for row in await cursor.fetchall()]
