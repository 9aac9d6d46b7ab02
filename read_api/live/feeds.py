"""Feeds: one question answered again whenever its projection has moved, for everybody who follows it.

However many follow, a question is asked once a movement and at most four times a second. A follower always takes the
newest state: one that is slow misses those in between and holds up nobody.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any

from domain.errors import AnalyticsError, Defect, Unavailable
from eventlog import tasks
from read_api.live.changes import wait_for

logger = logging.getLogger(__name__)

SHORTEST = 0.25  # seconds between two answers
PATIENCE = 30.0  # seconds for one answer
DEFECT = "error defect"
IDLE = 2.0  # seconds after which it is asked again though nothing moved: freshness is news, too

AnswerNow = Callable[[], Awaitable[dict[str, Any]]]
Next = Callable[[], asyncio.Event]


@dataclass(frozen=True, slots=True)
class State:
    """What a feed knows: an answer or what went wrong, and the mark that tells two contents apart."""

    answer: dict[str, Any]
    error: AnalyticsError | None
    mark: str


class Feed:
    """One question followed. `moves()` gives an event that is set when asking again is worth it."""

    def __init__(self, ask: AnswerNow, moves: Next) -> None:
        self._ask = ask
        self._moves = moves
        self._state: State | None = None
        self._changed = asyncio.Event()
        self._task = tasks.start(tasks.keep(self._run, "live feed"), "live feed")
        self.followers = 0

    async def next(self, seen: State | None) -> State:
        """The newest state, once it is another than the one seen."""
        while self._state is None or self._state is seen:
            await self._changed.wait()
        return self._state

    def stop(self) -> None:
        """Ask no more."""
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            moved, asked = self._moves(), time.monotonic()
            self._tell(await self._asked())
            await asyncio.sleep(max(0.0, asked + SHORTEST - time.monotonic()))
            await wait_for(moved, IDLE)

    async def _asked(self) -> State:
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await tasks.attended(self._ask)
        except AnalyticsError as error:
            return State({}, error, f"error {error.code}")
        except TimeoutError:
            late = Unavailable(f"no answer came within {PATIENCE:g} s")
            return State({}, late, f"error {late.code}")
        except Exception as error:  # followers are told; a feed that died silently would leave them with old figures
            if self._state is None or self._state.mark != DEFECT:  # once, not at every turn
                logger.exception("a question that is followed failed")
            return State({}, Defect(f"the question failed: {type(error).__name__}"), DEFECT)
        return State(answer, None, str(answer.get("position", answer)))

    def _tell(self, state: State) -> None:
        self._state = state
        self._changed.set()
        self._changed = asyncio.Event()


class Feeds:
    """The feeds that somebody follows now, by what they ask."""

    def __init__(self) -> None:
        self._feeds: dict[Hashable, Feed] = {}

    def __len__(self) -> int:
        return len(self._feeds)

    def follow(self, key: Hashable, ask: AnswerNow, moves: Next) -> Feed:
        """The feed of that key, begun if nobody followed it yet. Give it back with `leave`."""
        feed = self._feeds.get(key)
        if feed is None:
            feed = self._feeds[key] = Feed(ask, moves)
        feed.followers += 1
        return feed

    def leave(self, key: Hashable) -> None:
        """Follow no more; the last one to leave ends the feed."""
        feed = self._feeds[key]
        feed.followers -= 1
        if not feed.followers:
            del self._feeds[key]
            feed.stop()
