"""The live part where something fails at each of its waits: it ends in time, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect

from adapters.auth.jwks import ReadKeys
from adapters.auth.tokens import TokenVerifier
from domain.access.rate_limits import Rates
from domain.access.rights import Principal, Role, Tier
from domain.audit import Action, Note
from domain.errors import NotFound, Unavailable
from projections.engine.query.request import Question
from read_api.answers.questions import utc_now
from read_api.health.prometheus import Metric, Metrics
from read_api.live import feeds, websocket
from read_api.live.changes import ProjectionChanges
from read_api.live.sessions import LiveSessions
from read_api.live.websocket import connect
from read_api.services import ReadServices
from tests.adapters.auth.hostile import People

ANN = Principal("ann", frozenset({"acme"}), frozenset({Role.VIEWER}), Tier.FREE)
MESSAGES = (
    {"type": "token", "token": "ann"},
    {"type": "subscribe", "id": "a", "query": "trading_totals", "company": "acme"},
    {"type": "subscribe", "id": "b", "query": "trades", "company": "acme"},
    {"type": "subscribe", "id": "p", "watch": "pipeline"},
    {"type": "subscribe", "id": "x", "query": "nonsense", "company": "acme"},
    {"type": "token", "token": "ann"},
    {"type": "unsubscribe", "id": "a"},
    {"type": "subscribe", "id": "a", "query": "trading_totals", "company": "acme"},
)
STEPS = 45  # more than the waits of a connection that says all this


async def stall() -> None:
    """What never comes."""
    await asyncio.Event().wait()


async def leave() -> None:
    """The caller's connection breaks."""
    raise WebSocketDisconnect(detail="gone")


async def break_down() -> None:
    """The system says no."""
    raise ConnectionResetError


async def be_away() -> None:
    """A server is away."""
    raise Unavailable("away")


async def be_wrong() -> None:
    """Something that nobody expected."""
    raise RuntimeError("a slip")


async def be_cancelled() -> None:
    """The server wants to end."""
    raise asyncio.CancelledError


FAULTS = (stall, leave, break_down, be_away, be_wrong, be_cancelled)


class Waits:
    """Counts waits, and has one of them fail."""

    def __init__(self, failing: int, fault: Callable[[], Awaitable[None]]) -> None:
        self.failing, self.fault, self.count, self.hit = failing, fault, 0, ""

    async def __call__(self, place: str) -> None:
        """One wait."""
        self.count += 1
        number = self.count
        await asyncio.sleep(0)
        if number == self.failing:
            self.hit = place
            await self.fault()


