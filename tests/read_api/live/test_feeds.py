"""Feeds and movements: everybody gets the newest state, nobody misses a movement, nobody waits for a slow one."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from adapters.nats.bus import NatsBus
from domain.errors import Unavailable
from projections.engine.project import projector
from read_api.live import changes as movements_module
from read_api.live import feeds as feeds_module
from read_api.live.changes import ProjectionChanges, wait_for
from read_api.live.feeds import SHORTEST, Feed, Feeds, Source
from read_api.live.forms import JSON
from tests.support.live_documents import apply_delta, canonical


class Counter:
    """A question whose answer counts how often it was asked; `moved` lets it be asked again."""

    def __init__(self) -> None:
        self.asked = 0
        self.event = asyncio.Event()

    async def ask(self) -> dict[str, Any]:
        """The next answer."""
        self.asked += 1
        return {"position": f"p{self.asked}", "n": self.asked}

    def moves(self) -> asyncio.Event:
        """Set when it moves next."""
        return self.event

    @property
    def source(self) -> Source:
        """As a feed takes it."""
        return Source(self.ask, self.moves)

    def move(self) -> None:
        """It has moved."""
        self.event.set()
        self.event = asyncio.Event()


async def test_followers_of_one_question_share_one_feed() -> None:
    """However many follow, it is asked once."""
    feeds, counter = Feeds(), Counter()
    followed = [feeds.follow("a", counter.source) for _ in range(50)]
    await asyncio.gather(*(feed.next(None) for feed in followed))
    assert counter.asked == 1
    assert [feed.document()["n"] for feed in followed] == [1] * 50
    assert len({id(feed.frame(JSON)) for feed in followed}) == 1  # encoded once, the same bytes for all
    for _ in followed:
        feeds.leave("a")
    assert len(feeds) == 0


async def test_a_movement_while_it_answers_is_not_missed() -> None:
    """Otherwise the last event of a burst would be shown two seconds late."""
    feeds, counter = Feeds(), Counter()
    feed = feeds.follow("a", counter.source)
    first = await feed.next(None)
    counter.move()  # long before the pause after the first answer is over
    await asyncio.wait_for(feed.next(first), 2 * SHORTEST + 0.5)
    assert feed.document()["n"] == 2
    feeds.leave("a")


async def test_a_storm_of_movements_is_answered_four_times_a_second() -> None:
    """The newest state only."""
    feeds, counter, began = Feeds(), Counter(), time.monotonic()
    feeds.follow("a", counter.source)
    for _ in range(100):
        await asyncio.sleep(0.01)
        counter.move()
    assert 2 <= counter.asked <= 1 + (time.monotonic() - began) / SHORTEST
    feeds.leave("a")


async def test_an_error_is_a_state_and_the_feed_goes_on() -> None:
    """What cannot be answered now may be answered later."""
    feeds, counter = Feeds(), Counter()
    broken = True

    async def ask() -> dict[str, Any]:
        if broken:
            raise Unavailable("away")
        return await counter.ask()

    feed = feeds.follow("a", Source(ask, counter.moves))
    failed = await feed.next(None)
    assert failed.error is not None
    assert failed.error.code == "unavailable"
    broken = False
    counter.move()
    assert (await asyncio.wait_for(feed.next(failed), 3)).error is None
    feeds.leave("a")


async def turned(feed: Feed, counter: Counter) -> dict[str, Any]:
    """The next document of a feed."""
    before = await feed.next(None)
    counter.move()
    await asyncio.wait_for(feed.next(before), 3)
    return feed.document()


async def test_what_changed_since_any_document_that_is_remembered_makes_the_newest_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also for who has missed those in between; what is forgotten begins anew."""
    monkeypatch.setattr(feeds_module, "MOST_DOCUMENTS", 3)
    feeds, counter = Feeds(), Counter()
    feed = feeds.follow("a", Source(counter.ask, counter.moves, shortest=0.0))
    await feed.next(None)
    documents = [feed.document()] + [await turned(feed, counter) for _ in range(4)]
    assert [feed.remembers(offset) for offset in range(7)] == [False, False, False, True, True, True, False]
    for offset in (3, 4, 5):
        delta = json.loads(f"{{{feed.frame(JSON, offset).decode()}}}")["delta"]
        assert canonical(apply_delta(documents[offset - 1], delta)) == canonical(documents[-1])
    feeds.leave("a")


async def test_a_feed_that_nobody_follows_asks_nothing_and_is_gone_on_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a while; who comes anew gets no old figures."""
    feeds, counter = Feeds(), Counter()
    feed = feeds.follow("a", counter.source)
    before = await feed.next(None)
    feeds.leave("a")
    counter.move()
    await asyncio.sleep(2 * SHORTEST)
    assert counter.asked == 1
    again = feeds.follow("a", counter.source)
    assert again is feed
    state = await asyncio.wait_for(feed.next(None), 3)
    assert (state.offset, feed.document()["n"]) == (before.offset + 1, 2)
    assert feed.remembers(before.offset)
    monkeypatch.setattr(feeds_module, "REMEMBERED", 0.05)
    feeds.leave("a")
    await asyncio.sleep(0.2)
    anew = feeds.follow("a", counter.source)
    assert anew.epoch != feed.epoch
    feeds.leave("a")


async def test_what_is_remembered_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wide documents that change as a whole are forgotten sooner than those that share their rows."""
    monkeypatch.setattr(feeds_module, "MOST_BYTES", 50_000)
    feeds, counter, whole = Feeds(), Counter(), True

    async def ask() -> dict[str, Any]:
        answer = await counter.ask()
        return {**answer, "rows": [{"k": k, "n": answer["n"] if whole or not k else 0} for k in range(1_000)]}

    feed = feeds.follow("a", Source(ask, counter.moves, shortest=0.0))
    for _ in range(6):
        await turned(feed, counter)
    assert [feed.remembers(offset) for offset in (3, 4, 7)] == [False, True, True]  # three times 15 kB beside it
    whole = False
    for _ in range(20):
        await turned(feed, counter)
    newest = (await feed.next(None)).offset
    assert feed.remembers(newest - 15)
    feeds.leave("a")


async def test_movements_on_the_bus_wake_those_who_wait(bus: NatsBus) -> None:
    """For the projection that moved, and for any."""
    movements = ProjectionChanges(bus)
    movements.start()
    one, other, some = movements.next("trading"), movements.next("users"), movements.next()
    while not one.is_set():
        await bus.publish(f"{projector.PROJECTED}.trading", b"{}")
        await wait_for(one, 0.05)
    assert some.is_set()
    assert not await wait_for(other, 0.1)
    await movements.stop()


def test_the_projector_and_the_read_side_mean_the_same_subject() -> None:
    """The read side must not load the projector, which loads Polars, so each names it."""
    assert movements_module.PROJECTED == projector.PROJECTED
