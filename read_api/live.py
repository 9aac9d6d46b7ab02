"""WebSocket /api/v1/live: answers that come by themselves.

The first message brings the token, later ones renew it or subscribe:

    {"type": "token", "token": "…"}                                             → {"type": "welcome", …}
    {"type": "subscribe", "id": "a", "query": "trading_totals", "company": "acme", "params": {}}
    {"type": "subscribe", "id": "p", "watch": "pipeline"}
    {"type": "unsubscribe", "id": "a"}

Each subscription gets one `snapshot`, an `update` with the whole answer when the position has moved (at most four a
second, the newest only), and `fresh` in between: the answer still stands, and how new it is. What goes wrong with one
subscription is an `error` with its id and a problem document; the connection goes on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect

from domain import correlation
from domain.access import Principal, Right, Use, require
from domain.errors import AnalyticsError, Invalid, LimitExceeded, Unauthenticated
from domain.trail import NOBODY, SYSTEM, Action, Actor, Door, Note, outcome_of, tenant_of
from read_api.feeds import Feed, Feeds, State
from read_api.metric_defs import Metric
from read_api.problems import problem
from read_api.questions import Question
from read_api.side import ReadSide

TOKEN_PATIENCE = 10.0  # seconds for the first message
MOST_SUBSCRIPTIONS = 32
REFUSED = 4401  # close code: the token was missing, bad or has ended
FRESHNESS = ("position", "as_of", "complete", "lag_ms")


class LiveDesk:
    """What all connections of this process share."""

    def __init__(self, side: ReadSide) -> None:
        self.authenticate = side.authenticate
        self.metrics = side.metrics
        self.trail = side.trail
        self._rates = side.rates
        self._questions = side.questions
        self._health = side.health
        self._movements = side.movements
        self._feeds = Feeds()

    async def connect(self, socket: WebSocket[Any, Any, Any]) -> None:
        """Serve one connection until it ends."""
        await socket.accept()
        self.metrics.add(Metric.LIVE)
        connection = _Connection(socket, self, correlation.current.get())
        try:
            await connection.serve()
        except WebSocketDisconnect:
            pass  # how every connection ends
        finally:
            await connection.end()
            self.metrics.add(Metric.LIVE, -1)

    def follow(self, principal: Principal, message: Mapping[str, Any]) -> tuple[Hashable, Feed]:
        """The feed that a subscription asks for. Raises Forbidden, Invalid, NotFound or LimitExceeded."""
        self._rates.admit(principal, Use.READS, time.monotonic())
        if "watch" in message:
            if message["watch"] != "pipeline":
                raise Invalid('the only thing to watch is "pipeline"', code="bad_message")
            require(principal, Right.STATUS)
            key: Hashable = "pipeline"
            feed = self._feeds.follow(key, self._health, self._movements.next)
        else:
            question = self._questions.allowed(principal, _question(message))
            key = (question.name, question.company, tuple(sorted(question.params.items())))
            moves_with = question.moves_with
            feed = self._feeds.follow(
                key, lambda: self._questions.answer(question), lambda: self._movements.next(moves_with)
            )
        self.metrics.set(Metric.LIVE_FEEDS, len(self._feeds))
        return key, feed

    async def leave(self, key: Hashable) -> None:
        """A subscription has ended."""
        await self._feeds.leave(key)
        self.metrics.set(Metric.LIVE_FEEDS, len(self._feeds))


def _question(message: Mapping[str, Any]) -> Question:
    params = message.get("params", {})
    if not isinstance(params, dict) or not all(isinstance(value, str | int | float) for value in params.values()):
        raise Invalid("params must be an object of texts", code="bad_message")
    return Question(
        str(message.get("query", "")), str(message.get("company", "")), {str(k): str(v) for k, v in params.items()}
    )


class _Subscription(NamedTuple):
    """One subscription of a connection: who sends, and what the trail calls it."""

    sending: asyncio.Task[None]
    target: str
    company: str


@dataclass
class _Connection:
    """One socket: its principal and its subscriptions, each a task that sends what its feed tells."""

    socket: WebSocket[Any, Any, Any]
    desk: LiveDesk
    correlation_id: str
    principal: Principal | None = None
    subscriptions: dict[str, _Subscription] = field(default_factory=dict)
    sending: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def serve(self) -> None:
        """Take messages until the caller goes, or its token has ended."""
        try:
            await self._sign_in(await asyncio.wait_for(self.socket.receive_data("text"), TOKEN_PATIENCE))
            while True:
                left = self._signed_in().expires_at - time.time()
                # a renewed token is a message, so that the limit is taken anew after each
                message = await asyncio.wait_for(self.socket.receive_data("text"), min(left, 1e6))
                await self._take(message)
        except TimeoutError:
            await self._refuse(Unauthenticated("no valid token came in time, or it has ended"))
        except AnalyticsError as error:
            self._note(Action.SIGN_IN, "live", error=error)
            await self._refuse(error)

    async def end(self) -> None:
        """End all subscriptions."""
        for name in list(self.subscriptions):
            await self._unsubscribe(name)

    def _signed_in(self) -> Principal:
        if self.principal is None:
            raise Unauthenticated("the first message must bring a token")
        return self.principal

    async def _sign_in(self, text: str) -> None:
        message = _message(text)
        if message.get("type") != "token":
            raise Unauthenticated("the first message must bring a token")
        self.principal = self.desk.authenticate(str(message.get("token", "")))
        self._note(Action.SIGN_IN, "live")
        await self._send(
            {
                "type": "welcome",
                "sub": self.principal.sub,
                "companies": sorted(self.principal.companies),
                "roles": sorted(self.principal.roles),
                "tier": self.principal.tier,
                "correlation_id": self.correlation_id,
            }
        )

    async def _take(self, text: str) -> None:
        name = ""
        try:
            message = _message(text)
            name = str(message.get("id", ""))
            match message.get("type"):
                case "token":
                    await self._sign_in(text)
                case "subscribe":
                    await self._subscribe(name, message)
                case "unsubscribe":
                    await self._unsubscribe(name)
                case unknown:
                    raise Invalid(f"{unknown!r} is no type of message", code="bad_message")
        except Unauthenticated:
            raise
        except AnalyticsError as error:
            await self._send_error(name, error)

    async def _subscribe(self, name: str, message: Mapping[str, Any]) -> None:
        target = str(message.get("query") or message.get("watch") or "")
        company = str(message.get("company", ""))
        try:
            await self.desk.trail.admit()
            key, feed = self._follow(name, message)
        except AnalyticsError as error:
            self._note(Action.SUBSCRIBE, target, company, error)
            raise
        self._note(Action.SUBSCRIBE, target, company)
        sending = asyncio.create_task(self._pass_on(name, key, feed))
        self.subscriptions[name] = _Subscription(sending, target, company)

    def _follow(self, name: str, message: Mapping[str, Any]) -> tuple[Hashable, Feed]:
        if not name or name in self.subscriptions:
            raise Invalid("a subscription needs an id that no other one has", code="bad_message")
        if len(self.subscriptions) >= MOST_SUBSCRIPTIONS:
            raise LimitExceeded(f"a connection may have {MOST_SUBSCRIPTIONS} subscriptions")
        return self.desk.follow(self._signed_in(), message)

    async def _unsubscribe(self, name: str) -> None:
        ended = self.subscriptions.pop(name, None)
        if ended is not None:
            self._note(Action.UNSUBSCRIBE, ended.target, ended.company)
            ended.sending.cancel()
            with suppress(asyncio.CancelledError):
                await ended.sending

    def _note(self, action: Action, target: str, company: str = "", error: AnalyticsError | None = None) -> None:
        """Into the trail; what an open subscription is sent from then on is not noted."""
        actor, tenant = NOBODY, SYSTEM
        if self.principal is not None:
            actor, tenant = Actor.of(self.principal), tenant_of(self.principal.companies, company)
        outcome, code = outcome_of(error)
        note = Note(actor, action, target, Door.WS, tenant, outcome, code, correlation_id=self.correlation_id)
        self.desk.trail.note(note)

    async def _pass_on(self, name: str, key: Hashable, feed: Feed) -> None:
        """Send what the feed tells: the newest state each time, so that a slow caller misses states, not time."""
        seen: State | None = None
        try:
            while True:
                state = await feed.next(seen)
                if state.error is not None:
                    if seen is None or seen.mark != state.mark:
                        await self._send_error(name, state.error)
                elif seen is not None and seen.mark == state.mark:
                    await self._send({"type": "fresh", "id": name, **{k: state.answer.get(k) for k in FRESHNESS}})
                else:
                    kind = "snapshot" if seen is None else "update"
                    await self._send({"type": kind, "id": name, "answer": state.answer})
                    self.desk.metrics.add(Metric.LIVE_SENT)
                seen = state
        except (WebSocketDisconnect, OSError):
            pass  # the caller has gone: `serve` hears of it too and ends the connection
        finally:
            await self.desk.leave(key)

    async def _send(self, message: dict[str, Any]) -> None:
        async with self.sending:
            await self.socket.send_data(msgspec.json.encode(message).decode(), mode="text")

    async def _send_error(self, name: str, error: AnalyticsError) -> None:
        await self._send({"type": "error", "id": name, "problem": problem(error, self.correlation_id, "/api/v1/live")})

    async def _refuse(self, error: AnalyticsError) -> None:
        await self._send_error("", error)
        await self.socket.close(code=REFUSED, reason=str(error)[:120])


def _message(text: str) -> dict[str, Any]:
    try:
        message = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise Invalid(f"the message is no JSON: {error}", code="bad_message") from None
    if not isinstance(message, dict):
        raise Invalid("a message is a JSON object", code="bad_message")
    return message
