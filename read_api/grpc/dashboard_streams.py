"""Dashboards over gRPC as they move: what HTTP answers and the WebSocket follows, tile by tile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import msgspec
from analytics.business_intelligence_pb2 import KPIMetrics
from analytics.report_generation_pb2 import DashboardData
from analytics.values_pb2 import Series, Table
from services import dashboards_pb2 as dashboards

from domain.errors import AnalyticsError, Invalid, LimitExceeded
from domain.name_list import read_name_list
from domain.position import Position
from domain.request.caller import Caller
from eventlog import tasks
from read_api.dashboards.dashboards import DashboardQuestion
from read_api.grpc.answers import provenance
from read_api.grpc.cells import cells
from read_api.grpc.kpis import key_figure
from read_api.grpc.messages import message
from read_api.grpc.scope import moment
from read_api.grpc.tile_series import tile_series, unit_of
from read_api.live.feeds import Feed, State
from read_api.live.resume import Anew
from read_api.live.sessions import MOST_SUBSCRIPTIONS, LiveSessions
from read_api.services import ReadServices

FRESHNESS = ("as_of", "complete", "lag_ms")
KEY_FIGURES = ("key_figure", "kpis")  # queries whose rows are key figures with what they were before
UNUSED = ("at_position", "convention", "time_zone")  # members of a scope that no dashboard has
Response = dashboards.GetDashboardDataResponse
News = dashboards.WatchDashboardsResponse


class DashboardStreams:
    """Handlers of GetDashboardData and WatchDashboards."""

    def __init__(self, side: ReadServices) -> None:
        self._dashboards, self._health = side.dashboards, side.health
        self._sessions = LiveSessions(side)

    async def get_dashboard_data(
        self, request: dashboards.GetDashboardDataRequest, caller: Caller
    ) -> AsyncGenerator[Response]:
        """A snapshot, then the tiles that have changed. Raises as `Dashboards.answer`."""
        question, at_least = _question(request, caller), Position.parse(request.scope.min_position)
        self._health.dashboards.add()
        if request.once or at_least.offsets:  # what follows is no older than an answer that has reached it
            answer = await self._dashboards.answer(caller.principal, question, at_least)
        if request.once:
            yield Response(data=_data(answer, caller), snapshot=True)
            return
        async with aclosing(self._followed(replace(question, followed=True), request.resume_token, caller)) as found:
            async for response in found:
                yield response

    async def _followed(self, question: DashboardQuestion, token: str, caller: Caller) -> AsyncGenerator[Response]:
        """Judged before each message: whoever may see something else from then on begins anew with that.

        Without a changed tile a message says how fresh the others are.
        """
        while True:
            grant = self._sessions.dashboard(caller.principal, question)
            with self._sessions.followed(caller.principal, grant) as feed:
                place: int | Anew = self._sessions.tokens.offset(token, feed, caller.principal) if token else 0
                state: State | None = None
                while self._sessions.dashboard(caller.principal, question).key == grant.key:
                    state = await feed.next(state)
                    if state.error is not None:
                        raise state.error
                    token = f"{self._sessions.tokens.prefix(feed, caller.principal)}{state.offset}"
                    yield _response(feed, place, token, caller)
                    place = state.offset

    async def watch_dashboards(
        self, requests: AsyncIterator[dashboards.WatchDashboardsRequest], caller: Caller
    ) -> AsyncGenerator[News]:
        """Several dashboards on one stream. It ends when the caller has said all and nothing is watched any more."""
        news: asyncio.Queue[News | None] = asyncio.Queue(1)  # the next is made when the last one was taken
        watched: dict[str, asyncio.Task[None]] = {}
        reading = tasks.owned(self._read(requests, caller, news, watched), "watched dashboards")
        try:
            while (found := await news.get()) is not None:
                yield found
            reading.result()
        finally:
            await tasks.end(reading, *watched.values())

    async def _read(
        self,
        requests: AsyncIterator[dashboards.WatchDashboardsRequest],
        caller: Caller,
        news: asyncio.Queue[News | None],
        watched: dict[str, asyncio.Task[None]],
    ) -> None:
        try:
            async for request in requests:
                match request.WhichOneof("action"):
                    case "subscribe":
                        name = _free_name(request.subscribe.subscription_id, watched)
                        work = self._watch(name, request.subscribe.dashboard, caller, news)
                        watched[name] = tasks.owned(work, f"watched dashboard {name}")
                    case "unsubscribe":
                        await tasks.end(watched.pop(request.unsubscribe.subscription_id, None))
                    case _:
                        raise Invalid("subscribe or unsubscribe", code="missing_field")
            await asyncio.gather(*watched.values(), return_exceptions=True)
        finally:
            await news.put(None)

    async def _watch(
        self,
        name: str,
        request: dashboards.GetDashboardDataRequest,
        caller: Caller,
        news: asyncio.Queue[News | None],
    ) -> None:
        try:
            async with aclosing(self.get_dashboard_data(request, caller)) as found:
                async for update in found:
                    await news.put(News(subscription_id=name, update=update))
            ended = "done"
        except AnalyticsError as error:
            ended = f"{error.code}: {error}"
        await news.put(News(subscription_id=name, ended=ended))


def handlers(side: ReadServices) -> Mapping[str, Any]:
    """Name of the RPC → handler."""
    streams = DashboardStreams(side)
    return {"GetDashboardData": streams.get_dashboard_data, "WatchDashboards": streams.watch_dashboards}


def _question(request: dashboards.GetDashboardDataRequest, caller: Caller) -> DashboardQuestion:
    scope = request.scope
    if given := [name for name in UNUSED if getattr(scope, name)]:
        raise Invalid(f"a dashboard has no {given[0]}", code="bad_parameter")
    times = {"from": scope.from_time, "to": scope.to_time}
    period = {name: moment(at) for name, at in times.items() if at}
    return DashboardQuestion(request.dashboard_id, caller.company(scope.company_id), {**period, **scope.filters})


def _free_name(name: str, watched: Mapping[str, asyncio.Task[None]]) -> str:
    if not name or (name in watched and not watched[name].done()):
        raise Invalid("a subscription needs an id that no other one has", code="bad_message")
    if len(watched) >= MOST_SUBSCRIPTIONS:
        raise LimitExceeded(f"a stream may have {MOST_SUBSCRIPTIONS} subscriptions")
    return name


def _response(feed: Feed, place: int | Anew, token: str, caller: Caller) -> Response:
    document = feed.document()
    if isinstance(place, Anew):
        return Response(data=_data(document, caller), snapshot=True, resume_token=token, restarted=place)
    delta = feed.changes(place) if place and feed.remembers(place) else None
    changes = {} if delta is None else delta.get("lists", {}).get("tiles", {})
    if delta is None or "tiles" in delta.get("set", {}) or "removed" in changes or "added" in changes:
        return Response(data=_data(document, caller), snapshot=True, resume_token=token)
    changed = {tuple(key) for key, of_tile in changes.get("changed", ()) if _says_more(of_tile)}
    tiles = [tile for tile in document["tiles"] if tuple(tile[name] for name in changes.get("key", ())) in changed]
    return Response(data=_data({**document, "tiles": tiles}, caller), resume_token=token)


def _says_more(delta: Mapping[str, Any]) -> bool:
    """Whether more has changed of a tile than what it stands for, which the dashboard says as well."""
    return "lists" in delta or "unset" in delta or not delta.get("set", {}).keys() <= {"position", *FRESHNESS}


def _data(answer: Mapping[str, Any], caller: Caller) -> DashboardData:
    same = ("title", "description", "currency", "time_zone", "version", "params")
    return DashboardData(
        dashboard_id=answer["dashboard"],
        company_id=answer["company"],
        tiles=[_tile(tile, caller) for tile in answer["tiles"]],
        provenance=provenance(caller, {**answer, "query": "dashboard", "definition_version": 1}),
        **{name: answer[name] for name in same},
    )


def _tile(tile: Mapping[str, Any], caller: Caller) -> DashboardData.Tile:
    problem = tile["problem"] or {"code": "", "detail": "", "suggested_actions": []}
    same = ("title", "kind", "state", "query", "params", "left_out", "every")
    stands_for = provenance(caller, {**tile["extra"], **tile}) if tile["position"] else None
    return DashboardData.Tile(
        tile_id=tile["id"],
        kpis=[message(KPIMetrics, key_figure(row)) for row in tile["rows"] if tile["query"] in KEY_FIGURES],
        series=[message(Series, each) for each in tile_series(tile)],
        table=message(Table, _table(tile)),
        reason=problem["detail"],
        code=problem["code"],
        suggested_actions=problem["suggested_actions"],
        provenance=stands_for,
        extra={name: msgspec.json.encode(value).decode() for name, value in tile["extra"].items()},
        **{name: tile[name] for name in same},
    )


def _table(tile: Mapping[str, Any]) -> dict[str, Any]:
    """Every column that some row has, in their order."""
    by = read_name_list(tile["params"].get("by", ""))
    columns = list(dict.fromkeys(name for row in tile["rows"] for name in row))
    return {
        "columns": [{"name": name, "unit": unit_of(name), "dimension": name in by} for name in columns],
        "rows": cells(tile["query"], columns, by, tile["rows"]),
    }
