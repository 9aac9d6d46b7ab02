"""What projectors remember of foreign events, as the doors ask for it (table `seen_events`)."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.postgres.connection import Link

KNOWN = """
    SELECT uuid_send(s.identity) FROM seen_events s
    WHERE s.identity = ANY (ARRAY(SELECT encode(i, 'hex')::uuid FROM unnest(%b::bytea[]) AS i))
"""


class PostgresSeenEvents:
    """`domain.quarantine.SeenEvents` on PostgreSQL; connects when first used.

    Identities travel as bytes and become UUIDs in the server: making UUID objects here would cost 2 µs an event.
    """

    def __init__(self, database_url: str) -> None:
        self._link = Link(database_url, patience=0.5)

    async def known(self, identities: Sequence[bytes]) -> set[bytes]:
        """Those of these identities that were admitted before."""
        if not identities:
            return set()
        async with self._link.use(limit=10) as connection:
            rows = await (await connection.execute(KNOWN, (list(identities),), binary=True)).fetchall()
        return {row[0] for row in rows}

    async def close(self) -> None:
        """Close the connection."""
        await self._link.close()
