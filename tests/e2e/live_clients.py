"""Who follows live windows from outside, what each was told last of each minute, and what is stored of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import grpc
from analytics.values_pb2 import MetricValue
from common.read_scope_pb2 import ReadScope
from services.analytics_service_pb2_grpc import AnalyticsServiceStub
from services.dashboards_pb2 import GetRealTimeMetricsRequest
from websockets.exceptions import WebSocketException

from app.instance.instance import running_instance, with_addresses
from app.settings import Settings
from app.wiring import read_store
from projections.engine.declare.registry import all_windows
from projections.engine.live.durable import rows_of
from projections.engine.live.panes import Grouping, Pane
from projections.engine.live.view import display_rows
from projections.engine.live.windows import PendingMinutes
from tests.e2e.live_load import MINUTE, Rows
from tests.support.instance import Instance
from tests.support.live_follower import Follower, Witness

WINDOWS = {name: window.dimensions for name, (_, window) in all_windows().items()}
AGAIN = 0.5  # seconds until a client that was turned away comes again
Place = tuple[str, str, int]  # company, window, minute


@dataclass
class Words:
    """What a client was told last of each minute, and of what kind that was; how often one was said to be final."""

    rows: dict[Place, Rows] = field(default_factory=dict)
    kinds: dict[Place, str] = field(default_factory=dict)
    finals: Counter[Place] = field(default_factory=Counter)
    messages: int = 0
    anew: Counter[str] = field(default_factory=Counter)  # how often a connection was begun anew, and why

    def hear(self, place: Place, kind: str, rows: Rows) -> None:
        """One message."""
        self.messages += 1
        self.finals[place] += kind == "final" != self.kinds.get(place)
        self.rows[place], self.kinds[place] = rows, kind


def rows_by_key(window: str, rows: list[dict[str, Any]]) -> Rows:
    """Rows of an answer by their dimensions; those that the recount has, as texts."""
    by = WINDOWS[window]
    return {tuple(str(row[name]) for name in by): row for row in rows}


class SocketClient:
    """Follows documents, a connection a company and window; whatever ends a connection, it goes on."""

    def __init__(self, instance: Instance, companies: Sequence[str]) -> None:
        self._address = instance.addresses["read_api"].replace("http", "ws")
        self._instance, self._companies = instance, companies
        self.words = Words()

    async def follow(self) -> None:
        """Until cancelled."""
        await asyncio.gather(*(self._one(company, window) for company in self._companies for window in WINDOWS))

    async def _one(self, company: str, window: str) -> None:
        wanted = {"live": window, "company": company, "params": {"by": ",".join(WINDOWS[window])}}
        hears = _Hears(self.words, company, window)
        while True:
            follower = Follower(self._address, self._instance.signed("viewer", company), wanted, hears)
            try:
                await follower.follow(3_000.0)
            except (AssertionError, OSError, WebSocketException) as error:
                self.words.anew[type(error).__name__] += 1
            await asyncio.sleep(AGAIN)


class _Hears(Witness):
    """Takes the windows of each document."""

    def __init__(self, words: Words, company: str, window: str) -> None:
        super().__init__()
        self._words, self._company, self._window = words, company, window

    def see(self, kind: str, token: str, document: Mapping[str, Any]) -> None:
        """A document as it is now."""
        for window in document["windows"]:
            start = round(datetime.fromisoformat(window["start"]).timestamp() * 1000)
            rows = rows_by_key(self._window, window["rows"])
            self._words.hear((self._company, self._window, start), window["kind"], rows)


class StreamClient:
    """Follows GetRealTimeMetrics, a stream a company and window."""

    def __init__(self, instance: Instance, companies: Sequence[str]) -> None:
        self._instance, self._companies = instance, companies
        self.words = Words()

    async def follow(self) -> None:
        """Until cancelled."""
        async with grpc.aio.insecure_channel(self._instance.addresses["grpc"]) as channel:
            stub = AnalyticsServiceStub(channel)
            await asyncio.gather(*(self._one(stub, c, window) for c in self._companies for window in WINDOWS))

    async def _one(self, stub: Any, company: str, window: str) -> None:
        by = WINDOWS[window]
        request = GetRealTimeMetricsRequest(scope=ReadScope(company_id=company), metrics=[window], by=by)
        while True:
            bearer = self._instance.signed("viewer", company)
            stream = stub.GetRealTimeMetrics(request, metadata=(("authorization", f"Bearer {bearer}"),))
            try:
                async for answer in stream:
                    groups = {tuple(g.dimensions[name] for name in by): g.metrics for g in answer.groups}
                    rows = {key: _measures(own) for key, own in (groups if by else {(): answer.metrics}).items()}
                    self.words.hear((company, window, answer.window_begins), answer.kind, rows)
            except grpc.aio.AioRpcError as error:
                self.words.anew[error.code().name] += 1
            await asyncio.sleep(AGAIN)


def _measures(values: Iterable[MetricValue]) -> dict[str, Any]:
    """Measures by name, as they are in answers."""
    kinds = [(v.key.partition(".")[2], v.value, v.value.WhichOneof("kind")) for v in values]
    return {name: getattr(value, kind) if kind else None for name, value, kind in kinds}


async def stored(instance: Instance, places: Iterable[Place]) -> dict[Place, Rows]:
    """The projections' rows of these minutes, as messages show them."""
    where, found = running_instance(instance.folder), dict[Place, Rows]()
    assert where is not None
    async with read_store(with_addresses(Settings(data=instance.folder), where)) as store:
        for company, name, start in places:
            _, window = all_windows()[name]
            rows = await rows_of(store, PendingMinutes(company, window, [start // MINUTE]))
            assert rows is not None
            by, pane = window.dimensions, Pane(dict(rows[start // MINUTE]))
            found[company, name, start] = rows_by_key(
                name, display_rows(window, Grouping(window, by, {}).groups(pane), by)
            )
    return found


def differs(said: Rows | None, counted: Mapping[Any, Mapping[str, Any]]) -> str:
    """What a client was told of a minute that was not sent; '' where all of it is right."""
    if said is None:
        return "nothing was said"
    if said.keys() != counted.keys():
        return f"rows {sorted(said.keys() ^ counted.keys())[:3]}"
    wrong = [
        f"{key} {name}: {said[key][name]} for {value}"
        for key, cells in counted.items()
        for name, value in cells.items()
        if Decimal(str(said[key][name])) != value
    ]
    return "; ".join(wrong[:2])
