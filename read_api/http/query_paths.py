"""Paths of their own for registered queries, by subject: the same answers as under /api/v1/query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from domain.errors import Invalid
from projections.engine.declare.registry import all_registered
from projections.engine.query.params import Param
from read_api.answers.warming import Target
from read_api.http.openapi import ANSWER
from read_api.http.request import HttpRequest, answer_question, parameters, pop_freshness, question_of


@dataclass(frozen=True, slots=True)
class Door:
    """A path, the query that it asks, and parameters that the path itself settles."""

    path: str
    query: str
    fixed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def params(self) -> Sequence[Param]:
        """The parameters that are left to whoever asks."""
        return [param for param in all_registered()[self.query].params if param.name not in self.fixed]


TRADING, USERS, MARKETS = "/api/v1/trading", "/api/v1/users", "/api/v1/markets"
DOORS = (
    Door(f"{TRADING}/metrics", "trading_metrics"),
    Door(f"{TRADING}/strategies", "trading_league", {"by": "strategy"}),
    Door(f"{TRADING}/symbols", "trading_league", {"by": "symbol"}),
    Door(f"{TRADING}/sides", "trading_league", {"by": "side"}),
    Door(f"{TRADING}/time", "trading_time"),
    Door(f"{TRADING}/equity", "trading_equity"),
    Door(f"{TRADING}/rolling", "trading_rolling"),
    Door(f"{TRADING}/returns", "trading_returns"),
    Door(f"{TRADING}/profitable-users", "profitable_users"),
    Door(f"{TRADING}/trades", "trades"),
    Door(f"{TRADING}/indicators", "indicators"),
    Door(f"{TRADING}/indicator", "indicator"),
    Door(f"{USERS}/retention", "retention"),
    Door(f"{USERS}/funnel", "funnel"),
    Door(f"{USERS}/journey", "journey"),
    Door(f"{USERS}/features", "features"),
    Door(f"{USERS}/segments", "segments"),
    Door(f"{USERS}/stickiness", "stickiness"),
    Door(f"{USERS}/lifecycle", "lifecycle"),
    Door(f"{USERS}/activity", "active_users"),
    Door(MARKETS, "markets"),
    Door(f"{MARKETS}/bars", "market_bars"),
    Door(f"{MARKETS}/correlations", "correlations"),
    Door(f"{MARKETS}/insights", "market_insights"),
)

QUERIES: Mapping[str, str] = MappingProxyType({door.path: door.query for door in DOORS})


def targets() -> dict[str, Target]:
    """What the audit trail calls these paths, with the query behind each."""
    return {door.path.removeprefix("/api/v1/"): Target(door.query, door.fixed) for door in DOORS}


def handlers() -> list[HTTPRouteHandler]:
    """A handler for each door."""
    return [_handler(door) for door in DOORS]


def _handler(door: Door) -> HTTPRouteHandler:
    async def answer(request: HttpRequest) -> Response[bytes]:
        params = parameters(request)
        if settled := [name for name in params if name in door.fixed]:
            raise Invalid(f"{door.path} has no parameter {settled[0]!r}", code="unknown_parameter")
        freshness = pop_freshness(params)
        question = question_of(request, door.query, {**params, **door.fixed}, ())
        return await answer_question(request, question, freshness)

    found = all_registered()[door.query]
    answer.__doc__ = f"The answer of the query {door.query}. {found.summary}"
    return get(
        door.path,
        responses=ANSWER,
        summary=found.summary,
        operation_id=door.path.removeprefix("/api/v1/").replace("/", "_").replace("-", "_"),
        tags=[door.path.split("/")[3]],
    )(answer)
