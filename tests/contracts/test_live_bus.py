"""What every live bus promises, whatever carries it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

import pytest

from domain.errors import LimitExceeded, Unavailable
from domain.ports import LiveBus


class Heard:
    """A handler that remembers what it was given, and can be held up."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self._news = asyncio.Event()

    async def __call__(self, subject: str, data: bytes) -> None:
        await self.may_go_on.wait()
        self.messages.append((subject, data))
        self._news.set()

    async def count(self, number: int) -> list[tuple[str, bytes]]:
        """Wait until so many messages were heard; fails after 10 s."""
        await self._until(lambda: len(self.messages) >= number)
        return self.messages

    async def hears(self, data: bytes) -> None:
        """Wait until this is the newest message heard; fails after 10 s."""
        await self._until(lambda: bool(self.messages) and self.messages[-1][1] == data)

    async def _until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not true():
                self._news.clear()
                await self._news.wait()


@pytest.fixture
def subject() -> str:
    """A subject that no other test uses."""
    return f"test.{secrets.token_hex(6)}"


async def test_a_message_reaches_every_listener(live_bus: LiveBus, other_bus: LiveBus, subject: str) -> None:
    """Also those of other processes; bytes arrive as they were sent."""
    here, there = Heard(), Heard()
    await live_bus.subscribe(subject, here)
    await other_bus.subscribe(subject, there)
    await other_bus.flush()
    await live_bus.publish(subject, b"\x00\xffdata")
    assert await here.count(1) == await there.count(1) == [(subject, b"\x00\xffdata")]


async def test_messages_of_one_sender_keep_their_order(live_bus: LiveBus, subject: str) -> None:
    """The handler is awaited one message at a time."""
    heard = Heard()
    await live_bus.subscribe(subject, heard)
    for number in range(2_000):
        await live_bus.publish(subject, str(number).encode())
    await live_bus.flush()
    assert [int(data) for _, data in await heard.count(2_000)] == list(range(2_000))


async def test_wildcards_match_one_token_or_the_rest(live_bus: LiveBus, subject: str) -> None:
    """`*` is one token, `>` is one or more at the end."""
    star, rest = Heard(), Heard()
    await live_bus.subscribe(f"{subject}.*", star)
    await live_bus.subscribe(f"{subject}.>", rest)
    for tail in ("a", "a.b", "c"):
        await live_bus.publish(f"{subject}.{tail}", tail.encode())
    assert [data for _, data in await rest.count(3)] == [b"a", b"a.b", b"c"]
    assert [data for _, data in await star.count(2)] == [b"a", b"c"]


async def test_nobody_hears_after_stop(live_bus: LiveBus, subject: str) -> None:
    """A stopped subscription gets no call any more; others go on."""
    stopped, going_on = Heard(), Heard()
    subscription = await live_bus.subscribe(subject, stopped)
    await live_bus.subscribe(subject, going_on)
    await live_bus.publish(subject, b"first")
    await stopped.count(1)
    await subscription.stop()
    await live_bus.publish(subject, b"second")
    assert [data for _, data in await going_on.count(2)] == [b"first", b"second"]
    assert [data for _, data in stopped.messages] == [b"first"]


async def test_a_failing_handler_hears_the_next_message(live_bus: LiveBus, subject: str) -> None:
    """One bad message does not end the subscription."""
    heard = Heard()

    async def fails_on_bad(name: str, data: bytes) -> None:
        if data == b"bad":
            raise ValueError("this one is bad")
        await heard(name, data)

    await live_bus.subscribe(subject, fails_on_bad)
    for data in (b"good", b"bad", b"better"):
        await live_bus.publish(subject, data)
    assert [data for _, data in await heard.count(2)] == [b"good", b"better"]


async def test_a_slow_listener_keeps_the_newest_messages(live_bus: LiveBus, other_bus: LiveBus, subject: str) -> None:
    """What waits for it is bounded: the oldest go, and the sender does not notice."""
    slow, quick = Heard(), Heard()
    await live_bus.subscribe(subject, slow)
    await live_bus.subscribe(f"{subject}.last", quick)
    await live_bus.flush()
    slow.may_go_on.clear()
    for number in range(20_000):
        await other_bus.publish(subject, str(number).encode())
    await other_bus.publish(subject, b"20000")
    await other_bus.publish(f"{subject}.last", b"")
    await quick.count(1)
    await asyncio.sleep(0.5)  # all has arrived; let the bus see to what waits
    slow.may_go_on.set()
    await slow.hears(b"20000")
    numbers = [int(data) for _, data in slow.messages]
    assert len(numbers) < 10_000
    assert numbers == sorted(numbers)


async def test_a_message_of_one_megabyte_goes_through_and_a_huge_one_is_refused(
    live_bus: LiveBus, subject: str
) -> None:
    """As large as the largest event; beyond the limit the sender is told and the bus goes on working."""
    heard = Heard()
    await live_bus.subscribe(subject, heard)
    large = bytes(range(256)) * 4096
    await live_bus.publish(subject, large)
    with pytest.raises(LimitExceeded):
        await live_bus.publish(subject, b"x" * 10_000_000)
    await live_bus.publish(subject, b"small")
    assert [data for _, data in await heard.count(2)] == [large, b"small"]


async def test_a_closed_bus_takes_nothing(live_bus: LiveBus, subject: str) -> None:
    """It says so instead of losing messages in silence."""
    assert live_bus.connected
    await live_bus.close()
    assert not live_bus.connected
    with pytest.raises(Unavailable):
        await live_bus.publish(subject, b"x")
    with pytest.raises(Unavailable):
        await live_bus.flush()
