"""Totals: the query that most read models need — measures of a table added up by any of its dimensions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from projections.engine.declare import Column, Row
from projections.engine.kinds import Day, Kind, Max, Min, Sum
from projections.engine.query import FROM, LIMIT, MAX_ROWS, TO, Param, Query, Request, Statement, read_day, read_time
from projections.engine.show import shower

Measures = Mapping[str, int | None]
Derive = Callable[[Measures], tuple[dict[str, Any], dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Dimension:
    """Something totals can be split and filtered by: SQL over the row's key columns, and how its values are read."""

    sql: str
    read: Callable[[str], Any] = str


def _whole(text: str) -> int:
    if not text.lstrip("-").isdecimal():
        raise ValueError(f"{text!r} is no whole number")
    return int(text)


def plain(column: str) -> Dimension:
    """A text column of the row."""
    return Dimension(f'"{column}"')


def whole(column: str) -> Dimension:
    """A whole-number column of the row."""
    return Dimension(f'"{column}"', _whole)


def calendar(column: str) -> dict[str, Dimension]:
    """The UTC calendar over a time column: hour, day, weekday (0 = Monday), month and year."""
    return {
        "hour": Dimension(f"date_trunc('hour', \"{column}\")", read_time),
        "day": Dimension(f'"{column}"::date', read_day),
        "weekday": Dimension(f'extract(isodow FROM "{column}")::int - 1', _whole),
        "month": Dimension(f"to_char(\"{column}\", 'YYYY-MM')"),
        "year": Dimension(f'extract(year FROM "{column}")::int', _whole),
    }


def totals(
    name: str,
    *,
    of: type[Row],
    by: Mapping[str, Dimension],
    time: str,
    derive: Derive | None = None,
    summary: str,
) -> Query:
    """A query that adds up the table's measures by the dimensions named in `by` (comma-separated; none: one row).

    `time` is the key column that `from` and `to` cut. `derive` gets the raw measures of a row (whole numbers, null
    where nothing was merged) and gives further fields, and the reasons of those that are null.
    """
    table = of.table
    measures = [c for c in table.values if c.rule in (Sum, Min, Max)]
    shows = {c.name: shower(c.kind) for c in measures}
    show = shower(Kind)

    def read_by(text: str) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(filter(None, text.split(","))))
        unknown = [n for n in names if n not in by]
        if unknown:
            raise ValueError(f"{', '.join(unknown)} is no dimension; there are {', '.join(by)}")
        return names

    def ask(request: Request) -> Statement:
        dimensions: tuple[str, ...] = request.get("by", ())
        where, params = _where(request, by, table.column(time), time)
        columns = [f'{by[d].sql} AS "{d}"' for d in dimensions] + [_aggregate(c) for c in measures]
        order = ", ".join(str(i + 1) for i in range(len(dimensions)))
        grouped = f" GROUP BY {order} ORDER BY {order}" if order else ""
        limit = f" LIMIT {request.get('limit', MAX_ROWS)}"
        return Statement(
            f"SELECT {', '.join(columns)} FROM {{{table.name}}} WHERE {where}{grouped}{limit}", tuple(params)
        )

    def shape(request: Request, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [_shaped(row, request.get("by", ())) for row in rows]

    def _shaped(row: Mapping[str, Any], dimensions: Sequence[str]) -> dict[str, Any]:
        raw = {c.name: _int(row[c.name], zero=c.rule is Sum) for c in measures}
        shaped = {d: show(row[d]) for d in dimensions} | {n: shows[n](v) for n, v in raw.items()}
        more, reasons = derive(raw) if derive else ({}, {})
        return {**shaped, **more, **({"reasons": reasons} if reasons else {})}

    params = (
        Param("by", f"dimensions, comma-separated, out of {', '.join(by)}; empty: one total row", read_by),
        FROM,
        TO,
        LIMIT,
        *(Param(d, f"only rows with this {d}", dimension.read) for d, dimension in by.items()),
    )
    return Query(name, summary, params, ask, shape)


def _where(request: Request, by: Mapping[str, Dimension], column: Column, time: str) -> tuple[str, list[object]]:
    conditions = ["company_id = %s"]
    params: list[object] = [request.company]
    cast = "::date" if column.kind is Day else ""
    for bound, operator in (("from", ">="), ("to", "<")):
        if request.get(bound) is not None:
            conditions.append(f'"{time}" {operator} %s{cast}')
            params.append(request.get(bound))
    for name, dimension in by.items():
        if request.get(name) is not None:
            conditions.append(f"{dimension.sql} = %s")
            params.append(request.get(name))
    return " AND ".join(conditions), params


def _aggregate(column: Column) -> str:
    function = {Sum: "SUM", Min: "MIN", Max: "MAX"}[column.rule]
    return f'{function}("{column.name}") AS "{column.name}"'


def _int(value: Any, *, zero: bool) -> int | None:
    if value is None:
        return 0 if zero else None
    return int(value)
