"""Storing ordered folds: states are locked, advanced with the batch's facts, and their rows follow from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import psycopg

from adapters.postgres.staging import stage
from projections.engine import sql
from projections.engine.batch import OrderedFacts
from projections.engine.declare import OrderedFold, Projection, State, Table
from projections.engine.kinds import Sum

Key = tuple[object, ...]
Values = tuple[object, ...]


@dataclass
class Change:
    """What one batch changes in one table: rows to set or add, and keys to delete."""

    put: dict[Key, Values] = field(default_factory=dict)
    delete: set[Key] = field(default_factory=set)


def store(connection: psycopg.Connection, projection: Projection, ordered: OrderedFacts) -> None:
    """Advance the states of the keys concerned and bring their rows up to date, within the caller's transaction."""
    fold = ordered.fold
    before = _load(connection, projection, ordered)
    after = {key: fold.advance(before.get(key), facts) for key, facts in ordered.facts.items()}
    moved = {key: state for key, state in after.items() if state != before.get(key)}
    if not moved:
        return
    _save(connection, projection, fold, moved)
    changes = {table.name: Change() for table in fold.into}
    for key, state in sorted(moved.items()):
        _compare(fold, before.get(key), state, changes)
    for table in fold.into:
        _apply(connection, projection.version, table, changes[table.name], owned=fold.owns(table))


def _load(
    connection: psycopg.Connection, projection: Projection, ordered: OrderedFacts
) -> dict[tuple[str, ...], State]:
    keys = sorted(ordered.facts)
    names = ", ".join(f'"{n}"' for n in ordered.fold.by)
    arrays = ", ".join("%s::text[]" for _ in ordered.fold.by)
    table = sql.table_name(sql.state_table(projection.name, ordered.fold), projection.version)
    rows = connection.execute(
        f"SELECT {names}, state FROM {table} WHERE ({names}) IN (SELECT * FROM unnest({arrays})) FOR UPDATE".encode(),
        [list(column) for column in zip(*keys, strict=True)],
    ).fetchall()
    return {tuple(row[:-1]): bytes(row[-1]) for row in rows}


def _save(
    connection: psycopg.Connection, projection: Projection, fold: OrderedFold, states: Mapping[tuple[str, ...], State]
) -> None:
    table = sql.table_name(sql.state_table(projection.name, fold), projection.version)
    names = ", ".join(f'"{n}"' for n in fold.by)
    arrays = ", ".join("%s::text[]" for _ in fold.by)
    keys = sorted(states)
    connection.execute(
        f"INSERT INTO {table} ({names}, state) SELECT * FROM unnest({arrays}, %s::bytea[])"
        f" ON CONFLICT ({names}) DO UPDATE SET state = excluded.state".encode(),
        [*([*column] for column in zip(*keys, strict=True)), [states[k] for k in keys]],
    )


def _compare(fold: OrderedFold, before: State | None, after: State, changes: Mapping[str, Change]) -> None:
    old = fold.rows(before) if before is not None else {}
    new = fold.rows(after)
    for table in fold.into:
        was, now = _rows(table, old.get(table.name, ())), _rows(table, new.get(table.name, ()))
        if fold.owns(table):
            changes[table.name].delete.update(was.keys() - now.keys())
            changes[table.name].put.update({k: v for k, v in now.items() if was.get(k) != v})
        else:
            _add(changes[table.name].put, now, 1)
            _add(changes[table.name].put, was, -1)


def _rows(table: Table, rows: Iterable[Mapping[str, object]]) -> dict[Key, Values]:
    keys, values = [c.name for c in table.keys], [c.name for c in table.values]
    return {tuple(row[k] for k in keys): tuple(row[v] for v in values) for row in rows}


def _add(total: dict[Key, Values], rows: Mapping[Key, Values], sign: int) -> None:
    for key, values in rows.items():
        known: Sequence[object] = total.get(key) or (0,) * len(values)
        total[key] = tuple(_whole(a) + sign * _whole(b) for a, b in zip(known, values, strict=True))


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"an ordered fold's sums are whole numbers, not {value!r}")
    return value


def _apply(connection: psycopg.Connection, version: int, table: Table, change: Change, *, owned: bool) -> None:
    if change.delete:
        blank = tuple(0 if c.rule is Sum else None for c in table.values)
        gone = dict.fromkeys(change.delete, blank)
        staged = stage_rows(connection, table, version, gone)
        connection.execute(sql.delete_staged(table, version, staged).encode())
        connection.execute(f"TRUNCATE {staged}".encode())
    put = change.put if owned else {k: v for k, v in change.put.items() if any(v)}
    if put:
        staged = stage_rows(connection, table, version, put)
        connection.execute(sql.merge(table, version, staged).encode())
        if not owned:
            connection.execute(sql.prune_staged(table, version, staged).encode())


def stage_rows(connection: psycopg.Connection, table: Table, version: int, rows: Mapping[Key, Values]) -> str:
    """Stage rows given as Python values, sorted by key."""
    order = [c.name for c in table.keys] + [c.name for c in table.values]
    places = [order.index(c.name) for c in table.columns]
    lines = []
    for key in sorted(rows, key=repr):
        values = (*key, *rows[key])
        lines.append(",".join(_cell(values[i]) for i in places))
    return stage(connection, table, version, ("\n".join(lines) + "\n").encode())


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    return str(value)
