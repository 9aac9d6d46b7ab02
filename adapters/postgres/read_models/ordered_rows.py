"""Storing ordered folds: states are claimed, advanced with the batch's facts, and their rows follow from them.

What rows look like when a fold gives them: values by column name, times in ms (cut to the column's kind here). They
leave out the columns of the fold's key, which are known, and in a shared table may leave out sums that are 0. Rows of a
shared table with the same key add up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from adapters.postgres.read_models.staging import stage
from projections.engine.declare.merge_rules import Day, Kind, Sum, Text
from projections.engine.declare.projection import Fact, OrderedFold, Projection, State
from projections.engine.declare.rows import Table
from projections.engine.store import sql
from projections.engine.store.port import FoldFailed, OrderedFacts

StateKey = tuple[str, ...]
Key = tuple[Any, ...]
Values = Sequence[Any]
Given = Mapping[str, Any]  # one row as a fold gives it

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def store(connection: psycopg.Connection, projection: Projection, ordered: OrderedFacts) -> None:
    """Advance the states of the keys concerned and bring their rows up to date, within the caller's transaction."""
    fold = ordered.fold
    states = sql.table_name(sql.state_table(projection.name, fold), projection.version)
    before = _claim(connection, states, fold, sorted(ordered.facts))
    after = {key: _advanced(projection, fold, before.get(key), ordered.facts[key]) for key in sorted(ordered.facts)}
    moved = {key: state for key, state in after.items() if state != before.get(key)}
    if not moved:
        return
    _save(connection, states, fold, moved)
    for change in _changes(fold, before, moved):
        change.apply(connection, projection.version)


def _advanced(projection: Projection, fold: OrderedFold, state: State | None, facts: Sequence[Fact]) -> State:
    try:
        return fold.advance(state, facts)
    except Exception as error:  # a fold is code of a projection
        raise FoldFailed(projection, error) from error


def _claim(
    connection: psycopg.Connection, states: str, fold: OrderedFold, keys: Sequence[StateKey]
) -> dict[StateKey, State]:
    """Lock the states of these keys and return those that exist.

    A key that is new is claimed by an empty state: facts of one key may lie in several partitions, and of two workers
    that both find nothing the second would overwrite what the first made. Keys are sorted, so nobody deadlocks.
    """
    names, arrays = _names(fold)
    own = ", ".join(f't."{name}"' for name in fold.by)
    columns = [list(column) for column in zip(*keys, strict=True)]
    connection.execute(
        f"INSERT INTO {states} ({names}, state) SELECT *, ''::bytea FROM unnest({arrays})"
        " ON CONFLICT DO NOTHING".encode(),
        columns,
    )
    rows = connection.execute(
        f"SELECT {own}, state FROM unnest({arrays}) AS s ({names}) JOIN {states} AS t ON {sql.same_state(fold)}"
        f" ORDER BY {own} FOR UPDATE OF t".encode(),
        columns,
        binary=True,
    ).fetchall()
    return {row[:-1]: row[-1] for row in rows if row[-1]}


def _save(connection: psycopg.Connection, states: str, fold: OrderedFold, moved: Mapping[StateKey, State]) -> None:
    names, arrays = _names(fold)
    connection.execute(
        f"UPDATE {states} AS t SET state = s.state FROM unnest({arrays}, %b::bytea[]) AS s ({names}, state)"
        f" WHERE {sql.same_state(fold)}".encode(),
        [*(list(column) for column in zip(*moved, strict=True)), list(moved.values())],
    )


def _names(fold: OrderedFold) -> tuple[str, str]:
    return ", ".join(f'"{n}"' for n in fold.by), ", ".join("%s::text[]" for _ in fold.by)


def _changes(
    fold: OrderedFold, before: Mapping[StateKey, State], after: Mapping[StateKey, State]
) -> list[Replaced | Added]:
    """What the moved states change in each table, in the order of `fold.into`."""
    changes = [Replaced(table, fold.by) if fold.owns(table) else Added(table, fold.by) for table in fold.into]
    for key, state in after.items():
        was = fold.rows(before[key]) if key in before else {}
        now = fold.rows(state)
        for change in changes:
            name = change.table.name
            change.note(change.known(key), was.get(name, ()), now.get(name, ()))
    return changes


