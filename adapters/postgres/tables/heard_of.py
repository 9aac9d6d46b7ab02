"""Which processes of a role were heard of: a table `holder, heard_at`."""

from __future__ import annotations

from psycopg import sql

from adapters.postgres.connections.link import Link

ALIVE = """
    INSERT INTO {} (holder, heard_at) VALUES (%s, now())
    ON CONFLICT (holder) DO UPDATE SET heard_at = excluded.heard_at
"""
GONE = "DELETE FROM {} WHERE heard_at < now() - interval '1 day'"
SILENT = "SELECT extract(epoch FROM now() - max(heard_at))::float8 FROM {}"
MOST_SILENCE = 45.0  # seconds after which all of them count as gone


class HeardOf:
    """Processes of a role, in a table. Methods raise Unavailable."""

    def __init__(self, link: Link, table: str, role: str) -> None:
        self._link, self._role = link, role
        name = sql.Identifier(table)
        self._alive, self._gone, self._silent = (sql.SQL(each).format(name) for each in (ALIVE, GONE, SILENT))

    async def note_alive(self, holder: str) -> None:
        """Say that one is there."""
        async with self._link.use() as connection:
            await connection.execute(self._alive, (holder,))
            await connection.execute(self._gone)

    async def problem(self) -> str:
        """That nothing is heard of any of them. Empty where none ever began."""
        async with self._link.use(limit=2.0) as connection:
            row = await (await connection.execute(self._silent)).fetchone()
        silent = row[0] if row else None
        late = silent is not None and silent > MOST_SILENCE
        return f"the {self._role} was last heard of {silent:.0f} s ago" if late else ""
