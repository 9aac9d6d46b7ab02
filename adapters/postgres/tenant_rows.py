"""The rows of one company: made anew in scratch tables, compared with the live ones, and put in their place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adapters.postgres.builder import differences
from adapters.postgres.projection_reader import read_position
from adapters.postgres.scratch import PostgresScratch, fill
from domain.position import Position
from projections.engine import sql
from projections.engine.declare import Projection
from projections.engine.past import Folded
from projections.engine.rebuild import Difference


@dataclass(frozen=True, slots=True)
class TenantComparison:
    """A company's live rows beside those made anew at the same position; the first rows of each table that differ."""

    position: Position
    differences: Sequence[Difference]
    replaced: bool


class PostgresTenantRows(PostgresScratch):
    """Compares and replaces. While it does, commits of that version wait: nobody writes the rows meanwhile."""

    def position(self, live: Projection) -> Position:
        """Where the live version stands now."""
        with self._transaction("decisions") as connection:
            return read_position(connection, live)

    def compare(
        self, live: Projection, company: str, folded: Callable[[Position], Folded], *, replace: bool
    ) -> TenantComparison:
        """Compare in one transaction, and with `replace` put what was made anew in place of what differs.

        `folded(position)` gives the company's whole history up to a position, which is asked for while commits wait.
        Raises Unavailable, and what `folded` raises; then nothing has changed.
        """
        with self._transaction("scratch") as connection:
            connection.execute("SET LOCAL synchronous_commit = on")
            connection.execute(
                "SELECT FROM checkpoints WHERE projection = %s AND version = %s ORDER BY topic, partition FOR UPDATE",
                (live.name, live.version),
            )
            position = read_position(connection, live)
            fill(connection, live.stored_as(sql.SCRATCH), company, None, folded(position))
            found = tuple(differences(connection, live, live.stored_as(sql.SCRATCH), company))
            for name, columns in sql.stored_tables(live).items() if replace and found else ():
                listed = ", ".join(f'"{c}"' for c in columns)
                target = sql.table_name(name, live.version)
                connection.execute(f"DELETE FROM {target} WHERE company_id = %s".encode(), (company,))
                connection.execute(
                    f"INSERT INTO {target} ({listed}) SELECT {listed} FROM {sql.table_name(name, sql.SCRATCH)}".encode()
                )
                connection.execute(f"ANALYZE {target}".encode())
            for name in sql.stored_tables(live):
                connection.execute(f"DROP TABLE {sql.table_name(name, sql.SCRATCH)}".encode())
        return TenantComparison(position, found, replace and bool(found))
