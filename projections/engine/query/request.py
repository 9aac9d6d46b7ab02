"""Queries: named questions to a projection's rows, answered alike over HTTP, gRPC, WebSocket and on the command line.

A query is declared in its projection's file. It turns a request into one SQL statement and the statement's rows into
the answer's rows; position, freshness and definition version are added here, once for all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from string import Formatter
from typing import TYPE_CHECKING, Any, TypeVar

from domain.access.rights import Feature, Member, Right
from domain.errors import Invalid, LimitExceeded, NotFound
from domain.ports import ReadStore
from domain.suggestion import LONGEST, did_you_mean
from domain.whole_number import whole_number
from projections.engine.declare.projection import Projection, Table
from projections.engine.query.wide_answers import beside

if TYPE_CHECKING:
    from projections.engine.query.compared import Comparing
    from projections.engine.query.composed import Composed

MAX_ROWS = 50_000
WITHOUT_END = 2**62  # rows that a part of a composed query may have


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a query: its name, what it means, and how its text is read (raising ValueError)."""

    name: str
    meaning: str
    read: Callable[[str], Any] = str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A registered query of one company: its parameters as texts, and the moment at which it was asked.

    The door sets `asked_at` once, and nothing behind it reads a clock: so an answer depends on the question and the
    rows alone. Of a past state it is the moment that the state stands for. `member`: whose rows alone it is about; None
    for those of the company.
    """

    name: str
    company: str
    params: Mapping[str, str]
    asked_at: datetime
    member: Member | None = None

    @property
    def key(self) -> Hashable:
        """The same for questions that have the same answer at the same moment."""
        return self.name, self.company, tuple(sorted(self.params.items())), self.member


@dataclass(frozen=True, slots=True)
class Request:
    """A question of one tenant: parameters as read, absent ones missing. `whole`: every row, whatever the limits.

    `asked_at` is when it was asked: the one clock of whatever the question leaves open.
    """

    company: str
    params: Mapping[str, Any]
    asked_at: datetime
    whole: bool = False

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
    asks must have, `feature` what their tier must open. `measures`: numbers of each row, where rows are totals.
    `open_to_members`: members get the company's answer, which is of tables that are open to them.
    """

    name: str
    summary: str
    params: tuple[Param, ...]
    ask: Callable[[Request], Statement]
    shape: Callable[[Request, Sequence[Mapping[str, Any]]], list[dict[str, Any]]]
    extra: Callable[[Request, list[dict[str, Any]]], dict[str, Any]] = field(default=lambda _request, _rows: {})
    selects: Callable[[Request], Selected] | None = None
    right: Right = Right.DASHBOARDS
    feature: Feature | None = None
    measures: tuple[str, ...] = ()
    open_to_members: bool = False


def registered() -> Mapping[str, Query | Composed]:
    """Every registered query by name, composed ones too."""
    from projections.engine.declare.registry import all_registered

    return all_registered()


async def answer(question: Question, store: ReadStore, comparing: Comparing | None = None) -> dict[str, Any]:
    """Answer a registered query for one tenant, in the form of the API; `comparing`: who can set it beside others.

    Raises NotFound for an unknown query, Invalid for a wrong parameter and for a comparison where nobody can compare,
    Unavailable or LimitExceeded from the store.
    """
    from projections.engine.query.compared import Compared
    from projections.engine.query.composed import Composed, answer_composed

    query = known(question.name)
    if isinstance(query, Compared):
        if comparing is None:
            raise Invalid(
                f"{query.name} is not available as of a past state: who may be compared is known of the present alone",
                code="no_past",
                suggested_actions=("Ask for the period with from and to.",),
            )
        return await comparing.answer(query, question, store)
    if isinstance(query, Composed):
        return await answer_composed(query, question, store)
    return await answer_plain(query, read_request(query, question), store)


async def answer_plain(query: Query, request: Request, store: ReadStore) -> dict[str, Any]:
    """The answer of a query that reads the rows of one projection."""
    projection, _ = find(query.name)
    found, stands_for = await fetch(request.company, projection.name, query.ask(request), store)
    rows = await beside(found, request.company, partial(query.shape, request))
    return {"query": query.name, **stands_for, "rows": rows, **query.extra(request, rows)}


