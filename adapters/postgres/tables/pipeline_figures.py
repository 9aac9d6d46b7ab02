"""Figures of the whole pipeline, kept by admission and the quarantine: what came in, twice, or bad."""

from __future__ import annotations

from adapters.postgres.connections.link import Link
from domain.errors import Unavailable

FIGURES = """
    SELECT coalesce(sum(admitted), 0)::bigint, coalesce(sum(duplicates), 0)::bigint,
           coalesce(sum(quarantined), 0)::bigint,
           (SELECT count(*) FROM quarantine WHERE status = 'waiting')
    FROM admissions
"""


class PostgresPipelineFigures:
    """Reads the figures; opens its connection at first use.

    Methods raise Unavailable, and Defect where the database refuses a statement.
    """

    def __init__(self, database_url: str) -> None:
        self._link = Link(database_url, patience=0.5)

    async def __call__(self) -> dict[str, int]:
        """events (admitted), duplicates, refused (by the projector) and quarantined (waiting, of all doors).

        Raises Unavailable when the database does not answer.
        """
        async with self._link.use(limit=2.0) as connection:
            row = await (await connection.execute(FIGURES)).fetchone()
        if row is None:
            raise Unavailable("the database gave no figures")
        return dict(zip(("events", "duplicates", "refused", "quarantined"), row, strict=True))

    async def close(self) -> None:
        """Close the connection."""
        await self._link.close()
