"""Storing ordered folds: states are claimed, advanced with the batch's facts, and their rows follow from them.

What rows look like when a fold gives them: values by column name, times in ms (cut to the column's kind here). The
columns of the fold's key may be left out, since they are known, and of a shared table the sums that are 0. Rows of a
shared table with the same key add up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import psycopg

from adapters.postgres.staging import stage
from projections.engine import sql
from projections.engine.batch import OrderedFacts
from projections.engine.declare import OrderedFold, Projection, State, Table
from projections.engine.kinds import Day, Kind, Sum, Text

StateKey = tuple[str, ...]
Key = tuple[object, ...]
Values = Sequence[object]
Rows = dict[Key, Values]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def store(connection: psycopg.Connection, projection: Projection, ordered: OrderedFacts) -> None:
    """Advance the states of the keys concerned and bring their rows up to date, within the caller's transaction."""
    fold = ordered.fold
    states = sql.table_name(sql.state_table(projection.name, fold), projection.version)
    before = _claim(connection, states, fold, sorted(ordered.facts))
    after = {key: fold.advance(before.get(key), ordered.facts[key]) for key in sorted(ordered.facts)}
    moved = {key: state for key, state in after.items() if state != before.get(key)}
    if not moved:
        return
    _save(connection, states, fold, moved)
    for change in _changes(fold, before, moved):
        change.apply(connection, projection.version)


def _claim(
    connection: psycopg.Connection, states: str, fold: OrderedFold, keys: Sequence[StateKey]
) -> dict[StateKey, State]:
    """Lock the states of these keys and return those that exist.

    A key that is new is claimed by an empty state: facts of one key may lie in several partitions, and of two workers
    that both find nothing the second would overwrite what the first made. Keys are sorted, so nobody deadlocks.
    """
    names, arrays = _names(fold)
    columns = [list(column) for column in zip(*keys, strict=True)]
    connection.execute(
        f"INSERT INTO {states} ({names}, state) SELECT *, ''::bytea FROM unnest({arrays})"
        " ON CONFLICT DO NOTHING".encode(),
        columns,
    )
    rows = connection.execute(
        f"SELECT {names}, state FROM {states} WHERE ({names}) IN (SELECT * FROM unnest({arrays}))"
        f" ORDER BY {names} FOR UPDATE".encode(),
        columns,
        binary=True,
    ).fetchall()
    return {row[:-1]: row[-1] for row in rows if row[-1]}


def _save(connection: psycopg.Connection, states: str, fold: OrderedFold, moved: Mapping[StateKey, State]) -> None:
    names, arrays = _names(fold)
    same = " AND ".join(f't."{n}" = s."{n}"' for n in fold.by)
    connection.execute(
        f"UPDATE {states} AS t SET state = s.state FROM unnest({arrays}, %b::bytea[]) AS s ({names}, state)"
        f" WHERE {same}".encode(),
        [*(list(column) for column in zip(*moved, strict=True)), list(moved.values())],
    )


def _names(fold: OrderedFold) -> tuple[str, str]:
    return ", ".join(f'"{n}"' for n in fold.by), ", ".join("%s::text[]" for _ in fold.by)


def _changes(
    fold: OrderedFold, before: Mapping[StateKey, State], after: Mapping[StateKey, State]
) -> list[Replaced | Added]:
    """What the moved states change in each table, in the order of `fold.into`."""
    changes = [Replaced(table) if fold.owns(table) else Added(table) for table in fold.into]
    for key, state in after.items():
        known = dict(zip(fold.by, key, strict=True))
        was = fold.rows(before[key]) if key in before else {}
        now = fold.rows(state)
        for change in changes:
            name = change.table.name
            change.note(known, was.get(name, ()), now.get(name, ()))
    return changes


Given = Mapping[str, object]


