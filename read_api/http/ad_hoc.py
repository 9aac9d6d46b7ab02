"""Ad-hoc questions over HTTP, and their rows as files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Response, get, post

from domain.access.rights import Feature, Right
from domain.errors import Invalid
from domain.name_list import read_name_list
from projections.engine.query.params import Param
from projections.engine.query.request import OF_PAST
from projections.engine.query.wide_answers import beside
from read_api.answers.ad_hoc import MOST_ROWS, AdHoc, Table, admit, question, table
from read_api.answers.cache import Freshness
from read_api.export.exports import has_whole_table
from read_api.export.tables import FORMATS, format_of
from read_api.http import openapi
from read_api.http.departure import for_caller
from read_api.http.encoding import encoded
from read_api.http.exports import table_response
from read_api.http.request import HttpRequest, ask, asked_at, parameters, pop_freshness, whole_parameter
from read_api.http.responses import with_headers

EXPORT = "/api/v1/analytics/export"
LISTS = ("metrics", "by", "order_by")


class AdHocAnswer(openapi.Answer, kw_only=True):
    """The rows, and their columns in order."""

    columns: list[str]


@post(
    "/api/v1/query",
    status_code=200,
    responses=openapi.with_problems(AdHocAnswer, "The answer"),
    summary="Ask an ad-hoc question",
    operation_id="ad_hoc_query",
)
async def query(request: HttpRequest) -> Response[bytes]:
    """A registered query by its name, or metrics by their keys; grouped, chosen, sorted, cut to a number of rows."""
    params = parameters(request)
    company = request.user.company(params.pop("company", None))
    admit(request.user.principal, Right.QUERY, Feature.AD_HOC, company)
    freshness = pop_freshness(params)
    if params:
        raise Invalid(f"{next(iter(params))} belongs into the body", code="unknown_parameter")
    asked = _body(await request.body())
    answer, found = await for_caller(request, _table(request, asked, company, freshness))
    shown = {**answer, "columns": found.columns, "rows": list(found.rows)}
    return with_headers(answer, await encoded(company, shown))


@get(
    EXPORT,
    responses=openapi.with_problems(bytes, "The file"),
    summary="Export rows as a file",
    operation_id="export",
)
async def export(request: HttpRequest) -> Response[Any]:
    """All rows of a table of facts, or those of another query or of metrics, as CSV, NDJSON, Excel, Parquet or Arrow.

    `query` or `metrics`, `by`, `order_by` and `limit` as of `POST /api/v1/query`; all else is a parameter of the query.
    A table of facts comes while it is written, all of it out of one snapshot; `X-Export-Id` names it, so that a
    download that was broken off goes on at `/api/v1/exports/{id}/file`.
    """
    params = parameters(request)
    company = request.user.company(params.pop("company", None))
    chosen = format_of(params.pop("format", ""))
    admit(request.user.principal, Right.EXPORT, chosen.feature, company)
    if has_whole_table(params.get("query", "")) and not {"by", "order_by", *OF_PAST} & params.keys():
        return await table_response(request, company, chosen, params)
    freshness, asked = pop_freshness(params), _of_params(params)
    answer, found = await for_caller(request, _table(request, asked, company, freshness))
    file = await beside(found.rows, company, lambda _: chosen.write(found), keep=True)
    told = {"Content-Disposition": f'attachment; filename="{answer["query"]}.{chosen.name}"'}
    response = with_headers(answer, file, told)
    response.media_type = chosen.media_type
    return response


async def _table(
    request: HttpRequest, asked: AdHoc, company: str, freshness: Freshness
) -> tuple[dict[str, Any], Table]:
    answer = await ask(request, question(asked, company, asked_at(request)), freshness)
    return answer, table(asked, answer["rows"])


def _body(body: bytes) -> AdHoc:
    try:
        return msgspec.json.decode(body, type=AdHoc)
    except msgspec.DecodeError as error:
        raise Invalid(f"the body is no question: {error}", code="bad_body") from None


def _of_params(params: dict[str, str]) -> AdHoc:
    lists = {name: list(_names(name, params.pop(name, ""))) for name in LISTS}
    most = whole_parameter(params, "limit", 1, MOST_ROWS, 0)
    params.pop("limit", None)
    return AdHoc(
        query=params.pop("query", ""),
        metrics=lists["metrics"],
        by=lists["by"],
        order_by=lists["order_by"],
        params=params,
        limit=most,
    )


def _names(name: str, text: str) -> tuple[str, ...]:
    try:
        return read_name_list(text)
    except ValueError as error:
        raise Invalid(f"parameter {name}: {error}", code="bad_parameter") from None


HANDLERS = (query, export)


def parameters_of_paths() -> dict[str, Sequence[Param]]:
    """The parameters of the export, for its description."""
    return {
        EXPORT: (
            Param("format", f"one of {', '.join(FORMATS)}; csv without it"),
            Param("query", "name of a registered query, whose own parameters may be given as well"),
            Param("metrics", "keys of metrics, comma-separated, where no query is named"),
            Param("by", "dimensions, comma-separated"),
            Param("order_by", 'columns to sort by, comma-separated, each with a "-" before it to descend'),
            Param("limit", f"rows at most, 1 to {MOST_ROWS}"),
        )
    }
