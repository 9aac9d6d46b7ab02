"""Dashboards over HTTP: all tiles of one in one answer, and its document, which a command takes to make another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from domain.configuration.dashboard import Layout, Sharing, Tile
from projections.engine.query.wide_answers import beside
from read_api.dashboards.dashboards import DashboardQuestion
from read_api.http import openapi
from read_api.http.departure import for_caller
from read_api.http.request import HttpRequest, asked_at, min_position, parameters
from read_api.http.responses import JSON
from read_api.services import ReadServices


class TileProblem(msgspec.Struct):
    """Why a tile shows nothing."""

    code: str
    detail: str
    suggested_actions: list[str]


class ShownTile(msgspec.Struct, kw_only=True):
    """A tile: how it is drawn, what was asked, and the answer of its query.

    `state`: open, closed (role or tier), needs (a parameter), pending or failed; then `problem` says more. `left_out`:
    parameters of the dashboard that its query does not have. `extra`: what the query answers beside rows. `every`: of
    very many rows so few are shown that each stands for so many.
    """

    id: str
    title: str
    kind: str
    layout: Layout
    query: str
    params: dict[str, str]
    left_out: list[str]
    state: str
    problem: TileProblem | None
    definition_version: int | None
    position: str | None
    as_of: datetime | None
    complete: bool
    lag_ms: int | None
    every: int
    extra: dict[str, Any]
    rows: list[dict[str, Any]]


class ShownDashboard(msgspec.Struct, kw_only=True):
    """All tiles out of one snapshot; where projections stood at different positions, each tile says its own.

    `version` of its document, 0 for a standard one. Money is in `currency`, days are those of UTC where a query knows
    no zone; `time_zone` is the company's.
    """

    dashboard: str
    version: int
    title: str
    description: str
    company: str
    currency: str
    time_zone: str
    params: dict[str, str]
    position: str
    as_of: datetime | None
    complete: bool
    lag_ms: int
    tiles: list[ShownTile]


class DashboardDocument(msgspec.Struct):
    """What a dashboard holds, as POST /api/v1/dashboard/config takes it."""

    name: str
    description: str
    tiles: list[Tile]
    sharing: Sharing


@get(
    "/api/v1/dashboards/{dashboard:str}",
    responses=openapi.with_problems(ShownDashboard, "The dashboard"),
    summary="Show a dashboard",
    operation_id="dashboards.shown",
    tags=["dashboard"],
)
async def shown(dashboard: FromPath[str], request: HttpRequest) -> Response[bytes]:
    """The dashboard executive, trading, users or system, or a configured one by its id: all tiles of one moment.

    `person` is that of one user, named by `user_id`, and by `customer_id` where payments are meant as well. `company`
    names the tenant; `from` with `to`, and filters that tiles know, are the same for all tiles; `price.interval` is the
    parameter `interval` of the tile `price` alone.
    """
    side: ReadServices = request.app.state.side
    params = parameters(request)
    question = DashboardQuestion(dashboard, request.user.company(params.pop("company", None)), params)
    side.health.dashboards.add()
    answer = await for_caller(request, side.dashboards.answer(request.user.principal, question, min_position(request)))
    headers = {"X-Position": answer["position"], "X-Lag-Ms": str(answer["lag_ms"])}
    headers["X-Definition-Version"] = str(answer["version"])
    return Response(await encoded(question.company, answer), media_type=JSON, headers=headers)


@get(
    "/api/v1/dashboards/{dashboard:str}/config",
    responses=openapi.with_problems(DashboardDocument, "The document"),
    summary="Show the document of a dashboard",
    operation_id="dashboards.document",
    tags=["dashboard"],
)
async def document(dashboard: FromPath[str], request: HttpRequest) -> Response[bytes]:
    """What the dashboard holds, in the form that POST /api/v1/dashboard/config takes: a beginning for one's own."""
    side: ReadServices = request.app.state.side
    company = request.user.company(parameters(request).pop("company", None))
    now, at_least = asked_at(request), min_position(request)
    found = await side.dashboards.document(request.user.principal, dashboard, company, now, at_least)
    return Response(msgspec.json.encode(found.contents), media_type=JSON)


HANDLERS = (shown, document)


async def encoded(company: str, answer: Mapping[str, Any]) -> bytes:
    """A dashboard as JSON; where its tiles have many rows, beside the event loop, tile by tile.

    Raises LimitExceeded where too many wait to have theirs encoded.
    """
    rows = [row for tile in answer["tiles"] for row in tile["rows"]]
    return await beside(rows, company, partial(_by_tiles, answer), keep=True)


def _by_tiles(answer: Mapping[str, Any], _rows: Sequence[Any]) -> bytes:
    tiles = [msgspec.Raw(msgspec.json.encode(tile)) for tile in answer["tiles"]]
    return msgspec.json.encode({**answer, "tiles": tiles})
