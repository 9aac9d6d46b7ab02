"""Panes: what one tenant's window is made of, one a minute: whole numbers, merged by the rules of their columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any

from projections.engine.declare.live_window import LiveWindow
from projections.engine.declare.merge_rules import First, Last, Max, Min, Rule, Sum
from projections.engine.declare.rows import Column, Table

RowKey = tuple[Any, ...]  # values of the key columns but the tenant's, in the order of the table
Cells = list[Any]  # values of a row, in the order of the table; of First and Last with the order of their event


def _least(one: Any, other: Any) -> Any:
    return other if one is None else one if other is None else min(one, other)


def _greatest(one: Any, other: Any) -> Any:
    return other if one is None else one if other is None else max(one, other)


def _added(one: Any, other: Any) -> Any:
    return one + other


MERGE: Mapping[object, Callable[[Any, Any], Any]] = MappingProxyType(
    {Sum: _added, Min: _least, Max: _greatest, First: _least, Last: _greatest}
)
"""By rule. Those of First and Last compare (time, place, value): the first two never tie."""


def merge_into(columns: Sequence[Column], cells: Cells, more: Sequence[Any]) -> None:
    """Merge the cells of one row into those of another."""
    for number, column in enumerate(columns):
        cells[number] = MERGE[column.rule](cells[number], more[number])


@dataclass(slots=True)
class Pane:
    """One minute: its rows by table and key.

    `facts`: how many came; `late`: of those that came too late to count here, how many; `refused`: of those for which
    there was no room. `durable`: its rows are those of the projection; `stale`: once the projection has all that the
    log took before this moment (ms), it is asked again; `arrived`: when (ms) something came last, or may have been
    lost; `closed`: when (ms) the watermark passed its end.
    """

    rows: dict[Table, dict[RowKey, Cells]] = field(default_factory=dict)
    facts: int = 0
    late: int = 0
    refused: int = 0
    durable: bool = False
    stale: int | None = None
    arrived: int = 0
    closed: int | None = None

    @property
    def size(self) -> int:
        """How many rows it holds."""
        return sum(len(rows) for rows in self.rows.values())

    def merge(self, table: Table, key: RowKey, cells: Cells) -> None:
        """Add one row of a delta."""
        rows = self.rows.setdefault(table, {})
        known = rows.get(key)
        if known is None:
            rows[key] = cells
        else:
            merge_into(table.values, known, cells)

    def holds(self, table: Table, key: RowKey) -> bool:
        """Whether it has a row of that key."""
        return key in self.rows.get(table, ())

    def differs(self, rows: Mapping[Table, Mapping[RowKey, Cells]]) -> bool:
        """Whether these rows say something else."""
        return _plain(self.rows) != _plain(rows)

    def replace(self, rows: Mapping[Table, dict[RowKey, Cells]]) -> bool:
        """Take the projection's rows in place of its own; whether that changes what it says."""
        changed = self.differs(rows)
        self.rows = dict(rows)
        self.durable, self.refused = True, 0
        return changed


def _plain(rows: Mapping[Table, Mapping[RowKey, Cells]]) -> Mapping[Table, Mapping[RowKey, Sequence[Any]]]:
    return {table: {key: values_of(table, cells) for key, cells in of.items()} for table, of in rows.items() if of}


def values_of(table: Table, cells: Sequence[Any]) -> Sequence[Any]:
    """The values of a row, those of First and Last without the order of their event."""
    ordered = [c.rule in (First, Last) for c in table.values]
    if not any(ordered):
        return cells
    return [cell[-1] if own and cell is not None else cell for own, cell in zip(ordered, cells, strict=True)]


def cells_of(table: Table, values: Sequence[Any], at: int, place: int) -> Cells:
    """Values as the cells of a row; `at` and `place` order the event that they are of."""
    return [
        (at, place, value) if c.rule in (First, Last) else value for c, value in zip(table.values, values, strict=True)
    ]


Groups = dict[Table, dict[RowKey, Cells]]  # rows of some minutes by the dimensions that were asked for


def group(window: LiveWindow, pane: Pane, by: Sequence[str], filters: Mapping[str, str]) -> Groups:
    """The rows of one minute merged by these dimensions (of buckets also by bucket); of those that the filters name."""
    found: Groups = {}
    for table in window.tables:
        names = [c.name for c in table.keys][1:]
        pick = [names.index(name) for name in (*by, *(() if table is window.of else ("bucket",)))]
        wanted = [(names.index(name), value) for name, value in filters.items()]
        time, rules, groups = names.index(window.time), _rules(window, table), found.setdefault(table, {})
        for key, cells in pane.rows.get(table, {}).items():
            if all(str(key[place]) == value for place, value in wanted):
                values = zip(rules, values_of(table, cells), strict=True)
                ordered = [(key[time], 0, v) if rule in (First, Last) else v for rule, v in values]
                _merge(rules, groups, tuple(key[place] for place in pick), ordered)
    return found


def merge_groups(window: LiveWindow, into: Groups, groups: Groups) -> None:
    """Merge the rows of one minute into those of others."""
    for table, rows in groups.items():
        rules = _rules(window, table)
        for key, cells in rows.items():
            _merge(rules, into[table], key, cells)


def values_of_groups(window: LiveWindow, groups: Groups) -> Mapping[RowKey, Sequence[Any]]:
    """The values of each group of the window's own table."""
    ordered = [rule in (First, Last) for rule in _rules(window, window.of)]
    return {
        key: [cell[-1] if own else cell for own, cell in zip(ordered, cells, strict=True)]
        for key, cells in groups[window.of].items()
    }


@cache
def _rules(window: LiveWindow, table: Table) -> Sequence[type[Rule[Any]]]:
    """By which rules the minutes of a table merge."""
    return [window.across.get(c.name, c.rule) for c in table.values]


def _merge(rules: Sequence[type[Rule[Any]]], groups: dict[RowKey, Cells], key: RowKey, cells: Cells) -> None:
    known = groups.get(key)
    groups[key] = (
        list(cells) if known is None else [MERGE[rule](a, b) for rule, a, b in zip(rules, known, cells, strict=True)]
    )
