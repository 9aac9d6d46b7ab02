"""Topics of the embedded log: their partitions, and how far these reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.postgres.connections.link import Link
from domain.errors import NotFound

_CREATE = """
insert into log.partitions (topic, partition)
select wanted.topic, number
from unnest(%s::text[], %s::int[]) as wanted (topic, partitions), generate_series(0, wanted.partitions - 1) as number
where not exists (select from log.partitions p where p.topic = wanted.topic)
order by wanted.topic, number
"""


class Topics:
    """What partitions there are. Ids are remembered: partitions are never added to a topic or taken away."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._ids: dict[str, tuple[int, ...]] = {}

    async def create(self, partitions: Mapping[str, int]) -> None:
        """Create topics that are missing; leaves the others as they are. Raises Unavailable, Defect."""
        async with self._link.use() as connection, connection.transaction():
            # two creators with different numbers must not both find a topic missing
            await connection.execute("select pg_advisory_xact_lock(hashtext('log.partitions'))")
            await connection.execute(_CREATE, (list(partitions), list(partitions.values())))

    async def ids(self, topic: str) -> Sequence[int]:
        """Id of each partition of the topic, by partition number.

        Raises NotFound for a topic that was not created, Unavailable.
        """
        if topic not in self._ids:
            async with self._link.use() as connection:
                cursor = await connection.execute(
                    "select id from log.partitions where topic = %s order by partition", (topic,)
                )
                rows = tuple(row[0] for row in await cursor.fetchall())
            if not rows:
                raise NotFound(
                    f"the log has no topic {topic!r}",
                    code="unknown_topic",
                    suggested_actions=("create the topics: analytics topics create",),
                )
            self._ids[topic] = rows
        return self._ids[topic]
