"""What projectors remember of foreign events, as the doors ask for it (table `seen_events`)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from adapters.postgres.connections.link import Link
from domain.errors import Unavailable
from domain.ports import Placed

LIMIT = 2.0  # seconds that an answer may take: publishing waits for it
REST = 10.0  # seconds without a question after one that was not answered

PLACES = """
    SELECT uuid_send(s.identity), s.topic, s.partition, s."offset" FROM seen_events s
    WHERE s.identity = ANY (ARRAY(SELECT encode(i, 'hex')::uuid FROM unnest(%b::bytea[]) AS i))
"""


class PostgresSeenEvents:
    """`eventlog.intake.quarantine.SeenEvents` on PostgreSQL; connects when first used.

    Identities travel as bytes and become UUIDs in the server: making UUID objects here would cost 2 µs an event.
    """

    def __init__(self, database_url: str) -> None:
        self._link = Link(database_url, patience=0.5)
        self._rests_until = 0.0

    async def places(self, identities: Sequence[bytes]) -> Mapping[bytes, Placed]:
        """Those of these identities that were admitted before, with their places.

        Raises Unavailable, for `REST` seconds after a failure at once.
        """
        if not identities:
            return {}
        now = asyncio.get_running_loop().time
        if now() < self._rests_until:
            raise Unavailable("the database did not answer a moment ago")
        try:
            async with self._link.use(LIMIT) as connection:
                rows = await (await connection.execute(PLACES, (list(identities),), binary=True)).fetchall()
        except Unavailable:
            self._rests_until = now() + REST
            raise
        return {identity: Placed(topic, partition, offset) for identity, topic, partition, offset in rows}

    async def close(self) -> None:
        """Close the connection."""
        await self._link.close()
