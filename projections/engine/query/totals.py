"""Totals: the query that most read models need — measures of a table added up by any of its dimensions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, get_type_hints

from domain.access.rights import Right
from domain.company_calendar import first_day
from domain.configuration.company import Calendar
from domain.errors import Invalid
from domain.ports import ReadStore
from projections.engine.declare.merge_rules import (
    MS_PER_DAY,
    MS_PER_HOUR,
    MS_PER_MINUTE,
    MS_PER_QUARTER,
    Day,
    Kind,
    Moment,
    Money,
    Number,
    Twelfths,
)
from projections.engine.declare.rows import Column, Row, Table
from projections.engine.query.answer_row import CURRENCY, NOTHING, AnswerRow, AnswerTime, row_type
from projections.engine.query.formatting import answered_type, shower
from projections.engine.query.no_amount import NoAmounts
from projections.engine.query.params import (
    FROM,
    LIMIT,
    TO,
    Param,
    read_day,
    read_members,
    read_month,
    read_quarter,
    read_time,
    read_year,
)
from projections.engine.query.plain import Converted, Query, Selected, Statement
from projections.engine.query.quantiles import QUANTILES, Quantiles
from projections.engine.query.rates_used import LIST_RATES, RATES, only_currency
from projections.engine.query.ratios import Derive, Measures
from projections.engine.query.reporting import LEAST, MOST, OF_CURRENCY, OF_DAY, Amounts, Lookup, Reporting
from projections.engine.query.request import Request
from projections.engine.query.row_limit import all_of, row_limit
from projections.engine.query.zones import first_day_in_sql, fiscal, in_zone, zone_in_sql
from projections.engine.store.sql import equals, total

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WEEK = "{week}"
UNITS = {MS_PER_MINUTE: "minute", MS_PER_QUARTER: "quarter of an hour", MS_PER_HOUR: "hour", MS_PER_DAY: "day"}


@dataclass(frozen=True, slots=True)
class Dimension:
    """Something totals can be split and filtered by: SQL over the row's key columns, and how its values are read.

    `time`: the column of which it is a cut; then the SQL has `{at}` for its time in the zone of a calendar, `{zone}`
    for that zone, `{week}` for the first day of its week, and `{fiscal}` for what turns a time into
    one of the calendar year that its fiscal year is called by.
    """

    sql: str
    read: Callable[[str], Any] = str
    time: str = ""

    @property
    def type(self) -> Any:
        """The type of its values in answers."""
        read = str if self.read is str else get_type_hints(self.read)["return"]
        return AnswerTime if read is datetime else read

    def sql_in(self, calendar: Calendar) -> str:
        """SQL of its values, as a calendar cuts them."""
        return self.sql_at(in_zone(f'"{self.time}"', calendar), calendar) if self.time else self.sql

    def sql_at(self, at: str, calendar: Calendar) -> str:
        """SQL of the cut of a time in the calendar's zone, or of a day."""
        week = first_day_in_sql(f"{at}::date", "week", calendar)
        return self.sql.format(at=at, zone=zone_in_sql(calendar), week=week, fiscal=fiscal(calendar))

    def equals(self, table: Table, value: object, calendar: Calendar) -> tuple[str, list[object]]:
        """The condition that a row of the table has this value, with its parameters."""
        plain = self.sql.strip('"')
        if any(c.name == plain for c in table.columns):
            return equals(table, plain, value)
        return f"{self.sql_in(calendar)} = %s", [self.as_cut(value, calendar)]

    def as_cut(self, value: Any, calendar: Calendar) -> Any:
        """The value as rows are cut by it, of one that was read: any day names its week."""
        return first_day(value, "week", calendar) if self.sql == WEEK else value


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


def moment(column: str) -> Dimension:
    """A time column of the row, as it is."""
    return Dimension(f'"{column}"', read_time)


def days(column: str) -> dict[str, Dimension]:
    """The calendar over a day or time column: day, weekday (0 = Monday), week by its first day, month, and quarter and
    year, which are fiscal.
    """
    return {
        "day": Dimension("{at}::date", read_day, column),
        "weekday": Dimension("extract(isodow FROM {at})::int - 1", _whole, column),
        "week": Dimension(WEEK, read_day, column),
        "month": Dimension("to_char({at}, 'YYYY-MM')", read_month, column),
        "quarter": Dimension("to_char({at}{fiscal}, 'YYYY-\"Q\"Q')", read_quarter, column),
        "year": Dimension("extract(year FROM {at}{fiscal})::int", read_year, column),
    }


