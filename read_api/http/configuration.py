"""The configuration over HTTP: dashboards, alert rules, report schedules and the company, each with its history.

One item is answered as itself, with its version as ETag: what If-Match of a command takes. Lists and histories are
answers of the queries, a page at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from domain.errors import Invalid
from projections.engine.declare.registry import all_registered
from projections.engine.query.params import Param
from projections.engine.query.request import Question
from read_api.answers.configuration import HISTORY, KINDS, Kind, history_question, item_question, list_question, only
from read_api.http import openapi
from read_api.http.request import HttpRequest, ask, asked_at, parameters
from read_api.http.responses import response_to, with_headers

COMPANY = "company_profile"
COMPANY_PATH = "/api/v1/company"
PAGED = ("limit", "cursor")


def parameters_of_paths() -> dict[str, Sequence[Param]]:
    """The parameters of every path, for its description."""
    found: dict[str, Sequence[Param]] = {COMPANY_PATH: ()}
    paged = [param for param in all_registered()[HISTORY].params if param.name in PAGED]
    for kind in KINDS.values():
        item = f"{kind.path}/{{id}}"
        found |= {kind.path: all_registered()[kind.query].params, item: (), f"{item}/history": paged}
    return found


def handlers() -> list[HTTPRouteHandler]:
    """Handlers of list, item and history of every kind, and of the company."""
    return [handler for kind in KINDS.values() for handler in _of(kind)] + [company]


def _of(kind: Kind) -> list[HTTPRouteHandler]:
    async def listed(request: HttpRequest) -> Response[bytes]:
        """All that the caller may see, by id, a page at a time; archived ones with `archived=true`."""
        company_id, params = _company_and_parameters(request, kind.query)
        question = list_question(kind, company_id, params, asked_at(request))
        return await response_to(question, await ask(request, question))

    async def shown(id: FromPath[UUID], request: HttpRequest) -> Response[bytes]:
        """The item as its last event left it, archived or not; ETag is its version."""
        company_id, _ = _company_and_parameters(request, kind.query, ())
        answer = await ask(request, item_question(kind, company_id, str(id), asked_at(request)))
        return _item(answer, only(answer["rows"], kind, str(id)))

    async def told(id: FromPath[UUID], request: HttpRequest) -> Response[bytes]:
        """Every event of the item, oldest first, a page at a time: what changed, by whom, when."""
        company_id, params = _company_and_parameters(request, HISTORY, PAGED)
        question = history_question(kind, company_id, str(id), params, asked_at(request))
        answer = await ask(request, question)
        if "cursor" not in params:
            only(answer["rows"], kind, str(id))
        return await response_to(question, answer)

    item, plural = f"{kind.path}/{{id:uuid}}", f"{kind.words}s"
    routes = (
        (kind.path, listed, f"List {plural}", openapi.ANSWER),
        (item, shown, f"Show one of the {plural}", openapi.ANSWER),
        (f"{item}/history", told, f"Tell the history of one of the {plural}", openapi.ANSWER),
    )
    return [
        get(path, responses=responses, summary=summary, operation_id=f"{kind.name}.{told.__name__}", tags=[kind.name])(
            told
        )
        for path, told, summary, responses in routes
    ]


@get(
    COMPANY_PATH,
    responses=openapi.ANSWER,
    summary="Show the company",
    tags=["company"],
)
async def company(request: HttpRequest) -> Response[bytes]:
    """What the company says about itself, or the defaults (version 0) where it never did; ETag is its version."""
    company_id, _ = _company_and_parameters(request, COMPANY, ())
    answer = await ask(request, Question(COMPANY, company_id, {}, asked_at(request)))
    return _item(answer, answer["rows"][0])


def _item(answer: Mapping[str, Any], row: Mapping[str, Any]) -> Response[bytes]:
    return with_headers(answer, msgspec.json.encode(row), {"ETag": f'"{row["version"]}"'})


def _company_and_parameters(
    request: HttpRequest, query: str, allowed: Sequence[str] | None = None
) -> tuple[str, dict[str, str]]:
    """The company that is meant, and the query's parameters of those allowed. Raises Invalid for others."""
    params = parameters(request)
    name = request.user.company(params.pop("company", None))
    known = [p.name for p in all_registered()[query].params] if allowed is None else allowed
    if unknown := [p for p in params if p not in known]:
        raise Invalid(f"there is no parameter {unknown[0]!r} here", code="unknown_parameter")
    return name, params
