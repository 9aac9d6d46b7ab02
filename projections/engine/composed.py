"""Composed queries: questions whose answers are computed from the answers of other registered queries.

A composed query says which questions it asks (`parts`) and makes its rows of what they give (`combine`). Position and
freshness are those of the parts: what all of them have seen, and no newer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any

from domain.access import Feature, Right
from domain.ports import ReadStore
from domain.position import Position
from projections.engine.query import (
    Param,
    Query,
    Request,
    Statement,
    answer_plain,
    fetch,
    read_params,
    read_time,
    registered,
)
from projections.engine.registry import all_queries, projection

Rows = list[dict[str, Any]]

AT_ONCE = 2  # combinations that are computed beside the event loop at the same time
ASKED_AT_ONCE = 4  # parts of one question: key figures have forty, and the store has few connections for all who ask


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


@dataclass(frozen=True, slots=True)
class Composed:
    """A query made of others. `slow` combinations are computed in a thread, so that nobody else waits for them.

    Where `slow` is a function, it says so by the rows: on busy cores the way to a thread and back takes longer than a
    small combination.

    Those that are computed `apart`, in a process of their own, only wait in a thread: in one that is no other's.

    `feature`: what the tier must open; those of its parts are needed as well. `stamped`: each row says what it stands
    for, so that it can be shown by itself. `kept`: its answers cost much, have few rows whatever is asked,
    and are kept by who serves them.
    """

    name: str
    summary: str
    params: tuple[Param, ...]
    parts: Callable[[Request], Mapping[str, Part | Select]]
    combine: Callable[[Request, Mapping[str, Rows]], Rows]
    right: Right = Right.DASHBOARDS
    feature: Feature | None = None
    version: int = 1
    slow: bool | Callable[[Mapping[str, Rows]], bool] = False
    apart: bool = False
    stamped: bool = False
    kept: bool = False


async def answer_composed(query: Composed, company: str, params: Mapping[str, str], store: ReadStore) -> dict[str, Any]:
    """Ask the parts, combine what they give, and say what it stands for. Raises what the parts raise."""
    request = Request(company, read_params(query, params))
    rows, stands_for = await ask_parts(query, request, store)
    if query.apart or (query.slow(rows) if callable(query.slow) else query.slow):
        threads = _threads("apart" if query.apart else "combine")
        combined = await asyncio.get_running_loop().run_in_executor(threads, query.combine, request, rows)
    else:
        combined = query.combine(request, rows)
    if query.stamped:
        combined = [row | {name: stands_for[name] for name in ("position", "as_of", "complete")} for row in combined]
    return {"query": query.name, "definition_version": query.version, **stands_for, "rows": combined}


async def ask_parts(query: Composed, request: Request, store: ReadStore) -> tuple[dict[str, Rows], dict[str, Any]]:
    """What the parts give by their names, and what all of them together stand for. Raises what the parts raise."""
    parts, company = query.parts(request), request.company
    first = {name: _first(part, parts) for name, part in parts.items()}  # the same question is asked once
    names = dict.fromkeys(first.values())
    turns = asyncio.Semaphore(ASKED_AT_ONCE)
    found = await asyncio.gather(*(_ask_in_turn(turns, parts[name], company, store) for name in names))
    told = dict(zip(names, found, strict=True))
    answers = {name: told[first[name]] for name in parts}
    moments = [answer["as_of"] for answer in answers.values()]
    return {name: answer["rows"] for name, answer in answers.items()}, {
        "position": str(_position([(topics_of(parts[name], company), a["position"]) for name, a in answers.items()])),
        "as_of": min(moments, key=read_time) if moments and all(moments) else None,
        "complete": all(answer["complete"] for answer in answers.values()),
        "lag_ms": max((answer["lag_ms"] for answer in answers.values()), default=0),
    }


async def _ask_in_turn(turns: asyncio.Semaphore, part: Part | Select, company: str, store: ReadStore) -> dict[str, Any]:
    async with turns:
        return await _ask(part, company, store)


def _first(asked: Part | Select, parts: Mapping[str, Part | Select]) -> str:
    """The name under which this is asked first."""
    return next(name for name, part in parts.items() if part == asked)


async def _ask(part: Part | Select, company: str, store: ReadStore) -> dict[str, Any]:
    if isinstance(part, Select):
        found, stands_for = await fetch(company, part.projection, part.statement, store)
        return {**stands_for, "rows": found}
    query = registered()[part.query]
    if isinstance(query, Composed):
        return await answer_composed(query, company, part.params, store)
    request = Request(company, read_params(query, part.params), whole=True)
    if part.raw:
        found, stands_for = await fetch(company, all_queries()[part.query][0].name, query.ask(request), store)
        return {**stands_for, "rows": found}
    return await answer_plain(query, request, store)


def parts_of(name: str, company: str, params: Mapping[str, str]) -> Mapping[str, Part | Select]:
    """What a registered query asks others; nothing, where it is no composed one. Raises Invalid for its parameters."""
    query = registered()[name]
    if isinstance(query, Query):
        return {}
    return query.parts(Request(company, read_params(query, params)))


def projections_of(part: Part | Select, company: str) -> frozenset[str]:
    """Names of the projections whose rows the answer is made from."""
    if isinstance(part, Select):
        return frozenset({part.projection})
    if part.query in all_queries():
        return frozenset({all_queries()[part.query][0].name})
    inner = parts_of(part.query, company, part.params).values()
    return frozenset().union(*(projections_of(each, company) for each in inner))


def topics_of(part: Part | Select, company: str) -> frozenset[str]:
    """The streams whose events the answer is made from."""
    return frozenset().union(*(projection(name).topics for name in projections_of(part, company)))


def features_of(part: Part | Select, company: str) -> frozenset[Feature]:
    """What a tier must open for this question and all that it asks in turn."""
    if isinstance(part, Select):
        return frozenset()
    own = registered()[part.query].feature
    inner = (features_of(each, company) for each in parts_of(part.query, company, part.params).values())
    return frozenset({own} if own else ()).union(*inner)


def _position(reached: Iterable[tuple[frozenset[str], str]]) -> Position:
    """Of each partition the least that anybody who reads it has reached."""
    positions: Sequence[tuple[frozenset[str], Position]] = [(topics, Position.parse(text)) for topics, text in reached]
    places = {place for _, position in positions for place in position.offsets}
    return Position({p: min(position[p] for topics, position in positions if p[0] in topics) for p in places})


@cache
def _threads(name: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix=name)
