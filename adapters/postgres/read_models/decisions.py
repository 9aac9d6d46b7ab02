"""What admission has decided, as it is recorded beside the rows: identities, stamps, repeats, what was set aside."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import psycopg
from psycopg import sql as composed

from adapters.postgres.read_models.tenant_positions import record_ends
from domain.errors import Fenced
from projections.engine.store.port import Admitted, Identified


def record_decisions(connection: psycopg.Connection, topic: str, admitted: Admitted) -> None:
    """Note them, within the caller's transaction.

    Raises Fenced where another worker has admitted one of the ids meanwhile.
    """
    with connection.cursor() as cursor:
        record_ends(cursor, topic, admitted)
        if admitted.highest:
            cursor.executemany(
                "INSERT INTO producers (topic, partition, company_id, producer_id, highest)"
                " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (topic, partition, company_id, producer_id)"
                " DO UPDATE SET highest = excluded.highest",
                [(topic, *producer, highest) for producer, highest in sorted(admitted.highest.items())],
            )
        _identify(cursor, topic, admitted.identities)
        _copy(cursor, "duplicates", [(topic, p, o) for p, o in admitted.duplicates])
        cursor.executemany(
            'INSERT INTO quarantine (topic, stream, partition, "offset", item, code, reason, company_id, event_id,'
            " raw, taken_at, door) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'log') ON CONFLICT DO NOTHING",
            [
                (
                    topic,
                    topic,
                    b.partition,
                    b.offset,
                    b.item,
                    b.code,
                    without_nul(b.reason),
                    without_nul(b.company_id),
                    without_nul(b.event_id),
                    b.raw,
                    b.taken_at,
                )
                for b in admitted.quarantined
            ],
        )


def _identify(cursor: psycopg.Cursor, topic: str, identities: Sequence[Identified]) -> None:
    """In the order of identities, so that workers wait for each other in no circle. Raises Fenced."""
    rows = [(UUID(bytes=i), said, offset, partition, topic) for i, said, partition, offset in sorted(identities)]
    try:
        _copy(cursor, "seen_events", rows)
    except psycopg.errors.UniqueViolation:
        raise Fenced("another worker has admitted an event of the same id meanwhile") from None


def _copy(cursor: psycopg.Cursor, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    if not rows:
        return
    with cursor.copy(composed.SQL("COPY {} FROM STDIN").format(composed.Identifier(table))) as copy:
        for row in rows:
            copy.write_row(row)


def without_nul(text: str) -> str:
    """The text as PostgreSQL can hold it; the raw bytes of an event keep what was in its place."""
    return text.replace("\0", "\\0")
