"""Dashboards over gRPC, as they are configured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from read_api.answers.configuration import IN_USE, KINDS, only
from read_api.grpc.rpc import Answer, one
from read_api.grpc.scope import QueryCall, page

Row = Mapping[str, Any]
DASHBOARD = KINDS["dashboard"]


def listed(query: str) -> Any:
    """The question of a list of what is configured: what is in use, or what was archived."""
    return lambda request: QueryCall(
        query, {**IN_USE, **({"archived": "true"} if request.archived else {}), **page(request.page)}
    )


def _dashboard(company: str, row: Row) -> Row:
    tiles = [{**tile, "tile_id": tile["id"]} for tile in row["tiles"]]
    return {**row, "dashboard_id": row["id"], "company_id": company, "title": row["name"], "tiles": tiles}


def _dashboards(_request: Any, answer: Answer) -> Row:
    found = [_dashboard(answer["company"], row) for row in answer["rows"]]
    return {"dashboards": found, "next_cursor": answer["next_cursor"]}


def _one(request: Any, answer: Answer) -> Row:
    """Raises NotFound where there is none that the caller may see."""
    row = only(answer["rows"], DASHBOARD, request.dashboard_id)
    return {"dashboard": _dashboard(answer["company"], row)}


RPCS = (
    one("ListDashboards", listed(DASHBOARD.query), _dashboards),
    one("GetDashboardConfig", lambda request: QueryCall(DASHBOARD.query, {"id": request.dashboard_id}), _one),
)
