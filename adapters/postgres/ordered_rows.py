"""Storing ordered folds: states are claimed, advanced with the batch's facts, and their rows follow from them.

What rows look like when a fold gives them: values by column name, times in ms (cut to the column's kind here). The
columns of the fold's key may be left out: they are known. Rows of a shared table with the same key add up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import itemgetter

import psycopg

from adapters.postgres.staging import stage
from projections.engine import sql
from projections.engine.batch import OrderedFacts
from projections.engine.declare import OrderedFold, Projection, State, Table
from projections.engine.kinds import Day, Kind, Sum, Text

StateKey = tuple[str, ...]
Key = tuple[object, ...]
Values = tuple[object, ...]
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
    old = _all_rows(fold, {key: before[key] for key in moved if key in before})
    new = _all_rows(fold, moved)
    for table, was, now in zip(fold.into, old, new, strict=True):
        if fold.owns(table):
            _replace(connection, projection.version, table, was, now)
        else:
            _add(connection, projection.version, table, was, now)


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


def _all_rows(fold: OrderedFold, states: Mapping[StateKey, State]) -> list[Rows]:
    """The rows of all these states, by table in the order of `fold.into`."""
    found: list[Rows] = [{} for _ in fold.into]
    readers = [_reader(table, fold) for table in fold.into]
    for key, state in states.items():
        rows = fold.rows(state)
        known = dict(zip(fold.by, key, strict=True))
        for table, read, into in zip(fold.into, readers, found, strict=True):
            read(known, rows.get(table.name, ()), into)
    return found


def _reader(
    table: Table, fold: OrderedFold
) -> Callable[[Mapping[str, object], Iterable[Mapping[str, object]], Rows], None]:
    """A function that puts rows of the table into a dict by key; rows of a shared table are added up."""
    keys = itemgetter(*(c.name for c in table.keys), table.keys[0].name)  # twice: itemgetter of one name is no tuple
    values = itemgetter(*(c.name for c in table.values), table.values[0].name)
    widths = [(c.name, c.kind.truncate_ms) for c in table.columns if c.kind.truncate_ms > 1]
    owned = fold.owns(table)

    def read(known: Mapping[str, object], rows: Iterable[Mapping[str, object]], into: Rows) -> None:
        for given in rows:
            row = {**known, **given}
            for name, width in widths:
                row[name] = _cut(row[name], width)
            key, value = keys(row)[:-1], values(row)[:-1]
            into[key] = value if owned or key not in into else _sum(into[key], value, 1)

    return read


def _cut(value: object, width: int) -> object:
    return value // width * width if isinstance(value, int) else value


def _sum(a: Values, b: Values, sign: int) -> Values:
    return tuple(_whole(x) + sign * _whole(y) for x, y in zip(a, b, strict=True))


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"an ordered fold's sums are whole numbers, not {value!r}")
    return value


def _replace(connection: psycopg.Connection, version: int, table: Table, was: Rows, now: Rows) -> None:
    """Rows that belong to the states: what is no longer there goes, what is new or different is set."""
    gone = was.keys() - now.keys()
    if gone:
        blank = tuple(0 if c.rule is Sum else None for c in table.values)
        staged = _stage(connection, table, version, dict.fromkeys(gone, blank))
        connection.execute(sql.delete_staged(table, version, staged).encode())
        connection.execute(f"TRUNCATE {staged}".encode())
    put = {k: _change(table, was.get(k), values) for k, values in now.items() if was.get(k) != values}
    if put:
        connection.execute(sql.merge(table, version, _stage(connection, table, version, put)).encode())


def _change(table: Table, before: Values | None, after: Values) -> Values:
    """What merging needs to come from one row to the other: Own columns are set, Sum columns added to."""
    if before is None:
        return after
    columns = zip(table.values, before, after, strict=True)
    return tuple(_whole(now) - _whole(was) if c.rule is Sum else now for c, was, now in columns)


def _add(connection: psycopg.Connection, version: int, table: Table, was: Rows, now: Rows) -> None:
    """Rows that are sums over all states: the difference is added, and a row that comes to nothing goes."""
    nothing = (0,) * len(table.values)
    more = {key: _sum(now.get(key, nothing), was.get(key, nothing), -1) for key in now.keys() | was.keys()}
    put = {key: values for key, values in more.items() if any(values)}
    if put:
        staged = _stage(connection, table, version, put)
        connection.execute(sql.merge(table, version, staged).encode())
        connection.execute(sql.prune_staged(table, version, staged).encode())


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
