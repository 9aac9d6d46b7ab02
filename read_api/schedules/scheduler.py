"""The scheduler: plans what is due, and carries it out; others do the same beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from domain.reports.run_store import RunStore
from eventlog import tasks
from read_api.schedules.planning import Planner
from read_api.schedules.running import Runner

LOOK = 1.0  # seconds between two looks at what is due
LANES = 3  # runs at a time: while one waits for a recipient's server, others are made


class Scheduler:
    """`now`: ms since 1970 UTC; `lease`: seconds that a run is held after its holder was last heard of."""

    def __init__(self, store: RunStore, runner: Runner, holder: str, now: Callable[[], int], lease: float) -> None:
        self._store, self._runner, self._holder, self._now, self._lease = store, runner, holder, now, lease

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`. What is under way then is given back, and goes on elsewhere or after the next start."""
        working = [tasks.owned(tasks.keep(self._plan, "planning"), "planning")]
        for number in range(LANES):
            working.append(tasks.owned(tasks.keep(self._carry_out, f"lane {number}"), f"lane {number}"))
        try:
            await stop.wait()
        finally:
            await tasks.end(*working)

    async def _plan(self) -> None:
        planner = Planner(self._store)
        while True:
            await planner.plan(self._now())
            await self._store.note_alive(self._holder)
            await asyncio.sleep(LOOK)

    async def _carry_out(self) -> None:
        while True:
            if not await self._runner.next(self._lease):
                await asyncio.sleep(LOOK)
