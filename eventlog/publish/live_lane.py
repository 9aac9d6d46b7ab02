"""The live lane of a publisher: sends to the bus, once, in batches, and says of each call whether the bus took it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from domain.errors import LimitExceeded, Unavailable
from domain.ports import LiveBus, Record
from eventlog import tasks
from eventlog.publish.durable_lane import Limits
from eventlog.publish.record import message_of

logger = logging.getLogger(__name__)


class LiveLane:
    """Sends groups to the live bus, once, in batches; says whether the bus took them. Never raises: the log decides."""

    def __init__(self, bus: LiveBus | None, limits: Limits) -> None:
        self._bus = bus
        self._limits = limits
        self._waiting: list[tuple[Sequence[Record], asyncio.Future[bool]]] = []
        self._events = 0
        self._worker: asyncio.Task[None] | None = None

    def offer(self, records: Sequence[Record]) -> asyncio.Future[bool]:
        """Whether the bus took all of them: False at once when it is down or too much waits already."""
        took: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if self._bus is None or not self._bus.connected or self._events > self._limits.pending_events:
            took.set_result(False)
            return took
        self._waiting.append((records, took))
        self._events += len(records)
        if self._worker is None or self._worker.done():
            self._worker = tasks.start(self._run(self._bus), "the live lane")
        return took

    async def close(self) -> None:
        """Wait for what is under way."""
        if self._worker is not None:
            await asyncio.wait([self._worker])

    async def _run(self, bus: LiveBus) -> None:
        """Send what waits, and what comes meanwhile, then end. However a batch ends, each of its calls is answered."""
        while self._waiting:
            batch, self._waiting, self._events = self._waiting, [], 0
            took = [False] * len(batch)
            try:
                async with asyncio.timeout(self._limits.live_deadline):
                    sent = [await self._send(bus, records) for records, _ in batch]
                    await bus.flush()
                took = sent
            except (Unavailable, TimeoutError):
                pass
            except Exception:
                logger.exception("the live bus failed; the log has what it did not take")
            finally:
                for (_, future), outcome in zip(batch, took, strict=True):
                    if not future.done():
                        future.set_result(outcome)

    async def _send(self, bus: LiveBus, records: Sequence[Record]) -> bool:
        """Whether the bus takes these, under `analytics.<stream>.<company_id>`.

        What is wrong with one message (its size) harms no other.
        """
        took = True
        for record in records:
            try:
                company = record.key.partition(b":")[0].decode()
                await bus.publish(f"analytics.{record.topic}.{company}", message_of(record))
            except LimitExceeded as error:
                logger.info("not sent live: %s", error)
                took = False
        return took
