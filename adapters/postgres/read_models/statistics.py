"""The planner's statistics: a table that much was loaded into is analysed at once.

PostgreSQL looks at a table by itself about a minute after it has grown, and until then plans for an empty one: after a
first load of 70,000 events retention and funnels took longer than a query may. How many rows a table has it tells from
the size of its file whenever it plans; what is old between two looks is how values are spread, and that changes slowly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import psycopg

from projections.engine.store import sql
from projections.engine.store.port import Folded

MANY = 5_000  # rows; with fewer, any plan is good enough
TIMES = 4  # as many rows as at the last look, before the next: each takes as long as it takes to merge some 5,000 rows


class Growth:
    """Counts what is stored into tables since they were last analysed, and analyses those that have grown enough."""

    def __init__(self) -> None:
        self._stored: Counter[str] = Counter()
        self._next: dict[str, int] = {}

    def stored(self, connection: psycopg.Connection, batch: Iterable[Folded]) -> None:
        """A batch went into its tables."""
        for name, rows in _rows(batch):
            self._stored[name] += rows
            if self._stored[name] >= self._next.get(name, MANY):
                self._next[name] = TIMES * self._stored[name]
                connection.execute(f"ANALYZE (SKIP_LOCKED) {name}".encode())


def _rows(batch: Iterable[Folded]) -> Iterator[tuple[str, int]]:
    """Rows by table; of ordered folds nobody knows before, and a fact makes about one."""
    for folded in batch:
        version = folded.projection.version
        stored = (*folded.changes.rows, *(reports.last for reports in folded.changes.reports))
        yield from ((sql.table_name(rows.table.name, version), rows.count) for rows in stored)
        for ordered in folded.changes.ordered:
            count = sum(map(len, ordered.facts.values()))
            yield from ((sql.table_name(table.name, version), count) for table in ordered.fold.into)
