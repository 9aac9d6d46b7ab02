"""Panes: what one tenant's window is made of, one a minute: whole numbers, merged by the rules of their columns."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from projections.engine.declare.live_window import LiveWindow
from projections.engine.declare.merge_rules import MS_PER_MINUTE, First, Last, Max, Min, Newest, Rule, Sum
from projections.engine.declare.rows import Table
from projections.engine.query.answer_row import CURRENCY

RowKey = tuple[Any, ...]  # values of the key columns but the tenant's, in the order of the table
Cells = list[Any]  # values of a row, in the order of the table; of First and Last with the order of their event


def _least(one: Any, other: Any) -> Any:
    return other if one is None else one if other is None else min(one, other)


def _greatest(one: Any, other: Any) -> Any:
    return other if one is None else one if other is None else max(one, other)


MERGE: Mapping[object, Callable[[Any, Any], Any]] = MappingProxyType(
    {Sum: operator.add, Min: _least, Max: _greatest, First: _least, Last: _greatest, Newest: _greatest}
)
"""By rule. Those that one event decides compare (time or rank, place, value): the first two never tie."""


def merge_into(table: Table, cells: Cells, more: Sequence[Any]) -> None:
    """Merge the cells of one row into those of another."""
    cells[:] = [merge(one, other) for merge, one, other in zip(_mergers(table), cells, more, strict=True)]


@cache
def _mergers(table: Table) -> Sequence[Callable[[Any, Any], Any]]:
    return [MERGE[c.rule] for c in table.values]


@cache
def _ordered(table: Table) -> Sequence[bool]:
    """Of each value whether one event decides it; empty where that is so of none."""
    ordered = [bool(c.rule.order) for c in table.values]
    return ordered if any(ordered) else ()


@dataclass(slots=True)
class Pane:
    """One minute: its rows by table and key.

    `facts`: how many came; `late`: of those that came too late to count here, how many; `refused`: of those for which
    there was no room. `durable`: its rows are those of the projection; `stale`: once the projection has all that the
    log took before this moment (ms), it is asked again; `arrived`: when (ms) something came last, or may have been
    lost; `closed`: when (ms) the watermark passed its end. `corrected`: whether something of it was reported again, so
    that nobody but the projection can say what it comes to.
    """

    rows: dict[Table, dict[RowKey, Cells]] = field(default_factory=dict)
    facts: int = 0
    late: int = 0
    refused: int = 0
    durable: bool = False
    stale: int | None = None
    arrived: int = 0
    closed: int | None = None
    corrected: bool = False

    @property
    def size(self) -> int:
        """How many rows it holds."""
        return sum(len(rows) for rows in self.rows.values())

    def merge(self, table: Table, key: RowKey, cells: Cells) -> None:
        """Add one row of a delta."""
        rows = self.rows.setdefault(table, {})
        existing = rows.get(key)
        if existing is None:
            rows[key] = cells
        else:
            merge_into(table, existing, cells)

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
        self.durable, self.corrected, self.refused = True, False, 0
        return changed


def _plain(rows: Mapping[Table, Mapping[RowKey, Cells]]) -> Mapping[Table, Mapping[RowKey, Sequence[Any]]]:
    return {table: {key: values_of(table, cells) for key, cells in of.items()} for table, of in rows.items() if of}


def values_of(table: Table, cells: Sequence[Any]) -> Sequence[Any]:
    """The values of a row, those of First and Last without the order of their event."""
    if not (ordered := _ordered(table)):
        return cells
    return [cell[-1] if own and cell is not None else cell for own, cell in zip(ordered, cells, strict=True)]


def cells_of(table: Table, values: Sequence[Any], at: int, place: int) -> Cells:
    """Values as the cells of a row; `at` and `place` order the event that they are of."""
    if not (ordered := _ordered(table)):
        return list(values)
    return [(at, place, value) if own else value for own, value in zip(ordered, values, strict=True)]


Groups = dict[Table, dict[RowKey, Cells]]  # rows of some minutes by the dimensions that were asked for


class _Merging(NamedTuple):
    """How rows of a table are merged: which places of the key are picked, which must have a value, and the rules."""

    pick: Sequence[int]
    filters: Sequence[tuple[int, str]]
    time: int
    rules: Sequence[type[Rule[Any]]]
    ordered: Sequence[bool]  # of each value whether the first or last minute decides it; empty where none is
    currency: int | None  # the place of the key that names the currency of amounts, where one does


class Grouping:
    """Rows of a window merged by some dimensions (of buckets also by bucket); of those that the filters name."""

    def __init__(self, window: LiveWindow, by: Sequence[str], filters: Mapping[str, str]) -> None:
        self._of: dict[Table, _Merging] = {}
        self.currencies: dict[int, set[str]] = {}  # of the rows that were merged, by minute
        for table in window.tables:
            names, rules = [c.name for c in table.keys][1:], _rules(window, table)
            pick = [names.index(name) for name in (*by, *(() if table is window.of else ("bucket",)))]
            places = [(names.index(name), value) for name, value in filters.items()]
            ordered = [rule in (First, Last) for rule in rules]
            currency = names.index(CURRENCY) if CURRENCY in names else None
            time, ordered = names.index(window.time), ordered if any(ordered) else []
            self._of[table] = _Merging(pick, places, time, rules, ordered, currency)

    def groups(self, pane: Pane) -> Groups:
        """The rows of one minute."""
        merged: Groups = {table: {} for table in self._of}
        for table in self._of:
            for key, cells in pane.rows.get(table, {}).items():
                self.merge(merged, table, key, cells)
        return merged

    def merge(self, groups: Groups, table: Table, key: RowKey, cells: Cells) -> None:
        """Merge one row into those of its minute."""
        of = self._of[table]
        if all(str(key[place]) == value for place, value in of.filters):
            values = values_of(table, cells)
            if of.currency is not None and key[of.currency]:
                self.currencies.setdefault(key[of.time] // MS_PER_MINUTE, set()).add(key[of.currency])
            if of.ordered:
                values = [(key[of.time], 0, v) if own else v for own, v in zip(of.ordered, values, strict=True)]
            _merge(of.rules, groups[table], tuple([key[place] for place in of.pick]), values)


@cache
def additive(window: LiveWindow) -> bool:
    """Whether what comes for a minute can be merged into its groups as into its rows: no event takes another's place,
    and longer windows merge as minutes do.
    """
    rules = {rule for table in window.tables for rule in (*(c.rule for c in table.values), *_rules(window, table))}
    return not window.across and rules <= {Sum, Min, Max}


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


def _merge(rules: Sequence[type[Rule[Any]]], groups: dict[RowKey, Cells], key: RowKey, cells: Sequence[Any]) -> None:
    existing = groups.get(key)
    groups[key] = (
        list(cells)
        if existing is None
        else [MERGE[rule](a, b) for rule, a, b in zip(rules, existing, cells, strict=True)]
    )
