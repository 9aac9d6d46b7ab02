"""Which stored version of a projection readers see, and how its tables are read, of an earlier definition too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from adapters.postgres.connections.prepared_reader import PreparedReader
from domain.decimals import PLACES
from domain.errors import Unavailable
from projections.engine.declare import registry
from projections.engine.query.plain import names_in
from projections.engine.store import sql

LIVE = b"SELECT version, definition, places FROM projections WHERE name = %s AND live"
COLUMNS = b"""
SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
"""


class Live(NamedTuple):
    """The stored version that readers see, the definition that it was made by, and how fine its decimals are."""

    version: int
    definition: int
    places: int = PLACES
    columns: tuple[tuple[str, ...], ...] = ()  # of each declared table, as an earlier definition has it


async def live_version(connection: PreparedReader, projection: str) -> tuple[bool, Live]:
    """Whether a version is stored, and it; where none is, the declared one will be.

    Raises Unavailable for what a later release has stored.
    """
    declared = registry.projection(projection)
    lives = await connection.ask(LIVE, (projection,))
    for version, definition, places in lives.load(0, lives.total):
        if definition == declared.definition_version:
            return True, Live(version, definition, places)
        if definition > declared.definition_version:
            raise Unavailable(f"projection {projection} is stored by a later release than this one")
        columns = [await _columns(connection, sql.table_name(t.name, version)) for t in declared.tables]
        return True, Live(version, definition, places, tuple(columns))
    return False, Live(declared.version, declared.version)


async def _columns(connection: PreparedReader, table: str) -> tuple[str, ...]:
    row = (await connection.ask(COLUMNS, (table,))).load(0, 1)[0]
    return tuple(row[0] or ())


def tables_of(live: Live, projection: str, statement: str) -> Mapping[str, str]:
    """What a statement reads for each table that it names. Raises Unavailable as `sql.of_earlier`."""
    declared, names = registry.projection(projection), names_in(statement)
    if live.definition == declared.definition_version:
        return {t.name: sql.readable(t, live.version) for t in declared.tables}
    earlier = zip(declared.tables, live.columns, strict=True)
    return {t.name: sql.of_earlier(t, live.version, own, live.places) for t, own in earlier if t.name in names}
