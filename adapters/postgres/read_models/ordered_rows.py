"""Storing ordered folds: states are claimed, the engine advances them, and what their rows change by is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import psycopg

from adapters.postgres.read_models.staging import stage
from projections.engine.declare.projection import OrderedFold, Projection, State
from projections.engine.fold.ordered import Change, StateKey, advance
from projections.engine.store import sql
from projections.engine.store.port import OrderedFacts


def store(connection: psycopg.Connection, projection: Projection, ordered: OrderedFacts) -> None:
    """Advance the states of the keys concerned and bring their rows up to date, within the caller's transaction."""
    fold, version = ordered.fold, projection.version
    states = sql.table_name(sql.state_table(projection.name, fold), version)
    moved, changes = advance(projection, ordered, _claim(connection, states, fold, sorted(ordered.facts)))
    if moved:
        _save(connection, states, fold, moved)
    for change in changes:
        _apply(connection, version, change)


def _apply(connection: psycopg.Connection, version: int, change: Change) -> None:
    if change.gone is not None:
        staged = stage(connection, change.table, version, change.gone)
        connection.execute(sql.delete_staged(change.table, version, staged).encode())
    if change.put is not None:
        staged = stage(connection, change.table, version, change.put)
        connection.execute(sql.merge(change.table, version, staged).encode())
        if change.shared:
            connection.execute(sql.prune_staged(change.table, version, staged).encode())


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
