"""What an error of PostgreSQL means: the server is away, or it does not take what it was given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg

from domain.events.problems import Code
from domain.ports import Chunk
from eventlog.intake.event_tokens import without_signatures
from projections.engine.declare.projection import Projection
from projections.engine.store.port import FoldFailed, Refusal, record_at

# By class of SQLSTATE: connection, transaction rolled back by another one, resources, state of an object, operator,
# system. What else an OperationalError is (54: a limit of the program) comes of what was sent.
OUTAGES = ("08", "25", "40", "53", "55", "57", "58")
# Of these nobody needs to wonder whether a record brings them about: no disk, no room for a connection, shutting down,
# starting, a standby.
CERTAIN = ("08001", "08004", "25006", "53100", "53300", "57P01", "57P03", "57P04")

REFUSED, ENOUGH = 0.2, 100  # share of its facts, of so many at least, above which a projection's code is wrong

RECORD = """
    INSERT INTO quarantine (topic, stream, partition, "offset", code, reason, company_id, event_id, raw, door,
                            projection, definition)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'log', %s, %s) ON CONFLICT DO NOTHING
"""


def is_outage(error: psycopg.Error) -> bool:
    """Whether trying again may help, because it was not what was sent that brought it about."""
    return error.sqlstate is None or error.sqlstate[:2] in OUTAGES


@contextmanager
def refusing(projection: Projection) -> Iterator[None]:
    """Raises FoldFailed of this projection for errors of data; outages and what is FoldFailed already pass."""
    try:
        yield
    except FoldFailed:
        raise
    except Exception as error:
        if isinstance(error, psycopg.Error) and is_outage(error):
            raise
        raise FoldFailed(projection, error, code=Code.STORE_REJECTED) from error


def record(connection: psycopg.Connection, topic: str, chunks: Sequence[Chunk], refusals: Sequence[Refusal]) -> None:
    """Put refused events into quarantine, each for the definition of the projection that refuses it."""
    rows = [
        (
            topic,
            topic,
            r.partition,
            r.offset,
            r.code,
            r.reason.replace("\0", "\\0"),
            r.company_id,
            r.event_id,
            without_signatures(record_at(chunks, r.partition, r.offset)),
            r.projection.name,
            r.projection.definition_version,
        )
        for r in refusals
    ]
    connection.cursor().executemany(RECORD.encode(), rows)
