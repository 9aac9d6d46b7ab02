"""What the projections have of closed minutes: asked of the read store, a statement a table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from domain.ports import PositionedStore
from projections.engine.declare.live_window import LiveWindow
from projections.engine.declare.merge_rules import MS_PER_MINUTE
from projections.engine.declare.registry import all_windows
from projections.engine.declare.rows import Table
from projections.engine.live.panes import Cells, RowKey, cells_of
from projections.engine.live.tenant import Rows
from projections.engine.live.windows import MOST_ROWS, PendingMinutes


async def projection_progress(store: PositionedStore) -> Mapping[str, int]:
    """By projection of some window: everything that the log took before that moment (ms) is in its rows.

    Raises Unavailable.
    """
    names = sorted({projection.name for projection, _ in all_windows().values()})
    checkpoints = await store.checkpoints(names)
    return {name: checkpoint.as_of - checkpoint.lag_ms for name, checkpoint in checkpoints.items()}


async def rows_of(store: PositionedStore, pending: PendingMinutes) -> dict[int, Rows] | None:
    """The projection's rows by minute; None where a tenant has more than may be held. Raises Unavailable."""
    projection, window = all_windows()[pending.window.name]
    rows: dict[int, dict[Table, dict[RowKey, Cells]]] = {}
    for table in window.tables:
        sql, params = _statement(window, table, pending)
        answer = await store.ask(pending.company, projection.name, sql, params)
        if len(answer.rows) > MOST_ROWS:
            return None
        keys, time = len(table.keys) - 1, [c.name for c in table.keys].index(window.time) - 1
        for row in answer.rows:
            key = tuple(map(_plain, row[:keys]))
            cells = cells_of(table, [*map(_plain, row[keys:])], 0, 0)
            rows.setdefault(key[time] // MS_PER_MINUTE, {}).setdefault(table, {})[key] = cells
    return {minute: rows.get(minute, {}) for minute in pending.minutes}


def _statement(window: LiveWindow, table: Table, pending: PendingMinutes) -> tuple[str, tuple[object, ...]]:
    names = ", ".join(f'"{c.name}"' for c in (*table.keys[1:], *table.values))
    only = "".join(f' AND "{name}" = %s' for name in window.only)
    minutes = [_moment(minute) for minute in pending.minutes]
    sql = (
        f'SELECT {names} FROM {{{table.name}}} WHERE company_id = %s AND "{window.time}" >= %s'
        f' AND "{window.time}" < %s AND date_trunc(\'minute\', "{window.time}") = ANY(%s){only}'
        f" LIMIT {MOST_ROWS + 1}"
    )
    end = _moment(pending.minutes[-1] + 1)
    return sql, (pending.company, minutes[0], end, minutes, *window.only.values())


def _moment(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)


def _plain(value: Any) -> Any:
    """A stored value as folds have it: times in ms, numbers whole."""
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000)
    return value if value is None or isinstance(value, str | bool) else int(value)
