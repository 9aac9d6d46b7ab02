"""Tiers behind the memory of a process: what another process has computed, and what took long, is found there.

They may lose anything at any time, and hold anything: a value says of what it is and is compared. One that does not
answer is left alone for a while, so that nobody waits for it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.errors import AnalyticsError
from domain.ports import AnswerTier
from projections.engine.query.asked_at import LastingAnswer
from read_api.answers.cached_answer import Key, packed, unpacked

FAILURES = 3  # in a row, after which a tier is left alone
PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds for which it is, doubling while it fails

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class GuardedTier:
    """A tier within a circuit breaker. `worth`: seconds that an answer must have cost; `patience`: s for one call."""

    name: str
    tier: AnswerTier
    worth: float
    patience: float
    clock: Callable[[], float] = time.monotonic
    counts: Counter[str] = field(default_factory=Counter)
    _failures: int = 0
    _closed_until: float = 0.0

    @property
    def answers(self) -> bool:
        """Whether it is asked now."""
        return self.clock() >= self._closed_until

    async def get(self, key: Key, moment: datetime) -> tuple[float, LastingAnswer] | None:
        """Cost and answer to who asks at a moment, where it has that very one."""
        value: bytes | None = await self._guarded(self.tier.get, key.name)
        found = None if value is None else unpacked(key, value)
        if value is not None and found is None:
            self.counts["foreign"] += 1
            logger.warning("%s has something else under %s", self.name, key.name)
        if found is not None and not found[1].holds_at(moment):
            found = None
        self.counts["hits" if found else "misses"] += 1
        return found

    async def put(self, key: Key, value: bytes) -> None:
        """Keep it, if it can."""
        await self._guarded(self.tier.put, key.name, value)

    async def _guarded(self, call: Callable[..., Any], *given: Any) -> Any:
        if not self.answers:
            return None
        try:
            async with asyncio.timeout(self.patience):
                found = await call(*given)
        except (AnalyticsError, TimeoutError) as error:
            self._failures += 1
            self.counts["failures"] += 1
            if self._failures >= FAILURES:
                pause = min(PAUSE * 2 ** (self._failures - FAILURES), LONGEST_PAUSE)
                self._closed_until = self.clock() + pause
                logger.warning("%s is left alone for %g s: %s", self.name, pause, error or "it does not answer")
            return None
        self._failures = 0
        return found


class Tiers:
    """Tiers in the order in which they are asked."""

    def __init__(self, *tiers: GuardedTier) -> None:
        self.all: Sequence[GuardedTier] = tiers

    async def get(self, key: Key, moment: datetime, expected: float) -> tuple[float, LastingAnswer] | None:
        """What the first of them has that is asked for answers which cost so many seconds."""
        for tier in self.all:
            if expected >= tier.worth and (found := await tier.get(key, moment)) is not None:
                return found
        return None

    async def put(self, key: Key, answer: LastingAnswer, cost: float) -> None:
        """Keep an answer wherever the seconds that it cost are worth it, in place of one of another moment."""
        worthy = [tier for tier in self.all if cost >= tier.worth and tier.answers]
        value = packed(key, answer, cost) if worthy else None
        if value is not None:
            for tier in worthy:
                await tier.put(key, value)
