"""Dashboards over gRPC, as they are configured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from read_api.answers.configuration import IN_USE, KINDS, only
from read_api.dashboards.documents import standard
from read_api.grpc.rpc import Answer, Answers, Rpc, one
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


def _config(request: Any) -> Mapping[str, QueryCall]:
    """A standard dashboard is a file of this release: nothing is asked for it."""
    known = request.dashboard_id in standard()
    return {} if known else {"": QueryCall(DASHBOARD.query, {"id": request.dashboard_id})}


def _configured(request: Any, answers: Answers) -> Row:
    """Raises NotFound where there is none that the caller may see."""
    name = request.dashboard_id
    if not answers:
        document = standard()[name]
        contents = msgspec.to_builtins(document.contents)
        return {"dashboard": _dashboard("", {"id": name, "version": document.version, **contents})}
    return {"dashboard": _dashboard(answers[""]["company"], only(answers[""]["rows"], DASHBOARD, name))}


RPCS = (
    one("ListDashboards", listed(DASHBOARD.query), _dashboards),
    Rpc("GetDashboardConfig", _config, _configured, members=True),
)
