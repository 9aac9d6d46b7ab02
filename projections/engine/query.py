"""Queries: named questions to a projection's rows, answered alike over HTTP, gRPC, WebSocket and on the command line.

A query is declared in its projection's file. It turns a request into one SQL statement and the statement's rows into
the answer's rows; position, freshness and definition version are added here, once for all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from domain.access import Right
from domain.errors import Invalid, LimitExceeded, NotFound
from domain.ports import ReadStore
from projections.engine.declare import Projection, Table

MAX_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a query: its name, what it means, and how its text is read (raising ValueError)."""

    name: str
    meaning: str
    read: Callable[[str], Any] = str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A question of one tenant: parameters as read, absent ones missing."""

    company: str
    params: Mapping[str, Any]

    def get(self, name: str, default: Any = None) -> Any:
        """The parameter's value, or the default."""
        return self.params.get(name, default)


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


@dataclass(frozen=True, slots=True)
class Query:
    """A registered query. `ask` writes the statement, `shape` turns its rows (as dicts) into the answer's rows.

    `selects` says which rows of which table an answer is made from, so that it can be explained; `right` what whoever
    asks must have.
    """

    name: str
    summary: str
    params: tuple[Param, ...]
    ask: Callable[[Request], Statement]
    shape: Callable[[Request, Sequence[Mapping[str, Any]]], list[dict[str, Any]]]
    extra: Callable[[Request, list[dict[str, Any]]], dict[str, Any]] = field(default=lambda _request, _rows: {})
    selects: Callable[[Request], Selected] | None = None
    right: Right = Right.DASHBOARDS


def registered() -> Mapping[str, Query]:
    """Every registered query by name."""
    from projections.engine.registry import all_queries

    return {name: query for name, (_, query) in all_queries().items()}


async def answer(name: str, company: str, params: Mapping[str, str], store: ReadStore) -> dict[str, Any]:
    """Answer a registered query for one tenant, in the form of the API.

    Raises NotFound for an unknown query, Invalid for a wrong parameter, Unavailable or LimitExceeded from the store.
    """
    projection, query = find(name)
    request = Request(company, read_params(query, params))
    statement = query.ask(request)
    found = await store.ask(company, projection.name, statement.sql, statement.params)
    rows = query.shape(request, [dict(zip(found.columns, row, strict=True)) for row in found.rows])
    return {
        "query": name,
        "definition_version": found.definition_version,
        "position": found.position,
        "as_of": show_time(datetime.fromtimestamp(found.as_of / 1000, UTC)) if found.as_of else None,
        "complete": found.complete,
        "lag_ms": found.lag_ms,
        "rows": rows,
        **query.extra(request, rows),
    }


def find(name: str) -> tuple[Projection, Query]:
    """A registered query with the projection that it reads. Raises NotFound."""
    from projections.engine.registry import all_queries

    if name not in all_queries():
        raise NotFound(f"no query {name!r}; there are {', '.join(sorted(all_queries()))}")
    return all_queries()[name]


def read_params(query: Query, params: Mapping[str, str]) -> dict[str, Any]:
    """Parameters as the query reads them. Raises Invalid for one that is unknown, wrong or missing."""
    known = {p.name: p for p in query.params}
    values = {}
    for name, text in params.items():
        if name not in known:
            raise Invalid(
                f"query {query.name} has no parameter {name!r}; it has {', '.join(known)}", code="unknown_parameter"
            )
        try:
            values[name] = known[name].read(storable(text))
        except ValueError as error:
            raise Invalid(f"parameter {name} of {query.name}: {error}", code="bad_parameter") from None
    missing = [p.name for p in query.params if p.required and p.name not in values]
    if missing:
        raise Invalid(f"query {query.name} needs {', '.join(missing)}", code="missing_parameter")
    return values


def storable(text: str) -> str:
    """The text; ValueError where no stored text can equal it, because the database cannot hold it."""
    if re.search("[\0\ud800-\udfff]", text):
        raise ValueError(f"{text!r} holds characters that no text may have")
    return text


_DAY_ONLY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_MONTH_ONLY = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")


def read_time(text: str) -> datetime:
    """A date (its midnight) or an ISO 8601 time; UTC where no zone is given."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is neither a date nor an ISO 8601 time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_day(text: str) -> date:
    """A date as YYYY-MM-DD."""
    if not _DAY_ONLY.match(text):
        raise ValueError(f"{text!r} is no date (YYYY-MM-DD)")
    return date.fromisoformat(text)


def read_month(text: str) -> str:
    """A month as YYYY-MM."""
    if not _MONTH_ONLY.match(text):
        raise ValueError(f"{text!r} is no month (YYYY-MM)")
    return text


def read_limit(text: str) -> int:
    """A number of rows, 1 to MAX_ROWS."""
    if not text.isdecimal() or not 1 <= int(text) <= MAX_ROWS:
        raise ValueError(f"{text!r} is no number from 1 to {MAX_ROWS}")
    return int(text)


def read_choice(*choices: str) -> Callable[[str], str]:
    """One of a closed set of texts."""

    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"{text!r} is none of {', '.join(choices)}")
        return text

    return read


def row_limit(request: Request) -> int:
    """How many rows to fetch: what was asked for, or else one more than an answer may have (see `all_of`)."""
    return int(request.get("limit", MAX_ROWS + 1))


Row = TypeVar("Row")


def all_of(rows: Sequence[Row]) -> Sequence[Row]:
    """The rows fetched; raises LimitExceeded instead of leaving some out silently."""
    if len(rows) > MAX_ROWS:
        raise LimitExceeded(
            f"the answer has more than {MAX_ROWS} rows",
            suggested_actions=("ask for a shorter period or fewer dimensions", "give a limit to see the first ones"),
        )
    return rows


FROM = Param("from", "first moment (inclusive): a date or ISO 8601 time, UTC", read_time)
TO = Param("to", "end (exclusive): a date or ISO 8601 time, UTC", read_time)
LIMIT = Param("limit", f"rows at most, 1 to {MAX_ROWS}", read_limit)


def show_time(moment: datetime) -> str:
    """ISO 8601 with Z; milliseconds only where there are some."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    return text.replace("+00:00", "Z")