def _key_reader(table: Table) -> Callable[[Given, Given], Key]:
    """A function from what is known of every row of a state, and one row given, to the row's key."""
    columns = [(c.name, max(c.kind.truncate_ms, 1)) for c in table.keys]

    def read(known: Given, given: Given) -> Key:
        key = []
        for name, width in columns:
            value = given[name] if name in given else known[name]
            key.append(value if width == 1 else _whole(value) // width * width)
        return tuple(key)

    return read


class Replaced:
    """Rows that belong to one state each: what is no longer there goes, what is new or different is set."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._key = _key_reader(table)
        self._values = [c.name for c in table.values]
        self._put: Rows = {}
        self._gone: set[Key] = set()

    def note(self, known: Given, was: Iterable[Given], now: Iterable[Given]) -> None:
        """Compare the rows of a state before and after."""
        old = {self._key(known, row): row for row in was}
        for row in now:
            key = self._key(known, row)
            before = old.pop(key, None)
            if before != row:
                self._put[key] = self._change(before, row)
        self._gone |= old.keys()

    def _change(self, before: Given | None, after: Given) -> Values:
        """What merging needs to come from one row to the other: Own columns are set, Sum columns are added to."""
        values = [after[name] for name in self._values]
        if before is not None:
            for i, column in enumerate(self.table.values):
                if column.rule is Sum:
                    values[i] = _whole(values[i]) - _whole(before[column.name])
        return values

    def apply(self, connection: psycopg.Connection, version: int) -> None:
        """Bring the stored rows up to date."""
        table = self.table
        if self._gone:
            blank = [0 if c.rule is Sum else None for c in table.values]
            staged = _stage(connection, table, version, dict.fromkeys(self._gone, blank))
            connection.execute(sql.delete_staged(table, version, staged).encode())
        if self._put:
            connection.execute(sql.merge(table, version, _stage(connection, table, version, self._put)).encode())


class Added:
    """Rows that are sums over all states: the difference is added, and a row that comes to nothing goes."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._key = _key_reader(table)
        self._places = {c.name: i for i, c in enumerate(table.values)}
        self._sums: dict[Key, list[int]] = {}

    def note(self, known: Given, was: Iterable[Given], now: Iterable[Given]) -> None:
        """Count the rows of a state after, less those of before; both begin alike where facts came in order."""
        old, new = list(was), list(now)
        same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
        self._count(known, old[same:], -1)
        self._count(known, new[same:], 1)

    def _count(self, known: Given, rows: Iterable[Given], sign: int) -> None:
        places = self._places
        for row in rows:
            sums = self._sums.setdefault(self._key(known, row), [0] * len(places))
            for name, value in row.items():
                if name in places:
                    sums[places[name]] += sign * _whole(value)

    def apply(self, connection: psycopg.Connection, version: int) -> None:
        """Add what is not zero to the stored rows."""
        table = self.table
        put: Rows = {key: values for key, values in self._sums.items() if any(values)}
        if put:
            staged = _stage(connection, table, version, put)
            connection.execute(sql.merge(table, version, staged).encode())
            connection.execute(sql.prune_staged(table, version, staged).encode())


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"an ordered fold's sums and times are whole numbers, not {value!r}")
    return value


def _stage(connection: psycopg.Connection, table: Table, version: int, rows: Rows) -> str:
    """Stage rows, sorted by key."""
    given = [*table.keys, *table.values]
    places = [given.index(c) for c in table.columns]
    writers = [_writer(c.kind) for c in table.columns]
    lines = []
    for key in sorted(rows):  # the values of one key column are all of one type
        cells = (*key, *rows[key])
        lines.append(",".join(["" if cells[i] is None else w(cells[i]) for i, w in zip(places, writers, strict=True)]))
    return stage(connection, table, version, ("\n".join(lines) + "\n").encode())


def _writer(kind: type[Kind]) -> Callable[[object], str]:
    """How values of this kind, other than null, are written as CSV."""
    if issubclass(kind, Text):
        return _quoted
    if kind.is_time:
        return _date if issubclass(kind, Day) else _moment
    return str


def _quoted(text: object) -> str:
    return '"' + str(text).replace('"', '""') + '"'


def _moment(ms: object) -> str:
    return (EPOCH + timedelta(milliseconds=_whole(ms))).isoformat()


def _date(ms: object) -> str:
    return (EPOCH + timedelta(milliseconds=_whole(ms))).date().isoformat()
