"""A worker's place in a consumer group, used for the assignment alone.

Records are read elsewhere and checkpoints live with the rows, so this consumer pauses all it is assigned and commits
nothing. Its heartbeats run on the worker's own event loop: a worker that is frozen, or blocked in code, stops sending
them and loses its partitions after the session timeout. aiokafka's limit between polls would add nothing and is off.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka import errors as kafka
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from adapters.kafka.clients import started
from adapters.kafka.errors import translated
from adapters.kafka.settings import KafkaSettings
from domain.position import TopicPartition as Owned
from eventlog import tasks

logger = logging.getLogger(__name__)

NEVER_MS = 2**31 - 1
HEARTBEAT_SECONDS = 1.0  # how soon a member hears of a change; the group waits for the slowest
POLL_MS = 1000
LEAVE_SECONDS = 3.0
RETRY_SECONDS = 0.5


class KafkaMembership:
    """Holds a place in the group until it leaves; joins again by itself whenever the group has lost it.

    While the group changes, what was assigned before is kept until the new assignment is known, so that partitions that
    stay are worked on without a break. Where one moves, two workers may hold it for a moment: the checkpoint's
    compare-and-set lets only one of them write.
    """

    def __init__(self, settings: KafkaSettings, group: str, topics: Sequence[str]) -> None:
        self._settings = settings
        self._group = group
        self._topics = [settings.topic_prefix + topic for topic in topics]
        self._owned: frozenset[Owned] = frozenset()
        self._changed = asyncio.Event()
        self._consumer: AIOKafkaConsumer | None = None
        self._holding: asyncio.Task[None] | None = None

    async def join(self) -> None:
        """Return once the group has assigned this worker its share, which may be nothing.

        Raises Unavailable, Defect.
        """
        with translated(f"join group {self._group}"):
            self._consumer = await self._joined()
        name = f"the membership of {self._group}"
        self._holding = tasks.start(tasks.keep(self._hold, name, pause=RETRY_SECONDS, longest=LEAVE_SECONDS), name)

    def assigned(self) -> frozenset[Owned]:
        """The partitions that this worker owns now."""
        return self._owned

    async def wait_changed(self, timeout: float) -> bool:  # noqa: ASYNC109  the port's signature
        """Wait until the assignment changes, at most `timeout` seconds; True if it did."""
        changed = self._changed
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(changed.wait(), timeout)
        return changed.is_set()

    async def leave(self) -> None:
        """Tell the group, so that others take over at once."""
        await tasks.end(self._holding)
        await self._stop()

    def own(self, partitions: Iterable[TopicPartition]) -> None:
        """Take note of a new assignment."""
        skip = len(self._settings.topic_prefix)
        owned = frozenset((tp.topic[skip:], tp.partition) for tp in partitions)
        if owned != self._owned:
            self._owned = owned
            self._changed.set()
            self._changed = asyncio.Event()

    async def _joined(self) -> AIOKafkaConsumer:
        session_ms = int(self._settings.session_timeout * 1000)
        # A join is answered when all members have joined or the rebalance, as long as a session, has timed out.
        request_ms = session_ms + int(self._settings.request_timeout * 1000)
        consumer = AIOKafkaConsumer(
            **self._settings.connection("analytics-member") | {"request_timeout_ms": request_ms},
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=int(min(HEARTBEAT_SECONDS, self._settings.session_timeout / 3) * 1000),
            max_poll_interval_ms=NEVER_MS,
            metadata_max_age_ms=10_000,  # how soon new partitions are shared out
            partition_assignment_strategy=[_sticky()],
        )
        consumer.subscribe(self._topics, listener=_Listener(self, consumer))
        return await started(consumer, _leave)

    async def _hold(self) -> None:
        """Collect what the coordinator has to say; after an error, which ends aiokafka's coordination, join anew."""
        while True:
            try:
                if self._consumer is None:
                    self._consumer = await self._joined()
                await self._consumer.getmany(timeout_ms=POLL_MS)
            except Exception as error:
                expected = isinstance(error, (kafka.KafkaError, OSError))
                logger.warning("group %s: joining again after: %s", self._group, error, exc_info=not expected)
                await self._stop()
                await asyncio.sleep(RETRY_SECONDS)

    async def _stop(self) -> None:
        self.own(())
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await _leave(consumer)


async def _leave(consumer: AIOKafkaConsumer) -> None:
    """Leave the group; where the broker does not answer in time, end what aiokafka would leave running."""
    try:
        await asyncio.wait_for(consumer.stop(), LEAVE_SECONDS)
    except (TimeoutError, kafka.KafkaError) as error:
        logger.warning("left without telling the group: %s", error or "no answer")
        if consumer._coordinator is not None:
            await consumer._coordinator._stop_heartbeat_task()
            await consumer._fetcher.close()
        await consumer._client.close()


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """Tells the membership what was assigned, and keeps the consumer from fetching any of it."""

    def __init__(self, membership: KafkaMembership, consumer: AIOKafkaConsumer) -> None:
        self._membership = membership
        self._consumer = consumer

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Nothing: until the new assignment is known the old one is worked on."""

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Take note, and fetch nothing."""
        self._consumer.pause(*assigned)
        self._membership.own(assigned)


def _sticky() -> type[StickyPartitionAssignor]:
    """An assignor of its own: aiokafka's keeps what was assigned on the class, which two memberships would share."""
    return type("StickyAssignor", (StickyPartitionAssignor,), {})
