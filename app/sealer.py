"""The sealer: follows the log, seals its blocks into the chains, signs a checkpoint whenever something was sealed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence

from app.log_blocks import Block, follow_blocks
from domain.errors import Fenced, Unavailable
from domain.evidence.checkpoints import Checkpoint, Checkpoints, Head, Sign, signed
from domain.evidence.seals import GENESIS, Seal, Seals, seal
from domain.ports import EventLog
from domain.position import Position, TopicPartition

PAUSE = 1.0  # seconds before it begins anew after a server was away or another sealer was first

logger = logging.getLogger(__name__)


class Sealer:
    """One sealer of a log; a second one on the same database finds its links taken and waits.

    A block that is not full is sealed when it is `age` seconds old, and so long at most a checkpoint is waited for.
    """

    def __init__(
        self, log: EventLog, seals: Seals, checkpoints: Checkpoints, key_id: str, sign: Sign, age: float
    ) -> None:
        self._log, self._seals, self._checkpoints = log, seals, checkpoints
        self._key_id, self._sign, self._age = key_id, sign, age
        self._last: dict[TopicPartition, Seal] = {}
        self._newest: Checkpoint | None = None

    async def run(self, topics: Sequence[str], stop: asyncio.Event) -> None:
        """Work until `stop`, then sign what was sealed. Servers that go away are waited for."""
        while not stop.is_set():
            try:
                await self._load()
                await self._follow(topics, stop)
            except (Unavailable, Fenced) as error:
                logger.warning("sealer waits: %s", error)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), PAUSE)

    async def _load(self) -> None:
        self._last = await self._seals.last()
        everything = await asyncio.to_thread(self._checkpoints.all)
        self._newest = everything[-1] if everything else None

    async def _follow(self, topics: Sequence[str], stop: asyncio.Event) -> None:
        position = Position({place: last.header.next_offset for place, last in self._last.items()})
        signing = asyncio.create_task(self._sign_now_and_then())
        try:
            await follow_blocks(self._log, topics, position, self._take, stop, max_age=self._age)
        finally:
            signing.cancel()
            await asyncio.gather(signing, return_exceptions=True)
            await self._checkpoint()

    async def _take(self, block: Block) -> None:
        place = (block.topic, block.partition)
        previous = self._last[place].chain if place in self._last else GENESIS
        bounds = block.first_offset, block.next_offset
        new = await asyncio.to_thread(seal, place, bounds, block.offsets, block.values, previous)
        await self._seals.add(new)
        self._last[place] = new

    async def _sign_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self._age)
            await self._checkpoint()

    async def _checkpoint(self) -> None:
        """Sign the ends of all chains, unless the newest checkpoint has them."""
        heads = {place: Head(last.header.next_offset, last.chain) for place, last in self._last.items()}
        if not heads or (self._newest is not None and dict(self._newest.heads) == heads):
            return
        now = time.time_ns() // 1_000_000
        self._newest = signed(self._newest, now, self._key_id, heads, self._sign)
        await asyncio.to_thread(self._checkpoints.append, self._newest)
