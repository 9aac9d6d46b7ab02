"""Feeds: one source followed by everybody who may see it, as documents that change.

However many follow, a source is asked once a movement and at most so often a second. A follower always takes the
newest document, as what changed since the one it has: one that is slow misses those in between and holds up nobody.
What a feed sends is encoded once, however many it goes to.

A feed remembers its last documents, so that who was away goes on where they were; also for a while after the last
follower left, when it asks nothing. Another process, or the same one a minute later, has another epoch.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from domain.errors import AnalyticsError, Defect, Unavailable
from eventlog import tasks
from projections.engine.query.wide_answers import beside
from read_api.live.changes import wait_for
from read_api.live.documents import Delta, Item, difference, successor
from read_api.live.forms import Form

logger = logging.getLogger(__name__)

SHORTEST = 0.25  # seconds between two answers
PACE = 1.0  # seconds of rest for each second that an answer took: what costs much is shown less often
LONGEST = 5.0  # seconds of rest, whatever it cost
PATIENCE = 30.0  # seconds for one answer
IDLE = 2.0  # seconds after which it is asked again though nothing moved: freshness is news, too
REMEMBERED = 60.0  # seconds that a feed remembers its documents after the last follower left
MOST_DOCUMENTS = 256  # of a feed that are remembered
MOST_BYTES = 1 << 20  # of JSON that these have beyond the newest one
MOST_RESTING = 256  # feeds that nobody follows and that remember

AnswerNow = Callable[[], Awaitable[dict[str, Any]]]
Next = Callable[[], asyncio.Event]


@dataclass(frozen=True, slots=True)
class Source:
    """What a feed shows: `ask` gives it as it is now, `moves` an event that is set when asking again is worth it.

    A registered query, a dashboard, a live window: a feed knows no more of it. `company`: whose it is, "" for nobody's;
    `shortest`: seconds between two answers at least; `pace`: seconds of rest for each second that one took.
    """

    ask: AnswerNow
    moves: Next
    company: str = ""
    shortest: float = SHORTEST
    pace: float = PACE


class State(NamedTuple):
    """What a feed says at one time: an error, or a document, which is the one of this offset. A new one each turn."""

    turn: int
    offset: int
    error: AnalyticsError | None


class _Past(NamedTuple):
    """A document that was, and how many bytes it has that the one before it had not."""

    item: Item
    fresh: int


class Feed:
    """One source followed."""

    def __init__(self, source: Source) -> None:
        self.epoch = secrets.token_hex(8)
        self.followers = 0
        self._source = source
        self._past: deque[_Past] = deque()  # the newest is the last
        self._offset = 0  # of the newest; the first one has 1
        self._bytes = 0
        self._turn = 0
        self._state: State | None = None  # None: nothing is known of now
        self._changed = asyncio.Event()
        self._frames: dict[tuple[Form, int], bytes] = {}  # of the newest, by what they start from
        self._task: asyncio.Task[None] | None = None

    async def next(self, seen: State | None) -> State:
        """The newest state, once it is another than the one seen."""
        while self._state is None or self._state is seen:
            await self._changed.wait()
        return self._state

    def remembers(self, offset: int) -> bool:
        """Whether what changed since the document of this offset can be said."""
        return self._offset - len(self._past) < offset <= self._offset

    def frame(self, form: Form, since: int = 0) -> bytes:
        """What makes the newest document of one that is remembered; for 0 the newest as a whole."""
        place = form, since
        if place not in self._frames:
            newest = self._past[-1].item
            if since:
                self._frames[place] = form.delta(difference(self._at(since), newest))
            else:
                self._frames[place] = form.snapshot(newest)
        return self._frames[place]

    def document(self) -> dict[str, Any]:
        """The newest document."""
        return self._past[-1].item.document()

    def changes(self, since: int) -> Delta:
        """What makes the newest document of one that is remembered."""
        return difference(self._at(since), self._past[-1].item)

    def start(self) -> None:
        """Ask, from now on."""
        self._task = tasks.start(tasks.keep(self._run, "live feed"), "live feed")

    def stop(self) -> None:
        """Ask no more. What is remembered can be gone on from, and is no answer to who comes anew."""
        if self._task is not None:
            self._task.cancel()
        self._state, self._task = None, None

    def _at(self, offset: int) -> Item:
        return self._past[offset - self._offset - 1].item

    async def _run(self) -> None:
        while True:
            moved, asked = self._source.moves(), time.monotonic()
            self._publish_state(await self._answered())
            cost = time.monotonic() - asked
            await asyncio.sleep(max(self._source.shortest - cost, min(self._source.pace * cost, LONGEST)))
            await wait_for(moved, IDLE)

    async def _answered(self) -> AnalyticsError | None:
        """Ask, and remember the answer; why there is none."""
        try:
            async with asyncio.timeout(PATIENCE):
                self._remember(*await self._made(await tasks.attended(self._source.ask)))
        except AnalyticsError as error:
            return error
        except TimeoutError:
            return Unavailable(f"no answer came within {PATIENCE:g} s")
        except Exception as error:  # followers are told; a feed that died silently would leave them with old figures
            if self._state is None or not isinstance(self._state.error, Defect):  # once, not at every turn
                logger.exception("a question that is followed failed")
            return Defect(f"the question failed: {type(error).__name__}")
        return None

    async def _made(self, answer: dict[str, Any]) -> tuple[Item, int]:
        """The document of an answer, sharing with the one before what is the same; a wide one is made in a thread."""
        before = self._past[-1].item if self._past else Item({})
        rows = [row for tile in answer.get("tiles", (answer,)) for row in tile.get("rows", ())]
        return await beside(rows, self._source.company, lambda _: successor(before, answer), keep=True)

    def _remember(self, item: Item, fresh: int) -> None:
        """Take in a document, and forget what is too old or too much: beyond the newest, what each had of its own."""
        past = self._past
        if past and past[-1].item.same(item):
            return
        self._frames.clear()
        self._offset += 1
        self._bytes += fresh if past else 0
        past.append(_Past(item, fresh))
        while len(past) > 1 and (len(past) > MOST_DOCUMENTS or self._bytes > MOST_BYTES):
            past.popleft()
            self._bytes -= past[0].fresh

    def _publish_state(self, error: AnalyticsError | None) -> None:
        self._turn += 1
        self._state = State(self._turn, self._offset, error)
        self._changed.set()
        self._changed = asyncio.Event()


class Feeds:
    """The feeds that somebody follows now, or did a moment ago, by what they show."""

    def __init__(self) -> None:
        self._feeds: dict[Hashable, Feed] = {}
        self._resting: dict[Hashable, asyncio.TimerHandle] = {}  # the longest first

    def __len__(self) -> int:
        return len(self._feeds) - len(self._resting)

    def follow(self, key: Hashable, source: Source) -> Feed:
        """The feed of that key, begun if nobody follows it yet. Give it back with `leave`."""
        if (resting := self._resting.pop(key, None)) is not None:
            resting.cancel()
        feed = self._feeds.get(key)
        if feed is None:
            feed = self._feeds[key] = Feed(source)
        if not feed.followers:
            feed.start()
        feed.followers += 1
        return feed

    def leave(self, key: Hashable) -> None:
        """Follow no more; after the last one has left, the feed remembers for a while and asks nothing."""
        feed = self._feeds[key]
        feed.followers -= 1
        if feed.followers:
            return
        feed.stop()
        self._resting[key] = asyncio.get_running_loop().call_later(REMEMBERED, partial(self._forget, key))
        if len(self._resting) > MOST_RESTING:
            self._forget(next(iter(self._resting)))

    def _forget(self, key: Hashable) -> None:
        self._resting.pop(key).cancel()
        del self._feeds[key]
