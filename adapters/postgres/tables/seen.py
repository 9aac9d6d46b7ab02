"""What projectors remember of foreign events, as the doors ask for it (table `seen_events`)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from adapters.postgres.connections.link import Link
from domain.errors import Unavailable
from domain.ports import Placed
from eventlog.intake.quarantine import Seen

LIMIT = 2.0  # seconds that an answer may take: publishing waits for it
REST = 10.0  # seconds without a question after one that was not answered

PLACES = """
    WITH asked AS MATERIALIZED (SELECT ARRAY(SELECT encode(i, 'hex')::uuid FROM unnest(%b::bytea[]) AS i) AS ids)
    SELECT uuid_send(identity), content, topic, partition, "offset" FROM seen_events
    WHERE identity = ANY ((SELECT ids FROM asked)::uuid[])
    UNION ALL SELECT uuid_send(identity), NULL, topic, partition, "offset" FROM earlier_seen_events
    WHERE identity = ANY ((SELECT ids FROM asked)::uuid[])
"""


class PostgresSeenEvents:
    """`eventlog.intake.quarantine.SeenEvents` on PostgreSQL; connects when first used.

    Identities travel as bytes and become UUIDs in the server: making UUID objects here would cost 2 µs an event.
    """

    def __init__(self, database_url: str) -> None:
        self._link = Link(database_url, patience=0.5)
        self._rests_until = 0.0

    async def places(self, identities: Sequence[bytes]) -> Mapping[bytes, Seen]:
        """Those of these identities that were admitted before, with their places and contents.

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
        return {identity: Seen(Placed(*place), content) for identity, content, *place in rows}

    async def close(self) -> None:
        """Close the connection."""
        await self._link.close()
