"""Paths of their own for registered queries: the same answers as under /api/v1/query, with the shape of their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from domain.errors import Invalid
from projections.engine.declare.registry import all_registered
from projections.engine.query.params import Param
from read_api.answers.warming import Target
from read_api.http.openapi import with_problems
from read_api.http.request import HttpRequest, answer_question, parameters, pop_freshness, question_of


@dataclass(frozen=True, slots=True)
class Door:
    """A path, the query that it asks, the shape of the answer, and parameters that the path itself settles."""

    path: str
    query: str
    shape: type
    fixed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def params(self) -> Sequence[Param]:
        """The parameters that are left to whoever asks."""
        return [param for param in all_registered()[self.query].params if param.name not in self.fixed]


def targets(doors: Iterable[Door]) -> dict[str, Target]:
    """What the audit trail calls these paths, with the query behind each."""
    return {door.path.removeprefix("/api/v1/"): Target(door.query, door.fixed) for door in doors}


def handlers(doors: Iterable[Door], tag: str) -> list[HTTPRouteHandler]:
    """A handler for each door."""
    return [_handler(door, tag) for door in doors]


def _handler(door: Door, tag: str) -> HTTPRouteHandler:
    async def answer(request: HttpRequest) -> Response[bytes]:
        params = parameters(request)
        if settled := [name for name in params if name in door.fixed]:
            raise Invalid(f"{door.path} has no parameter {settled[0]!r}", code="unknown_parameter")
        freshness = pop_freshness(params)
        question = question_of(request, door.query, {**params, **door.fixed}, ())
        return await answer_question(request, question, freshness)

    found = all_registered()[door.query]
    answer.__doc__ = f"The answer of the query {door.query}. {found.summary}"
    return get(
        door.path,
        responses=with_problems(door.shape, "The answer"),
        summary=found.summary,
        operation_id=door.path.removeprefix("/api/v1/").replace("/", "_").replace("-", "_"),
        tags=[tag],
    )(answer)
