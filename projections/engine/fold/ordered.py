"""Ordered folds: states are advanced with a batch's facts, and what their rows change by follows from the states.

What rows look like when a fold gives them: values by column name, times in ms (cut to the column's kind here). They
leave out the columns of the fold's key, which are known, and in a shared table may leave out sums that are 0. Rows of a
shared table with the same key add up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from projections.engine.declare.merge_rules import Day, Kind, Sum, Text
from projections.engine.declare.projection import OrderedFold, Projection, RowValues, State
from projections.engine.declare.rows import Table
from projections.engine.store.port import FoldFailed, OrderedFacts

StateKey = tuple[str, ...]
Key = tuple[Any, ...]
Values = Sequence[Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Change:
    """What changes in one table, as CSV sorted by key: keys whose rows go, rows that are merged; None for none.

    `shared`: rows are sums over all states, and one that comes to nothing goes.
    """

    table: Table
    gone: bytes | None
    put: bytes | None
    shared: bool


def advance(
    projection: Projection, ordered: OrderedFacts, before: Mapping[StateKey, State]
) -> tuple[Mapping[StateKey, State], Sequence[Change]]:
    """The states that move, by key, and what changes in each table, in the order of the fold's `into`.

    `before`: the stored states of the keys that the facts are of, without those that are new. Raises FoldFailed, and
    TypeError for rows with numbers that are not whole.
    """
    fold = ordered.fold
    after = {key: _advanced(projection, ordered, key, before.get(key)) for key in sorted(ordered.facts)}
    moved = {key: state for key, state in after.items() if state != before.get(key)}
    tables = [_Replaced(table, fold) if fold.owns(table) else _Added(table, fold) for table in fold.into]
    for key, state in moved.items():
        was = fold.rows(before[key]) if key in before else {}
        now = fold.rows(state)
        for each in tables:
            name = each.table.name
            each.note(each.key_prefix(key), was.get(name, ()), now.get(name, ()))
    return moved, [each.change() for each in tables]


def _advanced(projection: Projection, ordered: OrderedFacts, key: StateKey, state: State | None) -> State:
    try:
        return ordered.fold.advance(state, ordered.facts[key])
    except Exception as error:  # a fold is code of a projection
        raise FoldFailed(projection, error) from error


class _Rows:
    """Rows of one table by key. A key is what the state's key tells of it, then the key columns that rows give."""

    def __init__(self, table: Table, fold: OrderedFold) -> None:
        self.table = table
        own = {c.name: c for c in table.keys}
        self._places = [i for i, name in enumerate(fold.by) if name in own]
        remaining = [c for c in table.keys if c.name not in fold.by]
        self._event_keys = [(c.name, max(c.kind.truncate_ms, 1)) for c in remaining]
        self._columns = [*(own[fold.by[i]] for i in self._places), *remaining, *table.values]

    def key_prefix(self, key: StateKey) -> Key:
        """The part of every row's key that follows from the state's key."""
        return tuple([key[i] for i in self._places])

    def _key(self, key: Key, row: RowValues) -> Key:
        return (*key, *[row[name] if width == 1 else row[name] // width * width for name, width in self._event_keys])

    def _csv(self, rows: Mapping[Key, Values]) -> bytes | None:
        """Rows sorted by key. Column by column, which takes half the time of row by row."""
        if not rows:
            return None
        keys = sorted(rows)
        cells = [*zip(*keys, strict=True), *zip(*[rows[key] for key in keys], strict=True)]
        written = {c.name: map(_writer(c.kind), cell) for c, cell in zip(self._columns, cells, strict=True)}
        lines = zip(*(written[c.name] for c in self.table.columns), strict=True)
        return ("\n".join(map(",".join, lines)) + "\n").encode()


class _Replaced(_Rows):
    """Rows that belong to one state each: what is no longer there goes, what is new or different is set."""

    def __init__(self, table: Table, fold: OrderedFold) -> None:
        super().__init__(table, fold)
        self._sums = [(i, c.name) for i, c in enumerate(table.values) if c.rule is Sum]
        self._put: dict[Key, Values] = {}
        self._gone: set[Key] = set()

    def note(self, shared: Key, was: Iterable[RowValues], now: Iterable[RowValues]) -> None:
        """Compare the rows of a state before and after."""
        old = {self._key(shared, row): row for row in was}
        for row in now:
            key = self._key(shared, row)
            before = old.pop(key, None)
            if before != row:
                self._put[key] = self._merging(before, row)
        self._gone |= old.keys()

    def _merging(self, before: RowValues | None, after: RowValues) -> Values:
        """What merging needs to come from one row to the other: Own columns are set, Sum columns are added to."""
        values = [after[c.name] for c in self.table.values]
        for i, name in self._sums if before else ():
            values[i] -= before[name] if before else 0
        return tuple(values)  # a list would be looked at by every run of the garbage collector

    def change(self) -> Change:
        """What was noted."""
        blank = [c.rule.blank for c in self.table.values]
        return Change(self.table, self._csv(dict.fromkeys(self._gone, blank)), self._csv(self._put), shared=False)


class _Added(_Rows):
    """Rows that are sums over all states: the difference is added, and a row that comes to nothing goes."""

    def __init__(self, table: Table, fold: OrderedFold) -> None:
        super().__init__(table, fold)
        self._measures = {c.name: i for i, c in enumerate(table.values)}
        self._sums: dict[Key, list[int]] = {}

    def note(self, key: Key, was: Iterable[RowValues], now: Iterable[RowValues]) -> None:
        """Count the rows of a state after, less those before; both begin alike where facts came in order."""
        old, new = list(was), list(now)
        same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
        self._count(key, old[same:], -1)
        self._count(key, new[same:], 1)

    def _count(self, shared: Key, rows: Iterable[RowValues], sign: int) -> None:
        measures = self._measures
        for row in rows:
            key = self._key(shared, row)
            sums = self._sums.get(key) or self._sums.setdefault(key, [0] * len(measures))
            for name, value in row.items():
                if name in measures:
                    sums[measures[name]] += sign * value

    def change(self) -> Change:
        """What is not zero."""
        return Change(self.table, None, self._csv({k: v for k, v in self._sums.items() if any(v)}), shared=True)


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
