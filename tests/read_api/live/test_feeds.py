"""Feeds and movements: everybody gets the newest state, nobody misses a movement, nobody waits for a slow one."""

from __future__ import annotations

import asyncio
from typing import Any

from adapters.nats.bus import NatsBus
from domain.errors import Unavailable
from projections.engine.project import projector
from read_api.live import changes as movements_module
from read_api.live.changes import ProjectionChanges, wait_for
from read_api.live.feeds import SHORTEST, Feeds


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

    def move(self) -> None:
        """It has moved."""
        self.event.set()
        self.event = asyncio.Event()


async def test_followers_of_one_question_share_one_feed() -> None:
    """However many follow, it is asked once."""
    feeds, counter = Feeds(), Counter()
    followed = [feeds.follow("a", counter.ask, counter.moves) for _ in range(50)]
    states = await asyncio.gather(*(feed.next(None) for feed in followed))
    assert counter.asked == 1
    assert {state.answer["n"] for state in states} == {1}
    for _ in followed:
        feeds.leave("a")
    assert len(feeds) == 0


async def test_a_movement_while_it_answers_is_not_missed() -> None:
    """Otherwise the last event of a burst would be shown two seconds late."""
    feeds, counter = Feeds(), Counter()
    feed = feeds.follow("a", counter.ask, counter.moves)
    first = await feed.next(None)
    counter.move()  # long before the pause after the first answer is over
    second = await asyncio.wait_for(feed.next(first), 2 * SHORTEST + 0.5)
    assert second.answer["n"] == 2
    feeds.leave("a")


async def test_a_storm_of_movements_is_answered_four_times_a_second() -> None:
    """The newest state only."""
    feeds, counter = Feeds(), Counter()
    feeds.follow("a", counter.ask, counter.moves)
    for _ in range(100):
        await asyncio.sleep(0.01)
        counter.move()
    assert 2 <= counter.asked <= 6
    feeds.leave("a")


async def test_an_error_is_a_state_and_the_feed_goes_on() -> None:
    """What cannot be answered now may be answered later."""
    feeds, counter = Feeds(), Counter()
    broken = True

    async def ask() -> dict[str, Any]:
        if broken:
            raise Unavailable("away")
        return await counter.ask()

    feed = feeds.follow("a", ask, counter.moves)
    failed = await feed.next(None)
    assert failed.error is not None
    assert failed.error.code == "unavailable"
    broken = False
    counter.move()
    assert (await asyncio.wait_for(feed.next(failed), 3)).error is None
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