class Change:
    """What changes in one table. A key is what the state's key tells of it, then the key columns that rows give."""

    def __init__(self, table: Table, by: Sequence[str]) -> None:
        self.table = table
        own = {c.name: c for c in table.keys}
        self._places = [i for i, name in enumerate(by) if name in own]
        given = [c for c in table.keys if c.name not in by]
        self._given = [(c.name, max(c.kind.truncate_ms, 1)) for c in given]
        self._columns = [*(own[by[i]] for i in self._places), *given, *table.values]

    def known(self, key: StateKey) -> Key:
        """The part of every row's key that follows from the state's key."""
        return tuple([key[i] for i in self._places])

    def _key(self, known: Key, row: Given) -> Key:
        return (*known, *[row[name] if width == 1 else row[name] // width * width for name, width in self._given])

    def _stage(self, connection: psycopg.Connection, version: int, rows: Mapping[Key, Values]) -> str:
        """Stage rows, sorted by key. Column by column, which takes half the time of row by row."""
        keys = sorted(rows)
        cells = [*zip(*keys, strict=True), *zip(*[rows[key] for key in keys], strict=True)]
        written = {c.name: map(_writer(c.kind), cell) for c, cell in zip(self._columns, cells, strict=True)}
        lines = zip(*(written[c.name] for c in self.table.columns), strict=True)
        return stage(connection, self.table, version, ("\n".join(map(",".join, lines)) + "\n").encode())


class Replaced(Change):
    """Rows that belong to one state each: what is no longer there goes, what is new or different is set."""

    def __init__(self, table: Table, by: Sequence[str]) -> None:
        super().__init__(table, by)
        self._sums = [(i, c.name) for i, c in enumerate(table.values) if c.rule is Sum]
        self._put: dict[Key, Values] = {}
        self._gone: set[Key] = set()

    def note(self, known: Key, was: Iterable[Given], now: Iterable[Given]) -> None:
        """Compare the rows of a state before and after."""
        old = {self._key(known, row): row for row in was}
        for row in now:
            key = self._key(known, row)
            before = old.pop(key, None)
            if before != row:
                self._put[key] = self._merging(before, row)
        self._gone |= old.keys()

    def _merging(self, before: Given | None, after: Given) -> Values:
        """What merging needs to come from one row to the other: Own columns are set, Sum columns are added to."""
        values = [after[c.name] for c in self.table.values]
        for i, name in self._sums if before else ():
            values[i] -= before[name] if before else 0
        return tuple(values)  # a list would be looked at by every run of the garbage collector

    def apply(self, connection: psycopg.Connection, version: int) -> None:
        """Bring the stored rows up to date."""
        if self._gone:
            blank = [0 if c.rule is Sum else None for c in self.table.values]
            staged = self._stage(connection, version, dict.fromkeys(self._gone, blank))
            connection.execute(sql.delete_staged(self.table, version, staged).encode())
        if self._put:
            staged = self._stage(connection, version, self._put)
            connection.execute(sql.merge(self.table, version, staged).encode())


class Added(Change):
    """Rows that are sums over all states: the difference is added, and a row that comes to nothing goes."""

    def __init__(self, table: Table, by: Sequence[str]) -> None:
        super().__init__(table, by)
        self._measures = {c.name: i for i, c in enumerate(table.values)}
        self._sums: dict[Key, list[int]] = {}

    def note(self, known: Key, was: Iterable[Given], now: Iterable[Given]) -> None:
        """Count the rows of a state after, less those before; both begin alike where facts came in order."""
        old, new = list(was), list(now)
        same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
        self._count(known, old[same:], -1)
        self._count(known, new[same:], 1)

    def _count(self, known: Key, rows: Iterable[Given], sign: int) -> None:
        measures = self._measures
        for row in rows:
            key = self._key(known, row)
            sums = self._sums.get(key) or self._sums.setdefault(key, [0] * len(measures))
            for name, value in row.items():
                if name in measures:
                    sums[measures[name]] += sign * value

    def apply(self, connection: psycopg.Connection, version: int) -> None:
        """Add what is not zero to the stored rows."""
        put = {key: values for key, values in self._sums.items() if any(values)}
        if put:
            staged = self._stage(connection, version, put)
            connection.execute(sql.merge(self.table, version, staged).encode())
            connection.execute(sql.prune_staged(self.table, version, staged).encode())


def _writer(kind: type[Kind]) -> Callable[[Any], str]:
    """How values of this kind are written as CSV; null is the empty field."""
    if issubclass(kind, Text):
        return _quoted
    if kind.is_time:
        return _date if issubclass(kind, Day) else _moment
    return _whole


def _quoted(text: str | None) -> str:
    return "" if text is None else '"' + text.replace('"', '""') + '"'


def _moment(ms: int | None) -> str:
    return "" if ms is None else (EPOCH + timedelta(milliseconds=ms)).isoformat()


def _date(ms: int | None) -> str:
    return _moment(ms)[:10]


def _whole(value: int | None) -> str:
    if not isinstance(value, int | None):
        raise TypeError(f"the numbers of an ordered fold are whole, not {value!r}")
    return "" if value is None else str(value)
