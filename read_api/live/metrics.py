"""Live metrics as readers have them: what the live lane says of a view, kept as long as somebody asks for it.

The lane's messages replace each other by window, so the newest of each is all there is to keep. A view that is asked
for is followed on the bus from then on, and until nobody has asked for `RESTS` seconds.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
from cachetools import TTLCache

from domain.errors import AnalyticsError, LimitExceeded, Unavailable
from domain.ports import LiveBus, Subscription
from eventlog import tasks
from projections.engine.live.question import (
    FOLLOW_SUBJECT,
    LEASE,
    STATUS_SUBJECT,
    FollowRequest,
    ViewQuestion,
    subject_of,
)
from projections.engine.live.view import MessageKind
from read_api.live.changes import wait_for

RENEW = LEASE / 5  # seconds between two words that a view is still followed
RESTS = 10.0  # seconds without being asked for, after which a view is followed no longer
PATIENCE = 3.0  # seconds that an answer may wait for a first message
SILENCE = 3.0  # seconds without a word, after which the lane is taken for away
STEADFAST = 60.0  # seconds that who follows message by message waits for a lane that is away
LOOK = 0.25  # seconds between two looks whether it is back
MOST_CURRENCIES, CURRENCY_SECONDS = 10_000, 60.0  # companies whose currency is remembered, and how long
MOST_VIEWS = 200  # of one company in this process
SHOWN = 2  # windows of a document at least: the one that is open and the one before
REMEMBERED = 14  # windows of which the newest message is remembered

logger = logging.getLogger(__name__)
Message = dict[str, Any]
Currency = Callable[[str], Awaitable[str]]


@dataclass(slots=True)
class _View:
    """A view as it is known here."""

    question: ViewQuestion
    windows: dict[str, Message] = field(default_factory=dict)  # newest message, by the beginning of the window
    turn: int = 0  # of the newest message
    turns: dict[str, int] = field(default_factory=dict)  # in which one each window was spoken of last
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    asked_at: float = field(default_factory=time.monotonic)
    following: asyncio.Task[None] | None = None

    async def hear(self, _subject: str, data: bytes) -> None:
        message: Message = msgspec.json.decode(data)
        start = message["start"]
        known = self.windows.get(start)
        if known and (_older(message, known) or known["kind"] == MessageKind.DURABLE != message["kind"]):
            return
        if known and known["kind"] != MessageKind.EARLY and message["kind"] != MessageKind.DURABLE:
            message["kind"] = MessageKind.REVISED  # of a lane that does not know what another one said
        self.turn += 1
        self.windows[start], self.turns[start] = message, self.turn
        for old in sorted(self.windows)[:-REMEMBERED]:
            del self.windows[old], self.turns[old]
        self.moved.set()
        self.moved = asyncio.Event()

    def document(self) -> list[Message]:
        """The windows that are open, those that are not durable yet, and the newest that is: each is seen to its end.

        Bars, for one, are known to be whole only when the next ones begin.
        """
        messages = [self.windows[start] for start in sorted(self.windows)]
        durable = [message["kind"] == MessageKind.DURABLE for message in messages]
        settled = durable.index(False) if False in durable else len(durable)
        return messages[max(0, min(settled - 1, len(messages) - SHOWN)) :]


def _older(message: Message, known: Message) -> bool:
    """Whether the same lane has said more since."""
    return bool(known["epoch"] == message["epoch"] and known["revision"] >= message["revision"])


class LiveMetrics:
    """The views that somebody reads in this process. `currency` gives that of a company."""

    def __init__(self, bus: LiveBus, currency: Currency) -> None:
        self._bus = bus
        self._currency = currency
        self._currencies: TTLCache[str, str] = TTLCache(MOST_CURRENCIES, CURRENCY_SECONDS)
        self._views: dict[str, _View] = {}
        self._status: Subscription | None = None
        self._listening: asyncio.Task[None] | None = None
        self._last_message_at = time.monotonic()
        self.figures: dict[str, int] = {}  # of the live lane, as it said them last

    def start(self) -> None:
        """Begin to listen, as soon as the bus is there."""
        self._listening = tasks.start(tasks.keep(self._listen, "the live lane's figures"), "the live lane's figures")

    async def stop(self) -> None:
        """Follow nothing any more."""
        await tasks.end(self._listening, *(view.following for view in self._views.values()))
        if self._status is not None:
            await self._status.stop()

    @property
    def silent(self) -> bool:
        """Whether nothing was heard of the live lane lately."""
        return time.monotonic() - self._last_message_at > SILENCE

    def moves(self, question: ViewQuestion) -> asyncio.Event:
        """An event that is set by the next message of a view."""
        return self._view(question).moved

    async def document(self, question: ViewQuestion) -> Message:
        """What is known of a view: its windows that may still change, the newest last.

        Raises Unavailable while the lane is silent, LimitExceeded for too many views of a company.
        """
        view = await self._spoken_of(question, PATIENCE)
        return await self._shown(view, view.document())

    async def messages(self, question: ViewQuestion) -> AsyncGenerator[Message]:
        """Message by message, of each window the newest: who is slow misses revisions, not windows.

        Raises Unavailable while the lane is silent, LimitExceeded for too many views of a company.
        """
        turn = 0
        while True:
            view = await self._spoken_of(question, STEADFAST)
            moved = view.moved
            fresh = sorted(start for start, at in view.turns.items() if at > turn)
            turn = view.turn
            for start in fresh:
                yield (await self._shown(view, [view.windows[start]]))
            await wait_for(moved, RENEW)

    async def _shown(self, view: _View, windows: list[Message]) -> Message:
        about = view.question
        shown: Message = {"metric": about.window, "company": about.company, "window": about.width, "zone": "UTC"}
        shown["currency"] = await self._currency_of(about.company)
        inner = ("window", "company", "width", "zone")
        return {**shown, "windows": [{k: v for k, v in w.items() if k not in inner} for w in windows]}

    async def _currency_of(self, company: str) -> str | None:
        """That of the company's money; None where it cannot be told now."""
        if company not in self._currencies:
            try:
                self._currencies[company] = await self._currency(company)
            except AnalyticsError as error:
                logger.info("the currency of %s is not known now: %s", company, error)
                return None
        return self._currencies[company]

    async def _spoken_of(self, question: ViewQuestion, patience: float) -> _View:
        """The view, once something is known of it and the lane is not silent."""
        deadline = time.monotonic() + patience
        while True:
            view = self._view(question)
            if view.windows and not self.silent:
                return view
            left = deadline - time.monotonic()
            if left <= 0:
                raise Unavailable(
                    "the live lane says nothing at the moment",
                    code="live_unavailable",
                    suggested_actions=("Ask again in a moment; registered queries answer from the projections.",),
                )
            await wait_for(view.moved, min(left, LOOK))

    def _view(self, question: ViewQuestion) -> _View:
        view = self._views.get(question.id)
        if view is None:
            if sum(v.question.company == question.company for v in self._views.values()) >= MOST_VIEWS:
                raise LimitExceeded(
                    f"a company may follow {MOST_VIEWS} live views at once",
                    suggested_actions=(f"Ask fewer combinations of by and filters within {RESTS:g} s.",),
                )
            view = self._views[question.id] = _View(question)
            name = f"following {question.window} of {question.company}"
            view.following = tasks.start(tasks.keep(lambda: self._follow(view), name), name)
        view.asked_at = time.monotonic()
        return view

    async def _follow(self, view: _View) -> None:
        """Listen, and say so again and again, until nobody asks any more."""
        question = view.question
        subscription, losses = await self._bus.subscribe(subject_of(question), view.hear), -1
        try:
            while time.monotonic() - view.asked_at < RESTS:
                before, losses = losses, self._bus.losses
                oldest = min(view.windows, default="")
                ask = FollowRequest(question, snapshot=not oldest or losses != before, since=oldest)
                with suppress(Unavailable):  # the bus is away: what is asked for next says so
                    await self._bus.publish(FOLLOW_SUBJECT, msgspec.json.encode(ask))
                await asyncio.sleep(RENEW if view.windows else RENEW / 4)
            del self._views[question.id]
        finally:
            await subscription.stop()

    async def _listen(self) -> None:
        if self._status is None:
            self._status = await self._bus.subscribe(STATUS_SUBJECT, self._hear)

    async def _hear(self, _subject: str, data: bytes) -> None:
        try:
            self.figures = msgspec.json.decode(data, type=dict[str, int])
        except msgspec.DecodeError as error:
            logger.warning("the live lane's figures cannot be read: %s", error)
            return
        self._last_message_at = time.monotonic()
