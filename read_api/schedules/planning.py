"""Which runs are due: follows what is decided about report schedules in the event store itself, which is never behind.

Any number of planners may plan the same: a run is there once. What was planned without an event that came in late, of
a moment that was planned already, is planned again from that moment on.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec

from domain.configuration.event_store import Stored, event_of, read_state
from domain.configuration.report_schedule import REPORT_SCHEDULE, RunSentAgain
from domain.errors import AnalyticsError, Invalid
from domain.reports.due_runs import Since, planned
from domain.reports.run_store import Plan, RunStore
from domain.reports.schedule_runs import Run

EVERYTHING = 2**62  # where nobody ever planned, what was decided before counts from now on
logger = logging.getLogger(__name__)


class History(msgspec.Struct):
    """What a schedule was, from each of its events on; `company`: whose it is."""

    company: str
    since: list[Since]


class Planner:
    """Plans the runs of all schedules, from where planning ended before it on."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._histories: dict[str, History] = {}
        self._read = 0  # number of the last event
        self._plan: Plan | None = None

    async def plan(self, now: int) -> int:
        """Keep every run that is due by now (ms), and return how many. Raises Unavailable."""
        if self._plan is None:
            self._plan = await self._store.plan() or Plan(now, EVERYTHING)
        until, number = self._plan
        begins: dict[str, int] = {}
        for stored in await self._store.decided(self._read):
            self._read = stored.number
            at = await self._take(stored, new=stored.number > number)
            if stored.number > number:
                begins.setdefault(str(stored.aggregate_id), min(until, at))
        runs = [
            run for schedule_id, history in self._histories.items()
            for run in self._due(schedule_id, history, begins.get(schedule_id, until), now)
        ]  # fmt: skip
        plan = Plan(max(until, now), self._read if number == EVERYTHING else max(self._read, number))
        await self._store.add(runs, plan)
        self._plan = plan
        return len(runs)

    async def _take(self, stored: Stored, *, new: bool) -> int:
        """Take an event into its schedule's history, and return when it was decided (ms)."""
        state, schedule_id = read_state(stored), str(stored.aggregate_id)
        history = self._histories.setdefault(schedule_id, History(state.company_id, []))
        before = history.since[-1].schedule if history.since else None
        try:
            event = event_of(stored)
            if isinstance(event, RunSentAgain) and new:
                await self._store.send_again(state.company_id, schedule_id, event.due, stored.number)
            after = REPORT_SCHEDULE.evolve(before, event)
        except AnalyticsError as error:  # of a newer release: the schedule stays as far as this one reads it
            logger.warning("schedule %s: %s", schedule_id, error)
            return state.at
        if after != before:
            last = history.since[-1].at if history.since else 0
            history.since.append(Since(max(state.at, last), after))
        return state.at

    @staticmethod
    def _due(schedule_id: str, history: History, after: int, now: int) -> Sequence[Run]:
        """The runs of a schedule. One that this release cannot read is passed over, and told in the log."""
        try:
            return list(planned(history.company, schedule_id, history.since, after, now))
        except Invalid as error:
            logger.error("schedule %s of %s is due no more: %s", schedule_id, history.company, error)
            return ()