def calendar(column: str) -> dict[str, Dimension]:
    """The calendar over a time column: hour, and what `days` has."""
    return {"hour": Dimension(f"date_trunc('hour', \"{column}\", {{zone}})", read_time, column), **days(column)}


def entry_hour(column: str) -> Dimension:
    """The hour of the day of an entry; -1 where it is unknown, which is null or the beginning of 1970."""
    hour = "extract(hour FROM {at})::int"
    return Dimension(f"CASE WHEN \"{column}\" > 'epoch' THEN {hour} ELSE -1 END", _whole, column)


Begun = Callable[[Request], Statement]


@dataclass(frozen=True, slots=True)
class Totals:
    """What a totals query adds up: the columns `measures`; `ask` and `shape` are those of the query."""

    table: Table
    by: Mapping[str, Dimension]
    time: Column
    source: str
    counts: Mapping[str, str]
    quantiles: Quantiles | None
    derive: Derive | None
    reporting: Reporting | None = None
    within: str = ""
    begun: Mapping[str, Begun] = field(default_factory=dict)
    measures: tuple[Column, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "measures", tuple(c for c in self.table.values if c.rule.of_totals))

    def ask(self, request: Request) -> Statement:
        """One SELECT: totals by dimension, joined with the buckets of their quantiles where there are some."""
        names: tuple[str, ...] = request.get("by", ())
        dimensions = self._dimensions(request)
        where, params = self._where(request)
        columns = [*dimensions, *map(total, self.measures), *(f'{c} AS "{n}"' for n, c in self.counts.items())]
        if self._adds_up_currencies(request):
            columns += [f"MIN(NULLIF({CURRENCY}, '')) AS {LEAST}", f"MAX(NULLIF({CURRENCY}, '')) AS {MOST}"]
        order = ", ".join(str(i + 1) for i in range(len(names)))
        grouped = f" GROUP BY {order} ORDER BY {order}" if order else ""
        limited = f"{grouped} LIMIT {row_limit(request)}"
        summed = f"SELECT {', '.join(columns)} FROM {self.source} WHERE {where}{limited}"
        beside = self._beside(request, dimensions, where, params)
        if not beside:
            return Statement(summed, tuple(params))
        on = "USING (" + ", ".join(f'"{n}"' for n in names) + ")" if names else "ON true"
        joins = " ".join(f"LEFT JOIN ({each.sql}) AS beside{i} {on}" for i, each in enumerate(beside))
        shown = ["summed.*", *(f'"{name}"' for name in (QUANTILES if self.quantiles else ()))]
        shown += [f'COALESCE("{name}", 0) AS "{name}"' for name in self.begun]
        joined = f"SELECT {', '.join(shown)} FROM ({summed}) AS summed {joins}"
        of_all = (*params, *(param for each in beside for param in each.params))
        return Statement(f"{joined} ORDER BY {order}" if order else joined, of_all)

    def _beside(
        self, request: Request, dimensions: Sequence[str], where: str, params: Sequence[object]
    ) -> list[Statement]:
        """SELECT of what is not in the rows that are added up, by the same dimensions, under the same condition."""
        names: tuple[str, ...] = request.get("by", ())
        selects = []
        if self.quantiles is not None:
            selects.append(Statement(self.quantiles.sql(dimensions, names, where), tuple(params)))
        grouped = f" GROUP BY {', '.join(str(i + 1) for i in range(len(names)))}" if names else ""
        for name, begun in self.begun.items():
            counted, source = ", ".join([*dimensions, f'COUNT(*) AS "{name}"']), begun(request)
            sql = f"SELECT {counted} FROM ({source.sql}) AS begun WHERE {where}{grouped}"
            selects.append(Statement(sql, (*source.params, *params)))
        return selects

    def _dimensions(self, request: Request) -> list[str]:
        return [f'{self.by[name].sql_in(request.calendar)} AS "{name}"' for name in request.get("by", ())]

    def _adds_up_currencies(self, request: Request) -> bool:
        return self.reporting is not None and CURRENCY not in request.get("by", ()) and request.get(CURRENCY) is None

    async def one_currency(
        self, request: Request, store: ReadStore, projection: str, rows: list[dict[str, Any]]
    ) -> Converted:
        """The rows with amounts of one currency, and what the answer says of that. Raises what the store raises."""
        if self.reporting is None or not self._adds_up_currencies(request):
            return rows, only_currency(request)
        names: tuple[str, ...] = request.get("by", ())
        where, params = self._where(request)
        told_apart = [*self._dimensions(request), f'"{CURRENCY}" AS {OF_CURRENCY}']
        told_apart.append(f'"{self.time.name}"::date AS {OF_DAY}')
        columns = ", ".join([*told_apart, *map(total, self.measures)])
        grouped = ", ".join(str(number + 1) for number in range(len(told_apart)))
        parts = Lookup(projection, f"SELECT {columns} FROM {self.source} WHERE {where} GROUP BY {grouped}")
        rules = {c.name: c.rule.aggregate for c in self.measures}
        amounts = Amounts(rows, parts, params, names, rules, self._money)
        return await self.reporting.one_currency(request, store, amounts)

    @property
    def _money(self) -> frozenset[str]:
        return frozenset(c.name for c in self.measures if issubclass(c.kind, Money | Twelfths))

    def _where(self, request: Request) -> tuple[str, list[object]]:
        conditions = ["company_id = %s"]
        params: list[object] = [request.company]
        cast = "::date" if self.time.kind is Day else ""
        for bound, operator in (("from", ">="), ("to", "<")):
            if request.get(bound) is not None:
                conditions.append(f'"{self.time.name}" {operator} %s{cast}')
                params.append(_on_the_grid(bound, request.get(bound), self.time.kind))
                if self.within:
                    conditions.append(f'"{self.within}" {operator.ljust(2, "=")} %s::date')
                    params.append(request.get(bound))
        for name, dimension in self.by.items():
            if request.get(name) is not None:
                condition, values = dimension.equals(self.table, request.get(name), request.calendar)
                conditions.append(condition)
                params.extend(values)
        return " AND ".join(conditions), params

    def selects(self, request: Request) -> Selected:
        """The rows that are added up."""
        where, params = self._where(request)
        return Selected(self.table, where, tuple(params))

    def shape(self, request: Request, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Rows of the answer: dimensions, measures, what is derived from them, and the reasons of nulls.

        Raises LimitExceeded where there are more rows than an answer may have.
        """
        dimensions = request.get("by", ())
        return [self._shaped(row, dimensions) for row in all_of(request, rows)]

    def _shaped(self, row: Mapping[str, Any], dimensions: Sequence[str]) -> dict[str, Any]:
        show = shower(Kind)
        if isinstance(row, NoAmounts):
            return self._without_amounts(row, dimensions)
        raw = {c.name: c.rule.blank if row[c.name] is None else int(row[c.name]) for c in self.measures}
        shown = {c.name: shower(c.kind)(raw[c.name]) for c in self.measures}
        counts = {name: int(row[name]) for name in (*self.counts, *self.begun)}
        quantiles, reasons = self._quantiles(row, raw)
        more, why = self.derive({**raw, **counts}) if self.derive else ({}, {})
        reasons |= why
        answered = {d: show(row[d]) for d in dimensions} | shown | counts | quantiles | more
        return {**answered, **({"reasons": reasons} if reasons else {})}

    def _without_amounts(self, row: NoAmounts, dimensions: Sequence[str]) -> dict[str, Any]:
        """The row with null for its amounts and what follows from them: what it would not be, were they there."""
        would_be = self._shaped({**row, **dict.fromkeys(row.names, 1)}, dimensions)
        raw = {c.name: None if c.name in row.names else int(row[c.name] or 0) for c in self.measures}
        counts = {name: int(row[name]) for name in (*self.counts, *self.begun)}
        derived, _ = self.derive({**raw, **counts}) if self.derive else ({}, {})
        missing = [*row.names, *(n for n, value in derived.items() if value is None and would_be[n] is not None)]
        reasons = would_be.get("reasons", {}) | dict.fromkeys(sorted(missing), str(row.reason))
        return {**would_be, **dict.fromkeys(missing), "reasons": reasons}

    def names(self) -> tuple[str, ...]:
        """Names of all measures of a row, those that are derived from others included."""
        sums = {c.name: c.rule.blank for c in self.measures}
        derived, _ = self.derive({**sums, **dict.fromkeys(self.counts, 0)}) if self.derive else ({}, {})
        return (*sums, *self.counts, *self.begun, *(QUANTILES if self.quantiles else ()), *derived)

    def row(self, query: str) -> type[AnswerRow]:
        """The type of a row: the dimensions of the question, and every measure."""
        by = {name: each.type for name, each in self.by.items()}
        stored = {c.name: answered_type(c, total=True) for c in self.measures} | dict.fromkeys(
            (*self.counts, *self.begun), int
        )
        if self.reporting is not None:
            stored |= {c.name: answered_type(c) for c in self.measures if c.name in self._money}
        derived, _ = self.derive(dict.fromkeys(stored, 1)) if self.derive else ({}, {})
        ranked = dict.fromkeys(QUANTILES if self.quantiles else (), float | None)
        ratios = {name: type(value) | None for name, value in derived.items()}
        return row_type(query, stored | ranked | ratios, {**by, "reasons": dict[str, str]})

    def _quantiles(self, row: Mapping[str, Any], raw: Measures) -> tuple[dict[str, Any], dict[str, str]]:
        if self.quantiles is None:
            return {}, {}
        low, high = raw[self.quantiles.low], raw[self.quantiles.high]
        values = {name: self.quantiles.value(row[name], low, high) for name in QUANTILES}
        show = shower(Number)
        unknown = (*values, self.quantiles.low, self.quantiles.high) if low is None else ()
        return {name: show(value) for name, value in values.items()}, dict.fromkeys(unknown, "no_data")


def totals(
    name: str,
    *,
    of: type[Row],
    by: Mapping[str, Dimension],
    time: str,
    source: str | None = None,
    counts: Mapping[str, str] = NOTHING,
    quantiles: Quantiles | None = None,
    derive: Derive | None = None,
    reporting: Reporting | None = None,
    summary: str,
    right: Right = Right.DASHBOARDS,
    within: str = "",
    begun: Mapping[str, Begun] = NOTHING,
) -> Query:
    """A query that adds up the table's measures by the dimensions named in `by` (comma-separated; none: one row).

    `time` is the key column that `from` and `to` cut, `within` one of its UTC day that sorts before it. `counts` are
    further measures: SQL aggregates that are whole numbers and never null, over `source`, which is SQL after FROM and
    by default the table alone. `derive` gets the raw measures of a row (whole numbers, null where nothing was merged)
    and gives further fields, and the reasons of those that are null. `reporting`, of a table with the key `currency`:
    where rates are read. `begun` counts what has no row, such as sessions: SELECTs of where it began by `time`, `by`.
    """
    source = source or f"{{{of.table.name}}}"
    declared = Totals(of.table, by, of.table.column(time), source, counts, quantiles, derive, reporting, within, begun)
    return Query(
        name,
        summary,
        (*_params(by), *((RATES, LIST_RATES) if reporting else ())),
        declared.ask,
        declared.shape,
        selects=declared.selects,
        right=right,
        measures=declared.names(),
        row=declared.row(name),
        converts=declared.one_currency if reporting else None,
        beside=reporting.projections if reporting else frozenset(),
        any_zone=of_any_zone(declared.time),
    )


def of_any_zone(time: Column) -> bool:
    """Whether days of any zone are made of rows with this time."""
    return issubclass(time.kind, Moment) and time.kind.truncate_ms <= MS_PER_QUARTER


def _params(by: Mapping[str, Dimension]) -> tuple[Param, ...]:
    """What a query of totals may be asked for: dimensions, a period, a limit, and one value of each dimension."""
    some = f"dimensions, comma-separated, out of {', '.join(by)}; empty: one total row"
    only = (Param(name, f"only rows with this {name}", dimension.read) for name, dimension in by.items())
    return (Param("by", some, read_members(by, "dimension")), FROM, TO, LIMIT, *only)


def _on_the_grid(bound: str, at: datetime, kind: type[Kind]) -> datetime:
    """The bound of a period; Invalid where it would cut through rows, whose part cannot be told."""
    if kind.truncate_ms in UNITS and (at - EPOCH) % timedelta(milliseconds=kind.truncate_ms):
        raise Invalid(
            f"parameter {bound}: the rows are kept by the {UNITS[kind.truncate_ms]}, {at.isoformat()} is inside one",
            code="bad_parameter",
        )
    return at
