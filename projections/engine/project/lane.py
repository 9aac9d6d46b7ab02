"""A lane: one topic's way from the log into the rows, for all projections that read it.

Order of work, one function a step: read → decide → fold → commit. While one batch is stored the next one is read and
folded. Projections far behind catch up beside the lane; when they are near, the lane ends and is begun anew with them.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial

from domain.ports import Chunk, EventLog, LogReader
from domain.request import tracing
from eventlog import tasks
from projections.engine.declare.projection import Projection
from projections.engine.fold.admission import Admission, Records
from projections.engine.project.bad_event_rate import BadEventRate, by_company
from projections.engine.project.batch_size import BatchSizer
from projections.engine.project.catch_up import CatchUp
from projections.engine.project.cohort import Announce, Cohort, Limits, Threads, cohorts, now_ms
from projections.engine.project.traces import traces_of
from projections.engine.store.port import Commit, ProjectionStore


class Lane:
    """Follows some partitions of one topic until it is told to stop, is to be begun anew, or fails."""

    def __init__(
        self,
        topic: str,
        partitions: Sequence[int],
        projections: Sequence[Projection],
        log: EventLog,
        open_store: Callable[[], ProjectionStore],
        limits: Limits,
        announce: Announce,
        turn: asyncio.Lock,
        appetite: BatchSizer,
        step: Callable[[], None],
    ) -> None:
        self.topic = topic
        self._partitions = sorted(partitions)
        self._projections = list(projections)
        self._log = log
        self._open_store = open_store
        self._store = open_store()
        self._limits = limits
        self._gauge = BadEventRate(f"admission to {topic}", limits.poison)
        self._stopping = asyncio.Event()
        self._confirmed = 0.0
        self._decided: dict[int, int] = {}  # where admission's decisions end in the store: nobody catches up beyond
        self._announce = announce
        self._turn = turn
        self._appetite = appetite
        self._step = step

    def stop(self) -> None:
        """Finish the batch in hand, then return from `run`."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until stopped. Raises Fenced, Unavailable or Defect; whatever was not committed is simply read again."""
        threads, chasing = Threads(self.topic), list[asyncio.Task[None]]()
        try:
            admission, live, behind = await asyncio.get_running_loop().run_in_executor(threads.storing, self._load)
            self._decided = dict(live.offsets)
            for cohort in behind:
                catch_up = CatchUp(
                    self.topic, cohort, self._log, self._store, self._appetite, self._announce, self._step
                )
                if cohort.behind(live.offsets) <= self._limits.batch:
                    await catch_up.run(lambda: self._decided, 0, self._stopping)
                    live.projections += cohort.projections
                else:
                    chasing.append(tasks.owned(self._chase(cohort), f"{self.topic} behind"))
            reader = self._log.reader(self.topic)
            try:
                await self._follow(live, admission, reader, threads)
            finally:
                await reader.close()
        finally:
            self.stop()
            try:
                await _end_of(chasing)
            finally:
                await asyncio.to_thread(threads.shutdown)
                self._store.close()

    def _load(self) -> tuple[Admission, Cohort, list[Cohort]]:
        """Admission, the live cohort (which stands where admission stands) and those behind it, as stored."""
        progress = self._store.progress(self.topic, self._partitions, self._projections)
        highest = self._store.highest(self.topic, self._partitions)
        live, behind = Cohort([], dict(progress.admission)), []
        for cohort in cohorts(self._projections, progress.projections):
            if cohort.offsets == live.offsets:
                live.projections += cohort.projections
            else:
                behind.append(cohort)
        earlier = self._store.has_earlier_identities()
        admission = Admission(self.topic, self._store.admitted_before, highest, self._limits.tokens, earlier=earlier)
        return admission, live, behind

    async def _chase(self, cohort: Cohort) -> None:
        """Catch up beside the live loop, then end the lane: begun anew, it takes the cohort along."""
        store = self._open_store()
        try:
            catch_up = CatchUp(self.topic, cohort, self._log, store, self._appetite, self._announce, lambda: None)
            await catch_up.run(lambda: self._decided, self._limits.batch, self._stopping)
        finally:
            store.close()
            self.stop()

    async def _follow(self, cohort: Cohort, admission: Admission, reader: LogReader, threads: Threads) -> None:
        """The live loop. While one batch is stored the next is read and folded; no more than that is under way."""
        storing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        storing.set_result(None)
        try:
            while not self._stopping.is_set():
                asked_at = time.monotonic()
                # What is being stored is to be looked after, else nothing needs doing before the next note.
                wait = self._limits.confirm if storing.done() else self._limits.wait
                chunks = await self._news(reader, cohort, wait)
                arrived = time.monotonic()
                commit = None
                if chunks:
                    spent = int(1000 * (arrived - asked_at))
                    with tracing.linked("batch", traces_of(chunks), topic=self.topic, read_ms=spent):
                        commit = await self._folded(cohort, admission, chunks, threads)
                        await storing
                        storing = tasks.owned(self._store_batch(admission, commit, threads), f"{self.topic} stored")
                else:
                    await storing
                self._step()
                if commit is not None:
                    await asyncio.sleep(self._limits.rest(commit, time.monotonic() - arrived))
                else:
                    await self._confirm(cohort, threads)
        finally:
            self._appetite.full(self.topic)
            await storing

    async def _news(self, reader: LogReader, cohort: Cohort, wait: float) -> list[Chunk]:
        """What the log has for the cohort; nothing where nothing comes in so many seconds, or the lane is to stop."""
        most, chunks = self._appetite.records(self.topic), list[Chunk]()

        async def read() -> None:
            chunks.extend(await reader.read(cohort.offsets, max_records=most, wait=wait))

        await tasks.first(read(), self._stopping.wait())
        return chunks

    async def _folded(self, cohort: Cohort, admission: Admission, chunks: Sequence[Chunk], threads: Threads) -> Commit:
        loop = asyncio.get_running_loop()
        async with self._turn:  # one lane at a time: a batch as columns is many times its bytes
            commit = await loop.run_in_executor(
                threads.folding, copy_context().run, self._fold, cohort, admission, chunks
            )
        self._appetite.took(self.topic, commit.events, commit.size, left=commit.left)
        cohort.offsets.update(commit.reached)
        return commit

    async def _confirm(self, cohort: Cohort, threads: Threads) -> None:
        """Note, now and then, that nothing is missing."""
        if time.monotonic() - self._confirmed > self._limits.confirm:
            loop, offsets = asyncio.get_running_loop(), dict(cohort.offsets)
            await loop.run_in_executor(threads.storing, self._store.confirm, self.topic, offsets, now_ms())
            self._confirmed = time.monotonic()

    def _fold(self, cohort: Cohort, admission: Admission, chunks: Sequence[Chunk]) -> Commit:
        records = Records.of(chunks)
        with tracing.span("admission", events=len(records.values)):
            facts, admitted = admission.decide(records)
        bad = Counter(event.company_id for event in admitted.quarantined)
        if bad or self._gauge.met:
            self._gauge.count(by_company(facts) + bad, bad)
        with tracing.span("fold"):
            return cohort.commit(self.topic, chunks, facts, admitted)

    async def _store_batch(self, admission: Admission, commit: Commit, threads: Threads) -> None:
        with tracing.span("store", events=commit.events):
            within = partial(asyncio.get_running_loop().run_in_executor, threads.storing)
            await self._appetite.troubles[self.topic].store(commit, self._store, within)
        self._decided.update(commit.reached)
        if commit.admitted is not None:
            admission.stored(commit.admitted)
        await self._announce(commit)


async def _end_of(work: Sequence[asyncio.Task[None]]) -> None:
    """Wait for all of it, then raise what the first one raised that failed."""
    for outcome in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
