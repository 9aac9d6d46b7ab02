"""The rows of one company: made anew in scratch tables, compared with the live ones, and put in their place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import psycopg

from adapters.postgres.connections.refusals import ENOUGH, REFUSED, record
from adapters.postgres.read_models.differences import differences
from adapters.postgres.read_models.projection_reader import read_position
from adapters.postgres.read_models.scratch import PostgresScratch, add, analyse, create
from adapters.postgres.read_models.tenant_positions import record_replacement
from domain.ports import Chunk
from domain.position import Position
from eventlog.seals.checkpoints import Check
from projections.engine.declare.projection import Projection
from projections.engine.past.history import Stretch
from projections.engine.project.bad_event_rate import BadEventRate
from projections.engine.rebuild import Difference
from projections.engine.store import sql
from projections.engine.store.port import Refusal


@dataclass(frozen=True, slots=True)
class TenantComparison:
    """A company's live rows beside those made anew at the same position; the first rows of each table that differ.

    `refused`: events that the live rows count and those made anew do not.
    """

    position: Position
    differences: Sequence[Difference]
    refused: Sequence[Refusal]
    replaced: bool


class PostgresTenantRows(PostgresScratch):
    """Makes anew, compares and replaces. Used once: the scratch tables go with the session."""

    def __init__(self, database_url: str, check: Check, live: Projection) -> None:
        super().__init__(database_url, check)
        self._live = live
        self._scratch = live.stored_as(sql.SCRATCH)
        self._gauge = BadEventRate(f"the rebuild of {live.name} for a tenant", REFUSED, ENOUGH, least=1)
        self._refused: list[tuple[str, Sequence[Chunk], Sequence[Refusal]]] = []

    def begin(self) -> Position:
        """Make the scratch tables; where the live version stands now. Raises Unavailable."""
        with self._transaction("scratch") as connection:
            create(connection, self._scratch)
            return read_position(connection, self._live)

    def add(self, stretch: Stretch) -> None:
        """Fold the next stretch of the company's history. Raises FoldFailed where too much of it is refused."""
        with self._transaction("scratch") as connection:
            self._add(connection, stretch)

    def _add(self, connection: psycopg.Connection, stretch: Stretch) -> None:
        if refused := add(connection, self._scratch, stretch.facts, self._gauge):
            self._refused.append((stretch.topic, stretch.chunks, refused))

    def compare(
        self, company: str, rest: Callable[[Position], Iterable[Stretch]], *, replace: bool
    ) -> TenantComparison:
        """Compare in one transaction, and with `replace` put what was made anew in place of what differs.

        Commits of the version wait meanwhile: nobody writes its rows. `rest(position)` gives what the log has between
        what was added and there. What was refused goes into quarantine where it is left out from now on. Raises
        Unavailable, FoldFailed, and what `rest` raises; then nothing has changed.
        """
        live = self._live
        with self._transaction("scratch") as connection:
            connection.execute("SET LOCAL synchronous_commit = on")
            connection.execute(
                "SELECT FROM checkpoints WHERE projection = %s AND version = %s ORDER BY topic, partition FOR UPDATE",
                (live.name, live.version),
            )
            position = read_position(connection, live)
            for stretch in rest(position):
                self._add(connection, stretch)
            analyse(connection, self._scratch)
            different = tuple(differences(connection, live, self._scratch, company))
            if replace and different:
                self._replace(connection, company)
        refused = tuple(refusal for _, _, refusals in self._refused for refusal in refusals)
        return TenantComparison(position, different, refused, replace and bool(different))

    def _replace(self, connection: psycopg.Connection, company: str) -> None:
        for name, columns in sql.stored_tables(self._live).items():
            listed = ", ".join(f'"{c}"' for c in columns)
            target = sql.table_name(name, self._live.version)
            connection.execute(f"DELETE FROM {target} WHERE company_id = %s".encode(), (company,))
            connection.execute(
                f"INSERT INTO {target} ({listed}) SELECT {listed} FROM {sql.table_name(name, sql.SCRATCH)}".encode()
            )
            connection.execute(f"ANALYZE {target}".encode())
        record_replacement(connection, company)
        for topic, chunks, refusals in self._refused:
            record(connection, topic, chunks, refusals)
