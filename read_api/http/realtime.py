"""Live metrics over HTTP: what the live lane says of them now."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import msgspec
from litestar import Response, get

from projections.engine.query.params import Param
from read_api.answers.realtime import live_questions
from read_api.http import openapi
from read_api.http.departure import for_caller
from read_api.http.request import HttpRequest, parameters
from read_api.http.responses import JSON
from read_api.services import ReadServices

PATH = "/api/v1/realtime"


class LiveWindowState(msgspec.Struct, kw_only=True):
    """A window, from `start` to `end` exclusive, as far as it is known.

    `kind`: early, final, revised or durable. `partial`: it may lack something, and why, until it is durable.
    `currency`: of its amounts, null where they name none or several; then these are null with `mixed_currencies`.
    `late_share`: of its events, those that came too late to be in it before it is durable.
    """

    start: datetime
    end: datetime
    kind: str
    revision: int
    watermark: datetime
    minutes: int
    durable_minutes: int
    partial: bool
    partial_reasons: list[str]
    late_share: float
    currency: str | None = None
    rows: list[dict[str, Any]]
    more_rows: int
    epoch: str


class LiveMetric(msgspec.Struct, kw_only=True):
    """A live metric in the width `window`: its newest windows, oldest first; days and times in `zone`."""

    metric: str
    company: str
    window: str
    zone: str
    currency: str | None
    windows: list[LiveWindowState]


class RealTimeMetrics(msgspec.Struct, kw_only=True):
    """Live metrics of a company."""

    metrics: list[LiveMetric]


PARAMS = (
    Param("company", "the tenant", required=True),
    Param("metrics", "comma-separated: live windows, or window.measure; empty: all windows"),
    Param("window", "1m, 5m or 1h tumbling, or 5m/1m sliding; empty is 1m"),
    Param("by", "dimensions of the window, comma-separated; empty: one total row"),
)


@get(
    PATH,
    responses=openapi.with_problems(RealTimeMetrics, "Live metrics"),
    summary="Live metrics: minutes that are still open, as they are now",
    tags=["live"],
)
async def realtime(request: HttpRequest) -> Response[bytes]:
    """The newest two windows of each metric. Every parameter that is a dimension of the window filters its rows.

    Nothing of it waits for the projections. A window is `early` while it is open, `final` when it has closed, and
    `durable` when the projection has it, whose value then counts. Over WebSocket the same comes by itself.
    """
    side: ReadServices = request.app.state.side
    side.health.queries.add()
    params = parameters(request)
    company = request.user.company(params.pop("company", None))
    metrics, width, by = (params.pop(name, "") for name in ("metrics", "window", "by"))
    questions = live_questions(request.user.principal, company, metrics, width, by, params)
    documents = await for_caller(request, _all(side, questions))
    return Response(msgspec.json.encode({"metrics": documents}), media_type=JSON)


async def _all(side: ReadServices, questions: list[Any]) -> list[dict[str, Any]]:
    return list(await asyncio.gather(*(question.document(side.live) for question in questions)))
