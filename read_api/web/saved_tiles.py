"""What was put together on a page is saved: as a tile of a dashboard that there is, or of a new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Response, post

from domain.access.rights import Right, may, require
from domain.configuration.dashboard import Tile
from domain.errors import Invalid
from domain.request.caller import PAGE
from projections.engine.query.request import Question
from read_api.answers.configuration import IN_USE, KINDS
from read_api.http.request import HttpRequest, asked_at
from read_api.services import ReadServices
from read_api.web.admin.drafts import new_tile
from read_api.web.commands import send
from read_api.web.forms import gone_to, read_form
from read_api.web.page import address_of
from read_api.web.services import PageCommand

NAME = "name"  # of the new dashboard, where the form names none that there is


@post("/tiles", status_code=303, include_in_schema=False, opt={PAGE: True})
async def save_tile(request: HttpRequest) -> Response[None]:
    """Add the form's `tile` below all others of `dashboard`, or make one of it, and go there.

    Raises Forbidden, Invalid, NotFound, Conflict.
    """
    side: ReadServices = request.app.state.side
    company = address_of(request).company
    require(request.user.principal, Right.COMMAND, company)
    form = await read_form(request)
    try:
        tile = msgspec.to_builtins(msgspec.json.decode(form.get("tile", ""), type=Tile))
    except msgspec.MsgspecError as error:
        raise Invalid(f"tile: {error}", code="invalid_field") from None
    tile["title"] = form.get("title", "").strip()[:120] or tile["title"]
    key, name = form.get("key", ""), form.get("dashboard", "")
    if name:
        document = await side.dashboards.document(request.user.principal, name, company, asked_at(request))
        tiles = msgspec.to_builtins(document.contents.tiles)
        body = {"tile": new_tile(tiles, tile)}
        command = PageCommand("dashboard.add_tile", company, msgspec.json.encode(body), name, document.version, key)
    else:
        made = {"name": form.get(NAME, "").strip() or tile["title"], "tiles": [new_tile((), tile)]}
        command = PageCommand("dashboard.create", company, msgspec.json.encode(made), key=key)
    answer = await send(request, command)
    request.user.about = f"{command.name} {answer['id']}"
    path = f"/dashboards/{answer['id']}?{urlencode({'company': company})}"
    return gone_to(path, **{"X-Position": answer["position"]})


async def places_to_save(request: HttpRequest, company: str) -> Sequence[Mapping[str, Any]] | None:
    """Dashboards that a tile can be added to; None where the caller may not."""
    side: ReadServices = request.app.state.side
    principal = request.user.principal
    if not may(principal, Right.COMMAND, company):
        return None
    asked = Question(KINDS["dashboard"].query, company, IN_USE, asked_at(request))
    rows: Sequence[Mapping[str, Any]] = (await side.questions.ask(principal, asked))["rows"]
    return rows
