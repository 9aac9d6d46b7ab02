"""What tiers companies were commanded to have, by a function of the database that gives these and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from adapters.postgres.connections.link import Link
from adapters.postgres.tenant_wall import AS_READER
from domain.access.rights import Tier
from domain.errors import Unavailable
from eventlog import tasks

STORED = "SELECT company, tier FROM read_models.stored_tiers()"
EVERY = 2.0  # seconds after which a changed tier counts at the latest


class PostgresTiers:
    """Reads stored tiers as the role of readers; opens its connection at first use."""

    def __init__(self, database_url: str) -> None:
        self._link = Link(database_url, options=f"{AS_READER} -c jit=off", patience=0.5)

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[Mapping[str, Tier]]:
        """Company to tier, as it was a moment ago; while the database is away it stays as it was last."""
        tiers: dict[str, Tier] = {}
        with suppress(Unavailable):  # the tokens' tiers count until it is back
            await self._read(tiers)
        following = tasks.start(tasks.keep(lambda: self._follow(tiers), "reading stored tiers"), "stored tiers")
        try:
            yield tiers
        finally:
            await tasks.end(following)
            await self._link.close()

    async def _follow(self, tiers: dict[str, Tier]) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await self._read(tiers)

    async def _read(self, tiers: dict[str, Tier]) -> None:
        async with self._link.use(limit=5.0) as connection:
            cursor = await connection.execute(STORED)
            stored = {company: Tier(tier) for company, tier in await cursor.fetchall()}
        tiers.update(stored)
        for company in tiers.keys() - stored.keys():
            del tiers[company]
