"""Plain queries: those that read the rows of one projection.

A query is declared in its projection's file. It turns a request into one SQL statement and the statement's rows into
the answer's rows; position, freshness and definition version are added here, once for all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from string import Formatter
from typing import Any, ClassVar, NamedTuple, Protocol

from domain.access.rights import Feature, Right
from domain.ports import ReadStore
from projections.engine.declare.merge_rules import Kind
from projections.engine.declare.rows import Table
from projections.engine.query.answer_row import CURRENCY, beside_money, with_currency
from projections.engine.query.calendar import with_calendar
from projections.engine.query.formatting import show_time
from projections.engine.query.params import Param
from projections.engine.query.request import Asking, Request
from projections.engine.query.wide_answers import beside


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with %s parameters; `{table}` stands for a declared table of the projection."""

    sql: str
    params: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Selected:
    """The rows that an answer is made from: a table, and an SQL condition on it with its parameters."""

    table: Table
    where: str
    params: tuple[object, ...]


class Shown(NamedTuple):
    """A column of answers: its name in them, and the kind of its stored values."""

    name: str
    kind: type[Kind]


class Whole(Protocol):
    """What writes all rows of a query, of which answers show a page at a time."""

    def everything(self, request: Request) -> Statement:
        """The SELECT of all rows that the request is about; in the order that it names, or in none."""
        ...

    @property
    def shown(self) -> Sequence[Shown]:
        """The columns of that SELECT."""
        ...


Converted = tuple[list[dict[str, Any]], dict[str, Any]]  # rows, and what the answer says of their currency
Converts = Callable[[Request, ReadStore, str, list[dict[str, Any]]], Awaitable[Converted]]


@dataclass(frozen=True, slots=True)
class Query:
    """A registered query. `ask` writes the statement, `shape` turns its rows (as dicts) into the answer's rows.

    `selects` says which rows of which table an answer is made from, so that it can be explained; `right` what whoever
    asks must have, `feature` what their tier must open. `measures`: numbers of each row, where rows are totals. `row`:
    the type that describes what `shape` gives. `open_to_members`: members get the company's answer, which is of tables
    that are open to them. `converts` makes stored rows rows of one currency, for which projections `beside` are read.
    `whole`: what writes all rows at once, where a row of the answer is a row of the table and says all by itself.
    """

    of_now: ClassVar[bool] = False
    name: str
    summary: str
    params: tuple[Param, ...]
    ask: Callable[[Request], Statement]
    shape: Callable[[Request, Sequence[Mapping[str, Any]]], list[dict[str, Any]]]
    extra: Callable[[Request, list[dict[str, Any]]], dict[str, Any]] | None = None
    selects: Callable[[Request], Selected] | None = None
    right: Right = Right.DASHBOARDS
    feature: Feature | None = None
    measures: tuple[str, ...] = ()
    open_to_members: bool = False
    row: Any = dict[str, Any]
    converts: Converts | None = None
    beside: frozenset[str] = frozenset()
    any_zone: bool = False
    whole: Whole | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", with_calendar(self.params, any_zone=self.any_zone))
        object.__setattr__(self, "row", with_currency(self.row))

    async def answer(self, request: Request, asking: Asking) -> dict[str, Any]:
        """The answer out of the rows of its projection, in the form of the API. Raises what the store raises."""
        table_rows, stands_for = await self.stored(request, asking)
        rows = await beside(table_rows, request.company, partial(self._shown, request, stands_for.get(CURRENCY)))
        more = self.extra(request, rows) if self.extra else {}
        return {"query": self.name, **stands_for, "rows": rows, **more}

    def _shown(self, request: Request, currency: str | None, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return beside_money(self.row, self.shape(request, rows), currency)

    async def stored(self, request: Request, asking: Asking) -> Converted:
        """The rows as they are stored, amounts of one currency with it beside them, and what they stand for in the form
        of the API.

        Raises as `answer`.
        """
        projection = asking.projection_of(self.name)
        rows, stands_for = await fetch(request.company, projection, self.ask(request), asking.store)
        if self.converts is None:
            return rows, stands_for
        rows_of_one, said = await self.converts(request, asking.store, projection, rows)
        return beside_money(self.row, rows_of_one, said.get(CURRENCY)), {**stands_for, **said}


async def fetch(
    company: str, projection: str, statement: Statement, store: ReadStore
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The rows of a statement, and what they stand for in the form of the API.

    Raises what the store raises, LimitExceeded where too many wide answers wait.
    """
    stored = await store.ask(company, projection, statement.sql, statement.params)
    return await beside(stored.rows, company, partial(_by_name, stored.columns)), {
        "definition_version": stored.definition_version,
        "position": stored.position,
        "as_of": show_time(datetime.fromtimestamp(stored.as_of / 1000, UTC)) if stored.as_of else None,
        "complete": stored.complete,
        "lag_ms": stored.lag_ms,
    }


def _by_name(columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in rows]


def names_in(statement: str) -> frozenset[str]:
    """Names of the declared tables that a statement names."""
    return frozenset(name for _, name, _, _ in Formatter().parse(statement) if name)
