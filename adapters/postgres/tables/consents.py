"""Who agreed to be compared, by a function of the database that gives ids of companies and nothing else (ADR 0028)."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.postgres.connections.link import Link
from adapters.postgres.tenant_wall import AS_READER

AGREED = "SELECT agreed FROM read_models.agreed_companies(%s, %s, %s) AS agreed"


class PostgresConsents:
    """`domain.ports.Consents` on PostgreSQL, as the role of readers; opens its connection at first use."""

    def __init__(self, database_url: str) -> None:
        self._link = Link(database_url, options=f"{AS_READER} -c jit=off", patience=0.5)

    async def agreed(self, tier: str, currency: str | None, most: int) -> Sequence[str]:
        """The first by a hash of their ids. Raises Unavailable."""
        async with self._link.use(limit=5.0) as connection:
            cursor = await connection.execute(AGREED, (tier, currency, most))
            return [company for (company,) in await cursor.fetchall()]

    async def close(self) -> None:
        """Close the connection."""
        await self._link.close()
