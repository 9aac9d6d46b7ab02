"""One question over HTTP: its parameters, the position that it waits for, and the answer with what it stands for."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, cast
from urllib.parse import parse_qsl, unquote_to_bytes

from litestar import Request, Response
from litestar.datastructures import State

from domain.errors import Invalid
from domain.position import Position
from domain.request.caller import Caller
from domain.whole_number import whole_number
from projections.engine.query.request import OF_EXPLANATION, OF_PAST, Question
from read_api.answers.cache import EXACT, Freshness
from read_api.answers.freshness import FORCE_REFRESH, MAX_STALENESS, read_freshness
from read_api.answers.position_tokens import NOTHING
from read_api.http.at_hand import QueryRequest
from read_api.http.departure import for_caller
from read_api.http.encoding import encoded
from read_api.http.responses import JSON, response_to
from read_api.services import ReadServices

QUERY = "query"  # of a scope: what was read of a request that may be answered with what is kept
MOMENT = "asked_at"  # of a scope: the moment of the request
HttpRequest = Request[Caller, Any, State]


def parameters(request: HttpRequest, *lists: str) -> dict[str, str]:
    """The query's parameters; one that is given twice is refused, because either value would be a guess.

    `lists`: those that may be given several times, and are read elsewhere.
    """
    pairs = [(name, text) for name, text in _pairs(request.scope["query_string"]) if name not in lists]
    params = dict(pairs)
    if len(params) < len(pairs):
        name = next(name for at, (name, _) in enumerate(pairs) if name in dict(pairs[:at]))
        raise Invalid(f"parameter {name!r} is given twice", code="bad_parameter")
    return params


@lru_cache(1_000)
def _pairs(query: bytes) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(query.decode("latin-1"), keep_blank_values=True))


def path_behind(request: HttpRequest, parts: int) -> str:
    """The path behind so many of its parts, as it was sent: the router reads `a%2Fb` and `a//b` otherwise."""
    raw: bytes = request.scope["raw_path"]
    found = re.match(rb"/*(?:[^/]+/+){%d}" % parts, raw)
    return unquote_to_bytes(raw[found.end() :]).decode(errors="replace") if found else ""


def whole_parameter(params: Mapping[str, str], name: str, least: int, most: int, default: int) -> int:
    """A whole number among the parameters. Raises Invalid for what is none, or too small or too large."""
    try:
        return whole_number(params[name], least, most) if params.get(name) else default
    except ValueError as error:
        raise Invalid(f"parameter {name}: {error}", code="bad_parameter") from None


def min_position(request: HttpRequest) -> Position:
    """What the answer must have reached. Raises Invalid for a text that is no position."""
    given = next((value for name, value in request.scope["headers"] if name == b"x-min-position"), b"")
    return Position.parse(given.decode("latin-1")) if given else NOTHING


def question_of(
    request: HttpRequest, name: str, params: Mapping[str, str], about: Collection[str] = OF_PAST
) -> Question:
    """The question of this request, asked now: `company` says of whom, what is in `about` is no parameter of the query.

    Raises Forbidden or Invalid for a company that the caller cannot mean.
    """
    own = {key: text for key, text in params.items() if key != "company" and key not in about}
    asked_about = {key: params[key] for key in about if key in params}
    return Question(name, request.user.company(params.get("company")), own, asked_at(request), about=asked_about)


def asked_at(request: HttpRequest) -> datetime:
    """The moment of this request: the same one, however often it is asked for."""
    scope = cast(dict[str, Any], request.scope)
    if MOMENT not in scope:
        side: ReadServices = request.app.state.side
        scope[MOMENT] = side.questions.now()
    moment: datetime = scope[MOMENT]
    return moment


NOTHING_ELSE: Mapping[str, Any] = MappingProxyType({})


async def ask(request: HttpRequest, question: Question, freshness: Freshness = EXACT) -> dict[str, Any]:
    """The answer to a question of the caller, of the present or of the past.

    Raises as `Questions.ask` and `PastQuestions.answer` do, Invalid for a position that is none.
    """
    side: ReadServices = request.app.state.side
    side.health.queries.add()
    if question.about:
        return await side.past.answer(request.user.principal, question, min_position(request))
    return await side.questions.ask(request.user.principal, question, min_position(request), freshness)


def pop_freshness(params: dict[str, str]) -> Freshness:
    """How old the answer may be; the parameters that say so are taken out. Raises Invalid for others than they have."""
    return read_freshness(params.pop(MAX_STALENESS, "0"), params.pop(FORCE_REFRESH, "false"))


async def answer_query(request: HttpRequest, name: str, params: dict[str, str]) -> Response[bytes]:
    """A registered query's answer, of the present or of the past: `company`, `as_of` and `as_known_at` say which.

    Raises as `Questions.ask` does, Invalid for parameters that are none, Unavailable where the caller has left.
    """
    freshness = pop_freshness(params)
    question = question_of(request, name, params)
    return await answer_question(request, question, freshness)


async def answer_question(request: HttpRequest, question: Question, freshness: Freshness) -> Response[bytes]:
    """The answer to a question. Raises as `answer_query`.

    What is kept may answer the same path and parameters the next time: who calls this judges nothing of the caller's
    before, since `Questions` judges all of it.
    """
    if not (question.about or freshness.force_refresh):
        name, _, params, *_ = question.key
        cast(dict[str, Any], request.scope)[QUERY] = QueryRequest(name, parameters(request).get("company"), params)
    return await for_caller(request, _response(request, question, freshness))


async def _response(request: HttpRequest, question: Question, freshness: Freshness) -> Response[bytes]:
    return await response_to(question, await ask(request, question, freshness))


async def explanation(
    request: HttpRequest, name: str, params: Mapping[str, str], also: Mapping[str, Any] = NOTHING_ELSE
) -> Response[bytes]:
    """The events behind a measure of a query, a page of them, and what else is known of it.

    Raises as `PastQuestions.answer` does, Unavailable.
    """
    question = question_of(request, name, {"measure": "", **params}, (*OF_PAST, *OF_EXPLANATION))
    found = await for_caller(request, _explained(request, question))
    return Response(await encoded(question.company, {**found, **also}), media_type=JSON)


async def _explained(request: HttpRequest, question: Question) -> dict[str, Any]:
    side: ReadServices = request.app.state.side
    return await side.past.answer(request.user.principal, question, min_position(request))
