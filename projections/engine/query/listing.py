"""Listing: the rows of a table as they are, filtered, in the order of their keys, page by page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.access.rights import Right
from domain.errors import Invalid
from projections.engine.declare.merge_rules import Day, Flag, Text
from projections.engine.declare.rows import Column, Row, Table
from projections.engine.query.answer_row import AnswerRow, row_type, with_currency
from projections.engine.query.cursors import cursor_of, read_cursor
from projections.engine.query.extent import LIMIT as CUT
from projections.engine.query.formatting import answered_type, shower
from projections.engine.query.params import FROM, LIMIT, TO, Param, read_choice, read_time, storable
from projections.engine.query.plain import Query, Selected, Shown, Statement
from projections.engine.query.request import WITHOUT_END, Request
from projections.engine.query.row_limit import first_of
from projections.engine.query.totals import of_any_zone
from projections.engine.query.zones import zone_in_sql
from projections.engine.store import sql

DEFAULT_LIMIT = 1_000
BY_KEY, NEWEST = "key", "newest"
ORDER = Param(
    "order", "key (default), or newest: those of the latest time first, on one page", read_choice(BY_KEY, NEWEST)
)


def _read_key(column: Column, value: Any) -> object:
    """A key as it was shown, typed again: a cursor comes from outside and may hold anything."""
    if column.kind.is_time:
        return read_time(value)
    return storable(value) if issubclass(column.kind, Text) else int(value)


Condition = tuple[str, Sequence[object]]  # SQL on a row of the table, and its parameters


@dataclass(frozen=True, slots=True)
class Made:
    """Rows that are made of those of stored tables when they are asked for, by the SELECT `sql`.

    `of`: the stored table that explains them, and its column of which their time is a cut.
    """

    of: Callable[[Request], tuple[Table, str]]
    sql: Callable[[Request], Statement]


@dataclass(frozen=True, slots=True)
class Listing:
    """What a listing shows; `ask`, `shape` and `extra` are those of the query."""

    table: Table
    filters: Sequence[str]
    time: str
    names: Mapping[str, str] = field(default_factory=dict)
    narrowed: Callable[[Request], Condition | None] = lambda _: None
    made: Made | None = None

    def name(self, column: str) -> str:
        """What answers and parameters call a column."""
        return self.names.get(column, column)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that are shown: all but the tenant."""
        return tuple(c for c in self.table.columns if c.name != "company_id")

    @property
    def keys(self) -> tuple[Column, ...]:
        """The columns that rows are sorted by."""
        return self.table.keys[1:]

    @property
    def params(self) -> tuple[Param, ...]:
        """What narrows it, and pages."""
        return (
            *((FROM, TO, ORDER) if self.time else ()),
            LIMIT,
            Param("cursor", "where the last page ended (next_cursor of its answer)", read_cursor),
            *(_filter(self.table.column(each), self.name(each)) for each in self.filters),
        )

    def ask(self, request: Request) -> Statement:
        """One page of rows after the cursor. Raises Invalid for a cursor that is none, or where there are no pages."""
        conditions, params = self._conditions(request)
        if request.get("cursor") is not None:
            if request.get("order") == NEWEST:
                raise Invalid("the newest rows come on one page: give a limit, and no cursor", code="bad_parameter")
            condition, after = sql.after(self.table, self._after(request.get("cursor")))
            conditions.append(condition)
            params.extend(after)
        end = f"ORDER BY {self._order(request)} LIMIT {_page_size(request) + 1}"
        return self._rows(request, conditions, params, end)

    def everything(self, request: Request) -> Statement:
        """All rows; sorted where the request names an order. Raises Invalid for a place to begin at."""
        if request.get("cursor") is not None:
            raise Invalid("all rows are on one page: there is no cursor", code="bad_parameter")
        limit = request.get("limit")
        sort = f"ORDER BY {self._order(request)}" if request.get("order") or limit else ""
        return self._rows(request, *self._conditions(request), f"{sort} LIMIT {limit}" if limit else sort)

    @property
    def shown(self) -> Sequence[Shown]:
        """As `everything` selects them."""
        return [Shown(self.name(c.name), c.kind) for c in self.columns]

    def _order(self, request: Request) -> str:
        keys = ", ".join(sql.in_key_order(self.table))
        return f'"{self.time}" DESC, {keys}' if request.get("order") == NEWEST else keys

    def _rows(self, request: Request, conditions: Sequence[str], params: Sequence[object], end: str) -> Statement:
        names, where = ", ".join(f'"{c.name}"' for c in self.columns), " AND ".join(conditions)
        stored = Statement(f"{{{self.table.name}}}", ())
        made = stored if self.made is None else self.made.sql(request)
        source = made.sql if self.made is None else f"({made.sql}) AS made"
        return Statement(f"SELECT {names} FROM {source} WHERE {where} {end}", (*made.params, *params))

    def selects(self, request: Request) -> Selected:
        """The rows that are listed, on all pages."""
        table, time = (self.table, self.time) if self.made is None else self.made.of(request)
        conditions, params = self._conditions(request, f'"{time}"')
        return Selected(table, " AND ".join(conditions), tuple(params))

    def _conditions(self, request: Request, time: str = "") -> tuple[list[str], list[object]]:
        conditions: list[str] = ["company_id = %s"]
        params: list[object] = [request.company]
        time = time or self._time(request)
        for bound, operator in (("from", ">="), ("to", "<")):
            if request.get(bound) is not None:
                conditions.append(f"{time} {operator} %s")
                params.append(request.get(bound))
        for column in (f for f in self.filters if request.get(self.name(f)) is not None):
            condition, values = sql.equals(self.table, column, request.get(self.name(column)))
            conditions.append(condition)
            params.extend(values)
        if (narrowed := self.narrowed(request)) is not None:
            conditions.append(narrowed[0])
            params.extend(narrowed[1])
        return conditions, params

    def _time(self, request: Request) -> str:
        """SQL of the time that a period cuts: of a day its first moment."""
        if self.made is None or self.table.column(self.time).kind is not Day:
            return f'"{self.time}"'
        return f'("{self.time}"::timestamp AT TIME ZONE {zone_in_sql(request.calendar)})'

    def _after(self, cursor: list[Any]) -> list[object]:
        try:
            return [_read_key(c, v) for c, v in zip(self.keys, cursor, strict=True)]
        except (ValueError, TypeError):
            raise Invalid("parameter cursor: this query has not given it", code="bad_parameter") from None

    def shape(self, request: Request, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """All columns as answers show them."""
        shows = [(c.name, self.name(c.name), shower(c.kind)) for c in self.columns]
        page = first_of(request, rows, _page_size(request))
        return [{name: show(row[column]) for column, name, show in shows} for row in page]

    def row(self, query: str) -> type[AnswerRow]:
        """The type of these rows."""
        return row_type(query, {self.name(c.name): answered_type(c) for c in self.columns})

    def extra(self, request: Request, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Where the next page begins; null on the last one."""
        if request.get("order") == NEWEST or CUT not in request.extent.limits:
            return {"next_cursor": None}
        return {"next_cursor": cursor_of([rows[-1][self.name(k.name)] for k in self.keys])}


def listing(
    name: str,
    *,
    of: type[Row],
    filters: Sequence[str],
    time: str = "",
    summary: str,
    names: Mapping[str, str] | None = None,
    also: Sequence[Param] = (),
    narrowed: Callable[[Request], Condition | None] = lambda _: None,
    right: Right = Right.DASHBOARDS,
    row: type[AnswerRow] | None = None,
    made: Made | None = None,
) -> Query:
    """A query that lists rows by key; `filters` are columns that may be fixed, `time` the column of `from` and `to`.

    `names`: what answers call a column, where that is another name. `also`: further parameters, which `narrowed` turns
    into a condition. `row`: what says more of the rows than the kinds of their columns. `made`: how rows that are not
    stored are made. An answer that is not the last page has `next_cursor`, to be given as `cursor`.
    """
    listed = Listing(of.table, filters, time, names or {}, narrowed, made)
    shown = row or listed.row(name)
    return Query(
        name,
        summary,
        (*listed.params, *also),
        listed.ask,
        listed.shape,
        listed.extra,
        listed.selects,
        right,
        row=shown,
        any_zone=bool(time) and (made is not None or of_any_zone(of.table.column(time))),
        whole=listed if with_currency(shown) is shown else None,
    )


def _page_size(request: Request) -> int:
    return int(request.get("limit", WITHOUT_END if request.whole else DEFAULT_LIMIT))


def _filter(column: Column, name: str) -> Param:
    if issubclass(column.kind, Flag):
        return Param(name, f"only rows where {name} is this: true or false", read_choice("true", "false"))
    return Param(name, f"only rows with this {name}")
