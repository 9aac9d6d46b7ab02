"""One question over HTTP: its parameters, the position that it waits for, and the answer with what it stands for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar

from litestar import Request, Response
from litestar.datastructures import State

from domain.errors import Invalid, Unavailable
from domain.position import Position
from domain.request.caller import Caller
from eventlog import tasks
from projections.engine.query.ask import answerable
from projections.engine.query.plain import Query
from projections.engine.query.request import Question
from read_api.http.encoding import encoded
from read_api.http.past import OF_PAST
from read_api.services import ReadServices

JSON = "application/json"
T = TypeVar("T")
HttpRequest = Request[Caller, Any, State]


def parameters(request: HttpRequest) -> dict[str, str]:
    """The query's parameters; one that is given twice is refused, because either value would be a guess."""
    params: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in params:
            raise Invalid(f"parameter {name!r} is given twice", code="bad_parameter")
        params[name] = value
    return params


def min_position(request: HttpRequest) -> Position:
    """What the answer must have reached. Raises Invalid for a text that is no position."""
    return Position.parse(request.headers.get("x-min-position", ""))


def question_of(request: HttpRequest, name: str, company: str, params: Mapping[str, str]) -> Question:
    """The question of this request, asked now."""
    return Question(name, company, params, asked_at(request))


def asked_at(request: HttpRequest) -> datetime:
    """The moment of this request, of which a door takes one for all that it asks."""
    side: ReadServices = request.app.state.side
    return side.questions.now()


async def ask(request: HttpRequest, question: Question) -> dict[str, Any]:
    """The answer to a question of the caller. Raises as `Questions.ask` does, Invalid for a position that is none."""
    side: ReadServices = request.app.state.side
    side.health.queries.add()
    return await side.questions.ask(request.user.principal, question, min_position(request))


async def for_caller(request: HttpRequest, work: Coroutine[Any, Any, T]) -> T:
    """What the work gives; it is ended where the caller leaves first. Raises what the work raises, Unavailable then."""
    working = tasks.owned(work, "answer")
    leaving = tasks.owned(_gone(request), "caller")
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise Unavailable("the caller has left", code="caller_left")
    finally:
        await tasks.end(working, leaving)


async def _gone(request: HttpRequest) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def answer_query(request: HttpRequest, name: str, params: dict[str, str]) -> Response[bytes]:
    """A registered query's answer, of the present or of the past: `company`, `as_of` and `as_known_at` say which.

    Raises as `Questions.ask` does, Invalid for parameters that are none, Unavailable where the caller has left.
    """
    company = request.user.company(params.pop("company", None))
    past = {key: params.pop(key) for key in OF_PAST if key in params}
    question = question_of(request, name, company, params)
    if not past:
        return await for_caller(request, _told(request, question))
    side: ReadServices = request.app.state.side
    side.health.queries.add()
    past_answer = side.past.answer(request.user.principal, question, past, min_position(request))
    return await response_to(question, await for_caller(request, past_answer))


async def _told(request: HttpRequest, question: Question) -> Response[bytes]:
    return await response_to(question, await ask(request, question))


async def response_to(question: Question, answer: Mapping[str, Any]) -> Response[bytes]:
    """The answer to a question; what it stands for is in the headers, too. Rows that no cache keeps are used up.

    Raises LimitExceeded where too many wide answers wait.
    """
    keep = not isinstance(answerable(question.name), Query)
    return with_headers(answer, await encoded(question.company, answer, keep=keep))


def with_headers(
    answer: Mapping[str, Any], content: bytes, headers: Mapping[str, str] = MappingProxyType({})
) -> Response[bytes]:
    """A response that says in its headers what the answer stands for."""
    stands_for = {
        "X-Position": answer["position"],
        "X-Lag-Ms": str(answer["lag_ms"]),
        "X-Definition-Version": str(answer["definition_version"]),
    }
    return Response(content, media_type=JSON, headers={**stands_for, **headers})
