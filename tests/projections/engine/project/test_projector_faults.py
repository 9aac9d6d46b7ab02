"""Faults around the lanes of a projector: no part of it dies, and the projection comes to the head of the log."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from adapters.nats.bus import NatsBus
from adapters.postgres.read_models.projection_store import PostgresProjectionStore
from domain.ports import LiveBus
from projections.engine.project.projector import Projector
from tests.projections.engine.fold.test_admission import event
from tests.projections.engine.project.test_projector import LIMITS, Bench, bench, clicks
from tests.support.faults import FAULTS, HANG, Faulty

__all__ = ["bench"]  # a fixture
CALLS = ("running", "beat")  # of the store, beside what commits, by which projections stop where the code is wrong


class FaultyStore(PostgresProjectionStore):
    """A store whose calls beside the commit meet a fault while there is one."""

    fault: str | None = None
    met: asyncio.Event
    loop: asyncio.AbstractEventLoop

    def __getattribute__(self, name: str) -> Any:
        """The call, or what fails in its place."""
        real = super().__getattribute__(name)
        error = FAULTS.get(type(self).fault or "")
        if name not in CALLS or error is None:
            return real

        def fails(*given: Any) -> Any:
            type(self).loop.call_soon_threadsafe(type(self).met.set)
            raise error()

        return fails


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_projector_goes_on_after_a_fault(bench: Bench, bus: NatsBus, fault: str) -> None:
    """Of the bus, of looking which projections are to run, of the heartbeat."""
    projection = clicks()
    live = Faulty(bus, "publish")

    class Store(FaultyStore):
        """One for this case."""

        met = asyncio.Event()
        loop = asyncio.get_running_loop()

    projector = Projector([projection], bench.log, lambda: Store(bench.url), cast(LiveBus, live), LIMITS)
    working = asyncio.create_task(projector.run())
    async with asyncio.timeout(60):
        await bench.publish(*(event(i) for i in range(10)))
        await bench.reached(projection)
        live.begin(fault)
        await bench.publish(*(event(i) for i in range(10, 20)))
        await live.occurred.wait()
        if fault != HANG:  # what hangs in a thread is ended with its process
            Store.fault = fault
            await Store.met.wait()
            Store.fault = None
        live.end()
        await bench.publish(*(event(i) for i in range(20, 30)))
        await bench.reached(projection)
        projector.stop()
        await working
    assert bench.rows(projection) == [("u1", 30)]
