"""The quarantine in PostgreSQL (table `quarantine`, made by migration 0003)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg.rows import class_row

from adapters.postgres.connections.link import Link
from domain.errors import NotFound
from domain.events.problems import storable
from eventlog.intake.quarantine import BadEvent, Entry, Filter, Resolution

COLUMNS = (
    "id, recorded_at, code, reason, coalesce(stream, '') AS stream,"
    ' topic, partition, "offset", item, door, line, company_id, event_id, status, octet_length(raw) AS size'
    ", settled_at, settled_by, note, replayed_to, projection"
    ", coalesce(taken_at, (extract(epoch FROM recorded_at) * 1000)::bigint) AS taken_at"
)
SETTLE = """
    UPDATE quarantine SET status = %s, settled_by = %s, note = %s, replayed_to = %s, settled_at = now()
    WHERE id = %s AND status = 'waiting'
"""
ADD = """
    INSERT INTO quarantine (identity, code, reason, raw, door, line, stream, company_id, event_id, item, taken_at)
    SELECT i, c, r, w, d, l, s, o, e, t, nullif(a, 0) FROM unnest(
        %b::bytea[], %s::text[], %s::text[], %b::bytea[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[],
        %s::int[], %s::bigint[]
    ) WITH ORDINALITY AS bad (i, c, r, w, d, l, s, o, e, t, a, number) ORDER BY number ON CONFLICT (identity) DO NOTHING
"""
ADD_LIMIT = 5.0  # seconds: whoever publishes waits for this
FIND = f"""
    SELECT {COLUMNS} FROM quarantine
    WHERE (%(company_id)s::text IS NULL OR company_id = %(company_id)s)
      AND (%(code)s::text IS NULL OR code = %(code)s)
      AND (%(stream)s::text IS NULL OR stream = %(stream)s)
      AND (%(door)s::text IS NULL OR door = %(door)s)
      AND (%(status)s::text IS NULL OR status = %(status)s)
      AND (%(before)s::bigint IS NULL OR id < %(before)s)
      AND (%(after)s::bigint IS NULL OR id > %(after)s)
    ORDER BY CASE WHEN %(after)s::bigint IS NULL THEN -id ELSE id END LIMIT %(limit)s
"""


class PostgresQuarantine:
    """`eventlog.intake.quarantine.Quarantine` on PostgreSQL; connects when first used.

    Methods raise Unavailable, and Defect where the database refuses a statement.
    """

    def __init__(self, database_url: str) -> None:
        self._link = Link(database_url, options="-c timezone=UTC")

    async def add(self, events: Sequence[BadEvent]) -> None:
        """Keep these events, but none that is kept already, in one transaction."""
        if not events:
            return
        rows = [
            (
                e.identity,
                e.code,
                storable(e.reason),
                e.raw,
                e.door,
                e.line,
                e.stream,
                storable(e.company_id),
                storable(e.event_id),
                e.item,
                e.taken_at,
            )
            for e in events
        ]
        async with self._link.use(ADD_LIMIT) as connection:
            await connection.execute(ADD, [list(column) for column in zip(*rows, strict=True)])

    async def entries(self, only: Filter) -> list[Entry]:
        """Entries that match, newest first."""
        values = {name: getattr(only, name) for name in Filter.__slots__}
        async with self._link.use() as connection, connection.cursor(row_factory=class_row(Entry)) as cursor:
            return await (await cursor.execute(FIND.encode(), values)).fetchall()

    async def entry(self, entry_id: int) -> tuple[Entry, bytes]:
        """One entry with its bytes; raises NotFound."""
        one = f"SELECT {COLUMNS} FROM quarantine WHERE id = %s"
        async with self._link.use() as connection, connection.cursor(row_factory=class_row(Entry)) as cursor:
            row = await (await cursor.execute(one.encode(), (entry_id,))).fetchone()
            raw = await (await connection.execute("SELECT raw FROM quarantine WHERE id = %s", (entry_id,))).fetchone()
        if row is None or raw is None:
            raise NotFound(f"there is no entry {entry_id} in quarantine", code="no_quarantine_entry")
        return row, bytes(raw[0])

    async def contents(self, ids: Sequence[int]) -> Mapping[int, bytes]:
        """The bytes of these entries."""
        async with self._link.use() as connection:
            rows = await connection.execute("SELECT id, raw FROM quarantine WHERE id = ANY(%s)", (list(ids),))
            return {entry_id: bytes(raw) for entry_id, raw in await rows.fetchall()}

    async def settle(self, entries: Sequence[Resolution]) -> None:
        """Note what became of entries that wait, in one transaction."""
        values = [(e.status, e.by, e.note, e.replayed_to, e.id) for e in entries]
        async with self._link.use() as connection, connection.transaction(), connection.cursor() as cursor:
            await cursor.executemany(SETTLE, values)

    async def close(self) -> None:
        """Close the connection."""
        await self._link.close()
