"""Composed queries: questions whose answers are computed from the answers of other registered queries.

A composed query says which questions it asks (`parts`) and makes its rows of what they give (`combine`). Position and
freshness are those of the parts: what all of them have seen, and no newer.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache, partial
from types import MappingProxyType
from typing import Any, ClassVar, Generic, TypeVar

from cachetools import LRUCache, cached

from domain.access.rights import Feature, Right
from domain.position import Position
from projections.engine.declare.registry import all_queries, all_registered, projection
from projections.engine.declare.rows import Table
from projections.engine.query.answer_row import CURRENCY, AnswerTime, Rows, as_answered, beside_money, with_currency
from projections.engine.query.calendar import with_calendar
from projections.engine.query.params import Param, read_time
from projections.engine.query.plain import Converts, Query, Statement, fetch, names_in
from projections.engine.query.rates_used import said_of_currencies
from projections.engine.query.request import Answerable, Asking, Question, Request, read_request
from projections.engine.turns import Share, Turns

AnyRow = TypeVar("AnyRow")


def _nothing_more(_request: Request, _rows: Rows) -> Mapping[str, Any]:
    return {}


AT_ONCE = 2  # combinations that are computed beside the event loop at the same time
SHARE = Share(AT_ONCE, of_tenant=1, waiting=32, patience=30.0)  # a tenant's dashboard may wait for all of its tiles
STAMP: Mapping[str, Any] = {"position": str, "as_of": AnswerTime | None, "complete": bool}  # of each row, where stamped
ASKED_AT_ONCE = 4  # parts of one question: key figures have forty, and the store has few connections for all who ask


@cache
def _threads(name: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix=name)


COMBINING = Turns("computations", SHARE), partial(_threads, "combine")
APART = Turns("computations of models", replace(SHARE, patience=60.0)), partial(_threads, "apart")


@dataclass(frozen=True, slots=True)
class Part:
    """A registered query with its parameters as texts; it gives all its rows, whatever an answer may have.

    `raw`: the rows as they are stored, in whole numbers, and not as answers show them.
    """

    query: str
    params: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Select:
    """A SELECT over the tables of a projection, whose rows are taken as they are: for arrays in place of many rows."""

    projection: str
    statement: Statement
    converts: Converts | None = None  # as of a plain query


@dataclass(frozen=True, slots=True)
class Composed(Generic[AnyRow]):
    """A query made of others. `combine` makes rows of the type `row`, which describes them: an AnswerRow, or a dict
    where the question names the columns.

    `slow` combinations are computed in a thread, so that nobody else waits for them. Where it is a function, it says so
    by the rows: on busy cores the way to a thread and back takes longer than a small combination.

    Those that are computed `apart`, in a process of their own, only wait in a thread: in one that is no other's.

    `feature`: what the tier must open; those of its parts are needed as well. `stamped`: each row says what it stands
    for, so that it can be shown by itself. `kept`: its answers cost much, have few rows whatever is asked,
    and are kept by who serves them. `open_to_members`, `any_zone`: as of a plain query; of the latter all parts are so.
    `extra`: what the answer says beside its rows.
    """

    of_now: ClassVar[bool] = False
    name: str
    summary: str
    params: tuple[Param, ...]
    parts: Callable[[Request], Mapping[str, Part | Select]]
    combine: Callable[[Request, Mapping[str, Rows]], Sequence[AnyRow]]
    row: type[AnyRow]
    right: Right = Right.DASHBOARDS
    feature: Feature | None = None
    version: int = 1
    slow: bool | Callable[[Mapping[str, Rows]], bool] = False
    apart: bool = False
    stamped: bool = False
    kept: bool = False
    open_to_members: bool = False
    any_zone: bool = False
    extra: Callable[[Request, Rows], Mapping[str, Any]] = _nothing_more

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", with_calendar(self.params, any_zone=self.any_zone))
        object.__setattr__(self, "row", with_currency(self.row))

    async def answer(self, request: Request, asking: Asking) -> dict[str, Any]:
        """Ask the parts, combine what they give, and say what it stands for. Raises what the parts raise."""
        rows, stands_for = await ask_parts(self, request, asking)
        if self.apart or (self.slow(rows) if callable(self.slow) else self.slow):
            turns, threads = APART if self.apart else COMBINING
            async with turns.turn(request.company):
                combined = await asyncio.get_running_loop().run_in_executor(threads(), self.rows, request, rows)
        else:
            combined = self.rows(request, rows)
        combined = beside_money(self.row, combined, stands_for.get(CURRENCY))
        more = self.extra(request, combined)
        if self.stamped:
            combined = [row | {name: stands_for[name] for name in STAMP} for row in combined]
        return {"query": self.name, "definition_version": self.version, **stands_for, **more, "rows": combined}

    def rows(self, request: Request, rows: Mapping[str, Rows]) -> Rows:
        """The rows of the answer out of those of its parts, as they are answered. Raises what `combine` raises."""
        return as_answered(self.combine(request, rows))


async def ask_parts(query: Composed[Any], request: Request, asking: Asking) -> tuple[dict[str, Rows], dict[str, Any]]:
    """What the parts give by their names, and what all of them together stand for. Raises what the parts raise."""
    parts = query.parts(request)
    first = {name: _first(part, parts) for name, part in parts.items()}  # the same question is asked once
    names = dict.fromkeys(first.values())
    turns = asyncio.Semaphore(ASKED_AT_ONCE)
    distinct = await asyncio.gather(*(_ask_in_turn(turns, parts[name], request, asking) for name in names))
    of_first = dict(zip(names, distinct, strict=True))
    answers = {name: of_first[first[name]] for name in parts}
    reached = [(topics_of(_projections(parts[name], request)), answer["position"]) for name, answer in answers.items()]
    moments = [answer["as_of"] for answer in answers.values()]
    return {name: answer["rows"] for name, answer in answers.items()}, {
        "position": least_position(reached),
        "as_of": min(moments, key=read_time) if moments and all(moments) else None,
        "complete": all(answer["complete"] for answer in answers.values()),
        "lag_ms": max((answer["lag_ms"] for answer in answers.values()), default=0),
        **said_of_currencies(request, answers.values()),
    }


async def _ask_in_turn(
    turns: asyncio.Semaphore, part: Part | Select, request: Request, asking: Asking
) -> dict[str, Any]:
    async with turns:
        return await _ask(part, request, asking)


def _first(this: Part | Select, parts: Mapping[str, Part | Select]) -> str:
    """The name under which this is asked first."""
    return next(name for name, part in parts.items() if part == this)


async def _ask(part: Part | Select, request: Request, asking: Asking) -> dict[str, Any]:
    if isinstance(part, Select):
        rows, stands_for = await fetch(request.company, part.projection, part.statement, asking.store)
        if part.converts is None:
            return {**stands_for, "rows": rows}
        rows, said = await part.converts(request, asking.store, part.projection, rows)
        return {**stands_for, **said, "rows": rows}
    query = all_registered()[part.query]
    own = _request_of(part, request)
    if part.raw and isinstance(query, Query):
        rows, stands_for = await query.stored(own, asking)
        return {**stands_for, "rows": rows}
    return await query.answer(own, asking)


def _request_of(part: Part, request: Request) -> Request:
    """What a part asks: of the same company, at the same moment, which notes what the part looks at."""
    query = all_registered()[part.query]
    return request.part(query, part.params, whole=isinstance(query, Query))


def _parts_of(query: Answerable, request: Request) -> Iterable[Part | Select]:
    """What a request asks others; nothing, where its query is no composed one. Raises Invalid for its parameters."""
    return query.parts(request).values() if isinstance(query, Composed) else ()


def _of_its_minute(question: Question) -> Hashable:
    return question.key, question.asked_at.replace(second=0, microsecond=0)


@cached(LRUCache(5_000), key=_of_its_minute, lock=threading.Lock())  # a dashboard's tiles ask hundreds of parts
def projections_of(question: Question) -> frozenset[str]:
    """Names of the projections whose rows the answer is made from. Raises Invalid for its parameters."""
    return _projections_of(question.name, lambda: read_request(all_registered()[question.name], question))


def _projections_of(name: str, read: Callable[[], Request]) -> frozenset[str]:
    """Of a query that reads rows itself without reading what it is asked: key figures have forty of them."""
    if name in all_queries():
        return frozenset({all_queries()[name][0].name})
    request = read()
    return frozenset().union(*(_projections(part, request) for part in _parts_of(all_registered()[name], request)))


def _projections(part: Part | Select, request: Request) -> frozenset[str]:
    if isinstance(part, Select):
        return frozenset({part.projection})
    return _projections_of(part.query, lambda: _request_of(part, request))


def topics_of(projections: Iterable[str]) -> frozenset[str]:
    """The streams whose events these projections are made from. Raises NotFound for one that there is not."""
    return frozenset().union(*(projection(name).topics for name in projections))


def features_of(question: Question) -> frozenset[Feature]:
    """What a tier must open for this question and all that it asks in turn. Raises Invalid for its parameters."""
    query = all_registered()[question.name]
    return _features(query, read_request(query, question))


def _features(query: Answerable, request: Request) -> frozenset[Feature]:
    parts = [part for part in _parts_of(query, request) if isinstance(part, Part)]
    inner = (_features(all_registered()[part.query], _request_of(part, request)) for part in parts)
    return frozenset({query.feature} if query.feature else ()).union(*inner)


def tables_of(question: Question) -> frozenset[Table]:
    """The tables whose rows the answer is made from. Raises Invalid for its parameters."""
    query = all_registered()[question.name]
    return _tables(query, read_request(query, question))


def _tables(query: Answerable, request: Request) -> frozenset[Table]:
    if isinstance(query, Query):
        return _named(all_queries()[query.name][0].name, query.ask(request))
    return frozenset().union(
        *(
            _named(part.projection, part.statement)
            if isinstance(part, Select)
            else _tables(all_registered()[part.query], _request_of(part, request))
            for part in _parts_of(query, request)
        )
    )


def _named(name: str, statement: Statement) -> frozenset[Table]:
    names = names_in(statement.sql)
    return frozenset(table for table in projection(name).tables if table.name in names)


def least_position(reached: Iterable[tuple[frozenset[str], str]]) -> str:
    """Of each partition the least that anybody who reads it has reached; topics at their beginning, where named."""
    least = Position({place: min(offsets) for place, offsets in _offsets(reached).items()})
    return least.naming(topic for (topic, _), offset in least.offsets.items() if not offset)


def positions_agree(reached: Iterable[tuple[frozenset[str], str]]) -> bool:
    """Whether all who read a partition have reached the same of it."""
    return all(len(offsets) == 1 for offsets in _offsets(reached).values())


def _offsets(reached: Iterable[tuple[frozenset[str], str]]) -> Mapping[tuple[str, int], set[int]]:
    """Which offsets of each partition have been reached by those who read its topic."""
    positions: Sequence[tuple[frozenset[str], Position]] = [(topics, Position.parse(text)) for topics, text in reached]
    places = {place for _, position in positions for place in position.offsets}
    return {p: {position[p] for topics, position in positions if p[0] in topics} for p in places}
