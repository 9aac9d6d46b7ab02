"""Rows as tables for people: which columns, what they are called, and each cell as its reader writes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec

from domain.metrics.catalogue import METRICS
from read_api.charts.columns import COUNT, MONEY, NUMBERS, RATIO, kind_of, label
from read_api.web.formats import Formats

MOST_ROWS = 100  # of a tile's table
MOST_BESIDE = 50  # of the table beside a chart
LOOKED_AT = 50  # rows, to see what a column holds
_LEFT_OUT = frozenset(
    {"reasons", "convention", "definition_version", "section", "method_version", "event_id", "version"}
)
CHOSEN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "trades": (
            *("closed_at", "symbol", "side", "strategy", "user_id", "account_id", "quantity"),
            *("entry_price", "exit_price", "pnl", "fees", "currency"),
        ),
        "operations": (
            *("service", "operation", "minute", "hour", "day"),
            *("count", "errors", "error_rate", "p50", "p95", "p99"),
        ),
        "burn_rates": ("window", "long", "short", "threshold", "burning"),
        "system_metrics": ("service", "metric", "count", "min", "p50", "p95", "p99", "max"),
        "user_steps": ("at", "user_id", "name", "subject", "session_id"),
        "configuration_history": ("at", "actor", "aggregate", "topic", "id"),
        "alert_rules": ("name", "severity", "enabled", "metric", "query", "archived"),
        "kpis": ("title", "value", "previous", "change"),
        "metric": ("key", "value"),
        "trading_metrics": ("key", "value"),
        "drivers": ("segment", "effect"),
        "churn_risks": ("user_id", "probability"),
        "trading_league": (
            *("rank", "strategy", "symbol", "side", "account_id", "user_id", "total_pnl", "total_trades", "win_rate"),
            *("profit_factor", "expectancy", "total_fees", "currency", "short_sample"),
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name in the rows, its name for people, and what it holds."""

    name: str
    label: str
    kind: str

    @property
    def numeric(self) -> bool:
        """Whether its cells stand right."""
        return self.kind in NUMBERS


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: its text, and the value that it shows as the query answers it."""

    text: str
    raw: str
    kind: str

    @property
    def numeric(self) -> bool:
        """Whether it stands right."""
        return self.kind in NUMBERS


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the first rows, of `total` that there are. `keyed`: a page may put new rows of the query into it."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    total: int
    keyed: bool

    @property
    def heads(self) -> int:
        """How many columns at the left name the row."""
        return 1


def table_of(query: str, rows: Sequence[Mapping[str, Any]], formats: Formats, most: int = MOST_ROWS) -> Table | None:
    """The table of an answer; None where it has no rows. What a method found is a table of what it found."""
    plain = list(plain_rows(rows))
    if not plain:
        return None
    columns = columns_of(query, plain[:LOOKED_AT])
    shown = [[cell_of(column, row, formats) for column in columns] for row in plain[:most]]
    return Table(columns, shown, len(plain), all(a is b for a, b in zip(plain, rows, strict=False)))


def unit_kind(unit: str | None) -> str:
    """How a value of a metric's unit is written."""
    return unit if unit in NUMBERS else RATIO


def raw_text(value: Any) -> str:
    """A value as its query answers it, for an attribute: texts as they are, everything else as JSON."""
    return "" if value is None else value if isinstance(value, str) else msgspec.json.encode(value).decode()


def plain_rows(rows: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The rows that people read: those of the answer, or in place of one those that are in it."""
    return (each for row in rows for each in _inner(row))


def _inner(row: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """A row, or the rows that are in it: parts of it, or what was found; none where nothing was."""
    if "finding" not in row:
        parts = next((name for name, each in row.items() if _is_list_of_rows(each)), "")
        plain = {name: each for name, each in row.items() if name != parts}
        return [{**plain, **part} for part in row[parts]] if parts else (row,)
    finding = row["finding"] or {}
    lists = [each for each in finding.values() if _is_list_of_rows(each)]
    return lists[0] if lists else (finding,) if finding else ()


def _is_list_of_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def columns_of(query: str, rows: Sequence[Mapping[str, Any]]) -> list[Column]:
    """The columns that people read of a query's first rows, of which there is one at least."""
    there = rows[0]
    names = [name for name in CHOSEN.get(query, ()) if name in there] or [n for n in there if n not in _LEFT_OUT]
    return [_column(query, name, rows) for name in names]


def _column(query: str, name: str, rows: Sequence[Mapping[str, Any]]) -> Column:
    kind = kind_of(name, [row.get(name) for row in rows[:LOOKED_AT]])
    if kind == COUNT and query == "trading_league" and name == "rank":
        return Column(name, "#", COUNT)
    if name in ("value", "previous", "change") and "unit" in rows[0]:
        kind = RATIO
    return Column(name, {"title": "", "key": ""}.get(name, label(name)), kind)


def reason_of(name: str, row: Mapping[str, Any]) -> str:
    """Why a row has no value of that name, as a code; empty where it does not say."""
    reasons = row.get("reasons")
    known = reasons.get(name) if isinstance(reasons, Mapping) else None
    return str(known or (row.get("reason") if name == "value" else "") or "")


def cell_of(column: Column, row: Mapping[str, Any], formats: Formats) -> Cell:
    """One cell as its reader writes it."""
    value, kind = row.get(column.name), column.kind
    if column.name in ("value", "previous", "change") and "unit" in row:
        kind = unit_kind(row["unit"])
    if column.name == "key" and isinstance(value, str):
        return Cell(METRICS[value].title if value in METRICS else label(value), value, kind)
    text = formats.value(kind, value)
    if value is None and (reason := reason_of(column.name, row)):
        text = reason.replace("_", " ")
    elif kind == MONEY and value is not None and column.name == "value":
        text = f"{text} {row.get('currency') or formats.currency}"
    return Cell(text, raw_text(value), kind)
