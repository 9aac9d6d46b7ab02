"""How a live window is declared: beside the folds of a projection, from a table of theirs that has a row a minute.

trading.window("trading", of=TradingByMinute, time="minute", derive=ratios, summary="…")

The live lane runs the very folds that fill the table, so that what it says and what the projection says cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.errors import Defect
from projections.engine.declare.merge_rules import MS_PER_MINUTE, Key, Minute, Moment, Rule
from projections.engine.declare.rows import Row, Table
from projections.engine.query.quantiles import QUANTILES, Quantiles
from projections.engine.query.ratios import Derive


@dataclass(frozen=True, eq=False)
class LiveWindow:
    """One window: a table with a row a minute and key, and how its minutes are shown and merged.

    `time`: the key column that says which minute a row is of. `across`: the rule by which minutes merge into longer
    windows, for columns where it is another than the one by which events merge into a minute. `only`: to
    which values of key columns, as the facts have them, it is limited.
    """

    name: str
    summary: str
    of: Table
    time: str
    derive: Derive | None
    quantiles: Quantiles | None
    across: Mapping[str, type[Rule[Any]]]
    only: Mapping[str, str]

    @property
    def tables(self) -> tuple[Table, ...]:
        """The table, and that of its buckets where it has quantiles."""
        return (self.of,) if self.quantiles is None else (self.of, self.quantiles.table)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The key columns beside tenant and time, by which rows can be told apart."""
        return tuple(c.name for c in self.of.keys if c.name not in ("company_id", self.time))

    @property
    def whole_rows(self) -> bool:
        """Whether rows of several keys make no sense merged: their values are the first or the last of something."""
        return any(c.rule.order for c in self.of.values)

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of what a row shows beside its dimensions, those that are derived from others included."""
        columns = [c.name for c in self.of.values]
        derived, _ = self.derive(dict.fromkeys(columns, 0)) if self.derive else ({}, {})
        return (*columns, *(QUANTILES if self.quantiles else ()), *derived)


def live_window(
    name: str,
    *,
    of: type[Row],
    time: str,
    summary: str,
    derive: Derive | None = None,
    quantiles: Quantiles | None = None,
    across: Mapping[str, type[Rule[Any]]] | None = None,
    only: Mapping[str, str] | None = None,
) -> LiveWindow:
    """A window over a table. Raises Defect where its rows are of more than a minute."""
    column = of.table.column(time)
    fine = issubclass(column.kind, (Minute, Moment)) and column.kind.truncate_ms <= MS_PER_MINUTE
    if column.rule is not Key or not fine:
        raise Defect(f"{of.__name__}.{time} is no key of minutes: a live window needs a row a minute")
    return LiveWindow(name, summary, of.table, time, derive, quantiles, across or {}, only or {})
