"""WebSocket /api/v1/live: answers that come by themselves.

The first message brings the token, later ones renew it or subscribe:

    {"type": "token", "token": "…"}                                             → {"type": "welcome", …}
    {"type": "token"}                                     from a page: the token of the session in its cookie
    {"type": "subscribe", "id": "a", "query": "trading_totals", "company": "acme", "params": {}}
    {"type": "subscribe", "id": "p", "watch": "pipeline"}
    {"type": "unsubscribe", "id": "a"}

Each subscription gets one `snapshot`, then a `delta` of whatever has changed (documents.py says how one is applied),
at least every IDLE seconds. Each has a token: who lost the connection subscribes with it as `resume`, and goes on with
a `delta` from there, or with a `snapshot` that says why. What goes wrong with one subscription is an `error` with its
id and a problem document; the connection goes on.

A renewed token is of the same subject and the same companies. With it, and every RECHECK seconds, the token and each
subscription are judged anew: what is no longer allowed is `ended` with the reason, what is now another question (a day
later, another tier) begins again with a snapshot.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Hashable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect

from domain.access.rights import Principal
from domain.audit import NOBODY, SYSTEM, Action, Actor, Door, Note, outcome_of, tenant_of
from domain.errors import AnalyticsError, Defect, Forbidden, Invalid, LimitExceeded, Unauthenticated, Unavailable
from domain.request import correlation
from domain.request.session_cookie import session_of_own_page
from eventlog.tasks import attended
from read_api.health.prometheus import Metric
from read_api.http.problems import problem
from read_api.live.changes import wait_for
from read_api.live.feeds import Feed, State
from read_api.live.forms import DELTA, FORMS, JSON, SNAPSHOT, Form
from read_api.live.messages import pause_of, target_of, token_of
from read_api.live.resume import Anew
from read_api.live.sessions import MOST_SUBSCRIPTIONS, FeedGrant, LiveSessions

TOKEN_PATIENCE = 10.0  # seconds for the first message
SEND_PATIENCE = 5.0  # seconds until a message has to be taken
CLOSE_PATIENCE = 1.0  # seconds for the last one
RECHECK = 10.0  # seconds until a token and what it follows are judged anew; sooner when the configuration moves
CONFIGURATION = "configuration"  # the projection that knows the tiers
REFUSED = 4401  # close code: the token was missing, bad or has ended
OTHER_CALLER = 4403
TOO_SLOW = 4408
TOO_OFTEN = 4429
CLOSE_CODES: Mapping[type[AnalyticsError], int] = MappingProxyType(
    {
        Unauthenticated: REFUSED,
        Invalid: REFUSED,
        Forbidden: OTHER_CALLER,
        LimitExceeded: TOO_OFTEN,
        Unavailable: 1013,
    }
)

logger = logging.getLogger(__name__)


async def connect(socket: WebSocket[Any, Any, Any], sessions: LiveSessions) -> None:
    """Serve one connection until it ends."""
    form = next((FORMS[name] for name in socket.scope["subprotocols"] if name in FORMS), None)
    await socket.accept(subprotocols=form.name if form else None)
    with sessions.connected():
        cookie = session_of_own_page(socket.scope["headers"], socket.scope["scheme"])
        await _Connection(socket, sessions, correlation.current.get(), form or JSON, cookie).serve()


class _Subscription(NamedTuple):
    """One subscription of a connection: who sends, what was asked for, and what it follows now."""

    sending: asyncio.Task[None]
    message: Mapping[str, Any]
    key: Hashable

    @property
    def about(self) -> tuple[str, str]:
        """FeedGrant and company, as the trail calls them."""
        return target_of(self.message)


class _TooSlow(Exception):
    """The caller did not take a message in time."""


class _OtherCaller(Forbidden):
    """A token of somebody else came to renew the one of a connection."""

    code = "other_caller"


@dataclass
class _Connection:
    """One socket: its token and principal, and its subscriptions, each a task that sends what its feed tells."""

    socket: WebSocket[Any, Any, Any]
    sessions: LiveSessions
    correlation_id: str
    form: Form
    cookie: str = ""  # of the session of the page that opened it, whether or not it is used
    session: str = ""  # the one that is used in place of a token
    token: str = ""
    principal: Principal | None = None
    subscriptions: dict[str, _Subscription] = field(default_factory=dict)
    sending: asyncio.Lock = field(default_factory=asyncio.Lock)
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)  # messages and judgements come in turn
    tasks: asyncio.TaskGroup = field(default_factory=asyncio.TaskGroup)
    seat: ExitStack = field(default_factory=ExitStack)  # among the connections of its tenant

    async def serve(self) -> None:
        """Take messages until the caller goes, or must. Whatever fails in any part ends all of them."""
        try:
            await self._sign_in(await self._first_message())
            async with self.tasks:
                self.tasks.create_task(attended(self._listen))
                self.tasks.create_task(attended(self._judge_again))
        except* (WebSocketDisconnect, OSError):
            pass  # how every connection ends
        except* _TooSlow:
            await self._close(TOO_SLOW, "messages were not taken in time")
        except* AnalyticsError as failed:
            await self._refuse(_first(failed))
        except* Exception:
            logger.exception("a live connection failed (correlation id %s)", self.correlation_id)
            await self._refuse(Defect("the connection failed"))
        finally:
            self.seat.close()
            for name in list(self.subscriptions):
                self._drop(name)

    async def _first_message(self) -> str | bytes:
        try:
            async with asyncio.timeout(TOKEN_PATIENCE):
                first: str | bytes = await self.socket.receive_data(self.form.mode)
                return first
        except TimeoutError:
            raise Unauthenticated("no token came in time") from None

    async def _listen(self) -> None:
        while True:
            data = await self.socket.receive_data(self.form.mode)
            async with self.changing:
                await self._take(data)

    async def _judge_again(self) -> None:
        """Look again and again whether the token still counts, and for what. Raises Unauthenticated when it does not.

        Keys are withdrawn, tiers fall, and what the last thirty days are changes at midnight.
        """
        while True:
            moved = self.sessions.movements.next(CONFIGURATION)
            left = self._signed_in().expires_at - time.time()
            await wait_for(moved, min(left, RECHECK))
            try:
                if self.session:
                    await self.sessions.token_of_session(self.session)  # until somebody signs out
                self.principal = self.sessions.authenticate(self.token)
            except AnalyticsError as error:
                self._note(Action.SIGN_IN, "live", error=error)
                raise
            async with self.changing:
                await self._judge()

    async def _judge(self) -> None:
        """Judge every subscription as its caller is now."""
        principal = self._signed_in()
        for name, subscription in list(self.subscriptions.items()):
            try:
                grant = self.sessions.grant(principal, subscription.message)
                self.sessions.check(principal, grant.source.company)
                if grant.key != subscription.key:
                    await _ended(self._drop(name, noted=False))
                    self._follow(name, subscription.message, grant)
            except AnalyticsError as error:
                await _ended(self._drop(name, error))
                await self._say({"type": "ended", "id": name, "problem": self._problem(error)})

    def _signed_in(self) -> Principal:
        if self.principal is None:
            raise Unauthenticated("the first message must bring a token")
        if self.principal.expires_at <= time.time():
            raise Unauthenticated("the token has ended", suggested_actions=("Sign in again with a new token.",))
        return self.principal

    async def _sign_in(self, data: str | bytes) -> None:
        """Take a token: the first, or one that renews it. Raises Forbidden for a renewal by somebody else."""
        principal = None
        try:
            token, session = await self._credentials(self.form.read(data))
            principal = self.sessions.authenticate(token)
            self._check_same(principal)
            await self.sessions.admit(principal)
            if self.principal is None:
                self.seat.enter_context(self.sessions.signed_in(principal))
        except AnalyticsError as error:
            self._note_of(principal, Action.SIGN_IN, "live", "", error)
            raise
        self.token, self.session, self.principal = token, session, principal
        self._note(Action.SIGN_IN, "live")
        await self._judge()
        await self._say(
            {
                "type": "welcome",
                "sub": principal.sub,
                "companies": sorted(principal.companies),
                "roles": sorted(principal.roles),
                "tier": principal.tier,
                "correlation_id": self.correlation_id,
            }
        )

    async def _credentials(self, message: Mapping[str, Any]) -> tuple[str, str]:
        """The token of a message, or that of the page's session and the session. Raises Unauthenticated."""
        if message.get("type") == "token" and not message.get("token") and self.cookie:
            return await self.sessions.token_of_session(self.cookie), self.cookie
        return token_of(message), ""

    def _check_same(self, principal: Principal) -> None:
        """A renewal goes on with what is open, so it must be of the same caller. Raises _OtherCaller."""
        before = self.principal
        if before is not None and (principal.sub, principal.companies) != (before.sub, before.companies):
            raise _OtherCaller(
                "a renewed token must be of the same subject and companies",
                suggested_actions=("Open a connection of its own for the other token.",),
            )

    async def _take(self, data: str | bytes) -> None:
        name = ""
        try:
            message = self.form.read(data)
            name = str(message.get("id", ""))
            match message.get("type"):
                case "token":
                    await self._sign_in(data)
                case "subscribe":
                    await self._subscribe(name, message)
                case "unsubscribe":
                    await self._unsubscribe(name)
                case unknown:
                    raise Invalid(f"{unknown!r} is no type of message", code="bad_message")
        except (Unauthenticated, _OtherCaller):
            raise
        except AnalyticsError as error:
            await self._send_error(name, error)

    async def _subscribe(self, name: str, message: Mapping[str, Any]) -> None:
        target, company = target_of(message)
        try:
            principal = self._signed_in()
            await self.sessions.admit(principal, company)
            self._check_name(name)
            self._follow(name, message, self.sessions.grant(principal, message))
        except AnalyticsError as error:
            self._note(Action.SUBSCRIBE, target, company, error)
            raise
        self._note(Action.SUBSCRIBE, target, company)

    def _check_name(self, name: str) -> None:
        if not name or name in self.subscriptions:
            raise Invalid("a subscription needs an id that no other one has", code="bad_message")
        if len(self.subscriptions) >= MOST_SUBSCRIPTIONS:
            raise LimitExceeded(f"a connection may have {MOST_SUBSCRIPTIONS} subscriptions")

    def _follow(self, name: str, message: Mapping[str, Any], grant: FeedGrant) -> None:
        """Begin to send; however that ends, even before it began, the feed is left."""
        with ExitStack() as following:
            feed = following.enter_context(self.sessions.followed(self._signed_in(), grant))
            pause = pause_of(message)
            sending = self.tasks.create_task(
                attended(lambda: self._pass_on(name, feed, self._place(message, feed), pause))
            )
            ended = following.pop_all()
        sending.add_done_callback(lambda _: ended.close())
        about = {member: value for member, value in message.items() if member != "resume"}  # which counts once
        self.subscriptions[name] = _Subscription(sending, about, grant.key)

    def _place(self, message: Mapping[str, Any], feed: Feed) -> int | Anew:
        """Where in the feed its follower is: 0 before the first document."""
        token = str(message.get("resume") or "")
        return self.sessions.tokens.offset(token, feed, self._signed_in()) if token else 0

    async def _unsubscribe(self, name: str) -> None:
        await _ended(self._drop(name))  # nothing of it may come after the answer to what is asked next

    def _drop(self, name: str, error: AnalyticsError | None = None, *, noted: bool = True) -> asyncio.Task[None] | None:
        """End a subscription."""
        dropped = self.subscriptions.pop(name, None)
        if dropped is None:
            return None
        dropped.sending.cancel()
        if noted:
            self._note(Action.UNSUBSCRIBE, *dropped.about, error)
        return dropped.sending

    def _note(self, action: Action, target: str, company: str = "", error: AnalyticsError | None = None) -> None:
        """Into the trail; what an open subscription is sent from then on is not noted."""
        self._note_of(self.principal, action, target, company, error)

    def _note_of(
        self, principal: Principal | None, action: Action, target: str, company: str, error: AnalyticsError | None
    ) -> None:
        actor, tenant = NOBODY, SYSTEM
        if principal is not None:
            actor, tenant = Actor.of(principal), tenant_of(principal.companies, company)
        outcome, code = outcome_of(error)
        note = Note(actor, action, target, Door.WS, tenant, outcome, code, correlation_id=self.correlation_id)
        self.sessions.trail.note(note)

    async def _pass_on(self, name: str, feed: Feed, place: int | Anew, pause: float) -> None:
        """Send what the feed has: the newest document each time, so that a slow caller misses some, not time.

        As what has changed since the one at `place` in the feed, or whole; at most once in so many seconds.
        """
        begin = self.sessions.tokens.prefix(feed, self._signed_in())
        state: State | None = None
        while True:
            before, state = state, await feed.next(state)
            self._signed_in()
            if state.error is None:
                await self._send(self._frame(name, feed, place, f"{begin}{state.offset}"))
                self.sessions.metrics.add(Metric.LIVE_SENT)
                place = state.offset
            elif before is None or before.error is None or before.error.code != state.error.code:
                await self._send_error(name, state.error)
            await asyncio.sleep(pause)

    def _frame(self, name: str, feed: Feed, place: int | Anew, token: str) -> str | bytes:
        head = {"id": name, "token": token}
        if isinstance(place, Anew):
            head["resume"] = place
        elif place and feed.remembers(place):
            return self.form.frame(DELTA, head, feed.frame(self.form, place))
        return self.form.frame(SNAPSHOT, head, feed.frame(self.form))

    async def _say(self, message: Mapping[str, Any]) -> None:
        await self._send(self.form.message(message))

    async def _send(self, data: str | bytes) -> None:
        """Raises _TooSlow: who takes nothing would hold feeds, and this lock, for ever."""
        try:
            async with asyncio.timeout(SEND_PATIENCE), self.sending:
                await self.socket.send_data(data, mode=self.form.mode)
        except TimeoutError:
            raise _TooSlow from None

    async def _send_error(self, name: str, error: AnalyticsError) -> None:
        await self._say({"type": "error", "id": name, "problem": self._problem(error)})

    def _problem(self, error: AnalyticsError) -> object:
        return problem(error, self.correlation_id, "/api/v1/live")

    async def _refuse(self, error: AnalyticsError) -> None:
        """Say why, and close."""
        code = next((CLOSE_CODES[kind] for kind in type(error).__mro__ if kind in CLOSE_CODES), 1011)
        try:
            await self._send_error("", error)
        except Exception as gone:  # the caller may have gone in any way
            logger.info("a caller was not told why their connection ends: %r", gone)
        await self._close(code, str(error))

    async def _close(self, code: int, reason: str) -> None:
        try:
            async with asyncio.timeout(CLOSE_PATIENCE):
                await self.socket.close(code=code, reason=reason.encode()[:120].decode(errors="ignore"))
        except Exception as gone:
            logger.info("a live connection was not closed in order: %r", gone)


def _first(failed: ExceptionGroup[AnalyticsError]) -> AnalyticsError:
    error = failed.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error


async def _ended(sending: asyncio.Task[None] | None) -> None:
    if sending is not None:
        await asyncio.wait((sending,))
