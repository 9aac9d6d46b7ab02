"""Catching up: a cohort that is behind reads again what admission has decided long ago, until it stands at a goal.

It works from the recorded decisions, so that what it folds is, event for event, what the live lane folded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from domain.ports import Chunk, EventLog
from eventlog.read import Reading, between
from projections.engine.fold.additive import looked_at
from projections.engine.fold.admission import readmit
from projections.engine.project.batch_size import BatchSizer
from projections.engine.project.cohort import Announce, Cohort, Threads
from projections.engine.store.port import Aside, Commit, Offsets, ProjectionStore


class CatchUp:
    """Brings one cohort of one topic forward, with a reader and threads of its own."""

    def __init__(
        self,
        topic: str,
        cohort: Cohort,
        log: EventLog,
        store: ProjectionStore,
        appetite: BatchSizer,
        announce: Announce,
        step: Callable[[], None],
    ) -> None:
        self._topic = topic
        self.cohort = cohort
        self._log = log
        self._store = store
        self._appetite = appetite
        self._announce = announce
        self._step = step

    async def run(self, goal: Callable[[], Offsets], near: int, stopping: asyncio.Event) -> None:
        """Go on until the cohort is at most `near` records before the goal (which may move), or stopping is set.

        Raises Unavailable, Fenced, FoldFailed, and Defect where the log no longer has what is behind.
        """
        name = f"{self._topic}-behind"
        threads, reading = Threads(name), Reading(self._log, self._topic, {})
        loop = asyncio.get_running_loop()
        try:
            while self.cohort.behind(goal()) > near and not stopping.is_set():
                reading.left = between(self.cohort.offsets, goal())
                chunks = await reading.read(self._appetite.records(name))
                ranges = {c.partition: (self.cohort.offsets[c.partition], c.next_offset) for c in chunks}
                aside = await loop.run_in_executor(threads.storing, self._store.set_aside, self._topic, ranges)
                commit = await loop.run_in_executor(threads.folding, self._refold, chunks, aside)
                self._appetite.took(name, commit.events, commit.size)
                within = partial(loop.run_in_executor, threads.storing)
                await self._appetite.troubles[name].store(commit, self._store, within)
                self.cohort.offsets.update(commit.reached)
                await self._announce(commit)
                self._step()
        finally:
            self._appetite.full(name)
            await asyncio.to_thread(threads.shutdown)
            await reading.close()

    def _refold(self, chunks: Sequence[Chunk], aside: Aside) -> Commit:
        reads = looked_at(self.cohort.projections, "event_id")  # which is told of an event that is refused
        facts = readmit(self._topic, chunks, aside.everywhere, reads)
        return self.cohort.commit(self._topic, chunks, facts, None, aside)
