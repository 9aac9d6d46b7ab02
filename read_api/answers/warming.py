"""Answers are made before they are asked for: the audit trail says what a company asks at which hour of which weekday.

What is likeliest in this hour (in its last minutes: in the next one) is made anew after a movement or the turn of the
minute, one at a time, for a small share of the time, and only while nobody's question is being computed. What was asked
once is no habit. Questions of members, and those of which the trail says too little, are left alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import parse_qsl

from cachetools import LRUCache

from domain.errors import AnalyticsError
from domain.ports import ReadStore
from projections.engine.query.request import Question
from read_api.answers.cache import COMPANIES, AnswerCache

LEARNT_AGAIN = timedelta(minutes=10)
BEFORE = timedelta(minutes=3)  # the hour, in which what is asked then is made
MOST = 20  # questions of a company
HABIT = 2  # times that a question was asked at this hour of this weekday, or at this hour at all, at least
BUDGET = 0.05  # of the time may go into it
TICK = 0.5  # seconds between two looks
WEEKS = 4
# Of the same weekday it counts for more: seven days' hours would outweigh it otherwise.
HABITS = """
    SELECT target, SUM(CASE WHEN extract(isodow FROM at) = %s THEN 7 ELSE 1 END) AS likely FROM {audit_entry}
    WHERE company_id = %s AND at >= %s AND extract(hour FROM at) = %s
    AND action IN ('query', 'read') AND outcome = 'ok' AND role <> 'member' AND length(target) < 256
    GROUP BY target HAVING COUNT(*) >= %s ORDER BY likely DESC, target LIMIT %s
"""

logger = logging.getLogger(__name__)


class Target(NamedTuple):
    """The query that a target of the trail stands for, and its parameters."""

    query: str
    params: Mapping[str, str]


@dataclass(slots=True)
class _Habits:
    """What a company asks, the likeliest first, of which hour, and when that was learnt."""

    targets: Sequence[Target]
    hour: datetime
    learnt: datetime


class Warming:
    """Makes answers for the companies that ask this process.

    `now` is the clock of the doors; `doors` says which query a path of its own stands for; `budget`: share of the time.
    """

    def __init__(
        self,
        store: ReadStore,
        cache: AnswerCache,
        now: Callable[[], datetime],
        doors: Mapping[str, Target],
        budget: float = BUDGET,
    ) -> None:
        self._store, self._cache, self._now, self._doors = store, cache, now, doors
        self._habits: LRUCache[str, _Habits] = LRUCache(COMPANIES)
        self._budget = budget
        self._credit = 0.0  # seconds that may be spent

    async def run(self, rest: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Work for ever. Raises what the store raises."""
        while True:
            await rest(TICK)
            await self.step(TICK)

    async def step(self, passed: float) -> None:
        """What there is time for, after so many seconds. Raises Unavailable."""
        self._credit = min(self._credit + self._budget * passed, 60 * self._budget)
        for company in list(self._cache.companies):
            for target in await self._likely(company):
                if self._credit <= 0 or self._cache.busy:
                    return
                self._credit -= await self._warm(company, target)

    async def _warm(self, company: str, target: Target) -> float:
        """Seconds that it took."""
        try:
            return await self._cache.warm(Question(target.query, company, target.params, self._now()))
        except AnalyticsError as error:  # who asks for it is refused as well
            logger.debug("%s is not made beforehand: %s", target.query, error)
            return TICK * self._budget

    async def _likely(self, company: str) -> Sequence[Target]:
        now = self._now()
        hour = (now + BEFORE).replace(minute=0, second=0, microsecond=0)
        known = self._habits.get(company)
        if known is None or known.hour != hour or now - known.learnt >= LEARNT_AGAIN:
            known = self._habits[company] = _Habits(await self._learn(company, hour), hour, now)
        return known.targets

    async def _learn(self, company: str, hour: datetime) -> Sequence[Target]:
        since = hour - timedelta(weeks=WEEKS)
        params = (hour.isoweekday(), company, since, hour.hour, HABIT, MOST)
        found = await self._store.ask(company, "audit", HABITS, params)
        read = (self._read(str(target)) for target, *_ in found.rows)
        return [target for target in read if target is not None]

    def _read(self, target: str) -> Target | None:
        """What a target of the trail stands for; None where that is no question that is answered from rows alone."""
        path, _, query = target.partition("?")
        params = dict(parse_qsl(query, keep_blank_values=True))
        door = self._doors.get(path)
        if door is not None:
            return Target(door.query, {**params, **door.params})
        return Target(path, params) if "/" not in path else None