async def fetch(
    company: str, projection: str, statement: Statement, store: ReadStore
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The rows of a statement, and what they stand for in the form of the API."""
    found = await store.ask(company, projection, statement.sql, statement.params)
    return await beside(found.rows, company, partial(_by_name, found.columns)), {
        "definition_version": found.definition_version,
        "position": found.position,
        "as_of": show_time(datetime.fromtimestamp(found.as_of / 1000, UTC)) if found.as_of else None,
        "complete": found.complete,
        "lag_ms": found.lag_ms,
    }


def _by_name(columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in rows]


def names_in(statement: str) -> frozenset[str]:
    """Names of the declared tables that a statement names."""
    return frozenset(name for _, name, _, _ in Formatter().parse(statement) if name)


def known(name: str) -> Query | Composed:
    """The registered query of that name. Raises NotFound."""
    if name not in registered():
        raise NotFound(
            f"no query is called {name[:LONGEST]!r}{did_you_mean(name, registered())}",
            code="unknown_query",
            suggested_actions=("GET /api/v1/query lists the queries.",),
        )
    return registered()[name]


def find(name: str) -> tuple[Projection, Query]:
    """A registered query with the projection that it reads. Raises NotFound, Invalid for one that reads no rows."""
    from projections.engine.declare.registry import all_queries

    known(name)
    if name not in all_queries():
        raise Invalid(f"{name} is made of other queries, and has no rows of its own", code="composed_query")
    return all_queries()[name]


def read_request(query: Query | Composed, question: Question, *, whole: bool = False) -> Request:
    """The question as its query reads it. Raises what `read_params` raises."""
    return Request(question.company, read_params(query, question.params), question.asked_at, whole)


def read_params(query: Query | Composed, params: Mapping[str, str]) -> dict[str, Any]:
    """Parameters as the query reads them. Raises Invalid for one that is unknown, wrong or missing."""
    declared = {p.name: p for p in query.params}
    values = {}
    for name, text in params.items():
        if name not in declared:
            near = did_you_mean(name, declared)
            raise Invalid(
                f"query {query.name} has no parameter {name[:LONGEST]!r}{near}; it has {', '.join(declared)}",
                code="unknown_parameter",
            )
        try:
            values[name] = declared[name].read(storable(text))
        except (ValueError, OverflowError, RecursionError) as error:
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


EARLIEST, LATEST = datetime(1000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def read_time(text: str) -> datetime:
    """A date (its midnight) or an ISO 8601 time; UTC where no zone is given.

    What lies outside the years 1000 to 8999 means "open" and is read as their bound, which leaves room to reckon with.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is neither a date nor an ISO 8601 time") from None
    return min(max(moment if moment.tzinfo else moment.replace(tzinfo=UTC), EARLIEST), LATEST)


def read_day(text: str) -> date:
    """A date as YYYY-MM-DD, within the same bounds."""
    if not _DAY_ONLY.match(text):
        raise ValueError(f"{text!r} is no date (YYYY-MM-DD)")
    return min(max(date.fromisoformat(text), EARLIEST.date()), LATEST.date())


def read_month(text: str) -> str:
    """A month as YYYY-MM."""
    if not _MONTH_ONLY.match(text):
        raise ValueError(f"{text!r} is no month (YYYY-MM)")
    return text


def read_limit(text: str) -> int:
    """A number of rows, 1 to MAX_ROWS."""
    return whole_number(text, 1, MAX_ROWS)


def read_choice(*choices: str) -> Callable[[str], str]:
    """One of a closed set of texts."""

    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"{text!r} is none of {', '.join(choices)}")
        return text

    return read


def row_limit(request: Request) -> int:
    """How many rows to fetch: what was asked for, or else one more than an answer may have (see `all_of`)."""
    return int(request.get("limit", WITHOUT_END if request.whole else MAX_ROWS + 1))


Row = TypeVar("Row")


def all_of(request: Request, rows: Sequence[Row]) -> Sequence[Row]:
    """The rows fetched; raises LimitExceeded instead of leaving some out silently."""
    if len(rows) > MAX_ROWS and not request.whole:
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


def age(as_of: str | None, asked_at: datetime) -> int:
    """Milliseconds from a moment as answers show it until it was asked; 0 where there is none."""
    return max(0, (asked_at - read_time(as_of)) // timedelta(milliseconds=1)) if as_of else 0
