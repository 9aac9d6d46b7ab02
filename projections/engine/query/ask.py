"""Asking a registered query by its name: the one way to an answer for HTTP, gRPC, WebSocket and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import to_builtins

from domain.access.rights import Member
from domain.company_calendar import UTC_CALENDAR
from domain.errors import Invalid, NotFound
from domain.ports import ReadStore
from domain.suggestion import LONGEST, did_you_mean
from projections.engine.declare.projection import Projection
from projections.engine.declare.registry import all_queries, all_registered
from projections.engine.query.asked_at import LastingAnswer
from projections.engine.query.basis import Basis
from projections.engine.query.company_settings import settings_of
from projections.engine.query.composed import Composed, projections_of
from projections.engine.query.plain import Query, Shown, Statement
from projections.engine.query.request import (
    Answerable,
    Asking,
    Comparer,
    InstanceFigures,
    Question,
    Request,
    cuts_time,
    read_request,
)
from projections.engine.query.unknown import unknown_filters


async def answer(
    question: Question,
    store: ReadStore,
    comparing: Comparer | None = None,
    instance: InstanceFigures | None = None,
) -> LastingAnswer:
    """Answer a registered query for one tenant, in the form of the API.

    `comparing`: who can set it beside others; `instance`: who knows how the instance runs. Raises NotFound for an
    unknown query, Invalid for a wrong parameter and where one of these is needed and is not there, Unavailable or
    LimitExceeded from the store.
    """
    query, basis = answerable(question.name), Basis(store)
    request = await read_by_calendar(query, question, basis)
    result = await query.answer(request, asking(basis, comparing, instance))
    unknown = await unknown_filters(question, result["rows"], basis)
    calendar = to_builtins(request.calendar) if cuts_time(query) else None
    reach = request.extent.members(request.params, question.limits, request.calendar)
    reach |= {"unknown": unknown, "calendar": calendar}
    stands_at = {"position": basis.position(projections_of(question), result["position"])}
    rows = [row | stands_at for row in result["rows"]] if is_stamped(query) else result["rows"]
    whole = {"query": query.name, **reach, **result, **stands_at, "rows": rows}
    return LastingAnswer(whole, question.asked_at, request.asked_at.until, basis.projections)


async def read_by_calendar(query: Answerable, question: Question, store: ReadStore) -> Request:
    """The question as its query reads it, by the company's calendar. Raises Invalid, and what the store raises."""
    calendar = (await settings_of(question.company, store)).calendar if cuts_time(query) else UTC_CALENDAR
    return read_request(query, question, calendar)


def is_stamped(query: Answerable) -> bool:
    """Whether each row of its answers says what it stands for."""
    return isinstance(query, Composed) and query.stamped


def asking(store: ReadStore, comparing: Comparer | None = None, instance: InstanceFigures | None = None) -> Asking:
    """What registered queries are answered through."""
    return Asking(store, comparing, projection_of, instance)


def answerable(name: str) -> Answerable:
    """The registered query of that name. Raises NotFound."""
    query = all_registered().get(name)
    if query is None:
        raise NotFound(
            f"no query is called {name[:LONGEST]!r}{did_you_mean(name, all_registered())}",
            code="unknown_query",
            suggested_actions=("`analytics queries` and GET /api/v1/query list the queries.",),
        )
    return query


def listed_queries() -> list[dict[str, Any]]:
    """Every registered query by its name, with what it answers, who may ask it, and its parameters."""
    return [
        {
            "name": name,
            "summary": query.summary,
            "right": query.right,
            "projection": all_queries()[name][0].name if name in all_queries() else None,
            "params": [{"name": p.name, "meaning": p.meaning, "required": p.required} for p in query.params],
        }
        for name, query in sorted(all_registered().items())
    ]


def projection_of(name: str) -> str:
    """The name of the projection that a query reads, which is no composed one."""
    return all_queries()[name][0].name


def find(name: str) -> tuple[Projection, Query]:
    """A registered query with the projection that it reads. Raises NotFound, Invalid for one that reads no rows."""
    answerable(name)
    if name not in all_queries():
        raise Invalid(f"{name} is made of other queries, and has no rows of its own", code="composed_query")
    return all_queries()[name]


@dataclass(frozen=True, slots=True)
class WholeTable:
    """The SELECT of all rows that a question is about, whose they are, and their columns."""

    member: Member | None
    projection: str
    statement: Statement
    columns: Sequence[Shown]
    basis: Basis

    def position(self, reached: str) -> str:
        """The position of the rows, where their projection has reached this one."""
        return self.basis.position([self.projection], reached)


async def whole_table(question: Question, store: ReadStore) -> WholeTable:
    """All rows that a question is about. Raises Invalid for a query whose rows are no table's, and as `answer`."""
    projection, query = find(question.name)
    if query.whole is None:
        raise Invalid(f"{question.name} has no more rows than its answer", code="bad_parameter")
    basis = Basis(store)
    request = await read_by_calendar(query, question, basis)
    return WholeTable(question.member, projection.name, query.whole.everything(request), query.whole.shown, basis)
