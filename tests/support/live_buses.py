"""The adapters of the port `LiveBus` under test: the contract suite runs for each of them.

An adapter enters by a fixture `open_<name>_bus`, which gives an `OpenBus`, and its name in `ADAPTERS`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from adapters.nats.bus import NatsBus
from app.wiring import closed_at_end
from domain.ports import LiveBus

OpenBus = Callable[[], Awaitable[LiveBus]]

ADAPTERS = ["nats"]


@pytest.fixture
def open_nats_bus(nats_url: str) -> OpenBus:
    """Opens connections to one NATS server."""

    async def open_bus() -> LiveBus:
        return await NatsBus.connect(nats_url)

    return open_bus


@pytest.fixture(params=ADAPTERS)
def open_bus(request: pytest.FixtureRequest) -> OpenBus:
    """Opens buses that reach each other, as processes would that share a server."""
    opener: OpenBus = request.getfixturevalue(f"open_{request.param}_bus")
    return opener


@pytest.fixture
async def live_bus(open_bus: OpenBus) -> AsyncIterator[LiveBus]:
    """A connected bus."""
    async with closed_at_end(await open_bus()) as bus:
        yield bus


@pytest.fixture
async def other_bus(open_bus: OpenBus) -> AsyncIterator[LiveBus]:
    """The same bus as `live_bus`, as another process sees it."""
    async with closed_at_end(await open_bus()) as bus:
        yield bus
