"""The projector: a worker that keeps all projections up to date with the partitions it is assigned.

It joins the group of projectors, runs one lane a topic, and starts over from the stored checkpoints whenever its
assignment changes, a server comes back or another worker has fenced it. What a failure means is decided here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from domain.errors import AnalyticsError, Fenced, Unavailable
from domain.ports import EventLog, LiveBus, Membership
from domain.position import Position
from eventlog import tasks
from eventlog.columns import fault
from projections.engine.declare.projection import Projection
from projections.engine.project.batch_size import BatchSizer
from projections.engine.project.cohort import Limits, now_ms
from projections.engine.project.failure import Failure, TopicBeat, worker_name
from projections.engine.project.lane import Lane
from projections.engine.store.port import Commit, FoldFailed, Interrupted, ProjectionStore

GROUP = "analytics-projectors"
BEAT = 1.0  # seconds between two heartbeats
LONGEST_PAUSE = 1.0  # seconds until a part that failed in a way that nobody expected is begun anew
PROJECTED = "analytics.projected"  # NATS subject prefix: one message a projection and commit

logger = logging.getLogger(__name__)


class Projector:
    """One worker of the group. `run` returns after `stop`, with every batch in hand committed."""

    def __init__(
        self,
        projections: Sequence[Projection],
        log: EventLog,
        open_store: Callable[[], ProjectionStore],
        bus: LiveBus | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._projections = list(projections)
        self._log = log
        self._open_store = open_store
        self._bus = bus
        self._limits = limits or Limits()
        self._stopping = asyncio.Event()
        self._turn = asyncio.Lock()
        self._appetite = BatchSizer(self._limits.batch)
        self._steps: dict[str, float] = {}  # by topic: when its lane last got on, or waited for a reason
        self._waiting: dict[str, Failure] = {}

    def stop(self) -> None:
        """Drain: finish what is in hand, then let `run` return."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until stopped; servers that go away are waited for."""
        topics = sorted({t for p in self._projections for t in p.topics})
        await self._prepare()
        membership = await self._join(topics)
        try:
            async with asyncio.TaskGroup() as group:
                for topic in topics:
                    work = partial(self._keep_lane, topic, membership)
                    group.create_task(tasks.keep(work, f"the lane of {topic}", longest=LONGEST_PAUSE))
                beating = partial(self._keep_beating, topics, membership)
                group.create_task(tasks.keep(beating, "the projector's heartbeat", longest=LONGEST_PAUSE))
        finally:
            await membership.leave()

    def idle(self) -> float:
        """Seconds since the topic that rests longest got on; waiting for a server that is away is no rest."""
        return max((time.monotonic() - at for at in self._steps.values()), default=0.0)

    async def _prepare(self) -> None:
        store = self._open_store()
        try:
            await self._retry(lambda: asyncio.to_thread(store.prepare, self._projections))
        finally:
            store.close()

    async def _join(self, topics: Sequence[str]) -> Membership:
        while True:
            try:
                return await self._log.join(GROUP, topics)
            except Unavailable as error:
                await self._pause(error, 0.5)

    async def _retry(self, call: Callable[[], Awaitable[None]]) -> None:
        while not self._stopping.is_set():
            try:
                await call()
                break
            except Unavailable as error:
                await self._pause(error, 0.5)

    async def _pause(self, error: AnalyticsError, seconds: float) -> None:
        logger.warning("projector waits: %s", error)
        await self._idle(seconds)

    async def _idle(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _keep_lane(self, topic: str, membership: Membership) -> None:
        """Run the topic's lane while this worker has partitions of it, from the checkpoint after any failure."""
        store = self._open_store()
        try:
            while not self._stopping.is_set():
                try:
                    await self._run_lane(topic, membership, store)
                except (Fenced, Unavailable) as error:
                    self._steps[topic] = time.monotonic()
                    since = self._waiting[topic].since if topic in self._waiting else now_ms()
                    culprit = error.culprit if isinstance(error, Interrupted) else None
                    self._waiting[topic] = Failure.of(error, topic, since, culprit)
                    await self._pause(error, 0.2)
        finally:
            store.close()

    async def _run_lane(self, topic: str, membership: Membership, store: ProjectionStore) -> None:
        partitions = _of(topic, membership)
        reading = [p for p in self._projections if topic in p.topics]
        running = await asyncio.to_thread(store.running, reading) if partitions else []
        self._step(topic)
        if not running:
            await membership.wait_changed(0.5)
            return
        lane = Lane(
            topic,
            partitions,
            running,
            self._log,
            self._open_store,
            self._limits,
            self._announce,
            self._turn,
            self._appetite,
            partial(self._step, topic),
        )
        watch = tasks.start(
            self._stop_when_changed(lane, partitions, membership, store, running), f"the watch on {topic}"
        )
        try:
            await lane.run()
        except FoldFailed as error:
            await self._give_up(store, [error.projection], topic, error)
        except (Fenced, Unavailable):
            raise
        except BaseException as error:  # whatever it is, the code is wrong: these projections stop, the others go on
            fault(error)
            await self._give_up(store, running, topic, error)
        finally:
            watch.cancel()

    async def _stop_when_changed(
        self,
        lane: Lane,
        partitions: list[int],
        membership: Membership,
        store: ProjectionStore,
        running: list[Projection],
    ) -> None:
        """End the lane when its partitions, or the projections that are to run, are no longer those it began with."""
        reading = [p for p in self._projections if lane.topic in p.topics]
        try:
            while not self._stopping.is_set() and _of(lane.topic, membership) == partitions:
                await tasks.first(membership.wait_changed(1.0), self._stopping.wait())
                if await asyncio.to_thread(store.running, reading) != running:
                    break
        finally:
            lane.stop()

    def _step(self, topic: str) -> None:
        self._steps[topic] = time.monotonic()
        self._waiting.pop(topic, None)

    async def _keep_beating(self, topics: Sequence[str], membership: Membership) -> None:
        """Tell every second that this worker is there, and how it is with its topics."""
        store, worker = self._open_store(), worker_name()
        try:
            while not self._stopping.is_set():
                with contextlib.suppress(Unavailable):  # then nobody can read it either
                    await asyncio.to_thread(store.beat, worker, {t: self._beat(t, membership) for t in topics})
                await self._idle(BEAT)
            with contextlib.suppress(Unavailable):
                await asyncio.to_thread(store.forget, worker)
        finally:
            store.close()

    def _beat(self, topic: str, membership: Membership) -> TopicBeat:
        now = time.monotonic()
        idle = round(now - self._steps.get(topic, now), 3)
        return TopicBeat(len(_of(topic, membership)), idle, self._waiting.get(topic))

    async def _give_up(
        self, store: ProjectionStore, failed: Sequence[Projection], topic: str, error: BaseException
    ) -> None:
        culprit = error.culprit if isinstance(error, FoldFailed) else None
        failure = Failure.of(error, topic, now_ms(), culprit)
        logger.error("stopped: %s", ", ".join(f"{p.name} v{p.version}" for p in failed), exc_info=error)
        for projection in failed:
            await asyncio.to_thread(store.stop, projection, failure)

    async def _announce(self, commit: Commit) -> None:
        if self._bus is None:
            return
        position = Position({(commit.topic, p): o for p, o in commit.reached.items()})
        message = json.dumps({"topic": commit.topic, "position": str(position)}).encode()
        try:
            for projection in (f.projection for f in commit.folded if f.projection.live):
                await self._bus.publish(f"{PROJECTED}.{projection.name}", message)
        except Exception as error:  # the bus is disposable: readers also look by themselves
            logger.info("not announced: %s", error, exc_info=not isinstance(error, AnalyticsError))


def _of(topic: str, membership: Membership) -> list[int]:
    return sorted(partition for owned, partition in membership.assigned() if owned == topic)
