"""One question over HTTP: its parameters, the position that it waits for, and the answer with what it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.datastructures import State

from domain.caller import Caller
from domain.errors import Invalid
from domain.position import Position
from read_api.past import OF_PAST
from read_api.questions import Question
from read_api.side import ReadSide

JSON = "application/json"
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


async def asked(request: HttpRequest, question: Question) -> dict[str, Any]:
    """The answer to a question of the caller."""
    side: ReadSide = request.app.state.side
    side.health.queries.add()
    return await side.questions.ask(request.user.principal, question, min_position(request))


async def told(request: HttpRequest, name: str, params: dict[str, str]) -> Response[bytes]:
    """A registered query's answer, of the present or of the past: `company`, `as_of` and `as_known_at` say which."""
    company = request.user.company(params.pop("company", None))
    past = {key: params.pop(key) for key in OF_PAST if key in params}
    question = Question(name, company, params)
    if not past:
        return answered(await asked(request, question))
    side: ReadSide = request.app.state.side
    side.health.queries.add()
    return answered(await side.past.answer(request.user.principal, question, past, min_position(request)))


def answered(
    answer: Mapping[str, Any], body: object = None, headers: Mapping[str, str] = MappingProxyType({})
) -> Response[bytes]:
    """The answer, or a part of it as the body; what it stands for is in the headers."""
    stands_for = {
        "X-Position": answer["position"],
        "X-Lag-Ms": str(answer["lag_ms"]),
        "X-Definition-Version": str(answer["definition_version"]),
    }
    content = msgspec.json.encode(answer if body is None else body)
    return Response(content, media_type=JSON, headers={**stands_for, **headers})
