"""Exports over HTTP: given out while they are written, looked at, and gone on with where a download was broken off."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Stream

from domain.audit import Action
from domain.errors import Invalid
from domain.exports import Export, State
from domain.request.caller import ACTION
from projections.engine.query.request import Question
from read_api.export.tables import Format, format_of
from read_api.http import openapi
from read_api.http.byte_ranges import FileSize, byte_range, file_response
from read_api.http.request import HttpRequest, asked_at, min_position, parameters
from read_api.http.responses import JSON
from read_api.services import ReadServices

PATH = "/api/v1/exports"
LIVE = ("max_staleness", "force_refresh")  # of answers that are kept: a table is always read anew


async def table_response(request: HttpRequest, company: str, chosen: Format, params: dict[str, str]) -> Stream:
    """All rows of a table, while they are written. Raises as `Exports.begin` does."""
    side: ReadServices = request.app.state.side
    own = {name: text for name, text in params.items() if name != "query" and name not in LIVE}
    question = Question(params["query"], company, own, asked_at(request))
    export = await side.exports.begin(request.user.principal, question, chosen, min_position(request))
    return Stream(side.exports.content(export), headers=_headers(export), media_type=chosen.media_type)


@get(
    f"{PATH}/{{id:uuid}}",
    responses=openapi.with_problems(Export, "The export"),
    summary="Show an export",
    operation_id="export.show",
    tags=["export"],
)
async def show(id: FromPath[UUID], request: HttpRequest) -> Response[bytes]:
    """How far an export of one's own has got: rows and bytes so far, about how many rows there are, its hash."""
    return Response(msgspec.json.encode(await _own(id, request)), media_type=JSON)


@get(
    f"{PATH}/{{id:uuid}}/file",
    responses=openapi.with_problems(bytes, "The file, or the part of it that was asked for"),
    summary="Download the file of an export",
    operation_id="export.file",
    tags=["export"],
    opt={ACTION: Action.EXPORT},
)
async def file(id: FromPath[UUID], request: HttpRequest) -> Response[bytes] | Stream:
    """The file of an export of one's own, kept for a day; with `Range` a part of it.

    Of one that is still written: from the byte on that the range begins with, as it comes.
    """
    side: ReadServices = request.app.state.side
    export = await _own(id, request)
    headers, media_type = _headers(export), format_of(export.format).media_type
    content = partial(side.exports.content, export)
    if export.state is not State.RUNNING:
        return file_response(request, FileSize(export.size, export.sha256), content, headers, media_type)
    begin, end = byte_range(request.headers.get("range", ""), None) or (0, None)
    if not begin and end is None:
        return Stream(content(), headers=headers, media_type=media_type)
    headers["Content-Range"] = f"bytes {begin}-{'' if end is None else end - 1}/*"
    return Stream(content(begin, end), status_code=206, headers=headers, media_type=media_type)


def _headers(export: Export) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{export.file_name}"',
        "X-Export-Id": export.export_id,
        "X-Estimated-Rows": str(export.estimated_rows),
        "X-Position": export.position,
        "X-Lag-Ms": str(export.lag_ms),
        "X-Definition-Version": str(export.definition_version),
    }


async def _own(id: UUID, request: HttpRequest) -> Export:
    side: ReadServices = request.app.state.side
    asked = parameters(request)
    if unknown := [name for name in asked if name != "company"]:
        raise Invalid(f"there is no parameter {unknown[0]!r} here", code="unknown_parameter")
    return await side.exports.find(request.user.principal, request.user.company(asked.get("company")), str(id))


HANDLERS = (show, file)