class World:
    """A caller and all that the live part stands on. Every wait goes through `waits`."""

    def __init__(self, waits: Waits) -> None:
        self.waits = waits
        self.messages = [json.dumps(message) for message in MESSAGES]
        self.silence = 0.3  # seconds before they go
        self.sent: list[dict[str, Any]] = []
        self.answered = asyncio.Event()
        self.closed: list[int] = []
        self.notes: list[Note] = []
        self.metrics = Metrics()
        self.rates = Rates(1)
        self.scope: dict[str, Any] = {"subprotocols": [], "headers": [], "scheme": "ws"}
        side = SimpleNamespace(
            authenticate=lambda _token: ANN,
            metrics=self.metrics,
            trail=SimpleNamespace(admit=lambda: waits("trail"), note=self.notes.append),
            rates=self.rates,
            questions=self,
            dashboards=None,
            live=None,
            sessions=None,
            health=self.health,
            movements=ProjectionChanges(cast(Any, None)),
        )
        self.sessions = LiveSessions(cast(ReadServices, side))

    def now(self) -> datetime:
        """The time."""
        return utc_now()

    def allowed(self, principal: Principal, question: Question) -> Question:
        """Every question but one."""
        if question.name == "nonsense":
            raise NotFound("there is none")
        return question

    async def answer(self, question: Question) -> dict[str, Any]:
        """An answer of the store."""
        await self.waits("store")
        return {"position": question.name}

    async def health(self) -> dict[str, Any]:
        """Figures."""
        await self.waits("store")
        return {}

    async def accept(self, subprotocols: str | None) -> None:
        """The handshake."""
        await self.waits("accept")

    async def receive_data(self, mode: str) -> str:
        """What the caller says, piece by piece, and then that they have gone."""
        await self.waits("receive")
        for _ in range(10):
            await asyncio.sleep(0)
        if not self.messages:
            await asyncio.sleep(self.silence)
            raise WebSocketDisconnect(detail="gone")
        return self.messages.pop(0)

    async def send_data(self, text: str, mode: str) -> None:
        """What the caller hears."""
        await self.waits("send")
        self.sent.append(json.loads(text))
        if self.sent[-1]["type"] == "snapshot":
            self.answered.set()

    async def close(self, code: int, reason: str) -> None:
        """The end."""
        self.closed.append(code)
        await self.waits("close")

    @property
    def feeds_held(self) -> int:
        """Of the tenant."""
        return sum(tenant.feeds for tenant in self.rates._tenants.values())


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited for seconds, in tenths of one."""
    for module, name, seconds in (
        (websocket, "TOKEN_PATIENCE", 1.0),
        (websocket, "SEND_PATIENCE", 0.3),
        (websocket, "CLOSE_PATIENCE", 0.1),
        (websocket, "RECHECK", 0.1),
        (feeds, "PATIENCE", 0.3),
        (feeds, "SHORTEST", 0.05),
        (feeds, "IDLE", 0.1),
    ):
        monkeypatch.setattr(module, name, seconds)


@pytest.fixture
async def ended_tasks() -> AsyncIterator[None]:
    """No task of a test is left, and none died unheard."""
    unheard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: unheard.append(context))
    yield
    await asyncio.sleep(0.01)
    assert asyncio.all_tasks() <= {asyncio.current_task()}
    assert unheard == []


async def spoken(world: World) -> None:
    """One connection from its beginning to its end, whatever that is."""
    socket = cast(WebSocket[Any, Any, Any], world)
    with suppress(asyncio.CancelledError, WebSocketDisconnect, ConnectionResetError, Unavailable, RuntimeError):
        await connect(socket, world.sessions)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_whatever_wait_fails_nothing_is_left(
    fault: Callable[[], Awaitable[None]], ended_tasks: None, caplog: pytest.LogCaptureFixture
) -> None:
    """No feed, no seat of the tenant, no gauge; and it ends although somebody stalls, without being asked to."""
    caplog.set_level(logging.CRITICAL)  # what is logged is another test's

    async def one(step: int) -> None:
        world = World(Waits(step, fault))
        speaking = asyncio.create_task(spoken(world))
        done, _ = await asyncio.wait((speaking,), timeout=3.0)
        if not done:  # a handshake and silence are ended by the server, waiting for the trail by the trail
            assert fault is stall
            assert world.waits.hit in ("accept", "receive", "trail")
            speaking.cancel()
            await asyncio.wait((speaking,))
        assert world.metrics.value(Metric.LIVE) == 0
        assert world.metrics.value(Metric.LIVE_FEEDS) == 0
        assert world.feeds_held == 0
        actions = [note.action for note in world.notes if note.outcome == "ok" or note.action is Action.UNSUBSCRIBE]
        assert actions.count(Action.SUBSCRIBE) == actions.count(Action.UNSUBSCRIBE)

        places.add(world.waits.hit)

    places = set[str]()
    await asyncio.gather(*(one(step) for step in range(1, STEPS)))
    assert {"accept", "receive", "send", "store", "trail"} <= places


async def test_who_is_cancelled_at_any_moment_leaves_nothing(ended_tasks: None) -> None:
    """Also where a subscription was begun and has not run yet."""
    for turns in range(80):
        world = World(Waits(0, stall))
        speaking = asyncio.create_task(spoken(world))
        for _ in range(turns):
            await asyncio.sleep(0)
        speaking.cancel()
        await asyncio.wait((speaking,))
        await asyncio.sleep(0)
        assert world.metrics.value(Metric.LIVE) == world.metrics.value(Metric.LIVE_FEEDS) == world.feeds_held == 0


async def test_a_key_that_is_withdrawn_ends_what_stands_on_it(ended_tasks: None, tmp_path: Path) -> None:
    """Without a word of the caller: an open connection is closed as a new one would be refused."""
    people, path = People(), tmp_path / "jwks.json"
    path.write_text(json.dumps(people.jwks()))
    with closing(ReadKeys(path.read_bytes, str(path), every=0.05, pause=0.01)) as keys:
        world = World(Waits(0, stall))
        world.sessions.authenticate = TokenVerifier(keys, "analytics", "analytics")
        world.messages = [json.dumps({**MESSAGES[0], "token": people.token()}), json.dumps(MESSAGES[1])]
        world.silence = 3_600
        speaking = asyncio.create_task(spoken(world))
        await asyncio.wait_for(world.answered.wait(), 10)
        path.write_text(json.dumps({"keys": [key for key in people.jwks()["keys"] if key["kid"] != "e"]}))
        done, _ = await asyncio.wait((speaking,), timeout=10)
    assert done
    assert (world.sent[-1]["type"], world.sent[-1]["problem"]["code"]) == ("error", "unauthenticated")
    assert world.closed == [websocket.REFUSED]
    assert world.feeds_held == 0


async def test_a_slip_is_logged_and_told(ended_tasks: None, caplog: pytest.LogCaptureFixture) -> None:
    """With the correlation id by which it is found."""
    world = World(Waits(0, stall))
    world.sessions.grant = be_wrong  # type: ignore[method-assign, assignment]  # a slip in the judgement itself
    await spoken(world)
    assert world.sent[-1]["type"] == "error"
    assert world.sent[-1]["problem"]["code"] == "defect"
    assert "a live connection failed" in caplog.text
